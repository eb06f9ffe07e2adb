package lint

import (
	"fmt"

	"github.com/profcheck/profcheck/finding"
)

var _ = register(&Check{
	ID: "PC616", Name: "logged-need", Severity: finding.Info,
	Title: "calls that the program needs run, but are logged",
	Why: "LOG lets a call run and writes a line to the audit log for each. That is how a profile is tried out; in service it " +
		"protects nothing and fills the log.",
	When:        "Information, one finding for each ABI.",
	Wrong:       "Where the log is wanted.",
	Remedy:      "Allow the calls when the trial is over.",
	Sources:     []string{"https://man7.org/linux/man-pages/man2/seccomp.2.html SECCOMP_RET_LOG"},
	NeedsBinary: true,
	Run: func(p *Pass) {
		for abi, names := range p.needed(func(d *demand) bool { return d.logged }) {
			p.Report(finding.Finding{
				Severity: finding.Info, Arch: abi.Name, Syscalls: names, Pos: p.whole(),
				Message: fmt.Sprintf("%s needed and only logged: %s", count(len(names), "call"), list(names, 5)),
				Remedy:  "allow them when the trial is over",
			})
		}
	},
})
