package simulate

import (
	"encoding/binary"
	"slices"
)

// A masked is a number under a mask: x & mask == bits, or != where it is in a list of exclusions.
type masked struct{ mask, bits uint64 }

// A fact is what the end of a path knows of one subject, by 64-bit numbers where it can: all of its
// parts hold.
type fact struct {
	in  grid     // the number is in it
	eq  masked   // x & mask == bits; mask 0 says nothing
	not []masked // x & mask != bits for each, ascending
	raw []atom   // what is left, about single words
}

// factOf joins what is known of the two halves of a subject. The list has the given constants that
// are left, nil if there were none; narrow says that the high half is always 0.
func factOf(lo, hi *wordFact, list []uint64, narrow bool, m *meter) fact {
	if list != nil {
		return fact{in: points(list)}
	}
	all := upTo(max32)
	sets := [2]set{all, all}
	if narrow {
		sets[1] = single(0)
	}
	var f fact
	for half, w := range []*wordFact{lo, hi} {
		if w == nil {
			continue
		}
		w = w.reduced(m)
		if w.in != nil {
			sets[half] = w.in
		}
		for _, a := range w.atoms {
			b := masked{uint64(a.mask) << (32 * half), uint64(a.k) << (32 * half)}
			switch a.op {
			case opEq:
				if (f.eq.bits^b.bits)&f.eq.mask&b.mask != 0 {
					return fact{} // not found out while there was work left
				}
				f.eq.mask |= b.mask
				f.eq.bits |= b.bits
			case opNe:
				f.not = append(f.not, b)
			default:
				f.raw = append(f.raw, a)
			}
		}
	}
	// A high half that is one number joins a masked low half: a 64-bit mask with all upper bits.
	if h := sets[1]; !narrow && f.eq.mask != 0 && f.eq.mask>>32 == 0 && len(h) == 1 && h[0].lo == h[0].hi {
		f.eq.mask |= max32 << 32
		f.eq.bits |= h[0].lo << 32
		sets[1] = all
	}
	f.in = product(sets[1], sets[0])
	f.sort()
	return f
}

// sort brings the parts into their normal form. What turns out to be impossible has an empty grid.
func (f *fact) sort() {
	// Known bits either settle an exclusion or need not be named in it again.
	f.not = slices.DeleteFunc(f.not, func(m masked) bool {
		return (m.bits^f.eq.bits)&m.mask&f.eq.mask != 0
	})
	for i := range f.not {
		f.not[i].mask &^= f.eq.mask
		f.not[i].bits &^= f.eq.mask
		if f.not[i].mask == 0 {
			f.in = nil
		}
	}
	slices.SortFunc(f.not, compareMasked)
	f.not = slices.Compact(f.not)
	slices.SortFunc(f.raw, func(a, b atom) int { return slices.Compare(a.key(), b.key()) })
}

func compareMasked(a, b masked) int {
	return slices.Compare([]uint64{a.mask, a.bits}, []uint64{b.mask, b.bits})
}

func (a atom) key() []uint32 {
	return []uint32{uint32(a.sym), uint32(a.op), a.mask, a.xor, a.k}
}

// reduced leaves out what the rest implies.
func (f *wordFact) reduced(m *meter) *wordFact {
	if len(f.atoms) == 0 {
		return f
	}
	r := wordFact{in: f.in}
	left := slices.Clone(f.atoms)
	for i := 0; i < len(left); {
		test := wordFact{in: f.in, atoms: slices.Clone(left)}
		test.atoms[i] = left[i].negate()
		if test.feasible(m) {
			i++
		} else {
			left = slices.Delete(left, i, i+1)
		}
	}
	r.atoms = left
	if f.in != nil && len(left) > 0 {
		outside := wordFact{in: f.in.complement(max32), atoms: left}
		if !outside.feasible(m) {
			r.in = nil
		}
	}
	return &r
}

// maskKey identifies all of the fact but its grid.
func (f *fact) maskKey(b []byte) []byte {
	num := binary.BigEndian.AppendUint64
	b = num(num(b, f.eq.mask), f.eq.bits)
	b = num(b, uint64(len(f.not)))
	for _, m := range f.not {
		b = num(num(b, m.mask), m.bits)
	}
	return f.rawKey(b)
}

func (f *fact) rawKey(b []byte) []byte {
	b = append(b, byte(len(f.raw)), byte(len(f.raw)>>8))
	for _, a := range f.raw {
		for _, v := range a.key() {
			b = binary.BigEndian.AppendUint32(b, v)
		}
	}
	return b
}

// gridKey identifies the grid.
func (f *fact) gridKey(b []byte) []byte {
	num := binary.BigEndian.AppendUint64
	for _, s := range f.in {
		b = num(num(b, s.hi.lo), s.hi.hi)
		b = num(b, uint64(len(s.lo)))
		for _, sp := range s.lo {
			b = num(num(b, sp.lo), sp.hi)
		}
	}
	return append(b, '.')
}

func (f *fact) key(b []byte) []byte { return f.gridKey(f.maskKey(b)) }

// joinMasks returns the union of two facts with the same raw parts, if it has a simple form. Both
// orders must be tried.
func joinMasks(f, g *fact) (fact, bool) {
	// f excludes a value of some bits, and g has it: "not P" and "P and not Q" is "not (P and Q)",
	// and where g says nothing more it is everything.
	if f.in.equal(g.in) {
		for i, p := range f.not {
			if p.mask&f.eq.mask != 0 || g.eq != (masked{f.eq.mask | p.mask, f.eq.bits | p.bits}) {
				continue
			}
			rest := slices.Delete(slices.Clone(f.not), i, i+1)
			if more, ok := oneMore(rest, g.not); ok {
				return f.with(f.in, f.eq, rest, p, more), true
			}
		}
		return fact{}, false
	}
	// The same with P about the whole high half, which both have in their grids.
	if len(g.in) == 1 && g.in[0].hi.lo == g.in[0].hi.hi && g.in[0].lo.isAll(max32) && f.eq == g.eq {
		full := product(upTo(max32), upTo(max32))
		if !unite([]grid{f.in, g.in}).equal(full) || f.in.overlaps(g.in[0].hi) {
			return fact{}, false
		}
		p := masked{max32 << 32, g.in[0].hi.lo << 32}
		if more, ok := oneMore(f.not, g.not); ok && more.mask>>32 == 0 {
			return f.with(full, f.eq, f.not, p, more), true
		}
	}
	return fact{}, false
}

// overlaps reports whether some number of the grid has a high half in the span.
func (g grid) overlaps(hi span) bool {
	return slices.ContainsFunc(g, func(s slab) bool { return s.hi.lo <= hi.hi && hi.lo <= s.hi.hi })
}

// oneMore returns what the second list has beyond the first: one element, or the zero value.
func oneMore(list, longer []masked) (more masked, ok bool) {
	for _, m := range longer {
		if slices.Contains(list, m) {
			continue
		}
		if more.mask != 0 {
			return more, false
		}
		more = m
	}
	n := len(list)
	if more.mask != 0 {
		n++
	}
	return more, n == len(longer)
}

// with makes a fact that excludes p and more together, or neither where more is nothing.
func (f *fact) with(in grid, eq masked, not []masked, p, more masked) fact {
	r := fact{in: in, eq: eq, not: slices.Clone(not), raw: f.raw}
	if more.mask != 0 {
		r.not = append(r.not, masked{p.mask | more.mask, p.bits | more.bits})
	}
	r.sort()
	return r
}
