package profile

import (
	"math"
	"regexp"
	"slices"
	"strings"
)

// The SeccompProfile resource of the Security Profiles Operator (api/seccompprofile/v1, as of 2026-08).
// The operator writes its spec as JSON to a node, where containerd or CRI-O reads it.

const spoGroup = "security-profiles-operator.x-k8s.io/"

var _ = registerFormat(format{
	name: SPO, title: "Security Profiles Operator: SeccompProfile in YAML or JSON",
	runtime: RuntimeSPO, caps: true, rank: rankTyped,
	dialect: dialect{who: "the operator's resource", exact: true, max: math.MaxInt64},
	is:      isSPO,
	read:    readSPO,
	write:   writeSPO,
})

// spoSchema has the fields of the spec.
var spoSchema = schema{
	fields:  append(slices.DeleteFunc(slices.Clone(profileSchema.fields), isDefaultErrnoRet), "baseProfileName", "state"),
	docker:  profileSchema.docker,
	foreign: profileSchema.foreign,
	absent:  []string{"defaultErrnoRet"},
}

func isDefaultErrnoRet(field string) bool { return field == "defaultErrnoRet" }

// spoListener is what the resource's definition lets a listenerPath be.
var spoListener = regexp.MustCompile(`^/var/run/security-profiles-operator/[a-zA-Z0-9_.-]+$`)

// notInSPO lists architectures that its definition lacks.
var notInSPO = []string{"SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K", "SCMP_ARCH_SH", "SCMP_ARCH_SHEB"}

// isSPO recognises a SeccompProfile. The group's other kinds, such as ProfileRecording, are no profiles.
func isSPO(doc document) bool {
	return strings.HasPrefix(doc.word(doc.root, "apiVersion"), spoGroup) && doc.word(doc.root, "kind") == "SeccompProfile"
}

func readSPO(f *file, doc document) error {
	d, base, err := spoProfile(f, doc)
	if err != nil {
		return err
	}
	if base.text != "" {
		if err := f.mergeBases(d, base); err != nil {
			return err
		}
	}
	f.add(d.finish(), doc.word(doc.root, "metadata", "name"))
	return nil
}

// A baseName is the field baseProfileName.
type baseName struct {
	text string
	val  value
}

// spoProfile reads a resource by itself. What the API server would refuse is an error.
func spoProfile(f *file, doc document) (*decoder, baseName, error) {
	d, base := f.decoder(doc), baseName{}
	spec := doc.member(doc.root, "spec")
	if spec == 0 {
		return nil, base, d.errorf(doc.root, "", "no spec")
	}
	if err := d.want(spec, "spec", "an object"); err != nil {
		return nil, base, err
	}
	d.p.Pos = d.src.pos(spec)
	err := d.profileOf(spec, "spec", spoSchema, func(field, at string, val value) (err error) {
		switch field {
		case "baseProfileName":
			base.val = val
			base.text, err = d.str(val, at)
		case "state":
			err = d.spoState(val, at)
		}
		return err
	})
	if err != nil {
		return nil, base, err
	}
	// An empty list is not written, so the runtime sees no flags at all.
	d.p.FlagsSet = len(d.p.Flags) > 0
	return d, base, d.spoValid(doc, spec)
}

func (d *decoder) spoState(val value, at string) error {
	state, err := d.str(val, at)
	if err == nil && state == "Disabled" {
		d.problem(val, IgnoredField, "spec", "state", "the state is Disabled: the operator writes no profile")
	}
	if err == nil && state != "" {
		err = d.oneOf(val, at, "state", state, []string{"Enabled", "Disabled"})
	}
	return err
}

// spoValid checks what the definition of the resource asks for besides types and words.
func (d *decoder) spoValid(doc document, spec value) error {
	p := d.p
	refuse := func(path, format string, args ...any) error { return d.errorf(spec, path, format, args...) }
	if p.DefaultAction == "" {
		return refuse("spec", "no defaultAction, which the resource requires")
	}
	if p.ListenerPath != "" && !spoListener.MatchString(p.ListenerPath) {
		return d.errorf(doc.member(spec, "listenerPath"), "spec.listenerPath", "%q: the resource takes paths right below /var/run/security-profiles-operator only", clip(p.ListenerPath))
	}
	for _, a := range p.Architectures {
		if slices.Contains(notInSPO, a.Text) {
			return &ParseError{a.Pos, "spec.architectures", "the resource has no architecture " + a.Text}
		}
	}
	for _, list := range []struct {
		path  string
		names []Name
	}{{"spec.architectures", p.Architectures}, {"spec.flags", p.Flags}} {
		if err := spoSet(list.path, list.names); err != nil {
			return err
		}
	}
	for i := range p.Rules {
		if err := p.Rules[i].spoValid(); err != nil {
			return err
		}
	}
	return nil
}

func (r *Rule) spoValid() error {
	path := "syscalls[" + itoa(r.Index) + "]"
	switch {
	case len(r.Names) == 0:
		return &ParseError{r.Pos, path, "no names, of which the resource requires one"}
	case len(r.Args) > maxArg+1:
		return &ParseError{r.Args[maxArg+1].Pos, path, "more than 6 args, which the resource does not take"}
	case r.ErrnoRet != nil && *r.ErrnoRet > math.MaxInt32:
		return &ParseError{r.Pos, path, "errnoRet above 2147483647"}
	case r.ErrnoRet != nil && *r.ErrnoRet == 0:
		r.ErrnoRet = nil // 0 is not written, and the runtime takes EPERM
	}
	return spoSet(path+".names", r.Names)
}

// spoSet refuses a list that names something twice.
func spoSet(path string, names []Name) error {
	seen := map[string]bool{}
	for _, n := range names {
		if seen[n.Text] {
			return &ParseError{n.Pos, path, clip(n.Text) + " stands twice, which the resource does not take"}
		}
		seen[n.Text] = true
	}
	return nil
}
