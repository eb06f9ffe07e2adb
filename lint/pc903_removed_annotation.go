package lint

import (
	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/profile"
)

var _ = register(&Check{
	ID: "PC903", Name: "removed-annotation", Severity: finding.Error,
	Title: "an annotation asks for a seccomp profile, which Kubernetes does not read any more",
	Why: "Since Kubernetes 1.27 the annotations seccomp.security.alpha.kubernetes.io/pod and " +
		"container.seccomp.security.alpha.kubernetes.io/NAME have no effect. The API server warns, and starts the container " +
		"without the profile that its author meant.",
	When: "An error where the annotation asks for a profile and no field does, so that the container runs unconfined. A warning " +
		"where a field counts in its place, where the annotation asks for no confinement, or where the container is privileged.",
	Wrong:  "On a cluster before 1.27.",
	Remedy: "Give securityContext.seccompProfile, and remove the annotation.",
	Sources: []string{
		"https://github.com/kubernetes/website/pull/38987",
		"https://github.com/kubernetes/kubernetes/blob/master/pkg/api/pod/warnings.go",
	},
	TextOnly: true,
	Run: func(p *Pass) {
		c := p.container()
		if c == nil || c.Annotation == nil {
			return
		}
		const remedy = "remove the annotation"
		if meantByAnnotation(c) && !c.Default && !c.Privileged {
			p.reportContainer(finding.Error, c.Annotation.Pos, "give securityContext.seccompProfile in its place, with "+fieldFor(c.AnnotationWant),
				"Kubernetes has not read the annotation %s since 1.27: %s %s unconfined", c.Annotation.Text, who(c), verbRuns(c))
			return
		}
		p.reportContainer(finding.Warning, c.Annotation.Pos, remedy, "Kubernetes has not read the annotation %s since 1.27", c.Annotation.Text)
	},
})

// meantByAnnotation reports whether a container would have a profile if annotations counted.
func meantByAnnotation(c *profile.Container) bool {
	return c.Annotation != nil && c.Seccomp == nil && c.AnnotationWant != "unconfined" && c.AnnotationWant != ""
}

// fieldFor says in fields what an annotation says.
func fieldFor(annotation string) string {
	switch {
	case annotation == "runtime/default", annotation == "docker/default":
		return "type: RuntimeDefault"
	case len(annotation) > len("localhost/") && annotation[:len("localhost/")] == "localhost/":
		return "type: Localhost and localhostProfile: " + annotation[len("localhost/"):]
	}
	return "a type"
}
