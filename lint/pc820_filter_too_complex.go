package lint

import (
	"fmt"
	"slices"

	"github.com/profcheck/profcheck/finding"
)

var _ = register(&Check{
	ID: "PC820", Name: "filter-too-complex", Severity: finding.Warning,
	Title: "the filter is too complex to tell whether a call is open",
	Why: "What a filter does with a call is found by following every way through it that some arguments take. Dozens of " +
		"rules on several arguments of one call can make these ways too many. The checks that asked about such a call " +
		"say nothing about it, neither that it is open nor that it is denied.",
	When: "A warning, one for each ABI, on the calls that some check asked about. A call that is open for plain arguments " +
		"is known to be open, however complex the rest.",
	Wrong:  "Nowhere: it says what is not known.",
	Remedy: "Put fewer rules on the call. Ask about single calls with `profcheck simulate`, which always has an answer.",
	Sources: []string{
		"https://man7.org/linux/man-pages/man3/seccomp_rule_add.3.html, on several comparisons in one rule",
	},
	Run: func(p *Pass) {
		report := func(abi *ABI) {
			names := p.unclear[abi]
			if len(names) == 0 {
				return
			}
			byDanger(names)
			p.Report(finding.Finding{
				Severity: finding.Warning, Arch: abi.Name, Syscalls: names, Pos: p.whole(),
				Message: fmt.Sprintf("the filter is too complex to tell whether %s %s open", list(names, 5), are(len(names))),
				Remedy:  "use fewer rules with conditions there, or ask about single calls with profcheck simulate",
			})
		}
		for _, abi := range p.ABIs {
			report(abi)
		}
		for _, h := range p.Hosts { // the runtime's own, where it is not one of the above
			if !slices.Contains(p.ABIs, h.Native) {
				report(h.Native)
			}
		}
	},
})
