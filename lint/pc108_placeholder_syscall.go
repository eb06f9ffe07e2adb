package lint

import (
	"fmt"
	"regexp"

	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/profile"
)

var _ = register(&Check{
	ID: "PC108", Name: "placeholder-syscall", Severity: finding.Error,
	Title: "what a recorder writes for a call without a name",
	Why: "Recorders write \"unknown\", \"syscall_441\" or a bare number where their table lacks the call. The runtime drops " +
		"such a name, so the call that was seen stays denied.",
	When:   "Always an error.",
	Wrong:  "Nowhere known: no system call is called like that.",
	Remedy: "Look the number up with `profcheck resolve NUMBER` and write the name.",
	Sources: []string{
		"https://github.com/kubescape/node-agent/pull/916",
		"https://github.com/containers/oci-seccomp-bpf-hook/pull/89",
	},
	Run: func(p *Pass) {
		for _, problem := range p.Input.Profile.Problems {
			if problem.Kind == profile.UnknownSyscall && placeholder(problem.Name) {
				p.Report(finding.Finding{
					Severity: finding.Error,
					Message:  fmt.Sprintf("%q stands for a call whose name a recorder did not know, so the rule has no effect for it", problem.Name),
					Remedy:   "look the number up and write the name",
					Pos:      place(problem.Pos),
				})
			}
		}
	},
})

// placeholders matches what recorders write for a number that they cannot name.
var placeholders = regexp.MustCompile(`(?i)^(unknown.*|(sys(call)?[_#]?)?(0x[0-9a-f]+|[0-9]+))$`)

// placeholder reports whether a name stands for a number.
func placeholder(name string) bool { return placeholders.MatchString(name) }
