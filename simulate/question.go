package simulate

import (
	"math/bits"
	"slices"

	"github.com/profcheck/profcheck/filter"
)

// A question is a comparison that a path can go either way on. It is one of:
//
//   - an atom: isRel false, in nil
//   - whether the word sym is in a set, where that says all: isRel false
//   - a relation
type question struct {
	atom  atom
	in    set
	sym   symbol
	rel   relationFact
	isRel bool
}

// maxSpans bounds the spans that arithmetic on a word is turned back into.
const maxSpans = 64

// ask brings a comparison of values into the simplest form there is.
func ask(left value, op relop, right value) (q question, decided, holds bool, err error) {
	if left.isConst() {
		left, right, op = right, left, op.swap()
	}
	if op == opEq && left.node == nil && right.node == nil && !right.isConst() {
		if diff, ok := bitwise(filter.OpXorK, left, right); ok {
			left, right = diff, constant(0)
		}
	}
	switch {
	case left.isConst() && right.isConst():
		return q, true, op.holds(left.xor, right.xor), nil
	case left.node == nil && right.isConst():
		q.atom, decided, holds = newAtom(left, op, right.xor)
		return q, decided, holds, nil
	case left.same(right):
		return q, true, op == opEq || op == opGe || op == opLe, nil
	case left.size()+right.size() > maxSize:
		return q, false, false, ErrTooComplex
	}
	if sym, ok := left.onlyWord(); ok && right.isConst() {
		want, _ := atom{op: op, mask: max32, k: right.xor}.set()
		if in, ok := left.preimage(want, maxSpans); ok {
			switch {
			case len(in) == 0:
				return q, true, false, nil
			case in.isAll(max32):
				return q, true, true, nil
			}
			return question{sym: sym, in: in}, false, false, nil
		}
	}
	q.isRel, q.rel = true, relationFact{left, right, op}
	return q, false, false, nil
}

// onlyWord returns the word that the value is computed from, if it is a single one that occurs once.
func (v value) onlyWord() (symbol, bool) {
	if v.node == nil {
		return v.sym, v.mask != 0
	}
	switch {
	case v.node.right.isConst():
		return v.node.left.onlyWord()
	case v.node.left.isConst():
		return v.node.right.onlyWord()
	}
	return 0, false
}

// learn adds the answer to what a path knows; false if no call of this path gives it.
func (q question) learn(k *knowledge, holds bool) bool {
	switch {
	case q.isRel:
		if !holds {
			return k.relate(q.rel.negate())
		}
		return k.relate(q.rel)
	case q.in != nil:
		if !holds {
			return k.assumeIn(q.sym, q.in.complement(max32))
		}
		return k.assumeIn(q.sym, q.in)
	case !holds:
		return k.assume(q.atom.negate())
	}
	return k.assume(q.atom)
}

// maxEach bounds the syscall numbers that a question is asked about one by one.
const maxEach = 1024

// ofNumber divides the numbers of a path by a question that is about the syscall number alone. It is
// false if it is not, or if the answer cannot be told by spans. The numbers are used up if it is
// true.
func (q question) ofNumber(k *knowledge) (yes, no set, ok bool) {
	if k.numbers == nil {
		return nil, nil, false
	}
	switch {
	case q.isRel:
		if q.rel.subjects() != 1<<callSubject {
			return nil, nil, false
		}
	case q.in != nil:
		if q.sym != numberSymbol {
			return nil, nil, false
		}
		k.meter.spend((len(k.numbers) + len(q.in)) / 8)
		return k.numbers.intersect(q.in), k.numbers.intersect(q.in.complement(max32)), true
	case q.atom.sym != numberSymbol:
		return nil, nil, false
	case q.atom.mask == max32 && q.atom.xor == 0:
		k.meter.spend(len(k.numbers) / 64)
		yes, no = k.numbers.cut(q.atom.op, uint64(q.atom.k))
		return yes, no, true
	}
	if k.numbers.count(maxEach) < maxEach {
		yes, no = q.oneByOne(k)
		return yes, no, true
	}
	if q.isRel {
		return nil, nil, false
	}
	in, ok := q.atom.spans(maxSpans)
	if !ok {
		return nil, nil, false
	}
	k.meter.spend((len(k.numbers) + len(in)) / 8)
	return k.numbers.intersect(in), k.numbers.intersect(in.complement(max32)), true
}

// oneByOne asks the question about each number of the path.
func (q question) oneByOne(k *knowledge) (yes, no set) {
	for _, sp := range k.numbers {
		for v := sp.lo; v <= sp.hi; v++ {
			k.meter.spend(1)
			to := &no
			if q.holdsFor(uint32(v)) {
				to = &yes
			}
			if n := len(*to); n > 0 && (*to)[n-1].hi+1 == v {
				(*to)[n-1].hi = v
			} else {
				*to = append(*to, span{v, v})
			}
		}
	}
	return yes, no
}

// holdsFor answers a question about the syscall number alone.
func (q question) holdsFor(nr uint32) bool {
	if q.isRel {
		return q.rel.holds(&assignment{numberSymbol: nr})
	}
	return q.atom.holds(nr)
}

// values lists all that a value can be on the path, and perhaps more.
func (k *knowledge) values(v value) ([]uint32, error) {
	deps := v.subjects()
	if v.size() > maxSize {
		return nil, ErrTooComplex
	}
	var all []uint32
	if i := bits.TrailingZeros16(deps); deps == 1<<i && k.known().listed[i] != nil {
		var as assignment
		for _, c := range k.facts.listed[i] {
			as[2*i], as[2*i+1] = uint32(c), uint32(c>>32)
			all = append(all, v.eval(&as))
		}
		slices.Sort(all)
		return slices.Compact(all), nil
	}
	if deps == 1<<callSubject && k.numbers != nil && k.numbers.count(maxEach) < maxEach {
		for _, sp := range k.numbers {
			for nr := sp.lo; nr <= sp.hi; nr++ {
				all = append(all, v.eval(&assignment{numberSymbol: uint32(nr)}))
			}
		}
		slices.Sort(all)
		return slices.Compact(all), nil
	}
	if v.node != nil || bits.OnesCount32(v.mask) > maxFree {
		return nil, ErrTooComplex
	}
	for sub := uint32(0); ; {
		all = append(all, sub^v.xor)
		if sub = (sub - v.mask) & v.mask; sub == 0 { // the next subset of the mask's bits
			return all, nil
		}
	}
}
