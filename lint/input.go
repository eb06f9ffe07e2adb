package lint

import (
	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/syscalls"
)

// Input is what Run judges.
type Input struct {
	Profile *profile.Profile

	// Target says who enforces the profile. A Target without Runtime stands for the default of the
	// profile's format. ABI and Host are set for each judged architecture.
	Target profile.Target

	// Arches are the ABIs to judge. None: those of the usages, or else all that the profile names,
	// or else that of Target, or else x86_64.
	Arches []*syscalls.Arch

	Usage []Usage // none: the profile alone is judged
}

// Usage is what one program needs.
type Usage struct {
	Program    string // as the user knows it
	Kind       string // "go" or "elf"
	Arch       *syscalls.Arch
	Complete   bool // nothing unresolved and nothing missing
	Unread     bool // its process can hold code that was not read, such as what it loads by name
	Needs      []Need
	Root       string                   // the directory that stands for /; "" for this machine's own
	Why        func(call string) string // the command that shows who makes a call; nil: there is none
	Unresolved []string                 // the places of calls of unknown number, as a reader looks for them
	Missing    []string                 // what runs in the process and was not read, a clause each
}

// Need is one system call that a program can make.
type Need struct {
	Nr        int32  // as seccomp_data carries it
	Name      string // "" if no table names it
	Class     finding.Class
	Condition string      // what must hold, for class conditional
	Args      [6][]uint64 // constants that an argument can hold; nil: unknown
	Path      finding.Path
	Always    []string // see Site

	// Sites are the places that make the call, where they are known: each is judged with its own
	// class and constants. None: the fields above are the one site.
	Sites []Site
}

// Site is one place that makes a call.
type Site struct {
	Class     finding.Class
	Condition string
	Args      [6][]uint64
	Path      finding.Path // one way there

	// Always names functions that are on every way to this place. Only they can vouch for a caller
	// that lives with a denial; none means that none is known.
	Always []string
}

// The values of Outcome.Outcome.
const (
	Allowed = "allowed"
	Denied  = "denied"
	Depends = "depends"
	Unused  = "unused"
)

// Outcome is what the filter does with one call on one ABI.
type Outcome struct {
	Arch    *syscalls.Arch
	Nr      int32
	Name    string        // "" if no table names the number
	Class   finding.Class // of the gravest need; "" for unused
	Outcome string

	// Action is the filter's answer: for depends the gravest of the possible ones, for unused the
	// most permissive one.
	Action filter.Action

	// When holds the conditions under which the call runs, for depends and for a call that is open
	// for some arguments only; "" otherwise.
	When string

	Tolerated string       // why the denial costs nothing, "" if it does
	Programs  []string     // who needs it, in the order of the usages, the runtime last
	Path      finding.Path // proof of the gravest need
}

// The verdicts on programs.
const (
	VerdictOK      = "ok"      // nothing that they need is denied
	VerdictDenied  = "denied"  // a denial breaks them
	VerdictUnknown = "unknown" // nothing is known to break, and something could not be judged
)

// Result is what Run found.
type Result struct {
	Input    Input
	Resolved *profile.Resolved // for the first host; nil if the profile names no known architecture

	// Hosts holds the profile as resolved for every host that the judged ABIs need, Resolved first.
	Hosts []*profile.Resolved

	Findings []finding.Finding // gravest first
	Outcomes []Outcome         // by ABI and number; without usage, those of the runtime's start alone
	Verdict  string            // "" without usage: the gravest of Programs
	Programs []ProgramResult   // in the order of the usages

	// Incomplete names the programs whose scan did not see everything. They make a verdict that
	// would be ok unknown.
	Incomplete []string
}

// ProgramResult is the judgement on one program.
type ProgramResult struct {
	Program   string
	Verdict   string
	Undecided int // its calls with outcome depends
}

// Undecided returns the outcomes that depend on what is not known. They leave the verdict ok unless
// a listener decides; a strict caller counts them as unknown.
func (r *Result) Undecided() []Outcome {
	var out []Outcome
	for _, o := range r.Outcomes {
		if o.Outcome == Depends {
			out = append(out, o)
		}
	}
	return out
}
