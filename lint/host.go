package lint

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/simulate"
	"github.com/profcheck/profcheck/syscalls"
)

// Host is a host kernel's architecture with the profile as the target's runtime enforces it there.
type Host struct {
	Target   profile.Target
	Resolved *profile.Resolved
	Native   *ABI // of the host itself, which is that of the runtime

	programs map[bool]filter.Program // verified, by whether the ABIs are big-endian
}

// ABI is an architecture with the filter that answers for it. It keeps the answers, so that each
// call is explored once.
type ABI struct {
	*syscalls.Arch
	Host    *Host
	Covered bool // the filter knows the ABI; else every call gets the bad-arch action

	program filter.Program
	answers map[int32]answer
}

// answer is what the filter does with one call for any arguments.
type answer struct {
	regions []simulate.Region
	err     error
}

// newHost resolves the profile for the host of target.ABI.
func newHost(p *profile.Profile, target profile.Target) (*Host, error) {
	r, err := p.Resolve(target)
	if err != nil {
		return nil, err
	}
	h := &Host{Target: r.Target, Resolved: r, programs: make(map[bool]filter.Program)}
	native := r.Target.Host
	if native == nil {
		native = hostOf(target.ABI)
	}
	h.Native, err = h.abi(native)
	return h, err
}

// abi returns the architecture with the host's filter.
func (h *Host) abi(arch *syscalls.Arch) (*ABI, error) {
	if h.Native != nil && h.Native.Arch == arch {
		return h.Native, nil
	}
	a := &ABI{Arch: arch, Host: h, answers: make(map[int32]answer)}
	// A compiled filter that asks for no architecture knows all.
	a.Covered = h.Resolved.Profile.Format == profile.Raw && len(h.Resolved.Profile.Architectures) == 0
	for _, other := range h.Resolved.Arches {
		a.Covered = a.Covered || other == arch
	}
	var err error
	a.program, err = h.compile(arch.BigEndian)
	return a, err
}

// compile returns the verified filter for the ABIs of one byte order.
func (h *Host) compile(bigEndian bool) (filter.Program, error) {
	if p, ok := h.programs[bigEndian]; ok {
		return p, nil
	}
	p, err := h.build(bigEndian)
	if err == nil {
		err = p.Verify()
	}
	if err != nil {
		return nil, fmt.Errorf("profile %s: filter for %s: %w", h.Resolved.Profile.Name, h.Target.Runtime, err)
	}
	h.programs[bigEndian] = p
	return p, nil
}

// build compiles the profile without verifying it.
func (h *Host) build(bigEndian bool) (filter.Program, error) {
	if h.Resolved.Disabled {
		return filter.Program{filter.Return(filter.Allow)}, nil
	}
	if p := h.Resolved.Profile; p.Format == profile.Raw {
		if p.BigEndian != bigEndian {
			return nil, errors.New("it is of another byte order")
		}
		return h.Resolved.Compile()
	}
	var arches []*syscalls.Arch
	for _, a := range h.Resolved.Arches {
		if a.BigEndian == bigEndian {
			arches = append(arches, a)
		}
	}
	if arches == nil {
		return filter.Program{filter.Return(h.Resolved.BadArch)}, nil
	}
	return h.Resolved.Compile(arches...)
}

// hostOf returns the architecture of the kernel that serves an ABI.
func hostOf(a *syscalls.Arch) *syscalls.Arch {
	if h := syscalls.ByName(a.Host); h != nil {
		return h
	}
	return a
}

// badArch returns what a call of the ABI gets if the filter does not know it.
func (a *ABI) badArch() filter.Action {
	if a.Host.Resolved.Profile.Format == profile.Raw {
		return a.run(a.unnamed(), [6]uint64{}) // which is what all numbers get
	}
	return a.Host.Resolved.BadArch
}

// Enforced reports whether there is a filter at all.
func (a *ABI) Enforced() bool { return !a.Host.Resolved.Disabled }

// Answer returns what the filter can do with a call, for any arguments.
func (a *ABI) Answer(nr int32) ([]simulate.Region, error) {
	if got, ok := a.answers[nr]; ok {
		return got.regions, got.err
	}
	var got answer
	got.regions, got.err = simulate.Outcomes(a.program, a.Arch, nr, [6][]uint64{})
	a.answers[nr] = got
	return got.regions, got.err
}

// AnswerFor is Answer for a call whose arguments can only hold the given constants, where any are
// given.
func (a *ABI) AnswerFor(nr int32, args [6][]uint64) ([]simulate.Region, error) {
	regions, err := a.Answer(nr)
	if err == nil && uniform(regions) || !slices.ContainsFunc(args[:], func(v []uint64) bool { return v != nil }) {
		return regions, err
	}
	return simulate.Outcomes(a.program, a.Arch, nr, args)
}

// run returns the answer of the filter to one concrete call.
func (a *ABI) run(nr int32, args [6]uint64) filter.Action {
	d := filter.Data{Nr: nr, Arch: a.Audit, Args: args}
	return simulate.Run(a.program, &d, a.order())
}

// order returns the byte order of seccomp_data on the ABI.
func (a *ABI) order() binary.ByteOrder { return a.Arch.Order() }

// uniform reports whether all regions have the same action.
func uniform(regions []simulate.Region) bool {
	for _, r := range regions {
		if r.Action != regions[0].Action {
			return false
		}
	}
	return true
}
