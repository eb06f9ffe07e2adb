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

func (r relationFact) String() string {
	return r.left.String() + " " + r.op.String() + " " + r.right.String()
}

func (r relationFact) subjects() uint16 { return r.left.subjects() | r.right.subjects() }

// same reports whether two relations are written alike.
func (r relationFact) same(s relationFact) bool {
	return r.op == s.op && r.left.same(s.left) && r.right.same(s.right)
}

func (r relationFact) negate() relationFact {
	r.op = r.op.negate()
	return r
}

// facts are what is known of unknown words. They are never changed once a path has them, and so
// paths share them.
type facts struct {
	words [symbols]*wordFact
	// listed holds for each subject with given constants those that the path can still have; nil
	// for a subject that can be any number. Facts about such a subject alone are only here.
	listed [subjects][]uint64
	rels   []relationFact
}

var nothing facts

// knowledge is what a path has learnt.
type knowledge struct {
	// numbers holds the syscall number as far as spans can say it. Each path has its own, which is
	// changed in place. It is nil where the number is known from the start.
	numbers set
	facts   *facts // nil: nothing
	meter   *meter
}

// known returns the facts, to read.
func (k *knowledge) known() *facts {
	if k.facts == nil {
		return &nothing
	}
	return k.facts
}

// own returns the facts, to change.
func (k *knowledge) own() *facts {
	f := *k.known()
	k.facts = &f
	return &f
}

// maxJoint bounds the combinations of given constants that are tried on relations between several
// arguments.
const maxJoint = 4096

// assume adds an atom. It is false if no call satisfies it on this path.
func (k *knowledge) assume(a atom) bool {
	if i := a.sym.subject(); k.known().listed[i] != nil {
		high := a.sym&1 != 0
		return k.narrow(i, func(v uint64) bool {
			if high {
				v >>= 32
			}
			return a.holds(uint32(v))
		})
	}
	if s, ok := a.set(); ok {
		return k.assumeIn(a.sym, s)
	}
	fact := wordFact{}
	if old := k.known().words[a.sym]; old != nil {
		fact = *old
	}
	if slices.Contains(fact.atoms, a) {
		return true
	}
	fact.atoms = append(slices.Clip(fact.atoms), a)
	k.own().words[a.sym] = &fact
	return k.wordFeasible(a.sym)
}

// assumeIn adds that a word is in a set. It is false if that cannot be on this path.
func (k *knowledge) assumeIn(sym symbol, s set) bool {
	if i := sym.subject(); k.known().listed[i] != nil {
		by := 32 * (sym & 1)
		return k.narrow(i, func(v uint64) bool { return s.contains(v >> by & max32) })
	}
	fact := wordFact{}
	if old := k.known().words[sym]; old != nil {
		fact = *old
	}
	if fact.in != nil {
		k.meter.spend(len(fact.in) / 8)
		s = s.intersect(fact.in)
	}
	if len(s) == 0 {
		return false
	}
	fact.in = s
	k.own().words[sym] = &fact
	return k.wordFeasible(sym)
}

// wordFeasible reports whether some number satisfies what is known of a word.
func (k *knowledge) wordFeasible(sym symbol) bool {
	f := *k.known().words[sym]
	if sym == numberSymbol && len(f.atoms) > 0 {
		f.in = k.numbers
	}
	return f.feasible(k.meter)
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
	list := k.known().listed[subject]
	k.meter.spend(len(list)/8 + 1)
	var left []uint64
	for _, v := range list {
		if pass(v) {
			left = append(left, v)
		}
	}
	if len(left) == 0 {
		return false
	}
	k.own().listed[subject] = left
	return len(k.facts.rels) == 0 || k.jointly()
}

// relate adds a fact about values of which at least one is no bits of a single word, or two are of
// different words. It is false if it is known that no call satisfies it on this path.
func (k *knowledge) relate(r relationFact) bool {
	deps := r.subjects()
	for i, list := range k.known().listed {
		if deps != 1<<i || list == nil {
			continue
		}
		var as assignment
		return k.narrow(i, func(v uint64) bool {
			as[2*i], as[2*i+1] = uint32(v), uint32(v>>32)
			return r.holds(&as)
		})
	}
	rels := k.known().rels
	k.meter.spend(16 * len(rels)) // each will be written down
	if slices.ContainsFunc(rels, r.negate().same) {
		return false
	}
	if slices.ContainsFunc(rels, r.same) {
		return true
	}
	k.own().rels = append(slices.Clip(rels), r)
	return k.jointly()
}

// jointly tries the combinations of the given constants on all relations. It is true if one
// passes, if there are too many, or if a relation needs a subject without given constants.
func (k *knowledge) jointly() bool {
	f := k.known()
	var deps uint16
	for _, r := range f.rels {
		deps |= r.subjects()
	}
	var order []int
	combinations := 1
	for i, l := range f.listed {
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
		if !k.meter.spend(len(f.rels) * maxSize / 8) {
			return true
		}
		var as assignment
		for _, i := range order {
			v := f.listed[i][n%len(f.listed[i])]
			n /= len(f.listed[i])
			as[2*i], as[2*i+1] = uint32(v), uint32(v>>32)
		}
		if !slices.ContainsFunc(f.rels, func(r relationFact) bool { return !r.holds(&as) }) {
			return true
		}
	}
	return false
}
