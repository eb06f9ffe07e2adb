package lint

import "github.com/profcheck/profcheck/finding"

var _ = register(&Check{
	ID: "PC901", Name: "no-container-profile", Severity: finding.Warning,
	Title: "a container of a manifest asks for no seccomp profile",
	Why: "Kubernetes gives a container no filter unless the manifest asks for one, other than Docker. All system calls of the " +
		"node's kernel are open to it then. The restricted Pod Security Standard refuses such pods.",
	When: "A warning for each pod with containers that have no seccompProfile of their own where the pod has none either. " +
		"Nothing for privileged containers, which PC905 is about, nor where PC903 says why there is none.",
	Wrong: "Where the kubelet runs with --seccomp-default, or an admission controller adds the field. profcheck's " +
		"--seccomp-default takes the first into account.",
	Remedy: "Give the pod securityContext.seccompProfile with the type RuntimeDefault.",
	Sources: []string{
		"https://kubernetes.io/docs/concepts/security/pod-security-standards/",
		"https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/kuberuntime/helpers.go getSeccompProfile",
	},
	TextOnly: true,
	Run: func(p *Pass) {
		c := p.container()
		if c == nil || c.Seccomp != nil || c.Default || c.Privileged || meantByAnnotation(c) {
			return
		}
		p.reportContainer(finding.Warning, c.Pos, "add securityContext.seccompProfile with type: RuntimeDefault to the pod",
			"%s %s no seccompProfile, so no filter is loaded unless the kubelet runs with --seccomp-default", who(c), verbHas(c))
	},
})
