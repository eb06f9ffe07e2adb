package lint

import (
	"fmt"
	"slices"

	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/profile"
)

var _ = register(&Check{
	ID: "PC116", Name: "condition-never-matches", Severity: finding.Error,
	Title: "a capability or architecture that no host has",
	Why: "Docker, Podman and CRI-O compare the words of includes and excludes letter by letter with those of the container and the " +
		"host: capabilities with their CAP_, architectures in Go's spelling, such as amd64. Another word never matches, so a " +
		"rule that it includes never counts and one that it excludes always does.",
	When:   "An error if a known word is near, so that it was probably meant. A warning otherwise.",
	Wrong:  "A capability of a kernel that is younger than the table.",
	Remedy: "Write the word as the runtime has it.",
	Sources: []string{
		"https://github.com/moby/profiles/blob/main/seccomp/seccomp_linux.go setupSeccomp",
		"https://github.com/containers/container-libs/blob/main/common/pkg/seccomp/seccomp_linux.go setupSeccomp",
	},
	Run: func(p *Pass) {
		if !slices.ContainsFunc(p.Hosts, readsConditions) {
			return // PC103 says that none of it is read
		}
		for _, problem := range p.problems(profile.NeverMatches) {
			f := finding.Finding{
				Severity: finding.Warning, Pos: place(problem.Pos),
				Message: fmt.Sprintf("%q is the word of no container and of no host, so it never matches", problem.Name),
				Remedy:  "correct or remove it",
			}
			if problem.Nearest != "" {
				f.Severity = finding.Error
				f.Remedy = fmt.Sprintf("write %q", problem.Nearest)
			}
			p.Report(f)
		}
	},
})
