package simulate

import "slices"

// maxFrontier bounds the states that satisfiable keeps; beyond it a word counts as satisfiable.
const maxFrontier = 128

// A meter bounds the work of one evaluation. It is shared by all paths.
type meter struct{ left int }

// spend is false if the work is too much; nothing is worth doing then.
func (m *meter) spend(n int) bool {
	m.left -= n
	return m.left >= 0
}

// satisfiable reports whether some number of the span satisfies all atoms. It decides exactly, bit
// by bit from the top, and remembers of each atom that still needs a difference whether it has
// come (a bit in a state). It may say yes for atoms that are very many or very entangled, and where the
// meter has run out; no is always right.
func satisfiable(atoms []atom, in span, m *meter) bool {
	if in != (span{0, max32}) {
		atoms = append(slices.Clip(atoms),
			atom{op: opGe, mask: max32, k: uint32(in.lo)},
			atom{op: opLe, mask: max32, k: uint32(in.hi)})
	}
	if len(atoms) > 64 {
		return true
	}
	// A state has a bit for each atom that is satisfied whatever the lower bits are.
	frontier, next := []uint64{0}, []uint64(nil)
	for bit := 31; bit >= 0; bit-- {
		if !m.spend(len(frontier) * (len(atoms) + len(frontier))) {
			return true
		}
		next = next[:0]
		for _, state := range frontier {
			for w := range uint32(2) {
				if after, ok := step(atoms, state, bit, w); ok {
					next = addState(next, after)
				}
			}
		}
		if len(next) == 0 {
			return false
		}
		if len(next) > maxFrontier {
			return true
		}
		frontier, next = next, frontier
	}
	for _, state := range frontier {
		if settled(atoms, state) {
			return true
		}
	}
	return false
}

// step gives bit number bit of the word the value w. It is false if some atom can then no longer
// hold.
func step(atoms []atom, state uint64, bit int, w uint32) (uint64, bool) {
	for i := range atoms {
		a := &atoms[i]
		if state>>i&1 != 0 {
			continue
		}
		v := w&(a.mask>>bit)&1 ^ a.xor>>bit&1
		k := a.k >> bit & 1
		if v == k {
			continue
		}
		switch a.op {
		case opNe:
		case opGt, opGe:
			if v < k {
				return 0, false
			}
		case opLt, opLe:
			if v > k {
				return 0, false
			}
		default:
			return 0, false
		}
		state |= 1 << i
	}
	return state, true
}

// addState adds a state unless another has settled at least as much, and drops those that have
// settled less.
func addState(states []uint64, s uint64) []uint64 {
	for _, t := range states {
		if t&s == s {
			return states
		}
	}
	states = slices.DeleteFunc(states, func(t uint64) bool { return t&s == t })
	return append(states, s)
}

// settled reports whether all atoms hold for a word whose bits have all been chosen: those that
// saw no difference hold if they allow equality.
func settled(atoms []atom, state uint64) bool {
	for i, a := range atoms {
		if state>>i&1 == 0 && (a.op == opNe || a.op == opGt || a.op == opLt) {
			return false
		}
	}
	return true
}
