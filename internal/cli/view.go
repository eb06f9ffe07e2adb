package cli

import (
	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/report"
	"github.com/profcheck/profcheck/syscalls"
)

// A view is a subject as one target enforces it. It keeps what it has resolved and compiled, and can
// be asked from several goroutines.
type view struct {
	*subject
	o     *options
	hosts []memo[*host] // by layer, then by ABI.Host

	stacks memo[[]filter.Program] // by ABI.Host and byte order
}

func (o *options) view(s *subject) *view {
	return &view{subject: s, o: o, hosts: make([]memo[*host], len(s.layers))}
}

// madeFor returns the hosts of the ABIs that the compiled filters test; nil if there are none, or if
// they test none.
func (s *subject) madeFor() (hosts []string) {
	for _, l := range s.layers {
		if l.profile == nil {
			for _, abi := range profile.TestedArches(l.program, l.order) {
				hosts = appendNew(hosts, abi.Host)
			}
		}
	}
	return hosts
}

// host returns a profile layer as the host of an ABI enforces it.
func (v *view) host(layer int, abi *syscalls.Arch) (*host, error) {
	return v.hosts[layer].get(abi.Host, func() (*host, error) { return v.o.resolve(v.layers[layer].profile, abi) })
}

// stack returns the filters that a call of an ABI meets, oldest first. The kernel would load them,
// one after the other.
func (v *view) stack(abi *syscalls.Arch) ([]filter.Program, error) {
	return v.stacks.get(abi.Host+" "+orderWord(abi.Order()), func() ([]filter.Program, error) { return v.load(abi) })
}

func (v *view) load(abi *syscalls.Arch) (out []filter.Program, err error) {
	if err := v.fits(abi); err != nil {
		return nil, err
	}
	thread := filter.Loader{NoNewPrivs: true}
	for i, l := range v.layers {
		p := l.program
		if l.profile != nil {
			h, err := v.host(i, abi)
			if err != nil {
				return nil, err
			}
			if p, err = h.program(abi); err != nil {
				return nil, err
			}
		}
		if err := thread.Attach(p, 0); err != nil {
			return nil, refusal(l.name, err)
		}
		out = append(out, p)
	}
	return out, nil
}

// knows reports whether one of the filters tells the ABI from those that it does not know.
func (v *view) knows(abi *syscalls.Arch) (bool, error) {
	for i, l := range v.layers {
		if l.profile == nil {
			for _, a := range profile.TestedArches(l.program, l.order) {
				if a.Audit == abi.Audit {
					return true, nil
				}
			}
			continue
		}
		h, err := v.host(i, abi)
		if err != nil {
			return false, err
		}
		if h.covers(abi) {
			return true, nil
		}
	}
	return false, nil
}

// targetDoc describes for whom the profiles were resolved; nil if all filters are compiled.
func (v *view) targetDoc(abi *syscalls.Arch) (*report.Target, error) {
	for i, l := range v.layers {
		if l.profile == nil {
			continue
		}
		h, err := v.host(i, abi)
		if err != nil {
			return nil, err
		}
		doc := targetDoc(h.Target, h.assumed)
		doc.Arch = abi.Name // that of the host is whichever was asked for first
		return &doc, nil
	}
	return nil, nil
}

// views returns a view for each word of --target, one without.
func (o *options) views(s *subject) []*view {
	if len(o.targets) < 2 {
		return []*view{o.view(s)}
	}
	var out []*view
	for _, word := range o.targets {
		with := *o
		with.target = word
		out = append(out, with.view(s))
	}
	return out
}

// conflicts returns the calls on whose answer no proof may rest: the profile's rules overlap with
// different actions there.
func (v *view) conflicts(abi *syscalls.Arch) (map[int32]profile.Conflict, error) {
	out := make(map[int32]profile.Conflict)
	for i, l := range v.layers {
		if l.profile == nil {
			continue
		}
		h, err := v.host(i, abi)
		if err != nil {
			return nil, err
		}
		for _, c := range h.Conflicts {
			if c.Arch == abi {
				out[c.Nr] = c
			}
		}
	}
	return out, nil
}
