package code

import "github.com/profcheck/profcheck/elfscan/internal/isa"

// jumpTable is what is known of a table that a computed jump reads.
type jumpTable struct {
	at     uint64 // where it begins, 0 if not known
	base   uint64 // what its entries are relative to, 0 if that is not known
	size   uint8  // bytes of an entry
	shift  uint8  // how far an entry is shifted
	signed bool
	whole  bool // entries are addresses
}

// value is what a register holds, as far as finding a table needs to know.
type value struct {
	kind  valueKind
	addr  uint64 // constant
	table jumpTable
}

type valueKind uint8

const (
	unknown  valueKind = iota
	constant           // addr
	loaded             // an entry of table
	sum                // an entry added to its base
)

// table recognises the computed jump that insn begins with, by the code before it, which lies at
// pc: a table's entry is loaded with an index, widened, and added to the table or to a label. It
// reports false for any other jump.
func (x *extractor) table(code []byte, pc uint64, insn []byte) (jumpTable, bool) {
	var regs [32]value
	var ops []isa.Op
	for len(code) > 0 {
		var n int
		if ops, n = x.mach.Decode(code, pc, ops[:0]); n == 0 {
			n = min(len(code), x.step())
		}
		for i := range ops {
			step(&regs, &ops[i])
		}
		code, pc = code[n:], pc+uint64(n)
	}
	ops, _ = x.mach.Decode(insn, pc, ops[:0])
	for i := range ops {
		if ops[i].Kind != isa.OpJumpInd {
			continue
		}
		v := read(&regs, &ops[i].A)
		switch {
		case v.kind == sum:
			return v.table, true
		case v.kind == loaded && v.table.size == 8 && v.table.shift == 0:
			v.table.whole = true
			return v.table, true
		}
	}
	return jumpTable{}, false
}

// step applies op to regs.
func step(regs *[32]value, op *isa.Op) {
	var v value
	switch op.Kind {
	case isa.OpSet:
		v = read(regs, &op.A)
	case isa.OpSignExtend:
		if v = read(regs, &op.A); v.kind == loaded {
			v.table.signed = true
		} else {
			v = value{}
		}
	case isa.OpAnd: // widening
		if v = read(regs, &op.A); v.kind != loaded {
			v = value{}
		}
	case isa.OpShl:
		if v = read(regs, &op.A); v.kind == loaded && op.B.Kind == isa.Imm && op.B.Value < 8 {
			v.table.shift += uint8(op.B.Value)
		} else {
			v = value{}
		}
	case isa.OpAdd:
		v = add(read(regs, &op.A), read(regs, &op.B), op.B.Kind == isa.Imm)
	case isa.OpCall, isa.OpCallInd, isa.OpSyscall, isa.OpInt80:
		*regs = [32]value{}
		return
	case isa.OpSub, isa.OpOr, isa.OpXor, isa.OpShr, isa.OpSelect, isa.OpForget:
	default:
		return
	}
	for r := range regs {
		if op.Clobber.Has(isa.Reg(r)) {
			regs[r] = value{}
		}
	}
	if op.Dst.Kind == isa.RegOp && op.Dst.Reg < 32 {
		regs[op.Dst.Reg] = v
	}
}

// read returns the value of an operand.
func read(regs *[32]value, o *isa.Operand) value {
	reg := func(r isa.Reg) value {
		if r < 32 {
			return regs[r]
		}
		return value{}
	}
	switch o.Kind {
	case isa.RegOp:
		return reg(o.Reg)
	case isa.Imm:
		return value{kind: constant, addr: uint64(o.Value)}
	case isa.Addr:
		if o.Reg == isa.NoReg && o.Index == isa.NoReg {
			return value{kind: constant, addr: uint64(o.Value)}
		}
		if i := reg(o.Index); o.Index != isa.NoReg && i.kind == loaded && o.Value == 0 {
			i.table.shift += shiftOf[o.Scale&15]
			return add(reg(o.Reg), i, false)
		}
	case isa.Mem:
		if o.Index == isa.NoReg {
			return value{}
		}
		t := jumpTable{size: o.Size}
		switch b := reg(o.Reg); {
		case o.Reg == isa.NoReg:
			t.at = uint64(o.Value)
		case b.kind == constant:
			t.at = b.addr + uint64(o.Value)
		}
		return value{kind: loaded, table: t}
	}
	return value{}
}

// shiftOf gives the logarithm of a scale.
var shiftOf = [16]uint8{2: 1, 4: 2, 8: 3}

// add adds two values.
func add(a, b value, imm bool) value {
	switch {
	case a.kind == constant && b.kind == constant:
		return value{kind: constant, addr: a.addr + b.addr}
	case b.kind == loaded && !imm:
		a, b = b, a
		fallthrough
	case a.kind == loaded && !imm:
		a.kind = sum
		if b.kind == constant {
			a.table.base = b.addr
		}
		return a
	}
	return value{}
}

// tableLimit bounds the entries of a jump table; those of real programs have some thousands.
const tableLimit = 1 << 16

// entry returns where entry i of a table leads.
func (x *extractor) entry(t *jumpTable, i int) (uint64, bool) {
	b := x.m.Bytes(t.at+uint64(i)*uint64(t.size), uint64(t.size))
	if b == nil {
		return 0, false
	}
	var v uint64
	switch t.size {
	case 1:
		if v = uint64(b[0]); t.signed {
			v = uint64(int8(b[0]))
		}
	case 2:
		if v = uint64(le.Uint16(b)); t.signed {
			v = uint64(int16(le.Uint16(b)))
		}
	case 4:
		if v = uint64(le.Uint32(b)); t.signed {
			v = uint64(int32(le.Uint32(b)))
		}
	case 8:
		v = le.Uint64(b)
	default:
		return 0, false
	}
	if t.whole {
		return v, x.region(v) != nil
	}
	v = t.base + v<<t.shift
	return v, x.region(v) != nil
}

// entries appends where the entries of a table lead that code at pc reads, until one leads nowhere
// or into a function with bounds.
func (w *walker) entries(t jumpTable, pc uint64, out []uint64) []uint64 {
	if t.base == 0 && !t.whole {
		t.base = t.at
	}
	if t.at == 0 {
		return out
	}
	for i := range tableLimit {
		to, ok := w.entry(&t, i)
		if !ok || w.gap(to) == nil || t.size < 4 && w.gap(to) != w.gap(pc) {
			break
		}
		if i > 0 && t.size < 4 && t.at+uint64(i)*uint64(t.size) == t.base {
			break
		}
		out = append(out, to)
	}
	return out
}
