package profile

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/profcheck/profcheck/filter"
)

// A compiler writes the filter of one Resolved.
type compiler struct {
	emitter
	r     *Resolved
	order binary.ByteOrder
}

// arguments writes the rules of one call.
func (c *compiler) arguments(call *call, pointerBits int) target {
	if c.full() {
		return leaf(c.r.Default)
	}
	if arg, ok := oneArgument(call); ok {
		return c.ranges(call, arg, pointerBits)
	}
	next := leaf(c.r.Default)
	for _, e := range slices.Backward(call.entries) {
		yes := leaf(e.action)
		for _, cond := range slices.Backward(e.conds) {
			yes = c.test(cond, pointerBits, yes, next)
		}
		next = yes
		if c.full() {
			break
		}
	}
	return next
}

// mostRanges bounds the conditions that ranges takes on: its time grows with their square.
const mostRanges = 1024

// oneArgument reports whether all conditions of a call are about one argument and are ranges of it.
func oneArgument(c *call) (arg int, ok bool) {
	arg = c.entries[0].conds[0].Arg
	total := 0
	for _, e := range c.entries {
		total += len(e.conds)
		for _, cond := range e.conds {
			if cond.Arg != arg || cond.Op == MaskedEqual {
				return 0, false
			}
		}
	}
	return arg, total <= mostRanges
}

// ranges writes rules on one argument as a search, over its high word and then its low word.
func (c *compiler) ranges(call *call, arg, pointerBits int) target {
	action := func(v uint64) filter.Action {
		var args [6]uint64
		args[arg] = v
		for _, e := range call.entries {
			if e.matches(args) {
				return e.action
			}
		}
		return c.r.Default
	}
	starts := []uint64{0}
	for _, e := range call.entries {
		for _, cond := range e.conds {
			starts = append(starts, cond.Value)
			if v := cond.Value + 1; v != 0 {
				starts = append(starts, v)
			}
		}
	}
	slices.Sort(starts)
	starts = slices.Compact(starts)
	low := func(high uint64) []piece {
		pieces := []piece{{start: 0, action: action(high << 32)}}
		from, _ := slices.BinarySearch(starts, high<<32)
		for _, s := range starts[from:] {
			if s>>32 != high {
				break
			}
			pieces = append(pieces, piece{start: uint32(s), action: action(s)})
		}
		return merged(pieces)
	}
	load := func(pieces []piece, offset uint32) target {
		t := c.search(pieces)
		if t.place == 0 {
			return t
		}
		return c.before(filter.OpLdAbs, offset, t)
	}
	if pointerBits == 32 {
		return load(low(0), filter.ArgLow(arg, c.order))
	}
	var highs []uint32
	for _, s := range starts {
		highs = append(highs, uint32(s>>32))
		if uint32(s) != 0 && s>>32 != math.MaxUint32 {
			highs = append(highs, uint32(s>>32)+1)
		}
	}
	slices.Sort(highs)
	var pieces []piece
	for _, h := range slices.Compact(highs) {
		p := piece{start: h, action: action(uint64(h) << 32)}
		if lows := low(uint64(h)); len(lows) > 1 {
			p.write = func() target { return load(lows, filter.ArgLow(arg, c.order)) }
		}
		pieces = append(pieces, p)
	}
	return load(merged(pieces), filter.ArgHigh(arg, c.order))
}

// test writes one condition.
func (c *compiler) test(cond Cond, pointerBits int, yes, no target) target {
	if yes == no {
		return yes
	}
	low := filter.ArgLow(cond.Arg, c.order)
	loWord := func(yes, no target) target {
		return c.word(cond.Op, low, uint32(cond.Mask), uint32(cond.Value), yes, no)
	}
	if pointerBits == 32 {
		return loWord(yes, no)
	}
	high := filter.ArgHigh(cond.Arg, c.order)
	hiMask, hiValue := uint32(cond.Mask>>32), uint32(cond.Value>>32)
	switch cond.Op {
	case NotEqual:
		rest := loWord(yes, no)
		return c.before(filter.OpLdAbs, high, c.jump(filter.OpJeqK, hiValue, rest, yes))
	case Less, LessEqual:
		rest := loWord(yes, no)
		rest = c.jump(filter.OpJgeK, hiValue, rest, yes)
		return c.before(filter.OpLdAbs, high, c.jump(filter.OpJgtK, hiValue, no, rest))
	case Greater, GreaterEqual:
		rest := loWord(yes, no)
		rest = c.jump(filter.OpJgeK, hiValue, rest, no)
		return c.before(filter.OpLdAbs, high, c.jump(filter.OpJgtK, hiValue, yes, rest))
	}
	if uint32(cond.Mask) != 0 {
		yes = loWord(yes, no)
	}
	if hiMask == 0 {
		return yes
	}
	return c.word(cond.Op, high, hiMask, hiValue, yes, no)
}

// word writes a comparison of one word.
func (c *compiler) word(op Op, offset, mask, value uint32, yes, no target) target {
	var t target
	switch op {
	case NotEqual:
		t = c.jump(filter.OpJeqK, value, no, yes)
	case Less:
		t = c.jump(filter.OpJgeK, value, no, yes)
	case LessEqual:
		t = c.jump(filter.OpJgtK, value, no, yes)
	case GreaterEqual:
		t = c.jump(filter.OpJgeK, value, yes, no)
	case Greater:
		t = c.jump(filter.OpJgtK, value, yes, no)
	default:
		switch {
		case mask == math.MaxUint32:
			t = c.jump(filter.OpJeqK, value, yes, no)
		case value == 0:
			t = c.jump(filter.OpJsetK, mask, no, yes)
		default:
			t = c.before(filter.OpAndK, mask, c.jump(filter.OpJeqK, value, yes, no))
		}
	}
	return c.before(filter.OpLdAbs, offset, t)
}
