package simulate

// conditions writes a cell as conditions: first those on the arguments in their order, then those
// on the instruction pointer, then relations.
func (m *merger) conditions(c *cell) []Cond {
	var list []Cond
	for i := range subjects {
		f := &c.facts[i]
		list = append(list, m.gridConds(i, f.in)...)
		if f.eq.mask != 0 {
			list = append(list, Cond{kind: condEq, subject: int8(i), half: both, bits: f.eq})
		}
		for _, n := range f.not {
			list = append(list, Cond{kind: condNe, subject: int8(i), half: both, bits: n})
		}
		for _, a := range f.raw {
			list = append(list, Cond{kind: condAtom, subject: int8(i), half: int8(a.sym & 1), atom: a})
		}
	}
	for _, r := range c.rels {
		list = append(list, Cond{kind: condRel, half: both, rel: r})
	}
	return list
}

// gridConds writes the grid of a subject: about the whole number if a filter could have meant that,
// otherwise about its halves.
func (m *merger) gridConds(subject int, g grid) []Cond {
	in := func(half int8, s set, limit uint64) Cond {
		return Cond{kind: condIn, subject: int8(subject), half: half, in: s, limit: limit}
	}
	if list := m.given[subject]; list != nil {
		if g.equal(points(list)) {
			return nil
		}
		s, _ := g.whole(max32 + 1) // no more numbers than the list has
		return []Cond{in(both, s, max64)}
	}
	if m.narrow || subject >= callSubject {
		lo := g[0].lo
		if subject == tokenSubject && m.tokens != nil { // tokens that are not asked about may be in it
			more := lo.union(m.tokens.complement(max32))
			if more.isAll(max32) || more.complement(max32).cost() < lo.cost() {
				lo = more
			}
		}
		if !lo.isAll(max32) {
			return []Cond{in(both, lo, max32)}
		}
		return nil
	}
	hi, lo, ok := g.halves()
	if ok && (hi.isAll(max32) || lo.isAll(max32)) {
		var list []Cond
		if !hi.isAll(max32) {
			list = append(list, in(1, hi, max32))
		}
		if !lo.isAll(max32) {
			list = append(list, in(0, lo, max32))
		}
		return list
	}
	if s, whole := g.whole(maxSplit); whole {
		return []Cond{in(both, s, max64)}
	}
	return []Cond{in(1, hi, max32), in(0, lo, max32)}
}
