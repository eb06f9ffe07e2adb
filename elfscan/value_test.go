package elfscan

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/profcheck/profcheck/elfscan/internal/isa"
)

// randomValue makes a value as an analysis can: constants, parameters, variables, narrowed or not.
func randomValue(vs *values, r *rand.Rand) valueID {
	switch r.IntN(12) {
	case 0:
		return unknownID
	case 1:
		return vs.stackAddr(int64(r.IntN(8)) * -8)
	case 2:
		return vs.regParam(isa.Reg(r.IntN(4)))
	case 3:
		return vs.stackParam(int64(r.IntN(66)))
	case 4:
		return vs.cell(0x1000 + 8*uint64(r.IntN(4)))
	case 5:
		return vs.narrow(randomValue(vs, r))
	case 6:
		return vs.signExtend(randomValue(vs, r), []uint8{1, 2, 4}[r.IntN(3)])
	case 7:
		return vs.join(randomValue(vs, r), randomValue(vs, r))
	case 8:
		return vs.binary(isa.OpOr, randomValue(vs, r), vs.constant(uint64(1)<<r.IntN(64)))
	default:
		return vs.constant(r.Uint64() >> r.IntN(64))
	}
}

// within reports whether everything that a can be is something that b can be.
func within(vs *values, a, b valueID) bool {
	x, y := vs.get(a), vs.get(b)
	if a == b || y.unknown {
		return true
	}
	if x.unknown || x.stack || y.stack {
		return false
	}
	subset := func(p, q []uint64) bool {
		return !slices.ContainsFunc(p, func(v uint64) bool { return !slices.Contains(q, v) })
	}
	return subset(x.consts, y.consts) && subset(x.cells, y.cells) && x.params[0]&^y.params[0] == 0 && x.params[1]&^y.params[1] == 0 &&
		(!x.derived() || x.cut == y.cut || x.cut == cutNone) && subset(x.masks(), y.masks())
}

func TestJoin(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	vs := newValues()
	for range 200000 {
		a, b, c := randomValue(vs, r), randomValue(vs, r), randomValue(vs, r)
		ab := vs.join(a, b)
		if ab != vs.join(b, a) {
			t.Fatalf("%+v and %+v: the order matters", *vs.get(a), *vs.get(b))
		}
		if vs.join(a, a) != a || !vs.get(ab).unknown && vs.join(ab, a) != ab {
			t.Fatalf("%+v with itself or what it is part of", *vs.get(a))
		}
		if !within(vs, a, ab) || !within(vs, b, ab) {
			t.Fatalf("%+v and %+v give %+v", *vs.get(a), *vs.get(b), *vs.get(ab))
		}
		if abc := vs.join(ab, c); !within(vs, ab, abc) {
			t.Fatalf("%+v is not within %+v", *vs.get(ab), *vs.get(abc))
		}
	}
}

// Operations on sets of constants against the same on plain integers, one combination at a time.
func TestArithmetic(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	vs := newValues()
	plain := map[isa.OpKind]func(a, b uint64) uint64{
		isa.OpAdd: func(a, b uint64) uint64 { return a + b },
		isa.OpSub: func(a, b uint64) uint64 { return a - b },
		isa.OpAnd: func(a, b uint64) uint64 { return a & b },
		isa.OpOr:  func(a, b uint64) uint64 { return a | b },
		isa.OpXor: func(a, b uint64) uint64 { return a ^ b },
		isa.OpShl: func(a, b uint64) uint64 { return a << (b % 64) },
		isa.OpShr: func(a, b uint64) uint64 { return a >> (b % 64) },
	}
	set := func() (valueID, []uint64) {
		var all []uint64
		for range 1 + r.IntN(4) {
			all = append(all, r.Uint64()>>r.IntN(64))
		}
		all = sorted(all)
		return vs.intern(value{consts: all}), all
	}
	for range 20000 {
		a, as := set()
		b, bs := set()
		for kind, op := range plain {
			var want []uint64
			for _, x := range as {
				for _, y := range bs {
					want = append(want, op(x, y))
				}
			}
			check(t, vs, vs.binary(kind, a, b), want)
		}
		for size, extend := range map[uint8]func(uint64) uint64{
			1: func(v uint64) uint64 { return uint64(int8(v)) },
			2: func(v uint64) uint64 { return uint64(int16(v)) },
			4: func(v uint64) uint64 { return uint64(int32(v)) },
		} {
			check(t, vs, vs.signExtend(a, size), mapConsts(as, extend))
		}
		check(t, vs, vs.narrow(a), mapConsts(as, func(v uint64) uint64 { return uint64(uint32(v)) }))
	}
}

func check(t *testing.T, vs *values, id valueID, want []uint64) {
	t.Helper()
	if got, ok := vs.isConst(id); !ok || !slices.Equal(got, sorted(want)) {
		t.Fatalf("got %+v, want %x", *vs.get(id), want)
	}
}

// What is derived from a parameter must, once the parameter is known, be what the same operations
// give for that constant; or be unknown.
func TestAdapt(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	vs := newValues()
	for range 100000 {
		param, c := vs.regParam(0), r.Uint64()>>r.IntN(64)
		derived, want := param, c
		for range r.IntN(5) {
			switch bit := uint64(1) << r.IntN(64); r.IntN(3) {
			case 0:
				derived, want = vs.narrow(derived), uint64(uint32(want))
			case 1:
				derived, want = vs.signExtend(derived, 4), uint64(int64(int32(want)))
			case 2:
				derived, want = vs.binary(isa.OpOr, derived, vs.constant(bit)), want|bit
			}
		}
		v := *vs.get(derived)
		if v.unknown {
			continue
		}
		if got, ok := vs.isConst(vs.adapt(&v, vs.constant(c))); !ok || !slices.Equal(got, []uint64{want}) {
			t.Fatalf("%#x: got %x, want %#x from %+v", c, got, want, v)
		}
	}
}

func TestManyConstants(t *testing.T) {
	vs := newValues()
	id := vs.constant(0)
	for c := range uint64(maxConsts) {
		id = vs.join(id, vs.constant(c))
	}
	if c, ok := vs.isConst(id); !ok || len(c) != maxConsts {
		t.Fatalf("%d constants", len(c))
	}
	if !vs.get(vs.join(id, vs.constant(maxConsts))).unknown {
		t.Error("one more is not unknown")
	}
}
