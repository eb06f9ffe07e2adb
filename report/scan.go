package report

import (
	"fmt"
	"slices"

	"github.com/profcheck/profcheck/finding"
)

// Scan is what binaries can call.
type Scan struct {
	Version  int      `json:"version"`
	Binaries []Binary `json:"binaries"`
}

// Binary is what one binary can call, what could not be told and what was out of sight.
type Binary struct {
	Path       string       `json:"path"`
	Kind       string       `json:"kind"` // "go" or "elf"
	Arch       string       `json:"arch"`
	Toolchain  string       `json:"toolchain,omitempty"` // what built it, "go1.26.1"; empty if the file does not say
	Script     []string     `json:"script,omitempty"`    // what was named is a script: it, and the scripts that interpret it
	Root       string       `json:"root,omitempty"`      // the directory that stood for /; empty: the machine's own
	With       []string     `json:"with,omitempty"`      // programs whose needs are united with its own
	Complete   bool         `json:"complete"`            // no unresolved number and nothing missing
	Modules    []Module     `json:"modules,omitempty"`   // what its process maps, the program first; absent where no other file is
	Syscalls   []Need       `json:"syscalls"`            // ascending number
	Unresolved []Unresolved `json:"unresolved"`
	Gaps       []Gap        `json:"gaps"`
}

// Module is a file that is mapped into a program's process.
type Module struct {
	Path    string `json:"path"`              // in the root, without links
	BuildID string `json:"buildId,omitempty"` // in hex; empty if the file has none
	Opened  bool   `json:"opened,omitempty"`  // while the program runs: dlopen, or a plugin that was given
}

// Need is one syscall that a binary can make.
type Need struct {
	Name      string  `json:"name"` // empty if no table names the number
	Nr        int32   `json:"nr"`
	Class     string  `json:"class"`
	Condition string  `json:"condition,omitempty"` // what must hold, for class conditional
	Detail    string  `json:"detail,omitempty"`
	Args      []Arg   `json:"args,omitempty"` // those whose values are known
	Path      []Frame `json:"path"`           // root first, the syscall instruction last
}

// Arg is one argument of a syscall that only takes known values.
type Arg struct {
	Index  int    `json:"index"`          // 0 to 5
	Name   string `json:"name,omitempty"` // as the kernel names the parameter
	Values []Hex  `json:"values"`         // ascending, as the register holds them
}

// Frame is one step of a path.
type Frame struct {
	Function string `json:"function"`
	File     string `json:"file,omitempty"`
	Line     int    `json:"line,omitempty"`
	Module   string `json:"module,omitempty"` // base name of the file that holds the function; absent: the program itself
	Address  Hex    `json:"address"`          // 0x0 if it is not code
	Edge     string `json:"edge,omitempty"`   // how it leads to the next frame: call, inline, reference, interface
}

// Unresolved is a syscall instruction whose number could not be told.
type Unresolved struct {
	Function string  `json:"function"`
	Address  Hex     `json:"address"`
	Reason   string  `json:"reason"`
	Path     []Frame `json:"path,omitempty"`
}

// Gap is something that a scan could not look into.
type Gap struct {
	Kind   string   `json:"kind"` // exec, dlopen, plugin, loader, code, library or missing
	Detail string   `json:"detail"`
	Names  []string `json:"names,omitempty"`  // what is started, loaded or missing, as far as known
	Give   []string `json:"give,omitempty"`   // values of --with or --plugin that let the next run read it
	Absent []string `json:"absent,omitempty"` // programs among Names that the root does not have
	Path   []Frame  `json:"path,omitempty"`
}

// FromPath is a finding's path in the form of the documents.
func FromPath(p finding.Path) []Frame {
	out := make([]Frame, 0, len(p))
	for _, f := range p {
		out = append(out, Frame{f.Function, f.File, f.Line, f.Module, Hex(f.Address), string(f.Edge)})
	}
	return out
}

func (*Scan) kind() string { return "scan" }

func (s *Scan) check() error { return checkBinaries(s.Binaries) }

var (
	binaryKinds = []string{"go", "elf"}
	gapKinds    = []string{"exec", "dlopen", "plugin", "loader", "code", "library", "missing"}
	classes     = []string{
		string(finding.Required), string(finding.Startup), string(finding.Child), string(finding.Runtime),
		string(finding.Conditional), string(finding.VDSO), string(finding.Kernel),
	}
)

func checkBinaries(binaries []Binary) error {
	for i, b := range binaries {
		at := fmt.Sprintf("binaries[%d]", i)
		if b.Path == "" || b.Arch == "" {
			return fmt.Errorf("%s: path and arch are needed", at)
		}
		if err := oneOf(at+".kind", b.Kind, binaryKinds); err != nil {
			return err
		}
		for j, n := range b.Syscalls {
			at := fmt.Sprintf("%s.syscalls[%d]", at, j)
			if err := oneOf(at+".class", n.Class, classes); err != nil {
				return err
			}
			for k, a := range n.Args {
				if a.Index < 0 || a.Index > 5 {
					return fmt.Errorf("%s.args[%d].index: %d is not 0 to 5", at, k, a.Index)
				}
			}
		}
		for j, g := range b.Gaps {
			if err := oneOf(fmt.Sprintf("%s.gaps[%d].kind", at, j), g.Kind, gapKinds); err != nil {
				return err
			}
		}
	}
	return nil
}

// oneOf reports a word that the contract does not know.
func oneOf(field, word string, allowed []string) error {
	if slices.Contains(allowed, word) {
		return nil
	}
	return fmt.Errorf("%s: unknown word %q, want one of %v", field, word, allowed)
}
