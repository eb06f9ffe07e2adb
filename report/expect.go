package report

import "fmt"

// Expect is what came of expectations about profiles.
type Expect struct {
	Version int          `json:"version"`
	Passed  int          `json:"passed"` // in all files together
	Failed  int          `json:"failed"`
	Unknown int          `json:"unknown,omitempty"` // those of which nobody can tell
	Files   []ExpectFile `json:"files"`             // in the order in which they were given
}

// ExpectFile is what came of one file of expectations, or of one vector table.
type ExpectFile struct {
	File     string          `json:"file"`
	Profile  Profile         `json:"profile"` // that they are about; the format of a compiled filter is "filter"
	Passed   int             `json:"passed"`
	Failed   int             `json:"failed"`
	Unknown  int             `json:"unknown,omitempty"`
	Failures []ExpectFailure `json:"failures"`        // in file order; the unknown ones are among them
	Notes    []string        `json:"notes,omitempty"` // what passed and is worth knowing
	Coverage Coverage        `json:"coverage"`
}

// ExpectFailure is an expectation that does not hold.
type ExpectFailure struct {
	Position Position     `json:"position"`
	Expected string       `json:"expected"` // "deny mount with EPERM"
	Unknown  bool         `json:"unknown,omitempty"`
	Cases    []ExpectCase `json:"cases"`          // where it does not hold, at least one
	More     int          `json:"more,omitempty"` // cases beyond these
}

// ExpectCase is a call for which an expectation does not hold, and how the filter came to its answer.
type ExpectCase struct {
	Target  Target  `json:"target"`
	Witness Witness `json:"witness"`
	To      *int32  `json:"to,omitempty"`      // the last of a range of numbers that are answered alike
	Unknown string  `json:"unknown,omitempty"` // why it cannot be decided; then nothing below is there
	Action  string  `json:"action,omitempty"`  // without its data
	Data    uint16  `json:"data,omitempty"`
	Errno   string  `json:"errno,omitempty"`
	When    string  `json:"when,omitempty"`   // the condition on the arguments for this answer; empty: always
	Reason  string  `json:"reason,omitempty"` // what decided, in one line
	Rule    *Rule   `json:"rule,omitempty"`   // nil: no rule of the profile decided
	Trace   []Step  `json:"trace,omitempty"`  // the instructions that ran for the witness
	Shown   int     `json:"shown,omitempty"`  // from this step on, the trace is in a short text
	Length  int     `json:"length,omitempty"` // instructions in the whole filter
}

// Coverage says what the expectations of a file reach. One over all arguments reaches what any
// argument reaches.
type Coverage struct {
	Listed  bool            `json:"listed,omitempty"` // the lists belong into a short text, too
	Rules   []CoveredRule   `json:"rules,omitempty"`  // of the profile, in file order
	Filters []CoveredFilter `json:"filters"`          // the filters that the expectations asked, each once
}

// CoveredRule is one rule of a profile.
type CoveredRule struct {
	Rule     Rule     `json:"rule"`
	Enforced bool     `json:"enforced"`         // somewhere where an expectation is asked
	Reached  bool     `json:"reached"`          // it decides a call that an expectation is about
	Missed   []string `json:"missed,omitempty"` // syscalls for which it is enforced and decides none
}

// CoveredFilter is one compiled filter.
type CoveredFilter struct {
	Target       Target      `json:"target"` // the first of those that have this filter
	Instructions int         `json:"instructions"`
	Reached      int         `json:"reached"`
	Missed       []InsnRange `json:"missed,omitempty"` // the others, ascending
}

// InsnRange is a range of instructions, both ends in it, counted from 0.
type InsnRange struct {
	From int `json:"from"`
	To   int `json:"to"`
}

func (*Expect) kind() string { return "expect" }

func (e *Expect) check() error {
	for i, f := range e.Files {
		if f.File == "" {
			return fmt.Errorf("files[%d].file is needed", i)
		}
		for j, failure := range f.Failures {
			at := fmt.Sprintf("files[%d].failures[%d]", i, j)
			if len(failure.Cases) == 0 {
				return fmt.Errorf("%s.cases is empty", at)
			}
			for k, c := range failure.Cases {
				if err := c.check(fmt.Sprintf("%s.cases[%d]", at, k)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (c *ExpectCase) check(at string) error {
	if len(c.Witness.Args) != 6 {
		return fmt.Errorf("%s.witness.args: %d values, want 6", at, len(c.Witness.Args))
	}
	if c.Unknown != "" {
		return nil
	}
	if c.Shown < 0 || c.Shown > len(c.Trace) {
		return fmt.Errorf("%s.shown: %d of %d steps", at, c.Shown, len(c.Trace))
	}
	return oneOf(at+".action", c.Action, actions)
}
