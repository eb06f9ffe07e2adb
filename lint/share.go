package lint

import (
	"slices"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/finding"
)

// maxNamed bounds the programs that a finding names.
const maxNamed = 6

// share is the part of a call's demands that one finding is about: those of programs that get the
// same answer on the same occasion. The demand is the gravest.
type share struct {
	programs []string
	severity finding.Severity
	args     string // those that matter, in words
	demand   *demand
}

// shares returns what there is to say of denials, or of answers that depend on arguments. Of each
// program only the gravest demand counts, so that none is told of twice.
func (c *call) shares(outcome string) []share {
	type key struct {
		severity                         finding.Severity
		class                            finding.Class
		condition, args, tolerated, when string
		action                           filter.Action
		excused                          bool
	}
	var out []share
	at := make(map[key]int)
	for _, program := range c.programs(func(d *demand) bool { return d.class != finding.Runtime }) {
		d := c.gravest(func(d *demand) bool {
			return d.program == program && d.class != finding.Runtime && d.outcome != Allowed
		})
		if d == nil || d.outcome != outcome {
			continue
		}
		s := share{programs: []string{program}, args: c.with(d), demand: d}
		s.severity, _ = d.severity(c.name)
		k := key{s.severity, d.class, d.condition, s.args, d.tolerated, d.when, d.action, d.excused()}
		if i, found := at[k]; found {
			out[i].programs = append(out[i].programs, program)
			continue
		}
		at[k] = len(out)
		out = append(out, s)
	}
	return out
}

// told says who makes the call and when.
func (s *share) told(c *call) string {
	return occasion(s.programs, c.name+s.args, s.demand.class, s.demand.condition)
}

// of reports whether the demand is one of the share's programs.
func (s *share) of(d *demand) bool { return slices.Contains(s.programs, d.program) }

// judged sums up what one program gets. What the runtime needs to start it counts for it, too.
func (p *Pass) judged(u Usage) ProgramResult {
	r := ProgramResult{Program: u.Program, Verdict: VerdictOK}
	denied, unknown := false, !u.Complete
	for _, c := range p.calls {
		worst := c.gravest(func(d *demand) bool {
			if d.start != nil && hostOf(c.abi.Arch) != hostOf(u.Arch) || d.start == nil && d.program != u.Program {
				return false
			}
			s, bad := d.severity(c.name)
			denied = denied || bad && d.outcome == Denied && s == finding.Error
			unknown = unknown || d.notify || d.err != nil
			return true
		})
		if worst != nil && worst.outcome == Depends {
			r.Undecided++
		}
	}
	switch {
	case denied:
		r.Verdict = VerdictDenied
	case unknown:
		r.Verdict = VerdictUnknown
	}
	return r
}
