package simulate

import (
	"cmp"
	"slices"
)

// A slab is a rectangle of 64-bit numbers, or several side by side: the high half is in a span, the
// low half in a set.
type slab struct {
	hi span
	lo set
}

// A grid is a set of 64-bit numbers as a filter sees them, by halves: slabs in ascending order of
// hi, which do not overlap and are not empty. Two neighbours with the same lo are one slab, so that
// equal sets are equal grids.
type grid []slab

// product is the grid of all numbers with the high half in hi and the low half in lo.
func product(hi, lo set) grid {
	var g grid
	for _, sp := range hi {
		g = append(g, slab{sp, lo})
	}
	return g
}

// points is the grid of some numbers, which ascend.
func points(list []uint64) grid {
	var parts []grid
	for i := 0; i < len(list); {
		hi := list[i] >> 32
		var lo set
		for ; i < len(list) && list[i]>>32 == hi; i++ {
			v := list[i] & max32
			lo = append(lo, span{v, v})
		}
		parts = append(parts, grid{{span{hi, hi}, normal(lo)}})
	}
	return unite(parts)
}

func (g grid) equal(h grid) bool {
	return slices.EqualFunc(g, h, func(a, b slab) bool { return a.hi == b.hi && a.lo.equal(b.lo) })
}

// unite returns the union of grids.
func unite(parts []grid) grid {
	all := slices.Concat(parts...)
	var cuts []uint64 // where some slab starts, or ended just before
	for _, s := range all {
		cuts = append(cuts, s.hi.lo, s.hi.hi+1)
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	slices.SortFunc(all, func(a, b slab) int { return cmp.Compare(a.hi.lo, b.hi.lo) })

	var r grid
	var active []slab
	for i := 0; i+1 < len(cuts); i++ {
		hi := span{cuts[i], cuts[i+1] - 1}
		active = slices.DeleteFunc(active, func(s slab) bool { return s.hi.hi < hi.lo })
		for len(all) > 0 && all[0].hi.lo <= hi.lo {
			active = append(active, all[0])
			all = all[1:]
		}
		if len(active) == 0 {
			continue
		}
		var lo set
		for _, s := range active {
			lo = append(lo, s.lo...)
		}
		lo = normal(lo)
		if n := len(r); n > 0 && r[n-1].hi.hi+1 == hi.lo && r[n-1].lo.equal(lo) {
			r[n-1].hi.hi = hi.hi
			continue
		}
		r = append(r, slab{hi, lo})
	}
	return r
}

// maxSplit bounds the single high halves into which whole splits a slab.
const maxSplit = 16

// whole returns the grid as one set of 64-bit numbers. A slab with all low halves is one span;
// others are split into single high halves, if split of them are enough.
func (g grid) whole(split uint64) (set, bool) {
	var r set
	for _, s := range g {
		if s.lo.isAll(max32) {
			r = append(r, span{s.hi.lo << 32, s.hi.hi<<32 | max32})
			continue
		}
		if s.hi.hi-s.hi.lo >= split {
			return nil, false
		}
		for hi := s.hi.lo; hi <= s.hi.hi; hi++ {
			for _, sp := range s.lo {
				r = append(r, span{hi<<32 | sp.lo, hi<<32 | sp.hi})
			}
		}
	}
	return normal(r), true
}

// halves returns the grid as two sets for the two halves, where it is their product.
func (g grid) halves() (hi, lo set, ok bool) {
	for i, s := range g {
		if i > 0 && !s.lo.equal(lo) {
			return nil, nil, false
		}
		hi, lo = append(hi, s.hi), s.lo
	}
	return hi, lo, true
}

// simple reports whether the grid can be written as conditions joined by AND.
func (g grid) simple() bool {
	if _, ok := g.whole(maxSplit); ok {
		return true
	}
	_, _, ok := g.halves()
	return ok
}
