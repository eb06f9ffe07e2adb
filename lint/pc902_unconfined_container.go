package lint

import "github.com/profcheck/profcheck/finding"

var _ = register(&Check{
	ID: "PC902", Name: "unconfined-container", Severity: finding.Error,
	Title: "a container of a manifest asks for no confinement",
	Why: "The type Unconfined turns seccomp off, and overrides the pod's profile and the kubelet's default. All system calls of the " +
		"node's kernel are open. The baseline Pod Security Standard refuses such pods.",
	When:   "An error for each container of the type, its own or the pod's. Nothing for privileged containers, which PC905 is about.",
	Wrong:  "Where the container needs calls that every profile denies, such as those of a nested container runtime.",
	Remedy: "Use RuntimeDefault, or a Localhost profile that allows what the container needs.",
	Sources: []string{
		"https://kubernetes.io/docs/concepts/security/pod-security-standards/",
		"https://github.com/kubernetes/kubernetes/issues/103388",
	},
	TextOnly: true,
	Run: func(p *Pass) {
		c := p.container()
		if c == nil || c.Seccomp == nil || c.Seccomp.Type != "Unconfined" || c.Privileged {
			return
		}
		p.reportContainer(finding.Error, c.Seccomp.Pos, "use the type RuntimeDefault, or Localhost with a profile for the container",
			"%s %s unconfined: every system call is allowed", who(c), verbRuns(c))
	},
})
