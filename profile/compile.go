package profile

import (
	"fmt"
	"slices"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// A SizeError is what Compile returns for rules that need more instructions than the kernel takes.
type SizeError struct {
	Profile string
	Limit   int // BPF_MAXINSNS
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("profile %s: the filter needs more than %d instructions, the most that a kernel loads", e.Profile, e.Limit)
}

// Compile makes a filter with the meaning of Meaning for the given ABIs, by default all of Arches.
// ABIs that are not given get the bad-arch action, even if Arches has them. A disabled profile
// gives a program that allows everything. All ABIs must share one byte order, which is that of the
// program; the error for too long a program is a *SizeError.
func (r *Resolved) Compile(arches ...*syscalls.Arch) (filter.Program, error) {
	if r.Disabled {
		return filter.Program{{Code: filter.OpRetK, K: uint32(filter.Allow)}}, nil
	}
	if len(arches) > 0 {
		only := *r
		only.Arches = slices.DeleteFunc(slices.Clone(r.Arches), func(a *syscalls.Arch) bool { return !slices.Contains(arches, a) })
		r = &only
	}
	for _, a := range r.Arches {
		if a.BigEndian != r.Arches[0].BigEndian {
			return nil, fmt.Errorf("profile %s: %s and %s have different byte orders and cannot share a filter", r.Profile.Name, r.Arches[0], a)
		}
	}
	c := &compiler{emitter: emitter{returns: map[filter.Action]int{}}, r: r}
	if len(r.Arches) > 0 {
		c.order = r.Arches[0].Order()
	}
	p := c.program(c.dispatch())
	if c.full() {
		return nil, &SizeError{Profile: r.Profile.Name, Limit: filter.MaxInsns}
	}
	if err := p.Verify(); err != nil {
		return nil, fmt.Errorf("profile %s: compiled filter: %w", r.Profile.Name, err)
	}
	return p, nil
}

// dispatch writes the choice by architecture token. The first ABI, the host's own, is asked first.
func (c *compiler) dispatch() target {
	var tokens []uint32
	for _, a := range c.r.Arches {
		if !slices.Contains(tokens, a.Audit) {
			tokens = append(tokens, a.Audit)
		}
	}
	next := leaf(c.r.BadArch)
	for _, token := range slices.Backward(tokens) {
		next = c.jump(filter.OpJeqK, token, c.numbers(token), next)
	}
	if next.place == 0 {
		return next
	}
	return c.before(filter.OpLdAbs, filter.OffsetArch, next)
}

// numbers writes the choice by number within a token.
func (c *compiler) numbers(token uint32) target {
	starts := c.r.cuts(token)
	for _, a := range c.r.Arches {
		if a.Audit != token {
			continue
		}
		for nr := range c.r.tables[a.Name] {
			starts = append(starts, uint32(nr), uint32(nr)+1)
		}
	}
	slices.Sort(starts)
	var pieces []piece
	for _, start := range slices.Compact(starts) {
		action, call := c.r.decide(token, int32(start))
		p := piece{start: start, action: action}
		switch {
		case call == nil:
		case call.always():
			p.action = call.entries[0].action
		default:
			bits := c.pointerBits(token, start)
			p.write = func() target { return c.arguments(call, bits) }
		}
		pieces = append(pieces, p)
	}
	found := c.search(merged(pieces))
	if found.place == 0 {
		return found
	}
	return c.before(filter.OpLdAbs, filter.OffsetNr, found)
}

func (c *compiler) pointerBits(token, nr uint32) int {
	a := syscalls.ByAudit(token, int32(nr))
	if a == nil {
		return 64
	}
	return a.PointerBits
}
