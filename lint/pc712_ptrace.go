package lint

import (
	"fmt"

	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/lint/internal/catalog"
	"github.com/profcheck/profcheck/syscalls"
)

// ptraceSafe is the first release where a tracer cannot change a call after the filter has seen it
// (kernel commit 93e35efb8de4, "x86/ptrace: run seccomp after ptrace").
var ptraceSafe = syscalls.Kernel{Major: 4, Minor: 8}

var _ = register(&Check{
	ID: "PC712", Name: "ptrace-open", Severity: finding.Info,
	Title: "a process can trace another, which on old kernels leads past the filter",
	Why: "Before Linux 4.8 the filter ran before the tracer: a process that is traced by its own child could have every call " +
		"changed after the filter had let it pass. Later kernels run the filter last, and ptrace is as strong as the rest " +
		"of the sandbox.",
	When: "Information on Linux 4.8 and later. An error for an older target kernel, and where a rule has a minKernel that the " +
		"target's runtime does not read, so that ptrace is open on every kernel. Nothing with CAP_SYS_PTRACE.",
	Wrong:  "Debuggers and tracers need it.",
	Remedy: "Allow ptrace with minKernel 4.8 (Docker's format), or not at all.",
	Sources: []string{
		"https://docs.kernel.org/userspace-api/seccomp_filter.html",
		"https://github.com/docker/docs/pull/9662",
		"https://nvd.nist.gov/vuln/detail/CVE-2019-2054",
	},
	Run: func(p *Pass) {
		d := *catalog.DangerByKey("ptrace")
		d.Names = []string{"ptrace"}
		found := p.openings(&d)
		severity, extra := finding.Info, "it controls other processes, which the filter does not tell apart"
		remedy := "drop ptrace unless programs are to trace each other"
		for _, o := range found {
			kernel := o.abi.Host.Target.Kernel
			if !kernel.Less(ptraceSafe) {
				if lost := o.lostMinKernel(); lost != "" && severity != finding.Error {
					severity, extra, remedy = finding.Error, lost, "drop ptrace; this target has no rules for some kernels only"
				}
				continue
			}
			severity, remedy = finding.Error, "allow ptrace for Linux 4.8 and later only, or not at all"
			extra = fmt.Sprintf("on Linux %s a tracer changes calls after the filter has let them pass", kernel)
		}
		p.reportOpenings(severity, &d, found, extra, remedy)
	},
})

// lostMinKernel says that the rule which opens the call has a minKernel that the target does not
// read, "" if that is not so.
func (o opening) lostMinKernel() string {
	r := o.abi.Host.Resolved
	for _, rule := range r.Rules {
		if rule.Name != o.name || !opens(rule.Action) || rule.Source.Includes.MinKernel == nil {
			continue
		}
		for _, ignored := range r.Ignored {
			if ignored.Name == "includes" && ignored.Pos == rule.Source.Includes.Pos {
				return fmt.Sprintf("%s does not read the rule's minKernel, so the call is open on every kernel", r.Target.Runtime)
			}
		}
	}
	return ""
}
