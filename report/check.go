package report

import (
	"fmt"

	"github.com/profcheck/profcheck/finding"
)

// The verdicts of a check.
const (
	VerdictOK      = "ok"      // nothing that the binaries need is denied
	VerdictDenied  = "denied"  // something that they need is denied
	VerdictUnknown = "unknown" // the scan was not complete, or an outcome could not be told
)

// Check is the answer to the main question: do these binaries run under this profile, and what
// does it allow that they do not need?
type Check struct {
	Version  int       `json:"version"`
	Binaries []Binary  `json:"binaries"`
	Profile  Profile   `json:"profile"`
	Target   Target    `json:"target"`
	Verdict  string    `json:"verdict"`
	Reason   string    `json:"reason,omitempty"`   // why the verdict is unknown, or partial
	Partial  bool      `json:"partial,omitempty"`  // the verdict is one on what was seen, as --allow-incomplete asks
	Programs []Program `json:"programs,omitempty"` // the verdict on each binary, if there are several
	Syscalls []Outcome `json:"syscalls"`           // what is needed or allowed, ascending number
	Findings []Finding `json:"findings"`           // gravest first
	Unused   *Unused   `json:"unused,omitempty"`   // nil: not judged
	FailOn   string    `json:"failOn,omitempty"`   // least severity of a finding that counts as a failure, or never; absent: error
}

// Program is the verdict on one of several binaries.
type Program struct {
	Name    string `json:"name"` // as findings call it
	Verdict string `json:"verdict"`
}

// Profile names a profile.
type Profile struct {
	Name   string `json:"name"` // as the user gave it
	Format string `json:"format"`
	File   string `json:"file,omitempty"` // that it is in, where the name also says which part of the file it is
}

// Target is where a profile is enforced. Nothing of it comes from the machine that profcheck runs on.
type Target struct {
	Runtime string   `json:"runtime"`
	Release string   `json:"release,omitempty"` // the runtime that makes the filter with its release, "runc 1.1.5"; empty: the newest known
	Arch    string   `json:"arch"`
	Host    string   `json:"host"`
	Caps    []string `json:"caps"`
	Kernel  string   `json:"kernel"`
	Assumed []string `json:"assumed,omitempty"` // what nobody gave: "runtime", "caps", "kernel"; "libraries" if those of this machine were read
}

// Outcome is what a profile answers for one syscall.
type Outcome struct {
	Arch     string   `json:"arch,omitempty"`
	Name     string   `json:"name"`
	Nr       int32    `json:"nr"`
	Class    string   `json:"class,omitempty"` // empty if nothing needs it
	Outcome  string   `json:"outcome"`         // allowed, denied, depends, unused
	Action   string   `json:"action"`          // without its data: ERRNO
	Data     uint16   `json:"data"`            // the action's low 16 bits
	Errno    string   `json:"errno,omitempty"`
	When     string   `json:"when,omitempty"`     // conditions on the arguments, for depends
	Programs []string `json:"programs,omitempty"` // the binaries that need it, if there are several
}

// Unused counts what a profile allows and no binary needs.
type Unused struct {
	Count    int      `json:"count"`
	Riskiest []string `json:"riskiest"` // gravest first, a few
	Check    string   `json:"check"`    // the check whose finding says the same
}

// Finding is one result of one check.
type Finding struct {
	Check    string    `json:"check"`
	Severity string    `json:"severity"`
	Arch     string    `json:"arch,omitempty"`
	Syscalls []string  `json:"syscalls,omitempty"`
	Message  string    `json:"message"`
	Witness  *Witness  `json:"witness,omitempty"`
	Remedy   string    `json:"remedy,omitempty"`
	Position *Position `json:"position,omitempty"`
	Path     []Frame   `json:"path,omitempty"`

	Profile    int          `json:"profile,omitempty"`    // which of the document's profiles it is about; absent: the first one
	Suppressed *Suppression `json:"suppressed,omitempty"` // why it does not count; absent: it does
}

// Suppression says why a finding does not count: it makes no exit code, and texts leave it out unless
// they are verbose.
type Suppression struct {
	By       string    `json:"by"`                 // comment (in the profile), config or baseline
	Reason   string    `json:"reason,omitempty"`   // in the words of who suppressed it
	Expires  string    `json:"expires,omitempty"`  // the last day on which it holds, YYYY-MM-DD; absent: for ever
	Position *Position `json:"position,omitempty"` // where it is written down
}

// Witness is a concrete call that shows a finding.
type Witness struct {
	Arch    string `json:"arch"`
	Syscall string `json:"syscall"`
	Nr      int32  `json:"nr"`
	Args    []Hex  `json:"args"`         // six
	IP      Hex    `json:"ip,omitempty"` // the instruction pointer; absent: 0
}

// Position is a place in a text file; line and column count from 1, 0 means unknown.
type Position struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`

	Source *Source `json:"source,omitempty"` // what stands there; only findings have it
}

// FromFinding is a finding in the form of the documents.
func FromFinding(f finding.Finding) Finding {
	out := Finding{
		Check: f.Check, Severity: f.Severity.String(), Arch: f.Arch, Syscalls: f.Syscalls,
		Message: f.Message, Remedy: f.Remedy,
	}
	if w := f.Witness; w != nil {
		out.Witness = &Witness{Arch: w.Arch, Syscall: w.Syscall, Nr: w.Nr}
		for _, a := range w.Args {
			out.Witness.Args = append(out.Witness.Args, Hex(a))
		}
	}
	out.Position = fromPos(f.Pos)
	if len(f.Path) > 0 {
		out.Path = FromPath(f.Path)
	}
	if s := f.Suppressed; s != nil {
		out.Suppressed = &Suppression{By: string(s.By), Reason: s.Reason, Expires: s.Expires, Position: fromPos(s.Pos)}
	}
	return out
}

// fromPos is nil for no place at all.
func fromPos(p finding.Pos) *Position {
	if p == (finding.Pos{}) {
		return nil
	}
	return &Position{File: p.File, Line: p.Line, Column: p.Column}
}

// FromFindings converts a list; the result is never nil, so that JSON has an array.
func FromFindings(list []finding.Finding) []Finding {
	out := make([]Finding, 0, len(list))
	for _, f := range list {
		out = append(out, FromFinding(f))
	}
	return out
}

func (*Check) kind() string { return "check" }

var (
	verdicts   = []string{VerdictOK, VerdictDenied, VerdictUnknown}
	outcomes   = []string{"allowed", "denied", "depends", "unused"}
	severities = []string{finding.Error.String(), finding.Warning.String(), finding.Info.String()}
	thresholds = append(severities[:3:3], "never")
	suppressed = []string{string(finding.ByComment), string(finding.ByConfig), string(finding.ByBaseline)}
)

func (c *Check) check() error {
	if err := oneOf("verdict", c.Verdict, verdicts); err != nil {
		return err
	}
	for i, p := range c.Programs {
		if err := oneOf(fmt.Sprintf("programs[%d].verdict", i), p.Verdict, verdicts); err != nil {
			return err
		}
	}
	if c.Profile.Name == "" || c.Target.Runtime == "" || len(c.Binaries) == 0 {
		return fmt.Errorf("%w: profile, target and binaries are needed", ErrNotReport)
	}
	if err := checkBinaries(c.Binaries); err != nil {
		return err
	}
	for i, o := range c.Syscalls {
		at := fmt.Sprintf("syscalls[%d]", i)
		if err := oneOf(at+".outcome", o.Outcome, outcomes); err != nil {
			return err
		}
		if o.Class != "" {
			if err := oneOf(at+".class", o.Class, classes); err != nil {
				return err
			}
		}
	}
	if err := checkThreshold(c.FailOn); err != nil {
		return err
	}
	return checkFindings(c.Findings)
}

func checkThreshold(word string) error {
	if word == "" {
		return nil
	}
	return oneOf("failOn", word, thresholds)
}

func checkFindings(list []Finding) error {
	for i, f := range list {
		at := fmt.Sprintf("findings[%d]", i)
		if err := oneOf(at+".severity", f.Severity, severities); err != nil {
			return err
		}
		if f.Check == "" || f.Message == "" {
			return fmt.Errorf("%s: check and message are needed", at)
		}
		if w := f.Witness; w != nil && len(w.Args) != 6 {
			return fmt.Errorf("%s.witness.args: %d values, want 6", at, len(w.Args))
		}
		if s := f.Suppressed; s != nil {
			if err := oneOf(at+".suppressed.by", s.By, suppressed); err != nil {
				return err
			}
		}
		if p := f.Position; p != nil && p.Source != nil {
			if err := p.Source.check(at + ".position.source"); err != nil {
				return err
			}
		}
	}
	return nil
}
