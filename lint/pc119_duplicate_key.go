package lint

import (
	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/profile"
)

var _ = register(&Check{
	ID: "PC119", Name: "duplicate-key", Severity: finding.Error,
	Title: "a key that stands twice in one object",
	Why: "Readers of JSON in Go take the last value and do not say that there was another. A second list of \"syscalls\" " +
		"replaces the first, with all its rules; other readers may keep the first.",
	When:   "Always an error: one of the two does not count.",
	Wrong:  "Where both values are the same.",
	Remedy: "Join the two, or remove the one that is not meant.",
	Sources: []string{
		"https://pkg.go.dev/encoding/json#Unmarshal",
		"https://www.rfc-editor.org/rfc/rfc8259#section-4",
	},
	TextOnly: true,
	Run: func(p *Pass) {
		for _, problem := range p.problems(profile.DuplicateKey) {
			p.Report(finding.Finding{
				Severity: finding.Error, Pos: place(problem.Pos), Message: problem.Text,
				Remedy: "keep one of them",
			})
		}
	},
})
