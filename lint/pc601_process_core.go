package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/profcheck/profcheck/finding"
)

// core lists the calls without which no process ends as it should and no signal handler returns.
var core = []string{"exit_group", "exit", "rt_sigreturn"}

var _ = register(&Check{
	ID: "PC601", Name: "missing-process-core", Severity: finding.Error,
	Title: "a program cannot end as it should, or return from a signal, under the profile",
	Why: "A process whose exit_group and exit are denied cannot end: the C library tries again for ever and takes a whole " +
		"processor. With exit alone only the thread that calls it ends, and the others go on. A thread needs exit, and a " +
		"signal handler returns through rt_sigreturn.",
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
					Message: fmt.Sprintf("%s %s denied, so %s", list(missing, 3), are(len(missing)), purpose(missing)),
					Remedy:  "allow " + list(missing, 3),
					Pos:     p.whole(),
				})
			}
		}
	},
})

// purpose says what a process cannot do without these calls of the core. Where only exit_group is
// missing, its threads still end one by one.
func purpose(missing []string) string {
	var lost []string
	end := ""
	switch without := func(i int) bool { return slices.Contains(missing, core[i]) }; {
	case without(0) && !without(1):
		end = "a process can end only by exit, one thread at a time"
	case without(0):
		lost = append(lost, "end")
	case without(1):
		lost = append(lost, "end a thread")
	}
	if slices.Contains(missing, core[2]) {
		lost = append(lost, "return from a signal handler")
	}
	if len(lost) == 0 {
		return end
	}
	none := "no process can " + strings.Join(lost, " or ")
	if end == "" {
		return none
	}
	return end + ", and " + none
}
