package profile

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The types of a seccompProfile.
const (
	typeRuntimeDefault = "RuntimeDefault"
	typeLocalhost      = "Localhost"
	typeUnconfined     = "Unconfined"
)

var seccompTypes = []string{typeLocalhost, typeRuntimeDefault, typeUnconfined}

// A SeccompField is a seccompProfile of a manifest: a pod's, or a container's own.
type SeccompField struct {
	Pos  Pos    // of its type
	Type string // "RuntimeDefault", "Localhost" or "Unconfined"
	File string // of Localhost: the path below the kubelet's folder seccomp
	// FilePos is the place of File.
	FilePos Pos
}

// A Container is what a manifest says about the container that a profile is for.
type Container struct {
	Pos      Pos
	Resource string // "Deployment/web"
	Name     string // "container app", "init container setup"

	// Seccomp is the field that counts, its own or the pod's; nil: there is none. FromPod tells.
	Seccomp *SeccompField
	FromPod bool
	// Default: there is no field, and the kubelet takes RuntimeDefault (--seccomp-default).
	Default bool
	// Unread says why the file of Localhost could not be read, as the end of a sentence about it; ""
	// otherwise. NoRoot: nobody said where to look.
	Unread string
	NoRoot bool

	Privileged    bool
	PrivilegedPos Pos  // of the field that says so
	NoNewPrivs    bool // allowPrivilegeEscalation is false
	Add, Drop     []Name
	givesCaps     bool

	Annotation     *Name  // a key that asked for a profile until Kubernetes 1.26; nil: none
	AnnotationWant string // its value

	Also []string     // other containers for which all of this holds, as Group found them
	Same []*Container // those, each with its own places

	pod   Pos    // of the resource
	rules string // the format of the rules, where they are a runtime's own
}

// FullName tells the container from others of a file: "Deployment/web container app".
func (c *Container) FullName() string { return c.Resource + " " + c.Name }

// container reads one container and adds its profile.
func (m *manifest) container(v value, kind, at string) error {
	m.p = &Profile{Name: m.file, Format: Kubernetes, Pos: m.src.pos(v)}
	c := &Container{Pos: m.p.Pos, Resource: m.resource, Name: oneLine(strings.TrimSpace(kind + " " + m.doc.word(v, "name"))), pod: m.src.pos(m.doc.root)}
	m.p.Container = c
	if m.notes != nil { // of the pod: told once
		m.p.Problems, m.notes = m.notes, nil
	}
	if m.src.isNull(v) {
		return m.errorf(v, at, "want an object, found null")
	}
	fields, err := m.object(v, at, "securityContext")
	if err != nil {
		return err
	}
	m.misplaced(v, at, "securityContext")
	if context := fields["securityContext"]; context != 0 {
		if err := m.context(c, context, at+".securityContext"); err != nil {
			return err
		}
	}
	if c.Seccomp == nil && m.pod != nil {
		c.Seccomp, c.FromPod = m.pod, true
	}
	m.annotate(c, m.doc.word(v, "name"))
	if err := m.f.fill(m.p, m.f.options.SeccompDefault); err != nil {
		return err
	}
	m.f.add(m.finish(), c.FullName())
	return nil
}

// context reads a container's securityContext.
func (m *manifest) context(c *Container, v value, at string) (err error) {
	if c.Seccomp, err = m.seccompField(v, at); err != nil {
		return err
	}
	fields, err := m.object(v, at, "privileged", "allowPrivilegeEscalation", "capabilities")
	if err != nil {
		return err
	}
	yes, said, err := m.truthOf(fields["privileged"], at+".privileged")
	if err != nil {
		return err
	}
	if c.Privileged = yes; said {
		c.PrivilegedPos = m.src.pos(fields["privileged"])
	}
	escalate := fields["allowPrivilegeEscalation"]
	yes, said, err = m.truthOf(escalate, at+".allowPrivilegeEscalation")
	if err != nil {
		return err
	}
	c.NoNewPrivs = said && !yes
	if caps := fields["capabilities"]; caps != 0 {
		if err := m.capabilities(c, caps, at+".capabilities"); err != nil {
			return err
		}
	}
	switch {
	case c.NoNewPrivs && c.Privileged:
		return m.errorf(escalate, at+".allowPrivilegeEscalation", "false, beside privileged: true: the API server refuses the two together")
	case c.NoNewPrivs && slices.ContainsFunc(c.Add, func(n Name) bool { return n.Text == "CAP_SYS_ADMIN" }):
		return m.errorf(escalate, at+".allowPrivilegeEscalation", "false, beside the capability CAP_SYS_ADMIN: the API server refuses the two together")
	}
	return nil
}

func (m *manifest) capabilities(c *Container, v value, at string) error {
	lists, err := m.object(v, at, "add", "drop")
	if err != nil {
		return err
	}
	for field, list := range map[string]*[]Name{"add": &c.Add, "drop": &c.Drop} {
		if v := lists[field]; v != 0 {
			if *list, err = m.words(v, at+"."+field); err != nil {
				return err
			}
			c.givesCaps = true
		}
	}
	return nil
}

// truthOf reads a boolean; said is false if there is none. YAML is read as YAML 1.1 by the programs
// that hand manifests in, so the bare words yes, no, on and off are booleans, too.
func (m *manifest) truthOf(v value, at string) (yes, said bool, err error) {
	if v == 0 || m.src.isNull(v) {
		return false, false, nil
	}
	if t, ok := m.src.(*yamlTree); ok && m.src.kind(v) == "a string" && t.nodes[v].Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) == 0 {
		switch strings.ToLower(m.src.text(v)) {
		case "yes", "y", "on":
			return true, true, nil
		case "no", "n", "off":
			return false, true, nil
		}
	}
	if err := m.want(v, at, "a boolean"); err != nil {
		return false, false, err
	}
	return m.src.truth(v), true, nil
}

// seccompField reads the seccompProfile of a securityContext; nil: it has none.
func (m *manifest) seccompField(context value, at string) (*SeccompField, error) {
	fields, err := m.object(context, at, "seccompProfile")
	if err != nil || m.src.isNull(context) {
		return nil, err
	}
	m.misplaced(context, at, "seccompProfile")
	v := fields["seccompProfile"]
	if v == 0 || m.src.isNull(v) {
		return nil, nil
	}
	at += ".seccompProfile"
	if fields, err = m.object(v, at, "type", "localhostProfile"); err != nil {
		return nil, err
	}
	s := &SeccompField{Pos: m.src.pos(v)}
	if t := fields["type"]; t != 0 {
		s.Pos = m.src.pos(t)
		if s.Type, err = m.str(t, at+".type"); err != nil {
			return nil, err
		}
	}
	if s.Type == "" {
		return nil, m.errorf(v, at+".type", "not given, which the API server requires")
	}
	if err := m.knownType(fields["type"], at+".type", s.Type); err != nil {
		return nil, err
	}
	file := fields["localhostProfile"]
	if file == 0 || m.src.isNull(file) {
		if s.Type == typeLocalhost {
			return nil, m.errorf(v, at+".localhostProfile", "not given, which the API server requires for the type Localhost")
		}
		return s, nil
	}
	s.FilePos = m.src.pos(file)
	if s.File, err = m.str(file, at+".localhostProfile"); err != nil {
		return nil, err
	}
	if s.Type != typeLocalhost {
		return nil, m.errorf(file, at+".localhostProfile", "given for the type %s: the API server takes it for the type Localhost only", s.Type)
	}
	return s, m.localhostPath(file, at+".localhostProfile", s.File)
}

func (m *manifest) knownType(v value, at, word string) error {
	switch {
	case slices.Contains(seccompTypes, word):
		return nil
	case strings.Contains(word, "{{"):
		return m.errorf(v, at, "%q looks like a template: render it first", clip(word))
	}
	list := strings.Join(seccompTypes, ", ")
	for _, known := range seccompTypes {
		if strings.EqualFold(known, word) {
			return m.errorf(v, at, "unknown type %q: the API server takes %s, letter by letter", clip(word), known)
		}
	}
	return m.errorf(v, at, "unknown type %q: the API server takes %s", clip(word), list)
}

// localhostPath refuses the paths that the API server refuses (validateLocalDescendingPath), and the
// empty one, with which the kubelet starts no container.
func (m *manifest) localhostPath(v value, at, file string) error {
	switch {
	case file == "":
		return m.errorf(v, at, "empty: the kubelet starts no container without a path")
	case strings.Contains(file, "{{"):
		return m.errorf(v, at, "%q looks like a template: render it first", clip(file))
	case strings.HasPrefix(file, "/"):
		return m.errorf(v, at, "%q is an absolute path: the API server takes paths relative to the kubelet's folder seccomp only", clip(file))
	case slices.Contains(strings.Split(file, "/"), ".."):
		return m.errorf(v, at, "%q has a step \"..\", which the API server refuses", clip(file))
	}
	return nil
}

// annotate notes the annotation that asked for the profile of a container. The field has always been
// the stronger, and since 1.27 nothing reads the annotation (pkg/api/pod/warnings.go).
func (m *manifest) annotate(c *Container, name string) {
	a, ok := m.labels[containerAnnotation+name]
	if !ok {
		a, ok = m.labels[podAnnotation]
	}
	if !ok {
		return
	}
	c.Annotation, c.AnnotationWant = &a.Name, a.want
	if len(m.p.Problems) < maxProblems {
		m.p.Problems = append(m.p.Problems, Problem{
			Pos: a.Pos, Kind: RemovedAnnotation, Path: "metadata.annotations", Name: a.Text,
			Text: "the annotation " + clip(a.Text) + " has had no effect since Kubernetes 1.27",
		})
	}
}
