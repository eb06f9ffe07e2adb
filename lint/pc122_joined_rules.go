package lint

import (
	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/profile"
)

var _ = register(&Check{
	ID: "PC122", Name: "joined-rules", Severity: finding.Warning,
	Title: "the reader joins rules into one with another meaning",
	Why: "The Security Profiles Operator unites a profile with its base profiles before anything else sees it, call by call. Two " +
		"rules on one call become one: if one of them has no conditions, those of the other are gone, and otherwise the " +
		"conditions of both must hold, where two rules would have meant either.",
	When:   "Always a warning.",
	Wrong:  "Where the joined rule is what was meant; profcheck table shows it.",
	Remedy: "State the call in one of the profiles only.",
	Sources: []string{
		"https://github.com/kubernetes-sigs/security-profiles-operator/blob/main/installation-usage.md, on base profiles; measured with its merger 0.3.2, UnionSyscalls",
	},
	Run: func(p *Pass) {
		for _, problem := range p.problems(profile.JoinedRules) {
			p.Report(finding.Finding{
				Severity: finding.Warning, Pos: place(problem.Pos), Message: problem.Text,
				Remedy: "state the call in one of the profiles only", Syscalls: []string{problem.Name},
			})
		}
	},
})
