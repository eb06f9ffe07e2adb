package simulate

import (
	"cmp"
	"slices"
)

// A piece is a stretch of numbers that are on the same paths.
type piece struct {
	span
	leaves []*path
	lost   []lostPath
}

// maxActive bounds the ends of paths over all pieces.
const maxActive = 1 << 20

// pieces sorts what was found by number.
func (a *analysis) pieces() []piece {
	type entry struct {
		span
		leaf, lost int // index, or -1
	}
	var entries []entry
	for i, l := range a.leaves {
		for _, sp := range l.numbers {
			entries = append(entries, entry{sp, i, -1})
		}
	}
	for i, l := range a.lost {
		for _, sp := range l.numbers {
			entries = append(entries, entry{sp, -1, i})
		}
	}
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.lo, b.lo), cmp.Compare(a.leaf, b.leaf), cmp.Compare(a.lost, b.lost))
	})
	var list []piece
	var active []entry
	budget := maxActive
	for at, next := uint64(0), 0; next < len(entries) || len(active) > 0; {
		if len(active) == 0 {
			at = entries[next].lo
		}
		for ; next < len(entries) && entries[next].lo == at; next++ {
			active = append(active, entries[next])
		}
		to := uint64(max32)
		if next < len(entries) {
			to = entries[next].lo - 1
		}
		for _, e := range active {
			to = min(to, e.hi)
		}
		p := piece{span: span{at, to}}
		budget -= len(active)
		for _, e := range active {
			switch {
			case e.leaf < 0:
				p.lost = append(p.lost, a.lost[e.lost])
			case budget > 0:
				p.leaves = append(p.leaves, a.leaves[e.leaf])
			default: // the end of a path may stand for the path
				p.lost = append(p.lost, lostPath{a.leaves[e.leaf], tooManyEnds})
			}
		}
		list = append(list, p)
		active = slices.DeleteFunc(active, func(e entry) bool { return e.hi == to })
		at = to + 1
	}
	return a.resolved(list)
}

// resolved divides pieces in which the number decides in ways that no range says: it asks for each
// number that has a name, and for each in short pieces.
func (a *analysis) resolved(list []piece) []piece {
	var r []piece
	budget := maxAsked
	for _, p := range list {
		if !slices.ContainsFunc(p.leaves, (*path).asksNumber) {
			r = append(r, p)
			continue
		}
		for _, nr := range a.named(p.span) {
			if budget -= len(p.leaves); budget < 0 {
				break
			}
			if nr > p.lo {
				r = append(r, piece{span{p.lo, nr - 1}, p.leaves, p.lost})
			}
			r = append(r, p.at(nr))
			p.lo = nr + 1
		}
		if p.lo <= p.hi {
			r = append(r, p)
		}
	}
	return r
}

// maxAsked bounds the paths that are looked at for single numbers. Beyond it conditions on the
// number stay, which are as exact, only harder to read.
const maxAsked = 1 << 14

// maxShort is how many numbers without a name are asked for one by one.
const maxShort = 64

func (a *analysis) named(in span) []uint64 {
	var list []uint64
	if in.hi-in.lo < maxShort {
		for nr := in.lo; nr <= in.hi; nr++ {
			list = append(list, nr)
		}
		return list
	}
	if a.arch == nil {
		return nil
	}
	for _, s := range a.arch.Syscalls() {
		if nr := uint64(uint32(s.Nr)); nr >= in.lo && nr <= in.hi {
			list = append(list, nr)
		}
	}
	slices.Sort(list)
	return list
}

// at is the piece for one number alone.
func (p piece) at(nr uint64) piece {
	r := piece{span: span{nr, nr}, lost: p.lost}
	for _, l := range p.leaves {
		if l, ok := l.at(uint32(nr)); ok {
			r.leaves = append(r.leaves, l)
		}
	}
	return r
}

// asksNumber reports whether the path knows something of the number that numbers does not say.
func (s *path) asksNumber() bool {
	f := s.known()
	return f.words[numberSymbol] != nil ||
		slices.ContainsFunc(f.rels, func(r relationFact) bool { return r.subjects()>>callSubject != 0 })
}

// at is the path for one number alone, false if that number does not take it.
func (s *path) at(nr uint32) (*path, bool) {
	if !s.asksNumber() {
		return s, true
	}
	r := *s
	r.numbers = single(uint64(nr))
	f := r.own()
	if w := f.words[numberSymbol]; w != nil {
		for _, a := range w.atoms {
			if !a.holds(nr) {
				return nil, false
			}
		}
		if w.in != nil && !w.in.contains(uint64(nr)) {
			return nil, false
		}
		f.words[numberSymbol] = nil
	}
	rels := f.rels
	f.rels = nil
	as := assignment{numberSymbol: nr}
	for _, rel := range rels {
		q, decided, holds, err := ask(rel.left.with(1<<callSubject, &as), rel.op, rel.right.with(1<<callSubject, &as))
		switch {
		case err != nil: // cannot get longer than it was
		case decided && !holds:
			return nil, false
		case decided:
		case !q.learn(&r.knowledge, true):
			return nil, false
		}
	}
	if r.facts.empty() {
		r.facts = nil
	}
	return &r, true
}

// with is the value where some subjects, a bit each, are known.
func (v value) with(subjects uint16, as *assignment) value {
	switch {
	case v.subjects()&subjects == 0:
		return v
	case v.node == nil:
		return constant(v.eval(as))
	}
	return apply(v.node.code, v.node.left.with(subjects, as), v.node.right.with(subjects, as))
}
