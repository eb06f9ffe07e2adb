package elfscan

import (
	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/syscalls"
)

// Result is what one binary can call, what could not be told, and what was out of sight.
type Result struct {
	Path       string // as given to Scan
	Kind       string // "go", or "elf" for all other programs
	GoVersion  string // toolchain that built it, "" if the binary does not say
	Arch       *syscalls.Arch
	Root       string   // Options.Root
	Script     []string // the scripts that led to the program, first the one that Scan was given; nil if it is none
	With       []string // the programs that Unite has added
	Modules    []Module // what the process maps, the program first; nil if nothing but a Go program is
	Needs      []Need   // ascending number
	Unresolved []Unresolved
	Gaps       []Gap

	united []string // what the programs of With are called by
}

// Complete reports whether the scan saw everything: no unresolved number and nothing missing.
func (r *Result) Complete() bool {
	if len(r.Unresolved) > 0 {
		return false
	}
	for _, g := range r.Gaps {
		if g.Kind == GapMissing {
			return false
		}
	}
	return true
}

// Need returns the need of number nr, or nil.
func (r *Result) Need(nr int32) *Need {
	for i := range r.Needs {
		if r.Needs[i].Nr == nr {
			return &r.Needs[i]
		}
	}
	return nil
}

// Why returns the path that proves the need of number nr, and false if there is no such need.
func (r *Result) Why(nr int32) (finding.Path, bool) {
	n := r.Need(nr)
	if n == nil || len(n.Sites) == 0 {
		return nil, n != nil
	}
	return n.Sites[0].Path, true
}

// Module is a file that the process of a program maps.
type Module struct {
	Path    string // in the root, without links
	BuildID string // in hex, "" if the file has none
	Opened  bool   // while the program runs: dlopen, or one of Options.Plugins
}

// Need is one syscall that the binary can make.
type Need struct {
	Nr        int32  // as seccomp_data carries it
	Name      string // "" if the architecture's table does not name it
	Class     finding.Class
	Condition string // what must hold, for class conditional
	Detail    string // one line of further explanation, "" if none
	Sites     []Site // where, best proof first
	Args      [6]Values
}

// Site is one place that makes the call: the instruction itself, or the outermost call whose
// arguments decide the number.
type Site struct {
	Address   uint64 // of the syscall instruction
	Class     finding.Class
	Condition string
	Args      [6]Values
	Path      finding.Path
	// Always names functions that are on every way to the instruction, the innermost first: those on
	// the one path shown need not be. Of a library these are NAME@SONAME, or @SONAME for a function
	// that it does not export.
	Always []string
}

// Values is a set of constants or unknown. The zero Values is unknown, which is never the same as
// an empty set or the constant 0.
type Values struct {
	Known  bool
	Consts []uint64 // ascending, as the register holds them; only if Known
}

// Unresolved is a syscall instruction whose number could not be told.
type Unresolved struct {
	Function string
	Address  uint64
	Reason   string
	Path     finding.Path
}

// GapKind says what is out of a scan's sight.
type GapKind string

// The kinds of gap. Only GapMissing makes a result incomplete.
const (
	GapExec    GapKind = "exec"    // starts other programs, which inherit the filter
	GapDlopen  GapKind = "dlopen"  // loads code by name
	GapPlugin  GapKind = "plugin"  // loads Go plugins
	GapCode    GapKind = "code"    // makes memory executable, or calls functions by names that are not constant: what runs so was not seen
	GapLoader  GapKind = "loader"  // a loader runs first that was not found; its known start-up calls are counted
	GapLibrary GapKind = "library" // it is no program: what runs of it, and before it, is up to those that load it
	GapMissing GapKind = "missing" // code that runs in the process and was not read
)

// Gap is something that the scan could not look into.
type Gap struct {
	Kind   GapKind
	Detail string
	Names  []string // of what is started, loaded or missing, as far as known
	Path   finding.Path
}
