package profile

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// What a container's fields come to: which rules, and which capabilities.

// fill gives the profile of a container its rules.
func (f *file) fill(p *Profile, seccompDefault bool) error {
	c := p.Container
	switch {
	case c.Privileged:
		// containerd (internal/cri GenerateSeccompSpecOpts) and CRI-O, unless its
		// privileged_seccomp_profile says otherwise, load nothing, whatever the field says.
		p.Off = "is that of a privileged container, for which the runtime loads no filter"
	case c.Seccomp == nil && seccompDefault:
		c.Default = true
	case c.Seccomp == nil:
		p.Off = "has no seccompProfile, so seccomp is off unless the kubelet runs with --seccomp-default"
	case c.Seccomp.Type == typeUnconfined:
		p.Off = "is of the type Unconfined, so seccomp is off"
	case c.Seccomp.Type == typeLocalhost:
		return f.localhost(p)
	}
	if p.Off == "" {
		own, err := f.runtimeDefault("")
		if err != nil {
			return err
		}
		p.take(own, own.Format)
	}
	return nil
}

// take sets the rules of a container's profile.
func (p *Profile) take(from *Profile, rules string) {
	name, part, pos, c, problems := p.Name, p.Part, p.Pos, p.Container, p.Problems
	*p = *from
	p.Name, p.Part, p.Pos, p.Format, p.Container = name, part, pos, Kubernetes, c
	p.Problems = append(problems[:len(problems):len(problems)], from.Problems...)
	c.rules = rules
}

// runtimeDefault is the profile of a runtime's own, "" for containerd; the file keeps it.
func (f *file) runtimeDefault(runtime string) (*Profile, error) {
	name := defaultOf(runtime)
	if p := f.defaults[name]; p != nil {
		return p, nil
	}
	p, err := Open(name)
	if err != nil {
		return nil, err
	}
	if f.defaults == nil {
		f.defaults = map[string]*Profile{}
	}
	f.defaults[name] = p
	return p, nil
}

// defaultOf names the built-in that is a runtime's own profile.
func defaultOf(runtime string) string {
	switch first, _, _ := strings.Cut(runtime, "/"); first {
	case RuntimePodman, RuntimeCRIO:
		return "podman-default"
	case RuntimeDocker:
		return "docker-default"
	}
	return "containerd-default"
}

// ForRuntime is the profile as a runtime takes it; "" is containerd. Where a container asks for the
// runtime's own profile, it is that one, with all places at the words of the manifest that ask for it;
// otherwise it is the profile itself.
func (p *Profile) ForRuntime(runtime string) *Profile {
	c := p.Container
	if c == nil || c.rules == "" || p.Off != "" {
		return p
	}
	own, err := Open(defaultOf(runtime))
	if err != nil {
		return p // not reached: the tests open each built-in
	}
	pos := c.Pos
	if c.Seccomp != nil {
		pos = c.Seccomp.Pos
	}
	own.move(pos)
	q, container := *p, *c
	q.Container = &container
	// Its own problems are those of the manifest.
	q.Problems = slices.DeleteFunc(slices.Clone(p.Problems), func(x Problem) bool { return x.Pos.File != p.Pos.File })
	q.take(own, own.Format)
	return &q
}

// move gives all of a profile the same place.
func (p *Profile) move(pos Pos) {
	names := func(list []Name) {
		for i := range list {
			list[i].Pos = pos
		}
	}
	p.DefaultActionPos = pos
	names(p.Architectures)
	names(p.Flags)
	for i := range p.ArchMap {
		m := &p.ArchMap[i]
		m.Pos, m.Arch.Pos = pos, pos
		names(m.Sub)
	}
	for i := range p.Rules {
		r := &p.Rules[i]
		r.Pos, r.ActionPos = pos, pos
		names(r.Names)
		for k := range r.Args {
			r.Args[k].Pos = pos
		}
		for _, f := range []*Filter{&r.Includes, &r.Excludes} {
			if f.Pos != (Pos{}) {
				f.Pos = pos
			}
			names(f.Caps)
			names(f.Arches)
		}
	}
	for i := range p.Problems {
		p.Problems[i].Pos = pos
	}
}

// localhost reads the file of a container. Why one cannot be read is kept: the manifest is right by
// itself.
func (f *file) localhost(p *Profile) error {
	c := p.Container
	from, known := f.localhosts[c.Seccomp.File]
	if !known {
		from.profile, from.why = f.loadLocalhost(c.Seccomp.File)
		if f.localhosts == nil {
			f.localhosts = map[string]localhost{}
		}
		f.localhosts[c.Seccomp.File] = from
	}
	if from.profile != nil {
		p.take(from.profile, "")
		return nil
	}
	c.Unread, c.NoRoot = from.why, f.options.Root == "" && f.options.Load == nil
	text := fmt.Sprintf("the profile %q %s", clip(c.Seccomp.File), c.Unread)
	p.Problems = append(p.Problems, Problem{Pos: c.Seccomp.FilePos, Kind: MissingPart, Path: "seccompProfile.localhostProfile", Name: c.Seccomp.File, Text: text})
	return nil
}

// notRead is the error for the profile of a container that could not be read.
func (p *Profile) notRead(t Target) error {
	s := p.Container.Seccomp
	return &LoadError{Kind: NotRead, Pos: s.FilePos, Runtime: t.Runtime, Reason: fmt.Sprintf("the profile %q of the container %s", clip(s.File), p.Container.Unread)}
}

// A localhost is a profile that was loaded for a container, or why it could not be.
type localhost struct {
	profile *Profile
	why     string
}

// loadLocalhost reads a profile as containerd and CRI-O do: as JSON with the fields of linux.seccomp
// at the top. A config.json has none of them there, so for them it is an empty profile.
func (f *file) loadLocalhost(path string) (*Profile, string) {
	data, err := f.load(path)
	switch {
	case f.options.Root == "" && f.options.Load == nil:
		return nil, "was not read: no folder is given that stands for the kubelet's folder seccomp (--profile-root)"
	case err != nil:
		return nil, "is not below the root (" + err.Error() + "), and without it the container does not start"
	}
	name := filepath.Join(f.options.Root, filepath.FromSlash(path))
	refused := func(err error) (*Profile, string) {
		return nil, "cannot be read (" + strings.TrimPrefix(err.Error(), "profile ") + "), and without it the container does not start"
	}
	g := &file{name: name, data: data, format: formatNamed(Docker)}
	if g.docs, err = documents(name, data); err != nil {
		return refused(err)
	}
	if len(g.docs) == 0 || g.docs[0].yaml {
		return nil, "is no JSON, so the container does not start"
	}
	if hasErrnoWord(g.docs[0]) {
		g.format = formatNamed(Podman)
	}
	d := g.decoder(g.docs[0])
	if err := d.profile(g.docs[0].root, ""); err != nil {
		return refused(err)
	}
	return d.finish(), ""
}

// GivesCaps reports whether the manifest changes the runtime's own capabilities.
func (c *Container) GivesCaps() bool { return c != nil && (c.givesCaps || c.Privileged) }

// crioCaps is the bounding set that CRI-O gives a container that asks for none
// (internal/config/capabilities).
var crioCaps = []string{
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_NET_BIND_SERVICE",
	"CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID",
}

// Caps is the container's bounding set under a runtime: its own default, which containerd shares with
// Docker (pkg/oci defaultUnixCaps), with what the manifest adds and drops. As in containerd's
// WithCapabilities, ALL counts before single ones and dropping after adding; letter case does not count. containerd puts CAP_ before each name, so that CAP_CHOWN is none; CRI-O takes both.
func (c *Container) Caps(runtime string) []string {
	if c.Privileged {
		return Capabilities()
	}
	start := dockerCaps
	first, _, _ := strings.Cut(runtime, "/")
	if first == RuntimeCRIO {
		start = crioCaps
	}
	if !c.givesCaps {
		return slices.Clone(start) // in the order that a Target shows
	}
	all := func(list []Name) bool {
		return slices.ContainsFunc(list, func(n Name) bool { return strings.EqualFold(n.Text, "ALL") })
	}
	if all(c.Add) {
		start = capabilities
	}
	if all(c.Drop) {
		start = nil
	}
	names := func(list []Name, word string) bool {
		return slices.ContainsFunc(list, func(n Name) bool {
			return strings.EqualFold("CAP_"+n.Text, word) || first == RuntimeCRIO && strings.EqualFold(n.Text, word)
		})
	}
	var out []string
	for _, word := range capabilities {
		if (slices.Contains(start, word) || names(c.Add, word)) && !names(c.Drop, word) {
			out = append(out, word)
		}
	}
	return out
}

// Group joins the profiles of containers that differ in nothing that a check could tell: the first of
// each stands for all, and its Container's Also names the others. Other profiles stay as they are.
func Group(list []*Profile) (out []*Profile) {
	first := map[string]int{}
	for _, p := range list {
		if p.Container == nil {
			out = append(out, p)
			continue
		}
		key := p.Container.key(p)
		i, ok := first[key]
		if !ok {
			first[key] = len(out)
			q, c := *p, *p.Container
			q.Container = &c
			out = append(out, &q)
			continue
		}
		c := out[i].Container
		c.Also, c.Same = append(c.Also, p.Container.FullName()), append(c.Same, p.Container)
	}
	return out
}

// key is the same for containers that Group joins. What there is to say about the manifest is said
// for each place: containers are the same only within a pod then.
func (c *Container) key(p *Profile) string {
	seccomp, place := SeccompField{Type: typeRuntimeDefault}, ""
	if c.Seccomp != nil {
		seccomp = *c.Seccomp
	}
	if p.Off != "" || c.Unread != "" || c.Annotation != nil {
		place = fmt.Sprint(c.pod, c.PrivilegedPos, seccomp.Pos)
	}
	for _, q := range p.Problems {
		if q.Pos.File == p.Pos.File {
			place += "|" + q.String()
		}
	}
	return fmt.Sprint(seccomp.Type, "|", seccomp.File, "|", c.NoNewPrivs, c.Caps(RuntimeContainerd), c.Caps(RuntimeCRIO), p.Off, "|", place, c.Annotation != nil)
}
