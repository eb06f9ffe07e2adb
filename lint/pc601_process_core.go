package lint

import (
	"fmt"

	"github.com/profcheck/profcheck/finding"
)

// core lists the calls without which no process ends and no signal handler returns.
var core = []string{"exit_group", "exit", "rt_sigreturn"}

var _ = register(&Check{
	ID: "PC601", Name: "missing-process-core", Severity: finding.Error,
	Title: "no program can end, or return from a signal, under the profile",
	Why: "A process whose exit_group is denied cannot end: the C library tries again for ever and takes a whole processor. " +
		"A thread needs exit, and a signal handler returns through rt_sigreturn.",
	When: "An error, without a program. With one, the calls that it needs are judged by their class (PC613).",
	Wrong: "A filter that is only one of several in a stack denies on purpose what another allows; it denies it all the " +
		"same.",
	Remedy: "Allow exit, exit_group and rt_sigreturn without conditions.",
	Sources: []string{
		"https://github.com/kubernetes/kubernetes/issues/85191",
		"https://github.com/moby/moby/issues/40205",
	},
	Run: func(p *Pass) {
		if len(p.Input.Usage) > 0 {
			return
		}
		for _, abi := range p.ABIs {
			if !abi.Enforced() || !abi.Covered {
				continue
			}
			var missing []string
			for _, name := range core {
				if p.closed(abi, name) {
					missing = append(missing, name)
				}
			}
			if len(missing) > 0 {
				p.Report(finding.Finding{
					Severity: finding.Error, Arch: abi.Name, Syscalls: missing,
					Message: fmt.Sprintf("%s %s denied, so no process can %s", list(missing, 3), are(len(missing)), purpose(missing)),
					Remedy:  "allow " + list(missing, 3),
					Pos:     p.whole(),
				})
			}
		}
	},
})

// purpose says what a process cannot do without these calls of the core.
func purpose(missing []string) string {
	switch {
	case missing[0] != core[2] && missing[len(missing)-1] == core[2]:
		return "end or return from a signal handler"
	case missing[0] == core[2]:
		return "return from a signal handler"
	case missing[0] == core[1]:
		return "end a thread"
	}
	return "end"
}
