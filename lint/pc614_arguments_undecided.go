package lint

import (
	"fmt"

	"github.com/profcheck/profcheck/finding"
)

var _ = register(&Check{
	ID: "PC614", Name: "arguments-undecided", Severity: finding.Warning,
	Title: "whether a call is denied depends on arguments that the scan does not know",
	Why: "The filter allows the call for some arguments and denies it for others, and the program can make it with both, as " +
		"far as the scan can tell.",
	When: "A warning, which --strict counts as unknown. Information if the caller lives with the denial. A filter that is too " +
		"complex to explore counts as undecided, and makes the verdict unknown.",
	Wrong:  "Often the program only ever uses the allowed values: a value from a table or a variable is unknown to a scan.",
	Remedy: "Compare the conditions with what the program does; run it once with the filter in a test.",
	Sources: []string{
		"https://man7.org/linux/man-pages/man3/seccomp_rule_add.3.html",
	},
	NeedsBinary: true,
	Run: func(p *Pass) {
		for _, c := range p.calls {
			for _, s := range c.shares(Depends) {
				if c.abi.Covered && !s.demand.notify {
					p.Report(p.undecided(c, &s))
				}
			}
		}
	},
})

// undecided is the finding on one call.
func (p *Pass) undecided(c *call, s *share) finding.Finding {
	d := s.demand
	f := finding.Finding{
		Severity: s.severity, Arch: c.abi.Name, Syscalls: []string{c.name}, Path: d.path, Pos: p.whole(),
		Message: s.told(c) + ", and the filter " + c.depends(d),
		Remedy:  "see whether the program keeps to that" + p.place(": ", s.programs[0], c),
	}
	switch {
	case d.err != nil:
		f.Message = fmt.Sprintf("%s, and the filter is too complex to tell what it answers: %v", s.told(c), d.err)
		f.Remedy = ""
	case d.tolerated != "":
		f.Message += "; " + d.tolerated
		f.Remedy = ""
	}
	return f
}
