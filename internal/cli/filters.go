package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/report"
	"github.com/profcheck/profcheck/syscalls"
)

// profileArches returns the ABIs that a profile names, in its order; its HomeArch if it names none.
func profileArches(p *profile.Profile) []*syscalls.Arch {
	var out []*syscalls.Arch
	add := func(n profile.Name) {
		if a, err := syscalls.Lookup(n.Text); err == nil && !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	for _, n := range p.Architectures {
		add(n)
	}
	for _, m := range p.ArchMap {
		add(m.Arch)
		for _, n := range m.Sub {
			add(n)
		}
	}
	if len(out) == 0 {
		out = append(out, p.HomeArch())
	}
	return out
}

// host is a profile as one host enforces it, with the filters for its ABIs by byte order.
type host struct {
	*profile.Resolved
	assumed  []string
	programs memo[filter.Program] // by byte order
}

// resolve asks what the target enforces for an ABI.
func (o *options) resolve(p *profile.Profile, abi *syscalls.Arch) (*host, error) {
	target, assumed, err := o.targetFor(p, abi)
	if err != nil {
		return nil, err
	}
	if target.Runtime == profile.RuntimeKernel {
		p = sameOrderOnly(p, abi)
	}
	r, err := p.Resolve(target)
	if err != nil {
		return nil, err
	}
	return &host{Resolved: r, assumed: assumed}, nil
}

// sameOrderOnly leaves out the architectures of the other byte order than an ABI's. Runtimes refuse a
// file that names both, as one filter has one order; the rules as written are for all of them.
func sameOrderOnly(p *profile.Profile, abi *syscalls.Arch) *profile.Profile {
	var keep []profile.Name
	for _, n := range p.Architectures {
		if a, err := syscalls.Lookup(n.Text); err != nil || a.BigEndian == abi.BigEndian {
			keep = append(keep, n)
		}
	}
	if len(keep) == 0 || len(keep) == len(p.Architectures) {
		return p
	}
	with := *p
	with.Architectures = keep
	return &with
}

// program returns the filter that answers for an ABI. Where the profile does not cover it, it is one
// that knows other ABIs of the same byte order.
func (h *host) program(abi *syscalls.Arch) (filter.Program, error) {
	return h.programs.get(orderWord(abi.Order()), func() (filter.Program, error) { return h.compile(abi) })
}

func (h *host) compile(abi *syscalls.Arch) (filter.Program, error) {
	var same []*syscalls.Arch
	for _, a := range h.Arches {
		if a.BigEndian == abi.BigEndian {
			same = append(same, a)
		}
	}
	var p filter.Program
	var err error
	switch {
	case h.Disabled:
		p = filter.Program{filter.Return(filter.Allow)}
	case len(same) == 0:
		p = filter.Program{filter.Return(h.BadArch)}
	default:
		p, err = h.Compile(same...)
	}
	if err == nil {
		err = p.Verify()
	}
	if err != nil {
		return nil, fmt.Errorf("profile %s: filter for %s: %w", h.Profile.Name, abi.Name, err)
	}
	return p, nil
}

// covers reports whether the filter knows the ABI.
func (h *host) covers(abi *syscalls.Arch) bool { return h.Disabled || slices.Contains(h.Arches, abi) }

func profileDoc(p *profile.Profile) report.Profile {
	doc := report.Profile{Name: p.Name, Format: p.Format}
	if file, ok := strings.CutSuffix(p.Name, "#"+p.Part); ok && p.Part != "" {
		doc.File = file
	}
	return doc
}

func targetDoc(t profile.Target, assumed []string) report.Target {
	doc := report.Target{
		Runtime: t.Runtime, Kernel: t.Kernel.String(), Assumed: assumed,
		Caps: append([]string{}, t.Caps...),
	}
	if t.Version != "" {
		doc.Release = t.Maker() + " " + t.Version
	}
	if t.ABI != nil {
		doc.Arch = t.ABI.Name
	}
	if t.Host != nil {
		doc.Host = t.Host.Name
	}
	return doc
}

// errnoName names the errno that an action gives the caller, "" if it gives none.
func errnoName(a filter.Action) string {
	if a.Base() != filter.Errno {
		return ""
	}
	if name := filter.ErrnoName(a.Errno()); name != "" {
		return name
	}
	return fmt.Sprint(a.Errno())
}
