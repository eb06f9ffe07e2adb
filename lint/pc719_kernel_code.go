package lint

import (
	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/lint/internal/catalog"
)

var _ = register(&Check{
	ID: "PC719", Name: "kernel-code-open", Severity: finding.Warning,
	Title: "a process can load a kernel module or another kernel",
	Why: "Who loads a module or starts another kernel owns the machine. The kernel asks for CAP_SYS_MODULE or CAP_SYS_BOOT in " +
		"the first user namespace, so without these the filter is the second lock, and it is open.",
	When:   "A warning. Nothing with CAP_SYS_MODULE for modules, with CAP_SYS_BOOT for kexec.",
	Wrong:  "Nowhere known: no program in a container loads modules without the capability.",
	Remedy: "Deny the calls, or allow them for the capability only.",
	Sources: []string{
		"https://docs.docker.com/engine/security/seccomp/",
		"https://man7.org/linux/man-pages/man2/init_module.2.html",
	},
	Run: func(p *Pass) {
		for _, key := range []string{"kexec", "module"} {
			d := catalog.DangerByKey(key)
			p.reportOpenings(finding.Warning, d, p.openings(d), "", "deny them, or allow them for "+d.Caps[0]+" only")
		}
	},
})
