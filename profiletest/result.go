package profiletest

import (
	"fmt"
	"strings"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/simulate"
	"github.com/profcheck/profcheck/syscalls"
)

// A Result is what came of the expectations of one file, or of a vector table. Each word of an
// expectation counts as one: "allow: [read, write]" is two, whatever the number of architectures.
type Result struct {
	File    string // of the expectations
	Profile string // the file or built-in that they are about
	Format  string // of the profile; "filter" for a compiled one

	Passed, Failed, Unknown int

	Failures []Failure // those that failed or could not be decided, in file order
	Notes    []string  // what passed and is worth knowing, a line each
	Coverage Coverage
}

// OK reports whether all expectations hold.
func (r *Result) OK() bool { return r.Failed == 0 && r.Unknown == 0 }

// A Failure is an expectation that does not hold, or, if Unknown, of which nobody can tell.
type Failure struct {
	Line, Column int    // in the file; 0: none
	Expected     string // "deny mount with EPERM"
	Unknown      bool
	Cases        []Case // where it does not hold, at least one; at most MaxCases
	More         int    // cases beyond these
}

// MaxCases bounds the cases of a Failure.
const MaxCases = 100

// A Case is one call for which an expectation does not hold.
type Case struct {
	Arch    *syscalls.Arch
	Target  profile.Target // with its blanks filled in
	Syscall string         // the name of the number, "" if it has none
	To      int32          // the last number of a range that is answered alike; Call.Nr if it is one
	Call    filter.Data    // the witness
	Action  filter.Action  // what the filter returns for it
	When    string         // the condition on the arguments under which it does, "" for always

	Reason  string                // what decides, in one line
	Rule    *profile.ResolvedRule // that decides; nil: none does
	Program filter.Program        // the filter
	Trace   []simulate.Step       // what ran for the witness

	Err error // why it cannot be decided; then only Arch, Target, Syscall, To and Call.Nr mean something
}

// Coverage says which rules and instructions no expectation reached. An expectation reaches
// what any call reaches that it is about.
type Coverage struct {
	Rules   []RuleCoverage   // of the profile, in file order; none for a compiled filter
	Filters []FilterCoverage // those that the expectations asked, each once
}

// A RuleCoverage is about one rule of the profile.
type RuleCoverage struct {
	Rule     *profile.Rule
	Enforced bool     // in some setting that an expectation asks about
	Reached  bool     // it decides a call of some expectation
	Missed   []string // the syscalls for which it is enforced and decides nothing, in file order
}

// A FilterCoverage is about one compiled filter.
type FilterCoverage struct {
	Arch    *syscalls.Arch // of the first setting that has this filter, as is Target
	Target  profile.Target
	Program filter.Program
	Reached []bool // by index of the instruction
}

// Counts returns how many there are, and how many of them were reached.
func (c *FilterCoverage) Counts() (reached, total int) {
	for _, r := range c.Reached {
		if r {
			reached++
		}
	}
	return reached, len(c.Reached)
}

// Counts counts the rules that are enforced and how many of them were reached.
func (c *Coverage) Counts() (reached, enforced int) {
	for _, r := range c.Rules {
		if r.Enforced {
			enforced++
		}
		if r.Reached {
			reached++
		}
	}
	return reached, enforced
}

// Text describes the failure in several lines, without the place: what the filter answers to which
// call, what decides, and which instructions ran: the last of them, or all if verbose.
func (f *Failure) Text(verbose bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "expected %s\n", f.Expected)
	if len(f.Cases) == 0 {
		return b.String()
	}
	c := &f.Cases[0]
	if c.Err != nil {
		fmt.Fprintf(&b, "  unknown on %s (%s): %s: %v\n", c.Arch.Name, c.Target.Runtime, c.call(), c.Err)
	} else {
		fmt.Fprintf(&b, "  found %s for %s, number %d on %s (%s)\n", Answer(c.Action), c.call(), c.Call.Nr, c.Arch.Name, c.Target.Runtime)
		if c.When != "" {
			fmt.Fprintf(&b, "  whenever %s\n", c.When)
		}
		fmt.Fprintf(&b, "  decided by %s\n", c.Reason)
		c.trace(&b, verbose)
	}
	if also := f.also(); also != "" {
		fmt.Fprintf(&b, "  also: %s\n", also)
	}
	return b.String()
}

// also lists the cases behind the first.
func (f *Failure) also() string {
	const few = 8
	var list []string
	more := f.More
	for i := 1; i < len(f.Cases); i++ {
		if len(list) == few {
			more += len(f.Cases) - i
			break
		}
		list = append(list, f.Cases[i].brief())
	}
	if more > 0 {
		list = append(list, fmt.Sprintf("%d more", more))
	}
	return strings.Join(list, "; ")
}

func (c *Case) brief() string {
	if c.Err != nil {
		return fmt.Sprintf("%s on %s (%s): unknown", c.call(), c.Arch.Name, c.Target.Runtime)
	}
	return fmt.Sprintf("%s for %s on %s (%s)", Answer(c.Action), c.call(), c.Arch.Name, c.Target.Runtime)
}

// call writes the witness: "socket(0x28)".
func (c *Case) call() string {
	name := c.Syscall
	if name == "" {
		name = fmt.Sprintf("number %d", c.Call.Nr)
	}
	if c.To != c.Call.Nr {
		return fmt.Sprintf("numbers %d to %d", c.Call.Nr, uint32(c.To))
	}
	if c.Err != nil {
		return name
	}
	args := c.Call.Args[:]
	for len(args) > 0 && args[len(args)-1] == 0 {
		args = args[:len(args)-1]
	}
	var list []string
	for _, a := range args {
		list = append(list, number{value: a}.String())
	}
	text := name + "(" + strings.Join(list, ", ") + ")"
	if c.Call.IP != 0 {
		text += fmt.Sprintf(" at instruction pointer %#x", c.Call.IP)
	}
	return text
}

func (n number) String() string {
	if n.value < 10 {
		return fmt.Sprint(n.value)
	}
	return fmt.Sprintf("%#x", n.value)
}

// trace lists instructions that ran: all, or the last of them.
func (c *Case) trace(b *strings.Builder, verbose bool) {
	steps := c.Trace
	fmt.Fprintf(b, "  filter: %d of %d instructions ran\n", len(steps), len(c.Program))
	if !verbose {
		steps = steps[Shown(steps):]
	}
	if len(steps) < len(c.Trace) {
		b.WriteString("     ...\n")
	}
	for _, s := range steps {
		line := fmt.Sprintf("    %4d  %s", s.PC, c.Program[s.PC])
		if s.Word >= 0 {
			line = fmt.Sprintf("%-32s  %s = %#x", line, filter.WordName(s.Word, c.Arch.Order()), loadedValue(c.Program[s.PC], s))
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}

// loadedValue is what a load left in its register.
func loadedValue(in filter.Insn, s simulate.Step) uint32 {
	if in.Code&7 == filter.ClassLdx {
		return s.X
	}
	return s.A
}

// Shown returns the index of the step from which on a short text shows a trace: the last load of a
// word of the call, but not more than a few steps.
func Shown(steps []simulate.Step) int {
	const few = 5
	for i := len(steps) - 1; i >= 0 && i >= len(steps)-few; i-- {
		if steps[i].Word >= 0 {
			return i
		}
	}
	return max(0, len(steps)-few)
}

// Answer writes an action as the kernel carries it out, with the name of an errno: "ERRNO(1) EPERM".
func Answer(a filter.Action) string {
	a = a.Effect()
	text := a.String()
	if name := filter.ErrnoName(a.Errno()); name != "" {
		text += " " + name
	}
	return text
}
