package elfscan

import (
	"encoding/binary"
	"slices"

	"github.com/profcheck/profcheck/elfscan/internal/isa"
)

// value is what a register or stack slot can hold at one point of a function: constants, what the
// function's caller passed in, what memory at a fixed address holds, an address in the function's
// own stack frame, or anything (unknown). The kinds can be joined, except that a stack address
// joined with anything else is unknown.
type value struct {
	unknown bool
	stack   bool  // the address entrySP+off
	off     int64 //
	consts  []uint64
	params  paramSet
	cells   []uint64 // 8-byte variables in writable memory
	cut     cut      // what happened to params and cells on the way
	ors     []uint64 // and then: one of these constants was ORed in; nil for none
}

// paramSet is a set of entry parameters: bit r of the first word for register r, bit j of the
// second for the stack argument at entrySP + Machine.StackArg + 4*j.
type paramSet [2]uint64

func (p paramSet) empty() bool { return p[0]|p[1] == 0 }

// cut says that a value was narrowed after it was read.
type cut uint8

const (
	cutNone cut = iota
	cutZero     // low 32 bits, zero-extended
	cutSign     // low 32 bits, sign-extended
)

func (c cut) apply(v uint64) uint64 {
	switch c {
	case cutZero:
		return v & 0xffffffff
	case cutSign:
		return uint64(int64(int32(v)))
	}
	return v
}

// maxConsts bounds the constants of one value and the work of combining two; beyond it a value is
// unknown.
const maxConsts = 64

// valueID names an interned value. 0 is unknown.
type valueID uint32

const unknownID valueID = 0

// values interns values, so that states are small, equality is cheap and joins are remembered.
type values struct {
	all   []value
	ids   map[string]valueID
	joins map[[2]valueID]valueID
	key   []byte
}

func newValues() *values {
	vs := &values{ids: map[string]valueID{}, joins: map[[2]valueID]valueID{}}
	vs.intern(value{unknown: true})
	return vs
}

func (vs *values) get(id valueID) *value { return &vs.all[id] }

func (vs *values) intern(v value) valueID {
	if v.unknown && v.stack || len(v.consts) > maxConsts || len(v.cells) > maxConsts {
		v = value{unknown: true}
	}
	if v.params.empty() && len(v.cells) == 0 {
		v.cut, v.ors = cutNone, nil
	}
	if len(v.ors) > maxConsts {
		v = value{unknown: true}
	}
	k := vs.key[:0]
	flags := byte(v.cut) << 2
	if v.unknown {
		flags |= 1
	}
	if v.stack {
		flags |= 2
	}
	k = append(k, flags)
	k = binary.LittleEndian.AppendUint64(k, uint64(v.off))
	k = binary.LittleEndian.AppendUint64(k, v.params[0])
	k = binary.LittleEndian.AppendUint64(k, v.params[1])
	k = append(k, byte(len(v.consts)))
	for _, c := range v.consts {
		k = binary.LittleEndian.AppendUint64(k, c)
	}
	k = append(k, byte(len(v.cells)))
	for _, c := range v.cells {
		k = binary.LittleEndian.AppendUint64(k, c)
	}
	for _, c := range v.ors {
		k = binary.LittleEndian.AppendUint64(k, c)
	}
	vs.key = k
	if id, ok := vs.ids[string(k)]; ok {
		return id
	}
	id := valueID(len(vs.all))
	vs.all = append(vs.all, v)
	vs.ids[string(k)] = id
	return id
}

func (vs *values) constant(c uint64) valueID   { return vs.intern(value{consts: []uint64{c}}) }
func (vs *values) stackAddr(off int64) valueID { return vs.intern(value{stack: true, off: off}) }
func (vs *values) cell(addr uint64) valueID    { return vs.intern(value{cells: []uint64{addr}}) }

func (vs *values) regParam(r isa.Reg) valueID {
	return vs.intern(value{params: paramSet{1 << r}})
}

func (vs *values) stackParam(j int64) valueID {
	if j < 0 || j >= 64 {
		return unknownID
	}
	return vs.intern(value{params: paramSet{0, 1 << j}})
}

// isConst returns the constants of id if it can hold nothing else.
func (vs *values) isConst(id valueID) ([]uint64, bool) {
	v := vs.get(id)
	if v.unknown || v.stack || !v.params.empty() || len(v.cells) > 0 {
		return nil, false
	}
	return v.consts, true
}

// join returns a value that can hold what a or b can.
func (vs *values) join(a, b valueID) valueID {
	if a == b {
		return a
	}
	if a == unknownID || b == unknownID {
		// Constants beside unknown are kept for numbers: they are real even if not all.
		a, b = max(a, b), unknownID
	}
	if a > b {
		a, b = b, a
	}
	if id, ok := vs.joins[[2]valueID{a, b}]; ok {
		return id
	}
	x, y := *vs.get(a), *vs.get(b)
	var v value
	switch {
	case x.stack || y.stack:
		v.unknown = true
	case x.cut != y.cut && x.derived() && y.derived():
		v = value{unknown: true, consts: union(x.consts, y.consts)}
	default:
		v = value{unknown: x.unknown || y.unknown, consts: union(x.consts, y.consts), cells: union(x.cells, y.cells),
			params: paramSet{x.params[0] | y.params[0], x.params[1] | y.params[1]}, cut: max(x.cut, y.cut)}
		if x.ors != nil || y.ors != nil {
			v.ors = union(x.masks(), y.masks())
		}
	}
	id := vs.intern(v)
	vs.joins[[2]valueID{a, b}] = id
	return id
}

func (v *value) derived() bool { return !v.params.empty() || len(v.cells) > 0 }

// masks returns the constants that may have been ORed to what v is derived from.
func (v *value) masks() []uint64 {
	if v.ors == nil && v.derived() {
		return []uint64{0}
	}
	return v.ors
}

func union(a, b []uint64) []uint64 {
	if len(a) == 0 {
		return b
	}
	if len(b) == 0 {
		return a
	}
	u := append(slices.Clone(a), b...)
	slices.Sort(u)
	return slices.Compact(u)
}

// adapt does to x what v says was done to the parameters and variables that it is derived from.
func (vs *values) adapt(v *value, x valueID) valueID {
	switch v.cut {
	case cutZero:
		x = vs.narrow(x)
	case cutSign:
		x = vs.signExtend(x, 4)
	}
	if v.ors == nil {
		return x
	}
	var out valueID
	for i, mask := range v.ors {
		y := x
		if mask != 0 {
			y = vs.binary(isa.OpOr, x, vs.constant(mask))
		}
		if i == 0 {
			out = y
		} else {
			out = vs.join(out, y)
		}
	}
	return out
}

// narrow returns the low 32 bits of id, zero-extended.
func (vs *values) narrow(id valueID) valueID {
	v := *vs.get(id)
	switch {
	case v.stack:
		return unknownID
	case v.derived() && v.cut == cutSign:
		return vs.intern(value{unknown: true})
	}
	v.consts, v.ors = mapConsts(v.consts, cutZero.apply), mapConsts(v.ors, cutZero.apply)
	if v.derived() {
		v.cut = cutZero
	}
	return vs.intern(v)
}

// signExtend returns the low size bytes of id, sign-extended to 64 bits.
func (vs *values) signExtend(id valueID, size uint8) valueID {
	v := *vs.get(id)
	if v.stack || v.derived() && (size != 4 || v.ors != nil) {
		return unknownID
	}
	shift := 64 - 8*uint(size)
	v.consts = mapConsts(v.consts, func(c uint64) uint64 { return uint64(int64(c<<shift) >> shift) })
	if v.derived() {
		v.cut = cutSign
	}
	return vs.intern(v)
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

// binary computes a op b for constants, and for a stack address moved by a constant.
func (vs *values) binary(kind isa.OpKind, a, b valueID) valueID {
	x, y := vs.get(a), vs.get(b)
	if x.stack || y.stack {
		return vs.stackArith(kind, *x, *y)
	}
	if kind == isa.OpOr {
		if id, ok := vs.or(*x, *y); ok {
			return id
		}
	}
	cx, okx := vs.isConst(a)
	cy, oky := vs.isConst(b)
	if kind == isa.OpAnd && (okx && len(cx) == 1 && cx[0] == 0 || oky && len(cy) == 1 && cy[0] == 0) {
		return vs.constant(0)
	}
	if !okx || !oky || len(cx)*len(cy) > maxConsts {
		return unknownID
	}
	out := make([]uint64, 0, len(cx)*len(cy))
	for _, p := range cx {
		for _, q := range cy {
			out = append(out, arith(kind, p, q))
		}
	}
	slices.Sort(out)
	return vs.intern(value{consts: slices.Compact(out)})
}

// or keeps what is derived from parameters when one constant is ORed to it, as flags are. The
// constants beside it take part too.
func (vs *values) or(x, y value) (valueID, bool) {
	if y.derived() {
		x, y = y, x
	}
	if !x.derived() || y.derived() || y.unknown || len(y.consts) != 1 {
		return 0, false
	}
	set := func(v uint64) uint64 { return v | y.consts[0] }
	x.consts, x.ors = mapConsts(x.consts, set), mapConsts(x.masks(), set)
	return vs.intern(x), true
}

func (vs *values) stackArith(kind isa.OpKind, x, y value) valueID {
	one := func(v value) (int64, bool) {
		if v.unknown || v.stack || v.derived() || len(v.consts) != 1 {
			return 0, false
		}
		return int64(v.consts[0]), true
	}
	switch kind {
	case isa.OpAdd:
		if y.stack {
			x, y = y, x
		}
		if n, ok := one(y); ok {
			return vs.stackAddr(x.off + n)
		}
	case isa.OpSub:
		if n, ok := one(y); ok && x.stack {
			return vs.stackAddr(x.off - n)
		}
	}
	return unknownID
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
