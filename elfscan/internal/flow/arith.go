package flow

import (
	"slices"

	"github.com/profcheck/profcheck/elfscan/internal/isa"
)

// Adapt does to x what v says was done to the parameters and variables that it is derived from.
func (vs *Values) Adapt(v *Value, x ValueID) ValueID {
	if v.Off != 0 && v.Derived() {
		x = vs.Binary(isa.OpAdd, x, vs.Constant(uint64(v.Off)))
	}
	switch v.Cut {
	case CutZero:
		x = vs.Narrow(x)
	case CutSign:
		x = vs.SignExtend(x, 4)
	}
	if v.Ors == nil {
		return x
	}
	var out ValueID
	for i, mask := range v.Ors {
		y := x
		if mask != 0 {
			y = vs.Binary(isa.OpOr, x, vs.Constant(mask))
		}
		if i == 0 {
			out = y
		} else {
			out = vs.Join(out, y)
		}
	}
	return out
}

// Narrow returns the low 32 bits of id, zero-extended.
func (vs *Values) Narrow(id ValueID) ValueID {
	if v := vs.Get(id); id == Unknown || len(v.Consts) == 1 && v.Consts[0]>>32 == 0 && v.plain() {
		return id
	}
	known := vs.results[isa.OpNop]
	out, ok := known[uint64(id)]
	if !ok {
		out = vs.narrow(id)
		known[uint64(id)] = out
	}
	return out
}

func (vs *Values) narrow(id ValueID) ValueID {
	v := *vs.Get(id)
	switch {
	case v.Terms.some():
		return vs.Binary(isa.OpOr, vs.Narrow(v.Terms[0]), vs.Narrow(v.Terms[1]))
	case v.Stack || v.Table.Size > 4 || v.Table.Signed || v.Table.Based:
		return Unknown
	case v.Derived() && v.Cut == CutSign:
		return vs.Intern(Value{Unknown: true})
	}
	v.Byte = false
	v.Consts, v.Ors = mapConsts(v.Consts, CutZero.apply), mapConsts(v.Ors, CutZero.apply)
	if v.Derived() {
		v.Cut = CutZero
	}
	return vs.Intern(v)
}

// SignExtend returns the low size bytes of id, sign-extended to 64 bits.
func (vs *Values) SignExtend(id ValueID, size uint8) ValueID {
	v := *vs.Get(id)
	if v.Terms.some() && size == 4 {
		return vs.Binary(isa.OpOr, vs.SignExtend(v.Terms[0], 4), vs.SignExtend(v.Terms[1], 4))
	}
	if v.Stack || v.Terms.some() || v.Derived() && (size != 4 || v.Ors != nil) {
		return Unknown
	}
	if v.Table.Size != 0 {
		if v.Table.Size != size || v.Table.Shift != 0 || v.Table.Based {
			return Unknown
		}
		v.Table.Signed = true
	}
	v.Byte = false
	shift := 64 - 8*uint(size)
	v.Consts = mapConsts(v.Consts, func(c uint64) uint64 { return uint64(int64(c<<shift) >> shift) })
	if v.Derived() {
		v.Cut = CutSign
	}
	return vs.Intern(v)
}

func mapConsts(cs []uint64, f func(uint64) uint64) []uint64 {
	if len(cs) == 0 {
		return nil
	}
	out := make([]uint64, len(cs))
	for i, c := range cs {
		out[i] = f(c)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Binary computes a op b for constants, and for a stack address moved by a constant.
func (vs *Values) Binary(kind isa.OpKind, a, b ValueID) ValueID {
	x, y := vs.Get(a), vs.Get(b)
	switch {
	case len(x.Consts) == 1 && len(y.Consts) == 1 && x.plain() && y.plain():
		return vs.Constant(arith(kind, x.Consts[0], y.Consts[0]))
	case (a == Unknown || b == Unknown) && kind != isa.OpAnd:
		return Unknown
	}
	known := vs.results[kind]
	id, ok := known[pair(a, b)]
	if !ok {
		id = vs.binary(kind, a, b)
		known[pair(a, b)] = id
	}
	return id
}

func (vs *Values) binary(kind isa.OpKind, a, b ValueID) ValueID {
	x, y := vs.Get(a), vs.Get(b)
	switch {
	case x.Stack || y.Stack:
		return vs.stackArith(kind, *x, *y)
	case x.Table.Size|y.Table.Size != 0:
		return vs.tableArith(kind, *x, *y)
	case x.Byte && kind == isa.OpAnd && y.plain() && len(y.Consts) == 1 && y.Consts[0] == 0xff:
		return vs.Intern(Value{Consts: x.Consts})
	case vs.Pointers && (x.Derived() || y.Derived()) && (kind == isa.OpAdd || kind == isa.OpSub):
		return vs.displace(kind, *x, *y)
	}
	if kind == isa.OpOr {
		if id, ok := vs.or(*x, *y); ok {
			return id
		}
		if vs.Pointers && x.term() && y.term() {
			return vs.Intern(Value{Unknown: true, Terms: Terms{min(a, b), max(a, b)}})
		}
	}
	cx, okx := vs.IsConst(a)
	cy, oky := vs.IsConst(b)
	if kind == isa.OpAnd && (okx && len(cx) == 1 && cx[0] == 0 || oky && len(cy) == 1 && cy[0] == 0) {
		return vs.Constant(0)
	}
	if !okx || !oky || len(cx)*len(cy) > MaxConsts {
		return Unknown
	}
	out := make([]uint64, 0, len(cx)*len(cy))
	for _, p := range cx {
		for _, q := range cy {
			out = append(out, arith(kind, p, q))
		}
	}
	slices.Sort(out)
	return vs.Intern(Value{Consts: slices.Compact(out)})
}

// plain reports whether v is constants only.
func (v *Value) plain() bool { return !v.Unknown && !v.Stack && !v.Derived() }

// displace adds a constant to what is derived from a parameter or variable.
func (vs *Values) displace(kind isa.OpKind, x, y Value) ValueID {
	if kind == isa.OpAdd && y.Derived() {
		x, y = y, x
	}
	if !x.Derived() || x.Cut != CutNone || x.Ors != nil || !y.plain() || len(y.Consts) != 1 {
		return Unknown
	}
	n := y.Consts[0]
	if kind == isa.OpSub {
		n = -n
	}
	x.Off += int64(n)
	x.Consts = mapConsts(x.Consts, func(c uint64) uint64 { return c + n })
	return vs.Intern(x)
}

// or keeps what is derived from parameters when one constant is ORed to it, as flags are. The
// constants beside it take part too.
func (vs *Values) or(x, y Value) (ValueID, bool) {
	if y.Derived() {
		x, y = y, x
	}
	if !x.Derived() || y.Derived() || y.Unknown || len(y.Consts) != 1 {
		return 0, false
	}
	set := func(v uint64) uint64 { return v | y.Consts[0] }
	x.Consts, x.Ors = mapConsts(x.Consts, set), mapConsts(x.masks(), set)
	return vs.Intern(x), true
}

func (vs *Values) stackArith(kind isa.OpKind, x, y Value) ValueID {
	one := func(v Value) (int64, bool) {
		if v.Unknown || v.Stack || v.Derived() || len(v.Consts) != 1 {
			return 0, false
		}
		return int64(v.Consts[0]), true
	}
	switch kind {
	case isa.OpAdd:
		if y.Stack {
			x, y = y, x
		}
		if n, ok := one(y); ok {
			return vs.StackAddr(x.Off + n)
		}
	case isa.OpSub:
		if n, ok := one(y); ok && x.Stack {
			return vs.StackAddr(x.Off - n)
		}
	}
	return Unknown
}

func arith(kind isa.OpKind, a, b uint64) uint64 {
	switch kind {
	case isa.OpAdd:
		return a + b
	case isa.OpSub:
		return a - b
	case isa.OpAnd:
		return a & b
	case isa.OpOr:
		return a | b
	case isa.OpXor:
		return a ^ b
	case isa.OpShl:
		return a << (b & 63)
	default: // isa.OpShr
		return a >> (b & 63)
	}
}
