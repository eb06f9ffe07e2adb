package profile

import (
	"bytes"
	"math"
	"slices"

	"go.yaml.in/yaml/v3"
)

// The resource as the operator's current version has it.
type (
	spoResource struct {
		APIVersion string            `yaml:"apiVersion"`
		Kind       string            `yaml:"kind"`
		Metadata   map[string]string `yaml:"metadata"`
		Spec       spoSpec           `yaml:"spec"`
	}
	spoSpec struct {
		DefaultAction    ActionName `yaml:"defaultAction"`
		Architectures    []string   `yaml:"architectures,omitempty"`
		Flags            []string   `yaml:"flags,omitempty"`
		ListenerPath     string     `yaml:"listenerPath,omitempty"`
		ListenerMetadata string     `yaml:"listenerMetadata,omitempty"`
		Syscalls         []spoRule  `yaml:"syscalls,omitempty"`
	}
	spoRule struct {
		Action   ActionName `yaml:"action"`
		ErrnoRet uint32     `yaml:"errnoRet,omitempty"`
		Names    []string   `yaml:"names"`
		Args     []spoArg   `yaml:"args,omitempty"`
	}
	spoArg struct {
		Index    int    `yaml:"index"`
		Value    uint64 `yaml:"value,omitempty"`
		ValueTwo uint64 `yaml:"valueTwo,omitempty"`
		Op       Op     `yaml:"op"`
	}
)

func writeSPO(w *writing) ([]byte, error) {
	p := w.p
	doc := spoResource{
		APIVersion: spoGroup + "v1", Kind: "SeccompProfile", Metadata: map[string]string{"name": w.name},
		Spec: spoSpec{DefaultAction: p.DefaultAction, ListenerPath: p.ListenerPath, ListenerMetadata: p.ListenerMetadata},
	}
	spec := &doc.Spec
	if p.Disabled() {
		w.change(p.Pos, "the resource cannot turn seccomp off: it allows every call instead")
		spec.DefaultAction = "SCMP_ACT_ALLOW"
	}
	if w.errno != nil && *w.errno != eperm {
		w.change(p.DefaultActionPos, "the resource has no defaultErrnoRet: the default is EPERM instead of %d", *w.errno)
	}
	for _, a := range w.arches {
		switch {
		case slices.Contains(notInSPO, a):
			w.change(p.Pos, "the resource has no architecture %s", a)
		case !slices.Contains(spec.Architectures, a):
			spec.Architectures = append(spec.Architectures, a)
		}
	}
	for _, f := range w.flags {
		if !slices.Contains(spec.Flags, f) {
			spec.Flags = append(spec.Flags, f)
		}
	}
	if w.flagsSet && len(w.flags) == 0 {
		w.change(p.Pos, "the operator does not write an empty list of flags: runtimes add their own")
	}
	if spec.ListenerPath != "" && !spoListener.MatchString(spec.ListenerPath) {
		w.change(p.Pos, "the resource takes a listenerPath right below /var/run/security-profiles-operator only: it is left out")
		spec.ListenerPath = ""
	}
	for i := range w.rules {
		w.spoRule(spec, &w.rules[i])
	}
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(doc); err != nil {
		return nil, err
	}
	return b.Bytes(), enc.Close()
}

func (w *writing) spoRule(spec *spoSpec, r *Rule) {
	out := spoRule{Action: r.Action}
	for _, n := range r.Names {
		if !slices.Contains(out.Names, n.Text) {
			out.Names = append(out.Names, n.Text)
		}
	}
	if r.ErrnoRet != nil {
		if out.ErrnoRet = low16(r.ErrnoRet); out.ErrnoRet == 0 {
			w.change(r.Pos, "the resource has no errnoRet 0: syscalls[%d] gives EPERM", r.Index)
		}
	}
	if len(r.Args) > maxArg+1 {
		w.change(r.Pos, "the resource takes 6 args: syscalls[%d] with %d is left out", r.Index, len(r.Args))
		return
	}
	for _, a := range r.Args {
		if max(a.Value, a.ValueTwo) > math.MaxInt64 {
			w.change(a.Pos, "the resource takes numbers up to 2^63-1: syscalls[%d] with %d is left out", r.Index, max(a.Value, a.ValueTwo))
			return
		}
		out.Args = append(out.Args, spoArg{a.Index, a.Value, a.ValueTwo, a.Op})
	}
	spec.Syscalls = append(spec.Syscalls, out)
}
