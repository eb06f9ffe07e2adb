package lint

import (
	"fmt"
	"strings"

	"github.com/profcheck/profcheck/finding"
)

// maxMissing bounds the gaps of a scan that are spelt out.
const maxMissing = 4

var _ = register(&Check{
	ID: "PC615", Name: "scan-incomplete", Severity: finding.Warning,
	Title: "the scan did not see everything that runs",
	Why: "A system call whose number is not known, or a library that was not read, may need what the profile denies. The " +
		"verdict is on the rest alone.",
	When:        "A warning, one for each program. The verdict is unknown unless something else is denied.",
	Wrong:       "Nowhere: it says what is not known.",
	Remedy:      "Give the root that holds the missing libraries, or accept what was seen with --allow-incomplete.",
	Sources:     []string{"https://arxiv.org/abs/2410.18053, on what tools of this kind leave out"},
	NeedsBinary: true,
	Run: func(p *Pass) {
		for _, u := range p.Input.Usage {
			if u.Complete {
				continue
			}
			var parts []string
			if len(u.Unresolved) > 0 {
				parts = append(parts, fmt.Sprintf("the number of a call is not known in %s", list(u.Unresolved, 3)))
			}
			parts = append(parts, u.Missing[:min(len(u.Missing), maxMissing)]...)
			if more := len(u.Missing) - maxMissing; more > 0 {
				parts = append(parts, count(more, "further gap"))
			}
			message := "the scan of " + u.Program + " is incomplete"
			if len(parts) > 0 {
				message += ": " + strings.Join(parts, "; ")
			}
			p.Report(finding.Finding{
				Severity: finding.Warning, Arch: u.Arch.Name, Message: message, Remedy: u.seeMore(),
				Pos: finding.Pos{File: u.Program},
			})
		}
	},
})

// seeMore says how the next run can see more, or do with what this one saw.
func (u *Usage) seeMore() string {
	const accept = "judge what was seen with --allow-incomplete"
	switch {
	case len(u.Missing) == 0:
		return accept
	case u.Root != "":
		return "add what is missing to the root, or " + accept
	case u.Kind == "go":
		return "name the directory that holds its C libraries with --root, or " + accept + "; built with CGO_ENABLED=0 it may do without them"
	}
	return "name the directory that holds all that it loads with --root, or " + accept
}
