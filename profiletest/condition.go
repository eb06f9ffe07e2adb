package profiletest

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// A condition is on one argument of a call: argument & mask, in or not in a list of spans.
type condition struct {
	arg    int    // 0 to 5; -1: the parameter of this name
	param  string // "" if arg is given
	mask   number
	masked bool
	not    bool
	spans  []span[number]
}

// A number is one as written: a negative one has the width of the ABI's registers.
type number struct {
	value    uint64
	negative bool
}

// A span is all numbers from one to another, both included.
type span[T any] struct{ from, to T }

// in returns the number as a register of an ABI holds it; false if it does not fit.
func (n number) in(arch *syscalls.Arch) (uint64, bool) {
	if arch.Bits == 64 || n.value>>32 == 0 {
		return n.value, true
	}
	return uint64(uint32(n.value)), n.negative && int64(n.value) >= -1<<31
}

// A bound condition is one for an ABI: spans ascend and do not touch.
type bound struct {
	arg   int
	mask  uint64
	spans []span[uint64]
}

// bind works out what a condition means for a call of an ABI.
func (c *condition) bind(arch *syscalls.Arch, call string) (bound, error) {
	b := bound{arg: c.arg, mask: registers(arch)}
	if c.param != "" {
		params, _ := arch.Params(call)
		b.arg = slices.IndexFunc(params, func(p syscalls.Param) bool { return p.Name == c.param })
		if b.arg < 0 {
			return b, fmt.Errorf("%s has no parameter %s on %s", call, c.param, arch.Name)
		}
	}
	if c.masked {
		mask, ok := c.mask.in(arch)
		if !ok {
			return b, fmt.Errorf("%#x does not fit into the 32-bit registers of %s", c.mask.value, arch.Name)
		}
		b.mask = mask
	}
	for _, s := range c.spans {
		from, ok := s.from.in(arch)
		to, ok2 := s.to.in(arch)
		switch {
		case ok && ok2 && from <= to:
			b.spans = append(b.spans, span[uint64]{from, to})
		case ok && !ok2 && !s.to.negative: // up to more than the register holds
			b.spans = append(b.spans, span[uint64]{from, registers(arch)})
		}
	}
	b.spans = normal(b.spans)
	if c.not {
		b.spans = complement(b.spans, registers(arch))
	}
	if !b.possible() {
		return b, fmt.Errorf("no argument fulfils the condition on %s", arch.Name)
	}
	return b, nil
}

// possible reports whether some argument fulfils the condition: the least number in a span that has
// no bit outside of the mask.
func (b *bound) possible() bool {
	for _, s := range b.spans {
		if v, ok := leastWithin(s.from, b.mask); ok && v <= s.to {
			return true
		}
	}
	return false
}

// leastWithin returns the least number from v on that has no bit outside of mask.
func leastWithin(v, mask uint64) (uint64, bool) {
	if v&^mask == 0 {
		return v, true
	}
	for bit := 0; bit < 64; bit++ { // v with one zero bit of the mask set, and all below it cleared
		one := uint64(1) << bit
		high := v &^ (one<<1 - 1)
		if mask&one != 0 && v&one == 0 && high&^mask == 0 {
			return high | one, true
		}
	}
	return 0, false
}

// registers is the largest number that an argument can be.
func registers(arch *syscalls.Arch) uint64 {
	if arch.Bits == 32 {
		return 1<<32 - 1
	}
	return 1<<64 - 1
}

// normal sorts spans and joins those that touch.
func normal(list []span[uint64]) []span[uint64] {
	slices.SortFunc(list, func(a, b span[uint64]) int {
		if a.from < b.from {
			return -1
		}
		return 1
	})
	var out []span[uint64]
	for _, s := range list {
		if n := len(out); n > 0 && (out[n-1].to == 1<<64-1 || s.from <= out[n-1].to+1) {
			out[n-1].to = max(out[n-1].to, s.to)
			continue
		}
		out = append(out, s)
	}
	return out
}

// complement returns the numbers up to top that are in none of the spans, which are normal.
func complement(list []span[uint64], top uint64) []span[uint64] {
	var out []span[uint64]
	next := uint64(0)
	for _, s := range list {
		if s.from > next {
			out = append(out, span[uint64]{next, s.from - 1})
		}
		if s.to >= top {
			return out
		}
		next = s.to + 1
	}
	return append(out, span[uint64]{next, top})
}

// holds reports whether an argument fulfils the condition.
func (b *bound) holds(args *[6]uint64) bool {
	v := args[b.arg] & b.mask
	return slices.ContainsFunc(b.spans, func(s span[uint64]) bool { return s.from <= v && v <= s.to })
}

// constants returns the numbers that the argument can be, nil if they are too many for a list.
func (b *bound) constants(arch *syscalls.Arch) []uint64 {
	const most = 16
	if b.mask != registers(arch) {
		return nil
	}
	var out []uint64
	for _, s := range b.spans {
		if s.to-s.from >= uint64(most-len(out)) {
			return nil
		}
		for v := s.from; ; v++ {
			out = append(out, v)
			if v == s.to {
				break
			}
		}
	}
	return out
}

// guard puts instructions in front of a program that return the marker unless all conditions hold.
// The program then runs as if they were not there: registers are 0 again, and memory is untouched.
func guard(p filter.Program, conds []bound, marker filter.Action, order binary.ByteOrder) filter.Program {
	if len(conds) == 0 {
		return p
	}
	var out filter.Program
	for i := range conds {
		out = append(out, conds[i].test(marker, order)...)
	}
	out = append(out, filter.Stmt(filter.OpLdImm, 0))
	return append(out, p...)
}

// test returns instructions that go on behind themselves if the condition holds, and otherwise return
// the marker.
func (b *bound) test(marker filter.Action, order binary.ByteOrder) filter.Program {
	var blocks []filter.Program
	for _, s := range b.spans {
		blocks = append(blocks, b.within(s, order))
	}
	end := 1 // the final return
	for _, p := range blocks {
		end += len(p) + 1
	}
	var out filter.Program
	for _, p := range blocks {
		out = append(out, p...)
		out = append(out, filter.Stmt(filter.OpJa, uint32(end-len(out)-1)))
	}
	return append(out, filter.Return(marker))
}

// within returns instructions that go on behind themselves if the masked argument is in the span,
// and otherwise skip one more.
func (b *bound) within(s span[uint64], order binary.ByteOrder) filter.Program {
	load := func(high bool) filter.Program {
		at, mask := filter.ArgLow(b.arg, order), uint32(b.mask)
		if high {
			at, mask = filter.ArgHigh(b.arg, order), uint32(b.mask>>32)
		}
		p := filter.Program{filter.Load(at)}
		if mask != 1<<32-1 {
			p = append(p, filter.Stmt(filter.OpAndK, mask))
		}
		return p
	}
	low, high := load(false), load(true)
	// From the end to the beginning, so that the jumps know how far they go.
	p := append(slices.Clone(low), filter.Jump(filter.OpJgtK, uint32(s.to), 1, 0))          // low half above: out
	p = append(filter.Program{filter.Jump(filter.OpJeqK, uint32(s.to>>32), 0, n(p))}, p...) // high half below: in
	p = append(filter.Program{filter.Jump(filter.OpJgtK, uint32(s.to>>32), n(p)+1, 0)}, p...)
	p = append(slices.Clone(high), p...)
	upper := n(p)
	q := append(slices.Clone(low), filter.Jump(filter.OpJgeK, uint32(s.from), 0, upper+1))
	q = append(filter.Program{filter.Jump(filter.OpJeqK, uint32(s.from>>32), 0, n(q)+upper+1)}, q...)
	q = append(filter.Program{filter.Jump(filter.OpJgtK, uint32(s.from>>32), n(q), 0)}, q...)
	return append(append(slices.Clone(high), q...), p...)
}

func n(p filter.Program) uint8 { return uint8(len(p)) } // a dozen at most
