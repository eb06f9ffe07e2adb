package lint

import (
	"fmt"

	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/profile"
)

var _ = register(&Check{
	ID: "PC121", Name: "key-letter-case", Severity: finding.Warning,
	Title: "a key in other letter case than the format's",
	Why: "Docker, Podman and runc are written in Go, whose reader of JSON does not mind the case of keys. crun, editors with a schema " +
		"and most scripts do: for them the key is not there.",
	When:   "Always a warning.",
	Wrong:  "Where none but the Go runtimes ever reads the file.",
	Remedy: "Spell the key as the format does.",
	Sources: []string{
		"https://pkg.go.dev/encoding/json#Unmarshal, preferring an exact match but also accepting a case-insensitive match",
		"https://github.com/containers/libocispec",
	},
	Run: func(p *Pass) {
		for _, problem := range p.problems(profile.FieldCase) {
			p.Report(finding.Finding{
				Severity: finding.Warning, Pos: place(problem.Pos), Message: problem.Text,
				Remedy: fmt.Sprintf("spell %q as the format does", problem.Name),
			})
		}
	},
})
