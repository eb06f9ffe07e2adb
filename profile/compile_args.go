package profile

import (
	"math"
	"slices"

	"github.com/profcheck/profcheck/filter"
)

// arguments writes the cases of a stretch of numbers.
func (c *compiler) arguments(s *filter.Stretch) target {
	if c.full() {
		return leaf(s.Else)
	}
	if arg, ok := oneArgument(s.Cases); ok && !c.options.Plain {
		return c.ranges(s, arg)
	}
	next := leaf(s.Else)
	for _, e := range slices.Backward(s.Cases) {
		yes := leaf(e.Action)
		for _, t := range slices.Backward(e.Tests) {
			yes = c.test(t, yes, next)
		}
		next = yes
		if c.full() {
			break
		}
	}
	return next
}

// mostRanges bounds the tests that ranges takes on: its time grows with their square.
const mostRanges = 1024

// oneArgument reports whether all tests of some cases are about one argument and are ranges of it,
// or of its low word.
func oneArgument(cases []filter.Case) (arg int, ok bool) {
	first := cases[0].Tests[0]
	total := 0
	for _, e := range cases {
		total += len(e.Tests)
		for _, t := range e.Tests {
			if t.Arg != first.Arg || t.Mask != first.Mask {
				return 0, false
			}
		}
	}
	return first.Arg, total <= mostRanges && (first.Mask == math.MaxUint64 || first.Mask == math.MaxUint32)
}

// ranges writes cases on one argument as a search, over its high word and then its low word.
func (c *compiler) ranges(s *filter.Stretch, arg int) target {
	action := func(v uint64) filter.Action {
		var args [6]uint64
		args[arg] = v
		for _, e := range s.Cases {
			if !slices.ContainsFunc(e.Tests, func(t filter.Test) bool { return !t.Holds(&args) }) {
				return e.Action
			}
		}
		return s.Else
	}
	wide := s.Cases[0].Tests[0].Mask == math.MaxUint64
	starts := edges(s.Cases)
	low := func(high uint64) []piece {
		values := []uint32{0}
		from, _ := slices.BinarySearch(starts, high<<32)
		for _, v := range starts[from:] {
			if v>>32 != high {
				break
			}
			if uint32(v) != 0 {
				values = append(values, uint32(v))
			}
		}
		return pieces(values, func(v uint32) filter.Action { return action(high<<32 | uint64(v)) })
	}
	load := func(list []piece, offset uint32) target {
		t := c.search(list)
		if t.place == 0 {
			return t
		}
		return c.before(filter.OpLdAbs, offset, t)
	}
	if !wide {
		return load(low(0), filter.ArgLow(arg, c.order))
	}
	highs := []uint32{0}
	for _, v := range starts {
		highs = append(highs, uint32(v>>32))
		if uint32(v) != 0 && v>>32 != math.MaxUint32 {
			highs = append(highs, uint32(v>>32)+1)
		}
	}
	slices.Sort(highs)
	highs = slices.Compact(highs)
	list := pieces(highs, func(h uint32) filter.Action { return action(uint64(h) << 32) })
	// A high word with several answers in its low word is a stretch of its own.
	var split []piece
	for _, h := range highs {
		if lows := low(uint64(h)); len(lows) > 1 {
			split = append(split, piece{start: h, end: h, weight: len(lows), write: func() target { return load(lows, filter.ArgLow(arg, c.order)) }})
		}
	}
	return load(merged(overlay(list, split)), filter.ArgHigh(arg, c.order))
}

// edges returns the values from which on the answer to some cases may be another, ascending.
func edges(cases []filter.Case) []uint64 {
	starts := []uint64{0}
	for _, e := range cases {
		for _, t := range e.Tests {
			starts = append(starts, t.Value)
			if v := t.Value + 1; v != 0 {
				starts = append(starts, v)
			}
		}
	}
	slices.Sort(starts)
	return slices.Compact(starts)
}

// pieces makes a piece from each value to the next. The values are ascending, each once.
func pieces(starts []uint32, action func(uint32) filter.Action) []piece {
	list := make([]piece, len(starts))
	for i, v := range starts {
		list[i] = piece{start: v, end: math.MaxUint32, action: action(v), weight: 1}
		if i > 0 {
			list[i-1].end = v - 1
		}
	}
	return merged(list)
}

// overlay puts single values over pieces. Both are ascending.
func overlay(list, single []piece) []piece {
	var out []piece
	for _, s := range single {
		below, rest := cut(list, s.start)
		out = append(append(out, below...), s)
		list = nil
		if s.end != math.MaxUint32 {
			_, list = cut(rest, s.end+1)
		}
	}
	return append(out, list...)
}

// test writes one test. A mask without bits in a word leaves that word out.
func (c *compiler) test(t filter.Test, yes, no target) target {
	if yes == no {
		return yes
	}
	high, low := filter.ArgHigh(t.Arg, c.order), filter.ArgLow(t.Arg, c.order)
	hiMask, hiValue := uint32(t.Mask>>32), uint32(t.Value>>32)
	loMask, loValue := uint32(t.Mask), uint32(t.Value)
	loWord := func(yes, no target) target { return c.word(t.Op, low, loMask, loValue, yes, no) }
	if hiMask == 0 {
		if hiValue != 0 {
			return c.impossible(t.Op, yes, no)
		}
		if t.Op == filter.TestNe {
			return c.word(filter.TestEq, low, loMask, loValue, no, yes)
		}
		return loWord(yes, no)
	}
	switch t.Op {
	case filter.TestEq:
		if loMask != 0 || loValue != 0 {
			yes = loWord(yes, no)
		}
		return c.word(filter.TestEq, high, hiMask, hiValue, yes, no)
	case filter.TestNe:
		no = c.word(filter.TestEq, low, loMask, loValue, no, yes)
		return c.word(filter.TestEq, high, hiMask, hiValue, no, yes)
	}
	// The high words decide unless they are equal.
	above, below := yes, no
	if t.Op == filter.TestLt || t.Op == filter.TestLe {
		above, below = no, yes
	}
	equal := c.loaded(loWord(yes, no), high)
	rest := c.jump(filter.OpJgeK, hiValue, equal, below)
	return c.before(filter.OpLdAbs, high, c.jump(filter.OpJgtK, hiValue, above, rest))
}

// impossible decides a test of a value that is larger than the mask: nothing equals it or is above.
func (c *compiler) impossible(op filter.TestOp, yes, no target) target {
	if op == filter.TestNe || op == filter.TestLt || op == filter.TestLe {
		return yes
	}
	return no
}

// word writes a comparison of one word; only TestEq comes with part of a mask. Where its ends begin with the same word they need not load
// it again.
func (c *compiler) word(op filter.TestOp, offset, mask, value uint32, yes, no target) target {
	switch {
	case yes == no || mask == 0 && value == 0:
		return yes
	case value&^mask != 0:
		return no
	case mask != math.MaxUint32:
		return c.before(filter.OpLdAbs, offset, c.masked(mask, value, yes, no, offset))
	}
	yes, no = c.loaded(yes, offset), c.loaded(no, offset)
	var t target
	switch op {
	case filter.TestEq:
		t = c.jump(filter.OpJeqK, value, yes, no)
	case filter.TestNe:
		t = c.jump(filter.OpJeqK, value, no, yes)
	case filter.TestLt:
		t = c.jump(filter.OpJgeK, value, no, yes)
	case filter.TestLe:
		t = c.jump(filter.OpJgtK, value, no, yes)
	case filter.TestGe:
		t = c.jump(filter.OpJgeK, value, yes, no)
	case filter.TestGt:
		t = c.jump(filter.OpJgtK, value, yes, no)
	}
	return c.before(filter.OpLdAbs, offset, t)
}

// masked writes the test whether a word has some bits.
func (c *compiler) masked(mask, value uint32, yes, no target, offset uint32) target {
	if value == 0 {
		return c.jump(filter.OpJsetK, mask, c.loaded(no, offset), c.loaded(yes, offset))
	}
	return c.before(filter.OpAndK, mask, c.jump(filter.OpJeqK, value, yes, no))
}
