package profile

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/profcheck/profcheck/syscalls"
)

// Written is a profile in another format.
type Written struct {
	Text []byte
	Lost []Loss // what the text does not say any more, or says for one target only; in the order of the rules
}

// A Loss is something of a profile that a format cannot say.
type Loss struct {
	Pos  Pos // in the file that was read
	Text string
	// Changes: the text means something else than the profile, even for the target. Without it, only
	// other targets can see a difference, or nobody can.
	Changes bool

	// What is the same in spite of Changes: others, all calls of the target's ABI that the profile's rules
	// or its default decide; data, all but the data of actions; upper, all calls whose arguments have an
	// upper half of 0, on an ABI of 32 bits.
	others, data, upper bool
}

// String returns place and text in one line.
func (l Loss) String() string { return l.Pos.String() + ": " + l.Text }

// WriteFormats lists the formats that Write knows.
func WriteFormats() (names []string) {
	for _, f := range formats {
		if f.write != nil {
			names = append(names, f.name)
		}
	}
	slices.Sort(names)
	return names
}

// Write writes a profile in a format of WriteFormats. It means the same there as in its own, but for
// what Lost says. What the format cannot decide by itself, such as the includes and excludes of Docker's, is
// decided for the target. The target's ABI must be given; its runtime does not matter.
func (p *Profile) Write(format string, t Target) (*Written, error) {
	f := formatNamed(format)
	if f == nil || f.write == nil {
		return nil, fmt.Errorf("profile %s: cannot be written as %q: %s", p.Name, format, strings.Join(WriteFormats(), ", "))
	}
	if p.Format == Raw {
		return nil, fmt.Errorf("profile %s: is compiled, and only rules can be written as %s", p.Name, format)
	}
	if p.Unread() {
		return nil, p.unreadError(t)
	}
	t.Runtime = p.ownReader()
	t, err := t.complete()
	if err != nil {
		return nil, err
	}
	r := &resolver{p: p, Resolved: &Resolved{Target: t, Profile: p}}
	if r.reader, r.maker, err = parseRuntime(t.Runtime); err != nil {
		return nil, err
	}
	if p.rulesFormat() == Containerd {
		r.reader = containerdCode
	}
	if err := r.errnos(); err != nil {
		return nil, err
	}
	w := &writing{resolver: r, to: f, name: resourceName(p)}
	w.plain()
	text, err := f.write(w)
	if err != nil {
		return nil, fmt.Errorf("profile %s: %w", p.Name, err)
	}
	return &Written{Text: text, Lost: w.lost}, nil
}

// ownReader is the runtime that reads the format itself.
func (p *Profile) ownReader() string {
	if f := formatNamed(p.Format); f != nil && p.Format != Kernel {
		return f.runtime
	}
	return RuntimeDocker
}

// A writing is a profile on its way into another format.
type writing struct {
	*resolver
	to   *format
	name string // of a resource
	lost []Loss

	// What is written: the profile with errnos as numbers, names in the new form, and nothing that the
	// format to write does not have.
	errno    *uint32 // of the default action
	arches   []string
	archMap  []ArchMap
	flags    []string
	flagsSet bool
	rules    []Rule
}

func (w *writing) lose(pos Pos, format string, args ...any) {
	w.lost = append(w.lost, Loss{Pos: pos, Text: fmt.Sprintf(format, args...)})
}

// change is lose for what changes the meaning.
func (w *writing) change(pos Pos, format string, args ...any) {
	w.lost = append(w.lost, Loss{Pos: pos, Text: fmt.Sprintf(format, args...), Changes: true})
}

// plain works out what is written and says what all formats lose.
func (w *writing) plain() {
	p := w.p
	if p.Format == OCI && p.Process != nil {
		w.lose(p.Process.Pos, "only linux.seccomp of the config.json is written")
	}
	for _, q := range p.Problems {
		switch q.Kind {
		case UnknownField:
			w.lose(q.Pos, "the field %q, which no reader knows, is left out", clip(q.Name))
		case IgnoredField:
			w.lose(q.Pos, "the field %q, which its reader ignores, is left out", clip(q.Name))
		}
	}
	if p.Format == Systemd {
		w.change(p.Pos, "a unit is for all architectures of its host, unless SystemCallArchitectures= says otherwise, and its other settings add filters of their own")
	}
	if p.Format == Elastic && w.to.name != Elastic {
		w.change(p.Pos, "calls of other architectures, which have the default action here, and numbers of x32, which have ENOSYS, kill the thread there")
		w.change(p.Pos, "where groups overlap the first decides here, and not always there")
	}
	if p.DefaultAction.CarriesErrno() {
		w.errno = w.defaultErrno
	}
	for _, n := range p.Flags {
		w.flags = append(w.flags, n.Text)
	}
	w.flagsSet = p.FlagsSet
	if w.archMap = p.ArchMap; !w.to.dialect.docker || !w.reader.docker {
		w.archMap = nil
	}
	if len(w.archMap) == 0 {
		for _, n := range w.architectures() {
			if n.Text == archNative && p.Format == Systemd {
				n.Text = w.Target.Host.OCI
			}
			w.arches = append(w.arches, n.Text)
		}
		if len(p.ArchMap) > 0 {
			w.lose(p.ArchMap[0].Pos, "archMap is written for a host of %s only", w.Target.Host)
		}
	}
	for i := range p.Rules {
		w.rule(p.Rules[i])
	}
}

// rule adds a rule as it is written, if it is.
func (w *writing) rule(r Rule) {
	switch {
	case len(r.Names) == 0:
		w.lose(r.Pos, "syscalls[%d], which names no syscall, is left out", r.Index)
		return
	case r.OldForm && !w.reader.docker:
		w.lose(r.Pos, "syscalls[%d], whose field \"name\" the runtime does not read, is left out", r.Index)
		return
	case r.ABIs != nil && w.to.name != Elastic: // which is for one
		w.change(r.Pos, "syscalls[%d] is for %s only, and is written for all", r.Index, strings.Join(r.ABIs[:min(4, len(r.ABIs))], ", "))
	}
	if r.ErrnoRet = w.ruleErrno[r.Index]; !r.Action.CarriesErrno() {
		r.ErrnoRet = nil
	}
	if r.Comment != "" && !w.to.dialect.docker {
		w.lose(r.Pos, "the comment of syscalls[%d] is left out", r.Index)
	}
	if !w.conditions(&r) {
		return
	}
	if i := slices.IndexFunc(r.Args, func(a Arg) bool { return a.Op == BitsSet }); i >= 0 {
		w.bitsSet(r, i)
		return
	}
	w.rules = append(w.rules, r)
}

// bitsSet writes a rule whose condition i asks for one of several bits as a rule for each of them.
func (w *writing) bitsSet(r Rule, i int) {
	if len(w.rules) > maxRules>>6 {
		w.change(r.Pos, "syscalls[%d] would be too many rules, one for each bit that it asks for: it is left out", r.Index)
		return
	}
	for bit := uint64(1); bit != 0; bit <<= 1 {
		if r.Args[i].Value&bit == 0 {
			continue
		}
		one := r
		one.Args = slices.Clone(r.Args)
		one.Args[i].Op, one.Args[i].Value, one.Args[i].ValueTwo = MaskedEqual, bit, bit
		if next := slices.IndexFunc(one.Args, func(a Arg) bool { return a.Op == BitsSet }); next >= 0 {
			w.bitsSet(one, next)
			continue
		}
		w.rules = append(w.rules, one)
	}
}

// conditions decides includes and excludes as far as the format does not have them, and reports whether
// the rule stays.
func (w *writing) conditions(r *Rule) bool {
	if !w.reader.docker { // a container's profile that was written for Docker
		r.Includes, r.Excludes = Filter{}, Filter{}
		return true
	}
	if !w.reader.minKernel {
		r.Includes.MinKernel, r.Excludes.MinKernel = nil, nil
	}
	if w.to.dialect.docker {
		return w.minKernel(r) && w.words(r)
	}
	var what []string
	for _, f := range []struct {
		Filter
		field string
	}{{r.Includes, "includes"}, {r.Excludes, "excludes"}} {
		if len(f.Caps)+len(f.Arches) > 0 || f.MinKernel != nil {
			what = append(what, f.field)
		}
	}
	if len(what) == 0 {
		return true
	}
	reason := w.filtered(r)
	stays := "it counts"
	if reason != "" {
		stays = "it does not count"
	}
	w.lose(r.Pos, "%s of syscalls[%d] are decided for %s and kernel %s, with the target's capabilities: %s", strings.Join(what, " and "), r.Index, w.Target.Host, w.Target.Kernel, stays)
	r.Includes, r.Excludes = Filter{}, Filter{}
	return reason == ""
}

// minKernel decides minKernel where the format to write lacks it.
func (w *writing) minKernel(r *Rule) bool {
	if !w.to.dialect.errnos || r.Includes.MinKernel == nil && r.Excludes.MinKernel == nil {
		return true
	}
	only := Rule{Includes: Filter{MinKernel: r.Includes.MinKernel}, Excludes: Filter{MinKernel: r.Excludes.MinKernel}}
	stays := w.filtered(&only) == ""
	word := "it counts"
	if !stays {
		word = "it does not count"
	}
	w.lose(r.Pos, "minKernel of syscalls[%d] is decided for kernel %s: %s", r.Index, w.Target.Kernel, word)
	r.Includes.MinKernel, r.Excludes.MinKernel = nil, nil
	return stays
}

// words writes the words for hosts as the other reader has them: Docker's and Podman's differ.
func (w *writing) words(r *Rule) bool {
	other := mobyReader
	if w.to.dialect.errnos {
		other = podmanReader
	}
	for _, list := range []*[]Name{&r.Includes.Arches, &r.Excludes.Arches} {
		*list = slices.Clone(*list)
		for i, n := range *list {
			for _, a := range syscalls.Arches() {
				if n.Text != "" && w.reader.word(a) == n.Text && other.word(a) != "" {
					(*list)[i].Text = other.word(a)
				}
			}
		}
	}
	return true
}

// low16 is an errno as far as a filter can return it.
func low16(n *uint32) uint32 { return *n & math.MaxUint16 }

// resourceName makes a name for a resource of a profile's: lower-case letters, digits and dashes.
func resourceName(p *Profile) string {
	name := p.Part
	if name == "" {
		name = p.Name[strings.LastIndexAny(p.Name, "/\\")+1:]
		name, _, _ = strings.Cut(name, ".")
	}
	var b strings.Builder
	for _, c := range strings.ToLower(name) {
		switch {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			b.WriteRune(c)
		case b.Len() > 0:
			b.WriteByte('-')
		}
	}
	if name = strings.Trim(b.String()[:min(b.Len(), 63)], "-"); name == "" {
		name = "profile"
	}
	return name
}
