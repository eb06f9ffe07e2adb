package simulate

import (
	"slices"
)

const (
	maxStates = 64 // states that are told apart where paths meet
	maxWindow = 32 // paths that one more is compared with
)

// joinPaths joins paths that meet at an instruction where they have the same state and what they
// know differs in one respect whose union is simple. It changes the list in place.
func joinPaths(list []*path, m *meter) []*path {
	var kept []*path // of all groups, in the order of the first of each
	type group struct {
		plain   *path // knows nothing but the number
		pending []span
		others  []*path
	}
	var groups []*group
	var firsts []*path
	for _, s := range list {
		var g *group
		for i, f := range firsts {
			if sameState(s, f) {
				g = groups[i]
				break
			}
		}
		if g == nil {
			g = &group{}
			if len(groups) < maxStates {
				groups, firsts = append(groups, g), append(firsts, s)
			} else {
				kept = append(kept, s)
				continue
			}
		}
		switch {
		case s.facts != nil:
			g.others = append(g.others, s)
		case g.plain == nil:
			g.plain = s
		default:
			g.pending = append(g.pending, s.numbers...)
		}
	}
	for _, g := range groups {
		var all []*path
		if g.plain != nil {
			if len(g.pending) > 0 {
				m.spend(len(g.pending) / 8)
				g.plain.numbers = normal(append(g.plain.numbers, g.pending...))
			}
			all = append(all, g.plain)
		}
		for _, s := range g.others {
			all = joinInto(all, s, m)
		}
		kept = append(kept, all...)
	}
	return append(list[:0], kept...)
}

// joinInto adds a path to others with the same state, and joins it with them while that goes.
func joinInto(all []*path, s *path, m *meter) []*path {
	for again := m.left >= 0; again; {
		again = false
		for i := len(all) - 1; i >= max(0, len(all)-maxWindow); i-- {
			m.spend(1)
			if all[i].unite(s) {
				s = all[i]
				all = slices.Delete(all, i, i+1)
				again = true
				break
			}
		}
	}
	return append(all, s)
}

// sameState reports whether two paths go on alike, whatever they know.
func sameState(s, t *path) bool {
	if s.answer != t.answer || !s.a.same(t.a) || !s.x.same(t.x) || s.task != t.task {
		return false
	}
	if s.m == t.m {
		return true
	}
	if s.m == nil || t.m == nil {
		return false
	}
	for i := range s.m {
		if !s.m[i].same(t.m[i]) {
			return false
		}
	}
	return true
}

// unite makes s the union of both paths, if that is simple; t is not changed.
func (s *path) unite(t *path) bool {
	f, g := s.known(), t.known()
	if s.facts == t.facts || f.equal(g) {
		s.meter.spend((len(s.numbers) + len(t.numbers)) / 8)
		if s.numbers != nil {
			s.numbers = s.numbers.union(t.numbers)
		}
		return true
	}
	if !s.numbers.equal(t.numbers) {
		return false
	}
	r, ok := f.union(g, s.meter)
	if ok {
		s.facts = r
	}
	return ok
}

func (f *wordFact) equal(g *wordFact) bool {
	return f == g || f != nil && g != nil && f.in.equal(g.in) && slices.Equal(f.atoms, g.atoms)
}

func (f *facts) equal(g *facts) bool {
	for i := range f.words {
		if !f.words[i].equal(g.words[i]) {
			return false
		}
	}
	for i := range f.listed {
		if !slices.Equal(f.listed[i], g.listed[i]) {
			return false
		}
	}
	return slices.EqualFunc(f.rels, g.rels, relationFact.same)
}

// union is what is known if one or the other is: facts that differ in one respect. Nil is nothing.
func (f *facts) union(g *facts, m *meter) (*facts, bool) {
	r := *f
	differences := 0
	for i := range f.words {
		if f.words[i].equal(g.words[i]) {
			continue
		}
		var ok bool
		if differences++; differences > 1 {
			return nil, false
		}
		if r.words[i], ok = f.words[i].union(g.words[i], m); !ok {
			return nil, false
		}
	}
	for i := range f.listed {
		if slices.Equal(f.listed[i], g.listed[i]) {
			continue
		}
		if differences++; differences > 1 {
			return nil, false
		}
		m.spend((len(f.listed[i]) + len(g.listed[i])) / 8)
		both := slices.Concat(f.listed[i], g.listed[i])
		slices.Sort(both)
		r.listed[i] = slices.Compact(both)
	}
	if !slices.EqualFunc(f.rels, g.rels, relationFact.same) {
		if differences++; differences > 1 {
			return nil, false
		}
		var ok bool
		if r.rels, ok = union(f.rels, g.rels, relationFact.same, relationFact.negate); !ok {
			return nil, false
		}
	}
	if r.empty() {
		return nil, true
	}
	return &r, true
}

func (f *facts) empty() bool {
	for i := range f.words {
		if f.words[i] != nil {
			return false
		}
	}
	for i := range f.listed {
		if f.listed[i] != nil {
			return false
		}
	}
	return len(f.rels) == 0
}

// union is nil where nothing is known any more.
func (f *wordFact) union(g *wordFact, m *meter) (*wordFact, bool) {
	switch {
	case f == nil || g == nil:
		return nil, true
	case len(f.atoms) == 0 && len(g.atoms) == 0:
		m.spend((len(f.in) + len(g.in)) / 8)
		in := f.in.union(g.in)
		if in.isAll(max32) {
			return nil, true
		}
		return &wordFact{in: in}, true
	case !f.in.equal(g.in):
		return nil, false
	}
	atoms, ok := union(f.atoms, g.atoms, func(a, b atom) bool { return a == b }, atom.negate)
	if !ok {
		return nil, false
	}
	if len(atoms) == 0 && f.in == nil {
		return nil, true
	}
	return &wordFact{in: f.in, atoms: atoms}, true
}

// union is the disjunction of two conjunctions, if they are the same but for one part and its
// opposite, or if one has all parts of the other.
func union[T any](f, g []T, same func(a, b T) bool, negate func(T) T) ([]T, bool) {
	if len(f) > len(g) {
		f, g = g, f
	}
	in := func(list []T, t T) bool {
		return slices.ContainsFunc(list, func(u T) bool { return same(t, u) })
	}
	var common []T
	var odd *T
	for _, t := range f {
		if in(g, t) {
			common = append(common, t)
			continue
		}
		if odd != nil || len(f) != len(g) {
			return nil, false
		}
		odd = &t
	}
	switch {
	case odd == nil:
		return f, true
	case in(g, negate(*odd)):
		return common, true
	}
	return nil, false
}
