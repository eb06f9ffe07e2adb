package simulate

import (
	"math/bits"
	"slices"
	"sort"

	"github.com/profcheck/profcheck/filter"
)

// find returns the index of the span that holds v, or of the first one above v.
func (s set) find(v uint64) int {
	return sort.Search(len(s), func(i int) bool { return s[i].hi >= v })
}

// cut divides the numbers into those for which "number op k" holds and the others. The set is used
// up: no keeps its memory, and yes shares none with it.
func (s set) cut(op relop, k uint64) (yes, no set) {
	switch op {
	case opNe, opLe, opLt:
		no, yes = s.cut(op.negate(), k)
		return yes, no
	case opGe:
		if k == 0 {
			return s, nil
		}
		return s.cut(opGt, k-1)
	case opGt:
		i := s.find(k)
		if i == len(s) {
			return nil, s
		}
		if s[i].lo > k { // nothing to split
			if i == 0 {
				return s, nil
			}
			return slices.Clone(s[i:]), s[:i]
		}
		if s[i].hi == k {
			return slices.Clone(s[i+1:]), s[:i+1]
		}
		yes = slices.Clone(s[i:])
		yes[0].lo = k + 1
		s[i].hi = k
		return yes, s[:i+1]
	}
	i := s.find(k)
	if i == len(s) || s[i].lo > k {
		return nil, s
	}
	yes = single(k)
	switch sp := s[i]; {
	case sp.lo == sp.hi:
		no = slices.Delete(s, i, i+1)
	case sp.lo == k:
		s[i].lo, no = k+1, s
	case sp.hi == k:
		s[i].hi, no = k-1, s
	default:
		no = slices.Insert(s, i+1, span{k + 1, sp.hi})
		no[i].hi = k - 1
	}
	return yes, no
}

// count is how many numbers there are, at most limit.
func (s set) count(limit uint64) uint64 {
	var n uint64
	for _, sp := range s {
		if n += min(sp.hi-sp.lo, limit) + 1; n >= limit {
			return limit
		}
	}
	return n
}

// spans returns the numbers of 32 bits for which the atom holds, if limit spans are enough.
func (a atom) spans(limit int) (set, bool) {
	if s, ok := a.set(); ok {
		return s, true
	}
	w := wide{op: a.op, mask: uint64(a.mask), xor: uint64(a.xor), k: uint64(a.k)}
	var r set
	left := 32 * limit // of the numbers of upper bits that are looked at
	var descend func(bit int, above uint64) bool
	descend = func(bit int, above uint64) bool {
		for v := range uint64(2) {
			if left--; left < 0 {
				return false
			}
			from := above | v<<bit
			decided, holds := w.decide(bit, v)
			switch {
			case !decided:
				if !descend(bit-1, from) {
					return false
				}
			case holds:
				to := from | (1<<bit - 1)
				if n := len(r); n > 0 && r[n-1].hi+1 == from {
					r[n-1].hi = to
				} else if n == limit {
					return false
				} else {
					r = append(r, span{from, to})
				}
			}
		}
		return true
	}
	return r, descend(31, 0)
}

// preimage returns the numbers of the only word in v for which v is in the set, if limit spans are
// enough and the operations in v can be turned back.
func (v value) preimage(s set, limit int) (set, bool) {
	if len(s) > limit {
		return nil, false
	}
	if v.node == nil {
		return v.bitsIn(s, limit)
	}
	n := v.node
	switch {
	case n.right.isConst():
		back, ok := s.back(n.code, n.right.xor, limit)
		if !ok {
			return nil, false
		}
		return n.left.preimage(back, limit)
	case n.left.isConst() && n.code == filter.OpSubK: // k - w is in [lo, hi] where w is in [k-hi, k-lo]
		k := uint64(n.left.xor)
		var r set
		for _, sp := range s {
			r = append(r, wrapped(k-sp.hi, k-sp.lo)...)
		}
		return n.right.preimage(normal(r), limit)
	}
	return nil, false
}

// back returns the numbers that "number operation k" takes into the set.
func (s set) back(code uint16, k uint32, limit int) (set, bool) {
	if v, ok := simple(code, word(0), constant(k)); ok {
		if v.isConst() {
			if s.contains(uint64(v.xor)) {
				return upTo(max32), true
			}
			return nil, true
		}
		return v.bitsIn(s, limit)
	}
	if code == filter.OpMulK {
		return s.divided(k, limit)
	}
	var r set
	wide := uint64(k)
	for _, sp := range s {
		switch code {
		case filter.OpAddK:
			r = append(r, wrapped(sp.lo-wide, sp.hi-wide)...)
		case filter.OpSubK:
			r = append(r, wrapped(sp.lo+wide, sp.hi+wide)...)
		case filter.OpDivK:
			if lo := sp.lo * wide; lo <= max32 {
				r = append(r, span{lo, min(sp.hi*wide+wide-1, max32)})
			}
		default:
			return nil, false
		}
	}
	return normal(r), true
}

// divided is back for a multiplication by k, for sets of few numbers or of all but few.
func (s set) divided(k uint32, limit int) (set, bool) {
	if s.count(uint64(limit)) == uint64(limit) {
		s = s.complement(max32)
		if s.count(uint64(limit)) == uint64(limit) {
			return nil, false
		}
		r, ok := s.divided(k, limit)
		return r.complement(max32), ok
	}
	// k is odd times a power of 2: the odd part has an inverse, and the power leaves as many upper
	// bits free as it takes lower ones. A step of Newton's method doubles the bits of the inverse
	// that are right, of which there are 3 at the start.
	shift := bits.TrailingZeros32(k)
	odd := k >> shift
	inverse := odd
	for range 4 {
		inverse *= 2 - odd*inverse
	}
	var r set
	for _, sp := range s {
		for v := sp.lo; v <= sp.hi; v++ {
			if v&(1<<shift-1) != 0 {
				continue
			}
			if len(r)+1<<shift > limit {
				return nil, false
			}
			w := uint32(v>>shift) * inverse & (max32 >> shift)
			for free := range uint32(1) << shift {
				w := uint64(w | free<<(32-shift))
				r = append(r, span{w, w})
			}
		}
	}
	return normal(r), true
}

// wrapped is the numbers from lo to hi, which are less than 1<<32 apart, cut to 32 bits.
func wrapped(lo, hi uint64) set {
	all := hi-lo >= max32
	lo, hi = lo&max32, hi&max32
	switch {
	case all:
		return upTo(max32)
	case lo <= hi:
		return set{{lo, hi}}
	}
	return set{{0, hi}, {lo, max32}}
}

// bitsIn is preimage for bits of a word.
func (v value) bitsIn(s set, limit int) (set, bool) {
	if v == word(v.sym) {
		return s, true
	}
	var r set
	for _, sp := range s {
		part := upTo(max32)
		for _, bound := range [2]struct {
			op relop
			k  uint64
		}{{opGe, sp.lo}, {opLe, sp.hi}} {
			a, decided, holds := newAtom(v, bound.op, uint32(bound.k))
			if decided && !holds {
				part = nil
			}
			if decided {
				continue
			}
			in, ok := a.spans(limit)
			if !ok {
				return nil, false
			}
			part = part.intersect(in)
		}
		if r = append(r, part...); len(r) > 4*limit {
			return nil, false
		}
	}
	r = normal(r)
	return r, len(r) <= limit
}
