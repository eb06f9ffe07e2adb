package lint

import (
	"fmt"

	"github.com/profcheck/profcheck/finding"
)

var _ = register(&Check{
	ID: "PC617", Name: "listener-decides", Severity: finding.Info,
	Title: "a listener decides on calls that the program needs",
	Why: "USER_NOTIF asks a process outside. What that answers stands in no profile, and without a listener the call fails " +
		"with ENOSYS. So the verdict on the program is unknown.",
	When:        "Information, one finding for each ABI; the verdict is unknown unless something else is denied.",
	Wrong:       "Nowhere: it says what is not known.",
	Remedy:      "Test the program with its listener.",
	Sources:     []string{"https://man7.org/linux/man-pages/man2/seccomp_unotify.2.html"},
	NeedsBinary: true,
	Run: func(p *Pass) {
		for abi, names := range p.needed(func(d *demand) bool { return d.notify }) {
			p.Report(finding.Finding{
				Severity: finding.Info, Arch: abi.Name, Syscalls: names, Pos: p.whole(),
				Message: fmt.Sprintf("a listener decides on %s", list(names, 5)),
				Remedy:  "test the program with its listener",
			})
		}
	},
})
