package profile

import (
	"fmt"
	"math"
	"slices"
)

// A Cond is a condition on one argument: argument & Mask, compared with Value.
type Cond struct {
	Arg   int // 0 to 5
	Op    Op
	Mask  uint64 // all ones unless Op is MaskedEqual, or NotEqual of go-seccomp-bpf's
	Value uint64 // for MaskedEqual within Mask, but under gVisor; the condition never holds if it is not
}

// cond reads an Arg. MASKED_EQ masks the datum: bits of it outside the mask are dropped, not
// impossible (libseccomp, measured).
func cond(a Arg) Cond {
	if a.Op == MaskedEqual {
		return Cond{a.Index, a.Op, a.Value, a.ValueTwo & a.Value}
	}
	return Cond{a.Index, a.Op, math.MaxUint64, a.Value}
}

var opSigns = map[Op]string{
	NotEqual: "!=", Less: "<", LessEqual: "<=", Equal: "==", GreaterEqual: ">=", Greater: ">", MaskedEqual: "==",
}

// String returns "arg0 == 1" or "arg0 & 0x7e020000 == 0". Numbers from 10 up are hexadecimal.
func (c Cond) String() string {
	if c.Op == MaskedEqual || c.Op == NotEqual && c.Mask != math.MaxUint64 && c.Mask != math.MaxUint32 {
		return fmt.Sprintf("arg%d & %s %s %s", c.Arg, number(c.Mask), opSigns[c.Op], number(c.Value))
	}
	return fmt.Sprintf("arg%d %s %s", c.Arg, opSigns[c.Op], number(c.Value))
}

func number(v uint64) string {
	if v < 10 {
		return fmt.Sprint(v)
	}
	return fmt.Sprintf("%#x", v)
}

// Holds reports whether an argument fulfils the condition on an ABI whose pointers have the given
// width: where it is 32, only the low words are compared.
func (c Cond) Holds(arg uint64, pointerBits int) bool {
	return c.narrow(pointerBits).holds(narrow(arg, pointerBits))
}

// holds compares as the condition stands.
func (c Cond) holds(arg uint64) bool {
	switch c.Op {
	case NotEqual:
		return arg&c.Mask != c.Value
	case Less:
		return arg < c.Value
	case LessEqual:
		return arg <= c.Value
	case GreaterEqual:
		return arg >= c.Value
	case Greater:
		return arg > c.Value
	}
	return arg&c.Mask == c.Value
}

func narrow(v uint64, pointerBits int) uint64 {
	if pointerBits == 32 {
		return v & math.MaxUint32
	}
	return v
}

// narrow cuts a condition to the words that the ABI's filter looks at.
func (c Cond) narrow(pointerBits int) Cond {
	c.Mask, c.Value = narrow(c.Mask, pointerBits), narrow(c.Value, pointerBits)
	return c
}

// conds narrows the conditions of a rule for an ABI, in order of argument, and drops those that ask
// for nothing: MASKED_EQ with an empty mask. Without any left the rule is unconditional, as in
// libseccomp.
func conds(list []Cond, pointerBits int) []Cond {
	var kept []Cond
	for _, c := range list {
		if c = c.narrow(pointerBits); c.Mask != 0 || c.Value != 0 {
			kept = append(kept, c)
		}
	}
	slices.SortStableFunc(kept, func(a, b Cond) int { return a.Arg - b.Arg })
	return kept
}

// together finds arguments that fulfil all conditions of both lists on an ABI whose pointers have the
// given width; false if there are none. The conditions are cut to that width already.
func together(a, b []Cond, pointerBits int) (args [6]uint64, ok bool) {
	for i := range args {
		s := solver{high: narrow(math.MaxUint64, pointerBits)}
		for _, list := range [2][]Cond{a, b} {
			for _, c := range list {
				if c.Arg == i {
					s.add(c)
				}
			}
		}
		if args[i], ok = s.least(); !ok {
			return args, false
		}
	}
	return args, true
}

// A solver collects conditions on one value: a range, fixed bits and excluded values.
type solver struct {
	low, high  uint64
	mask, bits uint64 // value & mask must be bits
	not        []uint64
	never      bool
}

func (s *solver) add(c Cond) {
	switch c.Op {
	case NotEqual:
		s.not = append(s.not, c.Value)
	case Less:
		if c.Value == 0 {
			s.never = true
			return
		}
		s.high = min(s.high, c.Value-1)
	case LessEqual:
		s.high = min(s.high, c.Value)
	case GreaterEqual:
		s.low = max(s.low, c.Value)
	case Greater:
		if c.Value == math.MaxUint64 {
			s.never = true
			return
		}
		s.low = max(s.low, c.Value+1)
	case Equal, MaskedEqual:
		if c.Value&^c.Mask != 0 {
			s.never = true
			return
		}
		if both := s.mask & c.Mask; (s.bits^c.Value)&both != 0 {
			s.never = true
		}
		s.mask |= c.Mask
		s.bits |= c.Value
	}
}

// least finds the smallest value that fulfils everything.
func (s *solver) least() (uint64, bool) {
	if s.never {
		return 0, false
	}
	v, ok := next(s.low, s.mask, s.bits)
	// Each excluded value can be hit only once, so this ends.
	for ok && v <= s.high && slices.Contains(s.not, v) {
		if v == math.MaxUint64 {
			return 0, false
		}
		v, ok = next(v+1, s.mask, s.bits)
	}
	return v, ok && v <= s.high
}

// next finds the smallest v >= low with v & mask == bits; false if there is none.
func next(low, mask, bits uint64) (uint64, bool) {
	if low&mask == bits {
		return low, true
	}
	// The result shares the bits of low above some bit i, has 1 there where low has 0, and below i
	// only what is fixed. The lowest such i gives the least result. What is shared must fit.
	for i := range 64 {
		one := uint64(1) << i
		above := ^(one<<1 - 1)
		if low&one != 0 || mask&one != 0 && bits&one == 0 || (low^bits)&mask&above != 0 {
			continue
		}
		return low&above | one | bits&(one-1), true
	}
	return 0, false
}
