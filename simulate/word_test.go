package simulate

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/profcheck/profcheck/filter"
)

// TestSatisfiable compares with trying all numbers, on words of which only 8 bits are free.
func TestSatisfiable(t *testing.T) {
	rng := rand.New(rand.NewPCG(10, 1))
	yes, no := 0, 0
	for range 20000 {
		place := rng.IntN(25)
		var atoms []atom
		for range 1 + rng.IntN(5) {
			a, decided, _ := newAtom(value{mask: rng.Uint32N(256) << place, xor: rng.Uint32N(256) << place}, relop(rng.IntN(6)), rng.Uint32N(256)<<place)
			if !decided {
				atoms = append(atoms, a)
			}
		}
		in := span{0, max32}
		if rng.IntN(2) == 0 {
			lo := rng.Uint64N(256)
			in = span{lo << place, (lo+rng.Uint64N(256-lo)+1)<<place - 1}
		}
		// Whatever the other bits are, they change no atom, and a span that has a number with other
		// bits has the one with zeros in the lower and none in the upper ones too.
		want := false
		for v := range uint32(256) {
			w := v << place
			if uint64(w) >= in.lo && uint64(w) <= in.hi && !slices.ContainsFunc(atoms, func(a atom) bool { return !a.holds(w) }) {
				want = true
			}
		}
		m := &meter{1 << 20}
		if got := satisfiable(atoms, in, m); got != want && !highMatters(atoms) {
			t.Fatalf("%+v in %v: %v, want %v", atoms, in, got, want)
		}
		if want {
			yes++
		} else {
			no++
		}
		if !satisfiable(atoms, in, &meter{0}) {
			t.Fatal("an empty meter must not refuse")
		}
	}
	if yes < 1000 || no < 1000 {
		t.Errorf("%d satisfiable, %d not", yes, no)
	}
}

// highMatters reports whether an atom looks at bits outside of the 8 that were tried.
func highMatters(atoms []atom) bool {
	return slices.ContainsFunc(atoms, func(a atom) bool { return a.mask == max32 })
}

// TestAtoms compares atoms with the values they were made from, after random operations.
func TestAtoms(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 1))
	decidedBy := [2]int{}
	codes := []uint16{filter.OpAndK, filter.OpOrK, filter.OpXorK, filter.OpLshK, filter.OpRshK, filter.OpMulK, filter.OpDivK, filter.OpAddK, filter.OpSubK, filter.OpNeg}
	for range 20000 {
		v := word(0)
		for range rng.IntN(5) {
			k := rng.Uint32()
			switch rng.IntN(3) {
			case 0:
				k = 1 << rng.IntN(32)
			case 1:
				k >>= rng.IntN(32)
			}
			code := codes[rng.IntN(len(codes))]
			if code == filter.OpLshK || code == filter.OpRshK {
				k %= 32
			}
			if code == filter.OpDivK {
				k |= 1 << 5
			}
			v = apply(code, v, constant(k))
		}
		op, k := relop(rng.IntN(6)), rng.Uint32()>>rng.IntN(32)
		var a atom
		var decided, holds bool
		var inSet set
		if v.node == nil {
			a, decided, holds = newAtom(v, op, k)
		} else {
			var q question
			var err error
			q, decided, holds, err = ask(v, op, constant(k))
			if err != nil || !decided && !q.isRel && q.in == nil {
				t.Fatalf("%v: %v", v, err)
			}
			if inSet = q.in; decided {
				inSet = nil
			}
		}
		for range 20 {
			w := rng.Uint32() >> rng.IntN(32)
			if rng.IntN(2) == 0 {
				w = k<<rng.IntN(32) + rng.Uint32N(3) - 1
			}
			want := op.holds(v.eval(&assignment{w}), k)
			got := want // a relation is computed from the value itself
			switch {
			case v.node != nil && decided:
				got = holds
			case inSet != nil:
				got = inSet.contains(uint64(w))
			}
			if v.node == nil {
				if got = a.holds(w); decided {
					got = holds
				}
			}
			if got != want {
				t.Fatalf("%v %v %#x for %#x: atom %+v says %v", v, op, k, w, a, got)
			}
			if !decided && v.node == nil && a.negate().holds(w) == want {
				t.Fatalf("%+v and its negation agree on %#x", a, w)
			}
			if s, ok := a.set(); v.node == nil && !decided && ok && s.contains(uint64(w)) != want {
				t.Fatalf("set %v of %+v is wrong on %#x", s, a, w)
			}
		}
		if v.node == nil {
			decidedBy[map[bool]int{false: 0, true: 1}[decided]]++
		}
	}
	if decidedBy[0] < 1000 || decidedBy[1] < 1000 {
		t.Errorf("decided and not: %v", decidedBy)
	}
}

// TestApply compares operations on values with operations on numbers.
func TestApply(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 1))
	var all []uint16
	for _, c := range filter.Opcodes() {
		if c&7 == filter.ClassAlu && c&filter.SrcX == 0 {
			all = append(all, c)
		}
	}
	if len(all) != 10 {
		t.Fatalf("%d arithmetic codes", len(all))
	}
	for range 20000 {
		as := assignment{rng.Uint32(), rng.Uint32()}
		values := []value{word(0), word(1), constant(rng.Uint32() >> rng.IntN(32)), constant(1 << rng.IntN(32))}
		for range 6 {
			a, b := values[rng.IntN(len(values))], values[rng.IntN(len(values))]
			code := all[rng.IntN(len(all))]
			want, ok := alu(code, a.eval(&as), b.eval(&as))
			if !ok || a.size()+b.size() > maxSize/2 {
				continue
			}
			r := apply(code, a, b)
			if got := r.eval(&as); got != want {
				t.Fatalf("%#x of %v and %v: %#x, want %#x", code, a, b, got, want)
			}
			values = append(values, r)
		}
	}
}
