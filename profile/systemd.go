package profile

import (
	"fmt"
	"slices"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// systemd loads a filter for each architecture that its host runs (SECCOMP_FOREACH_LOCAL_ARCH), with
// libseccomp, each of which lets the others' calls through. Together they are one filter for all. With
// SystemCallArchitectures= another one kills the calls of all but those that it lists and the native one
// (seccomp_restrict_archs).

// resolveSystemd is Resolve for a unit.
func (p *Profile) resolveSystemd(t Target) (*Resolved, error) {
	r := &resolver{p: p, maker: RuntimeSystemd, listed: map[*syscalls.Arch]bool{}, Resolved: &Resolved{Target: t, Profile: p, BadArch: filter.Allow}}
	if t.Runtime != RuntimeSystemd && t.Runtime != RuntimeKernel {
		return nil, r.loadError(WrongReader, p.Pos, "", "a unit, which systemd reads")
	}
	if p.Disabled() {
		r.Disabled, r.Default = true, filter.Allow
		return r.Resolved, nil
	}
	if err := r.errnos(); err != nil {
		return nil, err
	}
	r.Default = p.DefaultAction.Value(p.DefaultErrnoRet)
	r.addArch(t.Host)
	for _, a := range syscalls.Arches() {
		if hostOf(a) == t.Host && a.BigEndian == t.Host.BigEndian && (p.Architectures == nil || slices.ContainsFunc(p.Architectures, func(n Name) bool { return n.Text == a.OCI })) {
			r.addArch(a)
		}
	}
	if p.Architectures != nil {
		r.BadArch = filter.KillThread
	}
	for i := range p.Rules {
		rule := &p.Rules[i]
		action := r.value(rule)
		if action == r.Default {
			return nil, r.loadError(DefaultAction, rule.Pos, fmt.Sprintf("syscalls[%d]", i), "%s is what all other calls get, and libseccomp takes no rule with that", action)
		}
		for _, n := range rule.Names {
			if !slices.ContainsFunc(r.Arches, func(a *syscalls.Arch) bool { return r.has(a, n.Text) }) {
				reason := SkipAbsent
				if !syscalls.Known(n.Text) {
					reason = SkipUnknown
				}
				r.skip(rule, Skip{Name: n.Text, Reason: reason, Pos: n.Pos})
				continue
			}
			r.Rules = append(r.Rules, ResolvedRule{Name: n.Text, Action: action, Source: rule, Pos: n.Pos})
		}
	}
	return r.Resolved, r.build()
}
