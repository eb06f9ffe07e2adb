package simulate

import (
	"errors"
	"slices"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// ErrEmpty is what Witness returns for a region that no call is in.
var ErrEmpty = errors.New("simulate: no call is in the region")

const (
	// maxSearch bounds the work of one Witness: conditions looked at, over all tries.
	maxSearch = 1 << 20
	// maxTries bounds the calls that are tried where conditions join several words.
	maxTries = 64
)

// Witness returns a call in the region: its arguments and instruction pointer, nothing else of d is
// set. arch and args are those that Outcomes was asked about. Numbers that are free are 0.
//
// The error is ErrEmpty where it is certain that there is no such call, and ErrTooComplex where none
// was found. Conditions on single arguments are solved exactly, however many, up to a budget that
// no filter of a compiler comes near; conditions that join several words are tried out.
func (r Region) Witness(arch *syscalls.Arch, args [6][]uint64) (d filter.Data, err error) {
	m := merger{narrow: arch.Bits == 32}
	for i, list := range args {
		m.given[i] = constants(list, m.narrow)
	}
	d, err = m.witness(r, nil)
	if errors.Is(err, ErrEmpty) && arch.UpperHalves {
		m.narrow = false // a region of a Partition can ask for upper halves
		d, err = m.witness(r, nil)
	}
	return d, err
}

// witness returns a call in the region; its number is one of the given ones, where these are not
// nil.
func (m *merger) witness(r Region, numbers set) (filter.Data, error) {
	left := maxSearch
	return m.witnessWithin(&left, r, numbers)
}

// witnessWithin is witness with a bound on the work, of which it uses up some.
func (m *merger) witnessWithin(left *int, r Region, numbers set) (filter.Data, error) {
	s := solver{region: r, left: *left}
	defer func() { *left = s.left }()
	for _, c := range r.When {
		if c.kind == condRel {
			s.rels = append(s.rels, c.rel)
		}
	}
	for try := range uint64(maxTries) {
		d, err := s.try(m, numbers, try)
		switch {
		case err == nil && r.HoldsFor(&d):
			return d, nil
		case s.left < 0:
			return d, ErrTooComplex
		case len(s.rels) > 0 && !errors.Is(err, ErrEmpty):
		case err != nil:
			return d, err
		default:
			return d, ErrTooComplex
		}
	}
	return filter.Data{}, ErrTooComplex
}

// errMissed is why a try led to nothing, where another may.
var errMissed = errors.New("simulate: no number for these others")

// try gives a number to one subject after the other, each try in another order. What a relation
// says of the last of its subjects is solved too, as far as it can be turned back.
func (s *solver) try(m *merger, numbers set, try uint64) (d filter.Data, err error) {
	stride := uint64(1) // walks through the combinations of given constants
	var as assignment
	known := uint16(0)
	for i := range subjects {
		subject := (i + int(try)) % subjects
		if subject == callSubject && numbers == nil || subject == tokenSubject && m.tokens == nil {
			continue
		}
		sets, ok := s.fromRelations(subject, known, &as)
		if !ok {
			return d, errMissed
		}
		joined := len(sets) > 0
		s.fixed = 0
		switch subject {
		case callSubject:
			sets = append(sets, halfSet{0, numbers})
		case tokenSubject:
			sets = append(sets, halfSet{0, m.tokens})
		}
		if m.narrow || subject >= callSubject {
			s.fixed = max32 << 32
		}
		var v uint64
		if given := m.given[subject]; given != nil {
			list := s.listed(subject, given)
			if len(list) == 0 {
				return d, ErrEmpty
			}
			v = list[try/stride%uint64(len(list))]
			stride *= uint64(len(list))
		} else if v, err = s.solve(subject, wish(try, subject), sets); err != nil {
			if joined && errors.Is(err, ErrEmpty) {
				err = errMissed
			}
			return d, err
		}
		known |= 1 << subject
		as[2*subject], as[2*subject+1] = uint32(v), uint32(v>>32)
		switch subject {
		case callSubject:
			d.Nr = int32(uint32(v))
		case tokenSubject:
			d.Arch = uint32(v)
		case ipSubject:
			d.IP = v
		default:
			d.Args[subject] = v
		}
	}
	return d, nil
}

// fromRelations returns what the relations between a subject and others, whose numbers are known,
// say of it. It is false if it is known that they cannot hold.
func (s *solver) fromRelations(subject int, known uint16, as *assignment) (sets []halfSet, ok bool) {
	for _, r := range s.rels {
		deps := r.subjects()
		if deps>>subject&1 == 0 || deps&^known != 1<<subject {
			continue
		}
		s.left -= r.left.size() + r.right.size()
		q, decided, holds, err := ask(r.left.with(known, as), r.op, r.right.with(known, as))
		switch {
		case err != nil:
		case decided && !holds:
			return nil, false
		case decided || q.isRel:
		case q.in != nil:
			sets = append(sets, halfSet{int8(q.sym & 1), q.in})
		default:
			if in, ok := q.atom.spans(maxSpans); ok {
				sets = append(sets, halfSet{int8(q.atom.sym & 1), in})
			}
		}
	}
	return sets, true
}

// wish is the number that a free subject gets in a try: first 0, then others.
func wish(try uint64, subject int) uint64 {
	switch try {
	case 0:
		return 0
	case 1:
		return max64
	}
	x := (try*subjects + uint64(subject)) * 0x9e3779b97f4a7c15 // splitmix64
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// A solver finds numbers that satisfy the conditions of a region.
type solver struct {
	region Region
	rels   []relationFact
	fixed  uint64 // bits that are always 0
	left   int    // of the budget
	wish   uint64 // how free bits should be
}

// listed keeps the constants of a subject that satisfy the conditions on it alone.
func (s *solver) listed(subject int, list []uint64) []uint64 {
	return slices.DeleteFunc(slices.Clone(list), func(v uint64) bool {
		var d filter.Data
		d.Args[subject] = v
		return slices.ContainsFunc(s.region.When, func(c Cond) bool {
			return c.kind != condRel && c.kind != condTrue && int(c.subject) == subject && !c.HoldsFor(&d)
		})
	})
}

// solve returns a number for a subject that is in the sets and satisfies the conditions on it alone.
func (s *solver) solve(subject int, wish uint64, sets []halfSet) (uint64, error) {
	var atoms []wide
	if s.fixed != 0 {
		atoms = append(atoms, wide{op: opEq, mask: s.fixed})
	}
	for _, c := range s.region.When {
		if c.kind == condRel || c.kind == condTrue || int(c.subject) != subject {
			continue
		}
		switch c.kind {
		case condIn:
			sets = append(sets, halfSet{c.half, c.in})
		case condEq:
			atoms = append(atoms, wide{op: opEq, mask: c.bits.mask, k: c.bits.bits})
		case condNe:
			atoms = append(atoms, wide{op: opNe, mask: c.bits.mask, k: c.bits.bits})
		case condAtom:
			by, a := 32*(c.atom.sym&1), c.atom
			atoms = append(atoms, wide{a.op, uint64(a.mask) << by, uint64(a.xor) << by, uint64(a.k) << by})
		}
	}
	switch { // what most subjects are
	case len(sets) == 0 && (len(atoms) == 0 || len(atoms) == 1 && s.fixed != 0):
		return wish &^ s.fixed, nil
	case len(sets) == 1 && sets[0].half <= 0 && len(atoms) == 1 && s.fixed != 0 &&
		len(sets[0].in) > 0 && sets[0].in[0].lo&s.fixed == 0:
		return sets[0].in[0].lo, nil
	}
	s.wish = wish
	v, ok := s.choose(sets, atoms)
	switch {
	case ok:
		return v, nil
	case s.left < 0:
		return 0, ErrTooComplex
	}
	return 0, ErrEmpty
}

// A halfSet is a set of numbers for half of a subject, or for the whole of it; see Cond.half.
type halfSet struct {
	half int8
	in   set
}

// choose tries the spans of the sets, each with each of the others.
func (s *solver) choose(sets []halfSet, atoms []wide) (uint64, bool) {
	if len(sets) == 0 {
		return s.search(63, 0, atoms)
	}
	first, by := sets[0], uint(0)
	mask := uint64(max64)
	if first.half != both {
		by = 32 * uint(first.half)
		mask = max32 << by
	}
	for _, sp := range first.in {
		v, ok := s.choose(sets[1:], append(slices.Clip(atoms),
			wide{op: opGe, mask: mask, k: sp.lo << by}, wide{op: opLe, mask: mask, k: sp.hi << by}))
		if ok || s.left < 0 {
			return v, ok
		}
	}
	return 0, false
}

// A wide is an atom about a 64-bit number.
type wide struct {
	op           relop
	mask, xor, k uint64
}

// search gives values to bit and those below it, so that all atoms hold; v has the bits above.
// Atoms that hold already are not in the list, and in the others the bits above make no difference.
func (s *solver) search(bit int, v uint64, atoms []wide) (uint64, bool) {
	if len(atoms) == 0 {
		below := uint64(1)<<(bit+1) - 1
		return v | s.wish&below&^s.fixed, true
	}
	if s.left -= len(atoms); s.left < 0 {
		return 0, false
	}
	values := [2]uint64{s.wish >> bit & 1, 1 - s.wish>>bit&1}
	choices := values[:1]
	if slices.ContainsFunc(atoms, func(a wide) bool { return a.mask>>bit&1 != 0 }) {
		choices = values[:] // else the bit makes no difference to any
	}
	for _, w := range choices {
		left := make([]wide, 0, len(atoms))
		alive := true
		for _, a := range atoms {
			decided, holds := a.decide(bit, w)
			if decided && !holds {
				alive = false
				break
			}
			if !decided {
				left = append(left, a)
			}
		}
		if !alive {
			continue
		}
		if found, ok := s.search(bit-1, v|w<<bit, left); ok || s.left < 0 {
			return found, ok
		}
	}
	return 0, false
}

// decide tells whether the atom holds where the bits above made no difference, bit is w, and those
// below are free. It is not decided while these still matter.
func (a wide) decide(bit int, w uint64) (decided, holds bool) {
	below := uint64(1)<<bit - 1
	number, k := w<<bit&a.mask^a.xor&(1<<bit), a.k&(1<<bit)
	if number == k {
		if a.mask&below != 0 {
			return false, false
		}
		number, k = a.xor&below, a.k&below // the mask takes the rest away
	}
	switch a.op {
	case opEq:
		return true, number == k
	case opNe:
		return true, number != k
	case opGt:
		return true, number > k
	case opGe:
		return true, number >= k
	case opLt:
		return true, number < k
	}
	return true, number <= k
}
