package profile

import (
	"fmt"
	"slices"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// Resolve works out what the target enforces. The error is a *LoadError if the target would refuse
// the profile, and a plain one if the Target itself makes no sense.
func (p *Profile) Resolve(t Target) (*Resolved, error) { return p.resolve(t, true) }

// Outline is Resolve without what it takes to compile or evaluate the result: the rules that count, the
// rules that the target's reader leaves out, and what both say. It costs half as much.
func (p *Profile) Outline(t Target) (*Resolved, error) { return p.resolve(t, false) }

func (p *Profile) resolve(t Target, whole bool) (*Resolved, error) {
	t, err := t.complete()
	if err != nil {
		return nil, err
	}
	r := &resolver{p: p, listed: map[*syscalls.Arch]bool{}, Resolved: &Resolved{Target: t, Profile: p, BadArch: filter.KillThread}}
	if r.reader, r.maker, err = parseRuntime(t.Runtime); err != nil {
		return nil, err
	}
	if p.Format == Raw {
		return p.resolveRaw(t)
	}
	switch {
	case p.Format == Elastic:
		return p.resolveElastic(t)
	case p.Format == Systemd:
		return p.resolveSystemd(t)
	case t.Runtime == RuntimeSystemd:
		return nil, r.loadError(WrongReader, p.Pos, "", "no unit, and nothing else is read by systemd")
	}
	if p.Unread() {
		return nil, p.unreadError(t)
	}
	if p.rulesFormat() == Containerd {
		r.reader = containerdCode
	}
	if p.Disabled() {
		if !r.reader.drops && p.Absent == "" && p.Off == "" && (r.maker == RuntimeCrun || r.maker == RuntimeGVisor) {
			return nil, r.loadError(NoDefault, p.Pos, "", "no default action")
		}
		r.Disabled, r.Default = true, filter.Allow
		return r.Resolved, nil
	}
	r.tokenOnly = r.maker == RuntimeGVisor
	if err := r.errnos(); err != nil {
		return nil, err
	}
	r.Default, r.Flags = r.actionValue(p.DefaultAction, r.defaultErrno), r.flags()
	if err := r.largeErrno(r.Default, r.p.DefaultActionPos, ""); err != nil {
		return nil, err
	}
	r.ignored()
	if err := r.arches(); err != nil {
		return nil, err
	}
	rules := r.choose()
	if err := r.made(rules); err != nil {
		return nil, err
	}
	if err := r.rules(rules); err != nil {
		return nil, err
	}
	if !whole {
		return r.Resolved, nil
	}
	if err := r.build(); err != nil {
		return nil, err
	}
	slices.SortStableFunc(r.Skipped, func(a, b Skip) int {
		return slices.Compare([]int{a.Source.Index, a.Pos.Line, a.Pos.Column}, []int{b.Source.Index, b.Pos.Line, b.Pos.Column})
	})
	return r.Resolved, nil
}

// made does what only one of the runtimes does: what it refuses, and runc's stub.
func (r *resolver) made(rules []*Rule) error {
	switch r.maker {
	case RuntimeRunc:
		if err := r.oldFlags(); err != nil {
			return err
		}
		if err := r.notify(rules); err != nil {
			return err
		}
		r.stub(rules)
	case RuntimeCrun:
		return r.crun(rules)
	case RuntimeGVisor:
		return r.gvisor(rules)
	}
	return nil
}

// A resolver holds what Resolve needs on the way.
type resolver struct {
	*Resolved
	reader reader
	maker  maker
	p      *Profile

	defaultErrno *uint32
	ruleErrno    []*uint32 // by Index

	listed map[*syscalls.Arch]bool // the ABIs that the file itself asks for
	narrow map[narrowKey][]Cond
	keys
}

// libseccomp reports whether a runtime makes the filter with libseccomp.
func (r *resolver) libseccomp() bool {
	return r.maker == RuntimeRunc || r.maker == RuntimeCrun || r.maker == RuntimeSystemd
}

func (r *resolver) loadError(kind LoadKind, pos Pos, path, format string, args ...any) error {
	return &LoadError{Kind: kind, Pos: pos, Path: path, Runtime: r.Target.Runtime, Reason: fmt.Sprintf(format, args...)}
}

// arches fills in Arches. Docker takes the entry of archMap for the host's architecture; libseccomp
// adds the host's own to whatever is listed; gVisor has no other; without a list the kernel target
// covers the ABI alone.
func (r *resolver) arches() error {
	if r.maker != RuntimeKernel {
		r.addArch(r.Target.Host)
	}
	if r.maker == RuntimeGVisor {
		return nil
	}
	for _, n := range r.architectures() {
		a := r.Target.Host
		if n.Text != archNative {
			var err error
			if a, err = syscalls.Lookup(n.Text); err != nil {
				return fmt.Errorf("profile %s: %w", n.Pos, err) // Parse has checked the names
			}
		}
		switch {
		case r.maker == RuntimeRunc && (n.Text == archNative || slices.Contains(notInRunc, a.Name)):
			return r.loadError(UnknownToRunc, n.Pos, "", "architecture %s is not in runc's table", n.Text)
		case r.maker == RuntimeCrun && n.Text == archNative:
			return r.loadError(UnknownArch, n.Pos, "", "architecture %s is no name of libseccomp's", n.Text)
		}
		r.addArch(a)
		r.listed[a] = true
		if a.BigEndian != r.Arches[0].BigEndian {
			return r.loadError(MixedByteOrder, n.Pos, "", "%s has another byte order than %s, and one filter has only one", a, r.Arches[0])
		}
	}
	if len(r.Arches) == 0 {
		r.addArch(r.Target.ABI)
	}
	return nil
}

// architectures returns the list that the reader hands on.
func (r *resolver) architectures() []Name {
	if r.reader.docker && r.reader.archMap(r.Target.Host) {
		for _, m := range r.p.ArchMap {
			if m.Arch.Text == r.Target.Host.OCI {
				return append([]Name{m.Arch}, m.Sub...)
			}
		}
	}
	return r.p.Architectures
}

// notInRunc lists the ABIs that libseccomp knows and runc's table of architectures lacks
// (libcontainer/seccomp/config.go, runc 1.5).
var notInRunc = []string{"m68k", "parisc", "parisc64", "sh", "sheb"}

func (r *resolver) addArch(a *syscalls.Arch) {
	if !slices.Contains(r.Arches, a) {
		r.Arches = append(r.Arches, a)
	}
}

// choose returns the rules whose includes and excludes let them through.
func (r *resolver) choose() []*Rule {
	var chosen []*Rule
	for i := range r.p.Rules {
		rule := &r.p.Rules[i]
		reason := Reason("")
		switch {
		case r.reader.docker:
			reason = r.filtered(rule)
		case rule.OldForm:
			reason = SkipOldForm
		}
		if reason == "" && len(rule.Names) == 0 {
			reason = SkipNoNames
		}
		if reason != "" {
			r.skip(rule, Skip{Reason: reason, Pos: rule.Pos})
			continue
		}
		chosen = append(chosen, rule)
	}
	return chosen
}

// filtered gives the reason why Docker leaves a rule out, "" if it does not. Excludes leave it out
// if any of them holds, includes if any does not (moby setupSeccomp).
func (r *resolver) filtered(rule *Rule) Reason {
	word := r.reader.word(r.Target.Host)
	isHost := func(n Name) bool { return n.Text == word && word != "" }
	hasCap := func(n Name) bool { return slices.Contains(r.Target.Caps, n.Text) }
	lacksCap := func(n Name) bool { return !hasCap(n) }
	atLeast := func(k *syscalls.Kernel) bool { return !r.Target.Kernel.Less(*k) }
	ex, in := rule.Excludes, rule.Includes
	if !r.reader.minKernel {
		ex.MinKernel, in.MinKernel = nil, nil
	}
	switch {
	case slices.ContainsFunc(ex.Arches, isHost):
		return SkipArch
	case slices.ContainsFunc(ex.Caps, hasCap):
		return SkipCaps
	case ex.MinKernel != nil && atLeast(ex.MinKernel):
		return SkipKernel
	case len(in.Arches) > 0 && !slices.ContainsFunc(in.Arches, isHost):
		return SkipArch
	case slices.ContainsFunc(in.Caps, lacksCap):
		return SkipCaps
	case in.MinKernel != nil && !atLeast(in.MinKernel):
		return SkipKernel
	}
	return ""
}

func (r *resolver) skip(rule *Rule, s Skip) {
	s.Source, s.Action = rule, r.value(rule)
	r.Skipped = append(r.Skipped, s)
}

// maxRules bounds the rules that names and alternative conditions multiply to: a file of a megabyte
// could ask for billions.
const maxRules = 1 << 17

// rules spreads the chosen rules over their names.
func (r *resolver) rules(chosen []*Rule) error {
	for _, rule := range chosen {
		action := r.value(rule)
		alternatives := r.alternatives(rule.Args)
		for _, n := range rule.Names {
			reason := Reason("")
			switch {
			case r.libseccomp() && action == r.Default:
				reason = SkipDefault
			case !syscalls.Known(n.Text), r.maker == RuntimeGVisor && !gvisorKnows(r.Target.Host, n.Text):
				reason = SkipUnknown
			case !slices.ContainsFunc(r.Arches, func(a *syscalls.Arch) bool { return r.has(a, n.Text) }):
				reason = SkipAbsent
			}
			if reason != "" {
				r.skip(rule, Skip{Name: n.Text, Reason: reason, Pos: n.Pos})
				continue
			}
			if len(r.Rules)+len(alternatives) > maxRules {
				return r.loadError(TooManyRules, n.Pos, fmt.Sprintf("syscalls[%d]", rule.Index), "more than %d rules, one for each name and alternative condition", maxRules)
			}
			if err := r.largeErrno(action, rule.ActionPos, fmt.Sprintf("syscalls[%d]", rule.Index)); err != nil {
				return err
			}
			for _, conds := range alternatives {
				r.Rules = append(r.Rules, ResolvedRule{Name: n.Text, Action: action, Conds: conds, Source: rule, Pos: n.Pos})
			}
		}
	}
	return nil
}

// has reports whether a rule on the name can have an effect on the ABI.
func (r *resolver) has(a *syscalls.Arch, name string) bool {
	if _, ok := a.Number(name); ok {
		return true
	}
	call, _ := r.multiplexer(a, name)
	return call != ""
}

// multiplexer is that of libseccomp; without it names stay what they are.
func (r *resolver) multiplexer(a *syscalls.Arch, name string) (string, uint64) {
	if !r.libseccomp() {
		return "", 0
	}
	return multiplexer(a, name)
}

// alternatives turns the conditions of a rule into lists of which one must hold. There is one list,
// unless an argument comes twice: then the runtimes make each condition a rule of its own (libcontainer
// matchCall, and crun and gVisor after it). The kernel target takes them as written, joined by AND.
func (r *resolver) alternatives(args []Arg) [][]Cond {
	if r.maker == RuntimeCrun {
		args = r.crunArgs(args)
	}
	all := make([]Cond, len(args))
	twice := false
	seen := [maxArg + 1]bool{}
	for i, a := range args {
		if all[i] = cond(a); r.maker == RuntimeGVisor {
			all[i] = gvisorCond(a)
		}
		twice = twice || seen[a.Index]
		seen[a.Index] = true
	}
	if !twice || r.maker == RuntimeKernel {
		return [][]Cond{all}
	}
	var each [][]Cond
	for _, c := range all {
		each = append(each, []Cond{c})
	}
	return each
}
