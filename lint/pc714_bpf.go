package lint

import (
	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/lint/internal/catalog"
)

var _ = register(&Check{
	ID: "PC714", Name: "bpf-open", Severity: finding.Error,
	Title: "a process can load programs into the kernel",
	Why: "bpf hands programs to the kernel, which checks them with a verifier that has had many faults; each was a way into " +
		"the kernel. What is loaded can stay when the container has gone.",
	When:   "An error. Nothing with CAP_BPF or CAP_SYS_ADMIN.",
	Wrong:  "On hosts with kernel.unprivileged_bpf_disabled the kernel refuses most of it anyway.",
	Remedy: "Allow bpf for CAP_BPF only.",
	Sources: []string{
		"https://docs.docker.com/engine/security/seccomp/",
		"https://docs.kernel.org/admin-guide/sysctl/kernel.html#unprivileged-bpf-disabled",
	},
	Run: func(p *Pass) {
		d := catalog.DangerByKey("bpf")
		p.reportOpenings(finding.Error, d, p.openings(d), "", "allow bpf for CAP_BPF only")
	},
})
