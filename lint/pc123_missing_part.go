package lint

import (
	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/profile"
)

var _ = register(&Check{
	ID: "PC123", Name: "missing-part", Severity: finding.Warning,
	TextOnly: true,
	Title:    "the file refers to something that was not read",
	Why: "What was judged is less than what will be enforced: the rules of a base profile, say, are added by the operator in the " +
		"cluster. Calls that are denied here may be allowed there, and the other way round. Nothing else is judged but the text.",
	When:   "Always a warning.",
	Wrong:  "Nowhere known; it says what is missing in the verdict.",
	Remedy: "Put the other file beside it or below the directory that --profile-root names.",
	Sources: []string{
		"https://github.com/kubernetes-sigs/security-profiles-operator/blob/main/installation-usage.md, on base profiles",
	},
	Run: func(p *Pass) {
		for _, problem := range p.problems(profile.MissingPart) {
			if c := p.Input.Profile.Container; c != nil && c.Unread != "" {
				continue // PC904 says more
			}
			p.Report(finding.Finding{
				Severity: finding.Warning, Pos: place(problem.Pos), Message: problem.Text,
				Remedy: "name the directory that it is in with --profile-root",
			})
		}
	},
})
