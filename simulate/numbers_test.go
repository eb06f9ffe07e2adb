package simulate

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/profcheck/profcheck/filter"
)

// TestCut compares cuts of sets with the question asked for numbers at which it changes.
func TestCut(t *testing.T) {
	rng := rand.New(rand.NewPCG(50, 1))
	for range 20000 {
		var spans []span
		for range rng.IntN(6) {
			lo := rng.Uint64N(20)
			spans = append(spans, span{lo, lo + rng.Uint64N(3)})
		}
		if rng.IntN(3) == 0 {
			spans = append(spans, span{max32 - rng.Uint64N(3), max32})
		}
		s := normal(spans)
		before := slices.Clone(s)
		op, k := relop(rng.IntN(6)), rng.Uint64N(25)
		if rng.IntN(4) == 0 {
			k = max32 - rng.Uint64N(3)
		}
		yes, no := s.cut(op, k)
		for v := range uint64(30) {
			for _, v := range []uint64{v, max32 - v} {
				want := before.contains(v) && op.holds(uint32(v), uint32(k))
				if yes.contains(v) != want || no.contains(v) != (before.contains(v) && !want) {
					t.Fatalf("%v cut by %v %d: %v, %v", before, op, k, yes, no)
				}
			}
		}
		if !yes.equal(normal(slices.Clone(yes))) || !no.equal(normal(slices.Clone(no))) {
			t.Fatalf("%v cut by %v %d: %v, %v are not in order", before, op, k, yes, no)
		}
		if len(yes) > 0 && len(no) > 0 { // changing one leaves the other as it is
			kept := slices.Clone(yes)
			for i := range no[:cap(no)] {
				no[:cap(no)][i] = span{}
			}
			if !yes.equal(kept) {
				t.Fatalf("%v cut by %v %d: parts share memory", before, op, k)
			}
		}
	}
}

// TestPreimage compares the numbers that arithmetic takes into a set with arithmetic on numbers.
func TestPreimage(t *testing.T) {
	rng := rand.New(rand.NewPCG(51, 1))
	codes := []uint16{filter.OpAndK, filter.OpOrK, filter.OpXorK, filter.OpLshK, filter.OpRshK, filter.OpMulK, filter.OpDivK, filter.OpAddK, filter.OpSubK, filter.OpNeg}
	exact, open := 0, 0
	for range 20000 {
		v := word(0)
		for range rng.IntN(5) {
			k := rng.Uint32() >> rng.IntN(32)
			if rng.IntN(2) == 0 {
				k = 1<<rng.IntN(32) - uint32(rng.IntN(2))
			}
			code := codes[rng.IntN(len(codes))]
			if code == filter.OpLshK || code == filter.OpRshK {
				k %= 32
			}
			if code == filter.OpDivK && k == 0 {
				k = 3
			}
			if v = apply(code, v, constant(k)); rng.IntN(8) == 0 {
				v = apply(filter.OpSubK, constant(k), v)
			}
		}
		lo := rng.Uint64N(1 << (1 + rng.IntN(32)))
		s := set{{lo, lo + rng.Uint64N(1<<32-lo)}}
		if rng.IntN(3) == 0 {
			s[0].hi = min(lo+rng.Uint64N(5), max32)
		}
		if rng.IntN(4) == 0 && !s.isAll(max32) {
			s = s.complement(max32)
		}
		in, ok := v.preimage(s, maxSpans)
		if !ok {
			open++
			continue
		}
		exact++
		for range 20 {
			w := rng.Uint32() >> rng.IntN(32)
			if n := len(in); n > 0 && rng.IntN(2) == 0 {
				sp := in[rng.IntN(n)]
				w = uint32(sp.lo) - rng.Uint32N(2)
				if rng.IntN(2) == 0 {
					w = uint32(sp.hi) + rng.Uint32N(2)
				}
			}
			if got, want := in.contains(uint64(w)), s.contains(uint64(v.eval(&assignment{w}))); got != want {
				t.Fatalf("%v in %v: %#x is in %v: %v, want %v", v, s, w, in, got, want)
			}
		}
	}
	if exact < 2000 || open < 1000 {
		t.Errorf("%d exact, %d left open", exact, open)
	}
}

// TestAtomSpans compares the spans of an atom with the atom.
func TestAtomSpans(t *testing.T) {
	rng := rand.New(rand.NewPCG(52, 1))
	some := 0
	for range 20000 {
		a := atom{op: relop(rng.IntN(6)), mask: rng.Uint32() | max32<<rng.IntN(32), xor: rng.Uint32() & rng.Uint32(), k: rng.Uint32()}
		if rng.IntN(2) == 0 {
			a.mask, a.xor = ^a.mask, 0
		}
		s, ok := a.spans(256)
		if !ok {
			continue
		}
		some++
		if !s.equal(normal(slices.Clone(s))) {
			t.Fatalf("%+v: %v", a, s)
		}
		for range 20 {
			w := rng.Uint32()
			if n := len(s); n > 0 && rng.IntN(2) == 0 {
				w = uint32(s[rng.IntN(n)].hi) + rng.Uint32N(2)
			}
			if s.contains(uint64(w)) != a.holds(w) {
				t.Fatalf("%+v: %v is wrong on %#x", a, s, w)
			}
		}
	}
	if some < 2000 {
		t.Errorf("%d atoms have spans", some)
	}
}
