package finding

import "fmt"

// Severity says how much a finding matters. The zero value is Info.
type Severity int

// The severities, in rising order, so that they compare with <.
const (
	Info Severity = iota
	Warning
	Error
)

var severityNames = [...]string{"info", "warning", "error"}

// String returns "info", "warning" or "error".
func (s Severity) String() string {
	if s < 0 || int(s) >= len(severityNames) {
		return fmt.Sprintf("severity(%d)", int(s))
	}
	return severityNames[s]
}

// ParseSeverity is the inverse of Severity.String.
func ParseSeverity(word string) (Severity, error) {
	for i, name := range severityNames {
		if name == word {
			return Severity(i), nil
		}
	}
	return 0, fmt.Errorf("unknown severity %q: info, warning or error", word)
}

// Class says on which occasion a program makes a syscall, and with that what a denial costs.
type Class string

// The classes of need. Conditional wins over the others: a call that is only made under a named
// condition is conditional even if it belongs to the start-up.
const (
	Required    Class = "required"    // the program itself
	Startup     Class = "startup"     // loader, libc or Go start-up, before main
	Child       Class = "child"       // between clone and execve
	Runtime     Class = "runtime"     // the container runtime, after it has loaded the filter
	Conditional Class = "conditional" // only if a named condition holds
	VDSO        Class = "vdso"        // fallback where the vDSO cannot answer
	Kernel      Class = "kernel"      // made by the kernel: signal return, restart
)

// Pos is a place in a text file. Line and Column count from 1, columns in bytes; a zero Line means
// the whole file, a zero Pos no place at all.
type Pos struct {
	File   string
	Line   int
	Column int
}

// String returns file:line:column with the unknown parts left out.
func (p Pos) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Frame is one step of a Path: a function and the instruction in it that leads to the next step.
type Frame struct {
	Function string // the symbol; "sub_<address>" if the binary names none, or what runs by itself: "_start", "constructor", "destructor"
	File     string // source file of the instruction, "" if unknown
	Line     int    // its line, 0 if unknown
	Module   string // base name of the file that holds the function; "" for the program itself
	Address  uint64 // virtual address of the instruction in that file as linked; 0 if it is not code
	Edge     Edge   // how this frame leads to the next one; empty in the last frame
}

// Edge says how one frame of a Path leads to the next.
type Edge string

// The kinds of edge, from the most to the least direct.
const (
	EdgeCall      Edge = "call"      // direct call or tail jump
	EdgeInline    Edge = "inline"    // the next function was inlined into this one
	EdgeReference Edge = "reference" // takes the next function's address, so that it can be called
	EdgeInterface Edge = "interface" // uses a type or table that holds the next function
)

// Path is a chain of frames that proves a need: the root (an entry point) first, the syscall
// instruction last.
type Path []Frame

// Witness is a concrete call that shows a finding.
type Witness struct {
	Arch    string
	Syscall string // "" if no table names the number
	Nr      int32  // as seccomp_data carries it
	Args    [6]uint64
}

// Finding is one result of one check.
type Finding struct {
	Check    string // identifier of the check, "PC613"
	Severity Severity
	Arch     string   // ABI it holds for; "" if it does not depend on one
	Arches   []string // all ABIs it holds for, Arch first if that is not empty; nil if it does not depend on one
	Syscalls []string // the syscalls it is about, gravest first
	Message  string   // one sentence, no full stop
	Witness  *Witness
	Remedy   string // what to do about it; "" if nothing safe can be said
	Pos      Pos
	Path     Path

	Suppressed *Suppression // why it does not count; nil: it does
}

// Suppression says why a finding does not count: it makes no exit code, and texts leave it out unless
// they are verbose.
type Suppression struct {
	By      SuppressedBy
	Reason  string // in the words of who suppressed it; "" if nobody gave one
	Expires string // the last day on which it holds, YYYY-MM-DD; "" for ever
	Pos     Pos    // where it is written down; the zero Pos if nowhere
}

// SuppressedBy says by what a finding was suppressed.
type SuppressedBy string

// What can suppress a finding.
const (
	ByComment  SuppressedBy = "comment"  // in the profile itself
	ByConfig   SuppressedBy = "config"   // the configuration of profcheck
	ByBaseline SuppressedBy = "baseline" // it was there before, in a saved list
)
