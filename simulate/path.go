package simulate

import "slices"

// A wordFact is what a path knows of one word. The zero value, or nil, knows nothing.
type wordFact struct {
	in    set    // the word is in this set; nil: any number
	atoms []atom // what masks bits of the word, and so is no set of spans
}

// A relationFact is a fact about values that are no bits of a single word.
type relationFact struct {
	left, right value
	op          relop
}

func (r relationFact) holds(as *assignment) bool {
	return r.op.holds(r.left.eval(as), r.right.eval(as))
}

func (r relationFact) subjects() uint8 { return r.left.subjects() | r.right.subjects() }

// knowledge is what a path has learnt of the unknown words. It is copied where a path forks; what
// it points to is never changed.
type knowledge struct {
	words [symbols]*wordFact
	// listed holds for each subject with given constants those that the path can still have; nil
	// for a subject that can be any number. Facts about such a subject alone are only here.
	listed [subjects][]uint64
	rels   []relationFact
	meter  *meter
}

// maxJoint bounds the combinations of given constants that are tried on relations between several
// arguments.
const maxJoint = 4096

// assume adds an atom. It is false if no call satisfies it on this path.
func (k *knowledge) assume(a atom) bool {
	if i := a.sym.subject(); k.listed[i] != nil {
		high := a.sym&1 != 0
		return k.narrow(i, func(v uint64) bool {
			if high {
				v >>= 32
			}
			return a.holds(uint32(v))
		})
	}
	fact := wordFact{}
	if old := k.words[a.sym]; old != nil {
		fact = *old
	}
	if s, ok := a.set(); ok {
		if fact.in != nil {
			k.meter.spend(len(fact.in) / 16)
			s = s.intersect(fact.in)
		}
		if len(s) == 0 {
			return false
		}
		fact.in = s
	} else {
		if slices.Contains(fact.atoms, a) {
			return true
		}
		fact.atoms = append(slices.Clip(fact.atoms), a)
	}
	k.words[a.sym] = &fact
	return fact.feasible(k.meter)
}

// feasible reports whether some number satisfies the fact; see satisfiable for its limits.
func (f *wordFact) feasible(m *meter) bool {
	if len(f.atoms) == 0 {
		return true // an empty set is never stored
	}
	if f.in == nil {
		return satisfiable(f.atoms, span{0, max32}, m)
	}
	return slices.ContainsFunc(f.in, func(sp span) bool { return satisfiable(f.atoms, sp, m) })
}

// narrow keeps the given constants of a subject that pass. It is false if none is left.
func (k *knowledge) narrow(subject int, pass func(uint64) bool) bool {
	k.meter.spend(len(k.listed[subject])/8 + 1)
	var left []uint64
	for _, v := range k.listed[subject] {
		if pass(v) {
			left = append(left, v)
		}
	}
	if len(left) == 0 {
		return false
	}
	k.listed[subject] = left
	return len(k.rels) == 0 || k.jointly()
}

// relate adds a fact about values of which at least one is no bits of a single word, or two are of
// different words. It is false if it is known that no call satisfies it on this path.
func (k *knowledge) relate(r relationFact) bool {
	deps := r.subjects()
	for i, list := range k.listed {
		if deps != 1<<i || list == nil {
			continue
		}
		var as assignment
		return k.narrow(i, func(v uint64) bool {
			as[2*i], as[2*i+1] = uint32(v), uint32(v>>32)
			return r.holds(&as)
		})
	}
	k.meter.spend(16 * len(k.rels)) // each will be written down
	opposite := r
	opposite.op = r.op.negate()
	if slices.Contains(k.rels, opposite) {
		return false
	}
	if slices.Contains(k.rels, r) {
		return true
	}
	k.rels = append(slices.Clip(k.rels), r)
	return k.jointly()
}

// jointly tries the combinations of the given constants on all relations. It is true if one
// passes, if there are too many, or if a relation needs a subject without given constants.
func (k *knowledge) jointly() bool {
	var deps uint8
	for _, r := range k.rels {
		deps |= r.subjects()
	}
	var order []int
	combinations := 1
	for i, l := range k.listed {
		if deps>>i&1 == 0 {
			continue
		}
		if l == nil {
			return true
		}
		if combinations *= len(l); combinations > maxJoint {
			return true
		}
		order = append(order, i)
	}
	for n := range combinations {
		if !k.meter.spend(len(k.rels) * maxSize / 8) {
			return true
		}
		var as assignment
		for _, i := range order {
			v := k.listed[i][n%len(k.listed[i])]
			n /= len(k.listed[i])
			as[2*i], as[2*i+1] = uint32(v), uint32(v>>32)
		}
		if !slices.ContainsFunc(k.rels, func(r relationFact) bool { return !r.holds(&as) }) {
			return true
		}
	}
	return false
}
