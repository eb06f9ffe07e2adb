package flow

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/profcheck/profcheck/elfscan/internal/isa"
)

// randomValue makes a value as an analysis can: constants, parameters, variables, narrowed or not.
func randomValue(vs *Values, r *rand.Rand) ValueID {
	switch r.IntN(12) {
	case 0:
		return Unknown
	case 1:
		return vs.StackAddr(int64(r.IntN(8)) * -8)
	case 2:
		return vs.RegParam(isa.Reg(r.IntN(4)))
	case 3:
		return vs.StackParam(int64(r.IntN(66)))
	case 4:
		return vs.Cell(0x1000 + 8*uint64(r.IntN(4)))
	case 5:
		return vs.Narrow(randomValue(vs, r))
	case 6:
		return vs.SignExtend(randomValue(vs, r), []uint8{1, 2, 4}[r.IntN(3)])
	case 7:
		return vs.Join(randomValue(vs, r), randomValue(vs, r))
	case 8:
		return vs.Binary(isa.OpOr, randomValue(vs, r), vs.Constant(uint64(1)<<r.IntN(64)))
	default:
		return vs.Constant(r.Uint64() >> r.IntN(64))
	}
}

// within reports whether everything that a can be is something that b can be.
func within(vs *Values, a, b ValueID) bool {
	x, y := vs.Get(a), vs.Get(b)
	if a == b || y.Unknown {
		return true
	}
	if x.Unknown || x.Stack || y.Stack {
		return false
	}
	subset := func(p, q []uint64) bool {
		return !slices.ContainsFunc(p, func(v uint64) bool { return !slices.Contains(q, v) })
	}
	return subset(x.Consts, y.Consts) && subset(x.Cells, y.Cells) && x.Params[0]&^y.Params[0] == 0 && x.Params[1]&^y.Params[1] == 0 &&
		(!x.Derived() || x.Cut == y.Cut || x.Cut == CutNone) && subset(x.masks(), y.masks())
}

func TestJoin(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	vs := NewValues()
	for range 200000 {
		a, b, c := randomValue(vs, r), randomValue(vs, r), randomValue(vs, r)
		ab := vs.Join(a, b)
		if ab != vs.Join(b, a) {
			t.Fatalf("%+v and %+v: the order matters", *vs.Get(a), *vs.Get(b))
		}
		if vs.Join(a, a) != a || !vs.Get(ab).Unknown && vs.Join(ab, a) != ab {
			t.Fatalf("%+v with itself or what it is part of", *vs.Get(a))
		}
		if !within(vs, a, ab) || !within(vs, b, ab) {
			t.Fatalf("%+v and %+v give %+v", *vs.Get(a), *vs.Get(b), *vs.Get(ab))
		}
		if abc := vs.Join(ab, c); !within(vs, ab, abc) {
			t.Fatalf("%+v is not within %+v", *vs.Get(ab), *vs.Get(abc))
		}
	}
}

// Operations on sets of constants against the same on plain integers, one combination at a time.
func TestArithmetic(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	vs := NewValues()
	plain := map[isa.OpKind]func(a, b uint64) uint64{
		isa.OpAdd: func(a, b uint64) uint64 { return a + b },
		isa.OpSub: func(a, b uint64) uint64 { return a - b },
		isa.OpAnd: func(a, b uint64) uint64 { return a & b },
		isa.OpOr:  func(a, b uint64) uint64 { return a | b },
		isa.OpXor: func(a, b uint64) uint64 { return a ^ b },
		isa.OpShl: func(a, b uint64) uint64 { return a << (b % 64) },
		isa.OpShr: func(a, b uint64) uint64 { return a >> (b % 64) },
	}
	set := func() (ValueID, []uint64) {
		var all []uint64
		for range 1 + r.IntN(4) {
			all = append(all, r.Uint64()>>r.IntN(64))
		}
		all = sorted(all)
		return vs.Intern(Value{Consts: all}), all
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
			check(t, vs, vs.Binary(kind, a, b), want)
		}
		for size, extend := range map[uint8]func(uint64) uint64{
			1: func(v uint64) uint64 { return uint64(int8(v)) },
			2: func(v uint64) uint64 { return uint64(int16(v)) },
			4: func(v uint64) uint64 { return uint64(int32(v)) },
		} {
			check(t, vs, vs.SignExtend(a, size), mapConsts(as, extend))
		}
		check(t, vs, vs.Narrow(a), mapConsts(as, func(v uint64) uint64 { return uint64(uint32(v)) }))
	}
}

func check(t *testing.T, vs *Values, id ValueID, want []uint64) {
	t.Helper()
	if got, ok := vs.IsConst(id); !ok || !slices.Equal(got, sorted(want)) {
		t.Fatalf("got %+v, want %x", *vs.Get(id), want)
	}
}

// What is derived from a parameter must, once the parameter is known, be what the same operations
// give for that constant; or be unknown.
func TestAdapt(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	vs := NewValues()
	for range 100000 {
		param, c := vs.RegParam(0), r.Uint64()>>r.IntN(64)
		derived, want := param, c
		for range r.IntN(5) {
			switch bit := uint64(1) << r.IntN(64); r.IntN(3) {
			case 0:
				derived, want = vs.Narrow(derived), uint64(uint32(want))
			case 1:
				derived, want = vs.SignExtend(derived, 4), uint64(int64(int32(want)))
			case 2:
				derived, want = vs.Binary(isa.OpOr, derived, vs.Constant(bit)), want|bit
			}
		}
		v := *vs.Get(derived)
		if v.Unknown {
			continue
		}
		if got, ok := vs.IsConst(vs.Adapt(&v, vs.Constant(c))); !ok || !slices.Equal(got, []uint64{want}) {
			t.Fatalf("%#x: got %x, want %#x from %+v", c, got, want, v)
		}
	}
}

func TestManyConstants(t *testing.T) {
	vs := NewValues()
	id := vs.Constant(0)
	for c := range uint64(MaxConsts) {
		id = vs.Join(id, vs.Constant(c))
	}
	if c, ok := vs.IsConst(id); !ok || len(c) != MaxConsts {
		t.Fatalf("%d constants", len(c))
	}
	if !vs.Get(vs.Join(id, vs.Constant(MaxConsts))).Unknown {
		t.Error("one more is not unknown")
	}
}

func sorted(a []uint64) []uint64 {
	slices.Sort(a)
	return slices.Compact(a)
}

// TestTerms: the OR of two parameters is what a caller's values make of it, and unknown beside others.
func TestTerms(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	vs := NewValues()
	vs.Pointers = true
	conv := C(isa.AMD64)
	a, b := vs.RegParam(conv.Params[0]), vs.RegParam(conv.Params[1])
	low := vs.Binary(isa.OpOr, vs.Narrow(a), b)
	for range 10000 {
		var regs [MaxRegs]ValueID
		x, y := r.Uint64()>>r.IntN(64), r.Uint64()>>r.IntN(64)
		regs[conv.Params[0]], regs[conv.Params[1]] = vs.Constant(x), vs.Join(vs.Constant(y), vs.Constant(7))
		c := &Call{Regs: &regs}
		for id, of := range map[ValueID]func(x, y uint64) uint64{
			vs.Binary(isa.OpOr, a, b): func(x, y uint64) uint64 { return x | y },
			low:                       func(x, y uint64) uint64 { return x&0xffffffff | y },
			vs.Narrow(low):            func(x, y uint64) uint64 { return uint64(uint32(x | y)) },
			vs.SignExtend(vs.Binary(isa.OpOr, a, b), 4): func(x, y uint64) uint64 { return uint64(int32(x | y)) },
		} {
			if !vs.Get(id).Unknown || !vs.Open(id) {
				t.Fatalf("%+v", *vs.Get(id))
			}
			check(t, vs, vs.Subst(nil, conv, id, c), slices.Compact(sorted([]uint64{of(x, y), of(x, 7)})))
			up := regs
			up[conv.Params[0]] = vs.RegParam(3)
			if got := vs.Subst(nil, conv, id, &Call{Regs: &up}); x != 0 && !vs.Get(got).Unknown && vs.Get(got).Params.Empty() {
				t.Fatalf("a parameter became %+v", *vs.Get(got))
			}
			up[conv.Params[0]] = Unknown
			if got := vs.Subst(nil, conv, id, &Call{Regs: &up}); got != Unknown {
				t.Fatalf("unknown became %+v", *vs.Get(got))
			}
			for _, other := range []ValueID{vs.Constant(1), a, b, vs.StackAddr(8), vs.Binary(isa.OpOr, a, vs.Cell(0x1000))} {
				for _, got := range []ValueID{vs.Join(id, other), vs.Binary(isa.OpOr, id, other), vs.Binary(isa.OpAdd, id, other), vs.SignExtend(id, 2)} {
					if v := vs.Get(got); !v.Unknown || v.Terms.some() {
						t.Fatalf("%+v", *v)
					}
				}
			}
		}
	}
}
