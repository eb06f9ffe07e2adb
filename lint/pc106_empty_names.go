package lint

import (
	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/profile"
)

var _ = register(&Check{
	ID: "PC106", Name: "empty-names", Severity: finding.Warning,
	Title: "a rule that names no system call",
	Why: "The runtimes go through the names of a rule, so one without any is nothing at all: it neither allows nor denies. " +
		"Generators write such rules where they found nothing to put in, and an allowlist that consists of one denies everything.",
	When:   "Always a warning.",
	Wrong:  "A template that is filled in later; lint what comes out of it.",
	Remedy: "Name the system calls, or remove the rule.",
	Sources: []string{
		"https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md#seccomp, names MUST contain at least one entry",
		"https://github.com/kguardian-dev/kguardian/issues/1497",
	},
	Run: func(p *Pass) {
		for _, problem := range p.problems(profile.EmptyNames) {
			p.Report(finding.Finding{
				Severity: finding.Warning, Pos: place(problem.Pos),
				Message: "a rule without names has no effect", Remedy: "name its system calls, or remove it",
			})
		}
	},
})
