package lint

import (
	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/lint/internal/catalog"
)

var _ = register(&Check{
	ID: "PC716", Name: "userfaultfd-open", Severity: finding.Warning,
	Title: "a process can stop the kernel where it copies memory",
	Why: "With userfaultfd a process decides how long the kernel waits in the middle of a copy from its memory. That turns " +
		"races in the kernel, which would hit once in a million tries, into certain ones.",
	When: "A warning if it is open without the flag UFFD_USER_MODE_ONLY, with which only faults of the process itself wait. " +
		"Nothing with CAP_SYS_PTRACE.",
	Wrong:  "Garbage collectors and migration tools use it; on hosts with vm.unprivileged_userfaultfd 0 the kernel asks for the flag anyway.",
	Remedy: "Drop userfaultfd, or allow it with the flag only: argument 0, SCMP_CMP_MASKED_EQ, value 1, valueTwo 1.",
	Sources: []string{
		"https://man7.org/linux/man-pages/man2/userfaultfd.2.html",
		"https://docs.kernel.org/admin-guide/sysctl/vm.html#unprivileged-userfaultfd",
	},
	Run: func(p *Pass) {
		d := catalog.DangerByKey("userfaultfd")
		var found []opening
		for _, abi := range p.ABIs {
			if abi.granted(d.Caps) {
				continue
			}
			// O_CLOEXEC and O_NONBLOCK differ between ABIs; no flag at all is the same everywhere.
			if o, is := p.ask(abi, "userfaultfd", at(0, []uint64{0})); is == open {
				found = append(found, o)
			}
		}
		p.reportOpenings(finding.Warning, d, found, "", "drop userfaultfd, or allow it only with the flag UFFD_USER_MODE_ONLY")
	},
})
