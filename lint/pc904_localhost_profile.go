package lint

import "github.com/profcheck/profcheck/finding"

var _ = register(&Check{
	ID: "PC904", Name: "localhost-profile-not-read", Severity: finding.Error,
	Title: "the Localhost profile of a container cannot be read",
	Why: "A container whose localhostProfile is not on the node, or that the runtime cannot read, does not start; cri-dockerd was " +
		"seen to start it unconfined. The path is that below the kubelet's folder seccomp.",
	When: "An error where the file is missing below --profile-root or is refused. A warning without --profile-root: the file was " +
		"not looked for, and the container was not judged.",
	Wrong:  "Where something else puts the file on the nodes, such as the Security Profiles Operator.",
	Remedy: "Put the file below the folder that --profile-root names, or correct the path.",
	Sources: []string{
		"https://kubernetes.io/docs/tutorials/security/seccomp/",
		"https://github.com/kubernetes/kubernetes/issues/124944",
		"https://github.com/DataDog/helm-charts/pull/774",
	},
	TextOnly: true,
	Run: func(p *Pass) {
		c := p.container()
		if c == nil || c.Unread == "" {
			return
		}
		severity, remedy := finding.Error, "put the file below the root, or correct the path"
		if c.NoRoot {
			severity, remedy = finding.Warning, "give --profile-root, and put the file below it"
		}
		p.reportContainer(severity, c.Seccomp.FilePos, remedy, "the profile %q %s (%s)", c.Seccomp.File, c.Unread, who(c))
	},
})
