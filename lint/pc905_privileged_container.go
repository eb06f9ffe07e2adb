package lint

import "github.com/profcheck/profcheck/finding"

var _ = register(&Check{
	ID: "PC905", Name: "privileged-container", Severity: finding.Error,
	Title: "a container is privileged, so its seccomp profile does not count",
	Why: "containerd loads no filter for a privileged container, whatever the manifest says, and neither does CRI-O unless its " +
		"privileged_seccomp_profile is set. The profile in the manifest only looks like a protection.",
	When: "An error where the manifest gives a profile, its own or the pod's, that confines. A warning where it gives none, " +
		"or the type Unconfined.",
	Wrong:  "On CRI-O with privileged_seccomp_profile.",
	Remedy: "Give the container the capabilities that it needs in place of privileged: true.",
	Sources: []string{
		"https://github.com/containerd/containerd internal/cri GenerateSeccompSpecOpts",
		"https://github.com/cri-o/cri-o/blob/main/docs/crio.conf.5.md privileged_seccomp_profile",
	},
	TextOnly: true,
	Run: func(p *Pass) {
		c := p.container()
		if c == nil || !c.Privileged {
			return
		}
		const remedy = "drop privileged: true, and add the capabilities that the container needs"
		if c.Seccomp == nil || c.Seccomp.Type == "Unconfined" {
			p.reportContainer(finding.Warning, c.PrivilegedPos, remedy, "%s %s privileged, without a filter", who(c), verbRuns(c))
			return
		}
		whose := "its"
		if c.FromPod {
			whose = "the pod's"
		}
		p.reportContainer(finding.Error, c.PrivilegedPos, remedy, "%s %s privileged: %s seccompProfile %s does not count", who(c), verbRuns(c), whose, c.Seccomp.Type)
	},
})
