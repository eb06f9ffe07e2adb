package simulate

import (
	"github.com/profcheck/profcheck/filter"
)

// A relop compares two unsigned numbers.
type relop uint8

const (
	opEq relop = iota
	opNe
	opGt
	opLe
	opGe
	opLt
)

// negate is the relop that holds where op does not.
func (op relop) negate() relop { return op ^ 1 }

func (op relop) holds(a, b uint32) bool {
	switch op {
	case opEq:
		return a == b
	case opNe:
		return a != b
	case opGt:
		return a > b
	case opLe:
		return a <= b
	case opGe:
		return a >= b
	}
	return a < b
}

// swap is the relop that holds between b and a where op holds between a and b.
func (op relop) swap() relop {
	switch op {
	case opGt:
		return opLt
	case opLt:
		return opGt
	case opGe:
		return opLe
	case opLe:
		return opGe
	}
	return op
}

// An atom says something about one word w: (w AND mask) XOR xor, compared with k. In atoms with
// opEq and opNe, xor is 0 and k has no bit outside of mask.
type atom struct {
	sym          symbol
	op           relop
	mask, xor, k uint32
}

func (a atom) negate() atom {
	a.op = a.op.negate()
	return a
}

func (a atom) holds(w uint32) bool { return a.op.holds(w&a.mask^a.xor, a.k) }

// span returns the numbers that satisfy an atom about the whole word, false for an atom that masks.
// Atoms that order the upper bits of a word are about the whole word too.
func (a atom) set() (set, bool) {
	if a.mask != max32 || a.xor != 0 {
		return nil, false
	}
	k := uint64(a.k)
	all := upTo(max32)
	switch a.op {
	case opEq:
		return single(k), true
	case opNe:
		return single(k).complement(max32), true
	case opLe:
		return upTo(k), true
	case opGt:
		return upTo(k).complement(max32), true
	}
	below := set(nil)
	if k > 0 {
		below = upTo(k - 1)
	}
	if a.op == opLt {
		return below, true
	}
	if below == nil {
		return all, true
	}
	return below.complement(max32), true
}

// newAtom makes the atom "v op k" for the bits of a word. It is decided, with the truth in holds,
// where it does not depend on the word.
func newAtom(v value, op relop, k uint32) (a atom, decided, holds bool) {
	if decided, holds = byRange(v, op, k); decided {
		return a, true, holds
	}
	a = atom{sym: v.sym, op: op, mask: v.mask, xor: v.xor, k: k}
	if decided, holds = a.unshift(int(v.shift)); decided {
		return a, true, holds
	}
	switch op := a.op; op {
	case opEq, opNe:
		if (a.xor^a.k)&^a.mask != 0 { // a constant bit differs
			return a, true, op == opNe
		}
		a.k, a.xor = (a.xor^a.k)&a.mask, 0
	default:
		// Where only low bits are masked away, the bits below do not count for the order.
		if low := ^a.mask; a.xor == 0 && low&(low+1) == 0 {
			switch {
			case op == opGt || op == opLe:
				a.k |= low
			case a.k&low != 0: // v >= k is v > k with low bits filled
				a.k |= low
				a.op = map[relop]relop{opGe: opGt, opLt: opLe}[op]
			}
			a.mask = max32
		}
	}
	if decided, holds = byRange(value{mask: a.mask, xor: a.xor}, a.op, a.k); decided {
		return a, true, holds
	}
	return a, false, false
}

// byRange decides a comparison by the smallest and the largest number that v can be.
func byRange(v value, op relop, k uint32) (decided, holds bool) {
	least, most := v.xor&^v.mask, v.xor|v.mask
	switch op {
	case opEq, opNe:
		if k < least || k > most {
			return true, op == opNe
		}
	case opGt, opLe:
		if least > k || most <= k {
			return true, (least > k) == (op == opGt)
		}
	default:
		if least >= k || most < k {
			return true, (least >= k) == (op == opGe)
		}
	}
	return false, false
}

// unshift turns an atom about the shifted word into one about the word itself. Bits of the value
// that the shift filled are constants and lie at one end, so they decide alone, or only break ties.
func (a *atom) unshift(shift int) (decided, holds bool) {
	if shift == 0 {
		return false, false
	}
	if shift < 0 { // to the right: the upper bits are constants
		low := uint32(max32) >> -shift
		if x, k := a.xor&^low, a.k&^low; x != k {
			return true, a.op.holds(x, k)
		}
		a.mask <<= -shift
		a.xor <<= -shift
		a.k <<= -shift
		return false, false
	}
	low := uint32(1)<<shift - 1 // to the left: the lower bits are constants
	x, k := a.xor&low, a.k&low
	switch a.op {
	case opEq, opNe:
		if x != k {
			return true, a.op == opNe
		}
	case opGt, opLe:
		if x > k { // a tie above is greater too
			a.op = map[relop]relop{opGt: opGe, opLe: opLt}[a.op]
		}
	default:
		if x < k { // a tie above is less
			a.op = map[relop]relop{opGe: opGt, opLt: opLe}[a.op]
		}
	}
	a.mask >>= shift
	a.xor >>= shift
	a.k >>= shift
	return false, false
}

// relation names what a conditional jump tests, jset apart.
func relation(code uint16) relop {
	switch code &^ filter.SrcX {
	case filter.OpJgtK:
		return opGt
	case filter.OpJgeK:
		return opGe
	}
	return opEq
}
