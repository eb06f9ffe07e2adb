package simulate

import (
	"math/bits"

	"github.com/profcheck/profcheck/filter"
)

// A symbol is one half of an unknown 64-bit number: 2*subject for the low half, one more for the
// high half. Subjects 0 to 5 are the arguments, subject 6 is the instruction pointer, 7 the syscall
// number and 8 the architecture token, of which there is a low half alone.
type symbol uint8

const (
	ipSubject    = 6
	callSubject  = 7
	tokenSubject = 8
	subjects     = 9
	symbols      = 2 * subjects

	numberSymbol symbol = 2 * callSubject
	tokenSymbol  symbol = 2 * tokenSubject
)

func (s symbol) subject() int { return int(s) / 2 }

// assignment gives each symbol a number.
type assignment [symbols]uint32

// A value is what a register or a scratch word holds on a path. It is one of:
//
//   - a constant: node nil, mask 0; the number is xor
//   - bits of one word: node nil; bit i is (bit i-shift of the symbol AND bit i of mask) XOR bit i
//     of xor. All that and, or, xor and shifts by constants make of a word is of this form.
//   - anything else: node is the operation that made it.
//
// Equal values are equal numbers; see same.
type value struct {
	sym       symbol
	shift     int8
	mask, xor uint32
	node      *node
}

// A node is an operation that has no simpler form. Its code is that of the arithmetic instruction
// with a constant.
type node struct {
	code        uint16
	left, right value
	size        int    // words and operations in it, counted as a tree; more than maxSize: at least that
	deps        uint16 // a bit per subject that it depends on
}

// maxSize bounds the values that are computed or printed; an operation can double the size.
const maxSize = 64

func constant(v uint32) value { return value{xor: v} }

func word(s symbol) value { return value{sym: s, mask: max32} }

func (v value) isConst() bool { return v.node == nil && v.mask == 0 }

func (v value) size() int {
	if v.node == nil {
		return 1
	}
	return v.node.size
}

// same reports whether two values were computed alike. Large ones count as different.
func (v value) same(w value) bool {
	if v == w {
		return true
	}
	a, b := v.node, w.node
	return a != nil && b != nil && a.code == b.code && a.size == b.size && a.size <= maxSize && a.deps == b.deps &&
		a.left.same(b.left) && a.right.same(b.right)
}

// subjects returns a bit per subject that the value depends on.
func (v value) subjects() uint16 {
	switch {
	case v.node != nil:
		return v.node.deps
	case v.mask == 0:
		return 0
	}
	return 1 << v.sym.subject()
}

// eval computes the value for an assignment. Its size must be at most maxSize.
func (v value) eval(as *assignment) uint32 {
	if v.node == nil {
		w := as[v.sym]
		if v.shift >= 0 {
			w <<= v.shift
		} else {
			w >>= -v.shift
		}
		return w&v.mask ^ v.xor
	}
	r, _ := alu(v.node.code, v.node.left.eval(as), v.node.right.eval(as))
	return r
}

// shifted moves the value by n bits to the left, or by -n to the right.
func (v value) shifted(n int) value {
	move := func(u uint32) uint32 {
		if n >= 0 {
			return u << n
		}
		return u >> -n
	}
	r := value{sym: v.sym, shift: v.shift + int8(n), mask: move(v.mask), xor: move(v.xor)}
	if r.mask == 0 {
		return constant(r.xor)
	}
	return r
}

// apply computes an arithmetic instruction on values. A division by a constant 0 must have been
// seen before; a division by another value holds only where that is not 0.
func apply(code uint16, a, b value) value {
	code &^= filter.SrcX
	if code == filter.OpNeg {
		code, a, b = filter.OpSubK, constant(0), a
	}
	if a.isConst() && b.isConst() {
		r, _ := alu(code, a.xor, b.xor)
		return constant(r)
	}
	if a.node == nil && b.node == nil {
		if r, ok := simple(code, a, b); ok {
			return r
		}
	}
	if code == filter.OpSubK && a.same(b) {
		return constant(0)
	}
	if b.isConst() && neutral(code, b.xor) {
		return a
	}
	if a.isConst() && commutes(code) {
		if neutral(code, a.xor) {
			return b
		}
		a, b = b, a // constants come last
	}
	return value{node: &node{
		code: code, left: a, right: b,
		size: min(a.size()+b.size()+1, maxSize+1),
		deps: a.subjects() | b.subjects(),
	}}
}

// simple computes what stays within the bits of one word.
func simple(code uint16, a, b value) (value, bool) {
	if a.isConst() && commutes(code) {
		a, b = b, a
	}
	switch code {
	case filter.OpAndK, filter.OpOrK, filter.OpXorK:
		return bitwise(code, a, b)
	}
	if !b.isConst() || a.isConst() {
		return value{}, false
	}
	k := b.xor
	switch code {
	case filter.OpLshK:
		return a.shifted(int(k & 31)), true
	case filter.OpRshK:
		return a.shifted(-int(k & 31)), true
	case filter.OpMulK:
		if k == 0 {
			return constant(0), true
		}
		if bits.OnesCount32(k) == 1 {
			return a.shifted(bits.TrailingZeros32(k)), true
		}
	case filter.OpDivK:
		if bits.OnesCount32(k) == 1 {
			return a.shifted(-bits.TrailingZeros32(k)), true
		}
	case filter.OpAddK:
		if (a.mask|a.xor)&k == 0 { // nothing is carried
			return bitwise(filter.OpOrK, a, b)
		}
	case filter.OpSubK:
		if k == 0 {
			return a, true
		}
	}
	return value{}, false
}

// neutral reports whether the operation with a constant on the right changes nothing.
func neutral(code uint16, k uint32) bool {
	switch code {
	case filter.OpAndK:
		return k == max32
	case filter.OpMulK, filter.OpDivK:
		return k == 1
	case filter.OpLshK, filter.OpRshK:
		return k&31 == 0
	}
	return k == 0
}

func commutes(code uint16) bool {
	switch code {
	case filter.OpAndK, filter.OpOrK, filter.OpXorK, filter.OpAddK, filter.OpMulK:
		return true
	}
	return false
}

// bitwise computes and, or, xor of a word's bits with a constant or with the same bits: each bit
// of the result depends on one bit of the word, and so two samples give all of it.
func bitwise(code uint16, a, b value) (value, bool) {
	if !b.isConst() && (a.sym != b.sym || a.shift != b.shift) {
		return value{}, false
	}
	zeros, _ := alu(code, a.xor, b.xor)
	ones, _ := alu(code, a.mask^a.xor, b.mask^b.xor)
	if zeros == ones {
		return constant(zeros), true
	}
	return value{sym: a.sym, shift: a.shift, mask: zeros ^ ones, xor: zeros}, true
}
