package simulate

import (
	"encoding/binary"

	"github.com/profcheck/profcheck/filter"
)

// A Machine is a program prepared for many runs in one byte order. It gives what Run gives. It is
// never changed, and so may be used by several goroutines at once.
//
// Two things make it fast. A load knows which half of which field it reads, so that no words are
// laid out before a run. And where a load is followed by nothing but comparisons with constants, as
// a filter does with the number of the call, a table says for a stretch of numbers where they lead,
// as a compiler does with a switch.
type Machine struct {
	ops    []op
	tables []*table
}

// An op is one instruction. Jumps are relative, as in the program.
type op struct {
	code   uint8
	arg    uint8 // of opLow and opHigh: the argument; of opTable: the table
	jt, jf uint8
	k      uint32
}

// The codes that Machine.Run deals with itself come first; for the others it goes on in finish.
const (
	opNr = iota
	opArch
	opLow // the low half of an argument
	opHigh
	opTable
	opJeqK
	opJgtK
	opJgeK
	opJsetK
	opAndK
	opJa
	opRetK
	opRetA
	opImm // also len
	opIPLow
	opIPHigh
	opLdxImm
	opLdMem
	opLdxMem
	opSt
	opStx
	opTax
	opTxa
	opJeqX
	opJgtX
	opJgeX
	opJsetX
	opAlu = 0x40 // and above: arithmetic, by its code / 4, which keeps the bit of the operand
)

// plainOps are the instructions that need no preparation but another code.
var plainOps = map[uint16]uint8{
	filter.OpJeqK: opJeqK, filter.OpJgtK: opJgtK, filter.OpJgeK: opJgeK, filter.OpJsetK: opJsetK,
	filter.OpAndK: opAndK, filter.OpJa: opJa, filter.OpRetK: opRetK, filter.OpRetA: opRetA,
	filter.OpLdImm: opImm, filter.OpLdxImm: opLdxImm, filter.OpLdMem: opLdMem, filter.OpLdxMem: opLdxMem,
	filter.OpSt: opSt, filter.OpStx: opStx, filter.OpTax: opTax, filter.OpTxa: opTxa,
	filter.OpJeqX: opJeqX, filter.OpJgtX: opJgtX, filter.OpJgeX: opJgeX, filter.OpJsetX: opJsetX,
}

// NewMachine prepares a program, which must have passed Verify; of others no more is promised than
// Run does. A nil order is little-endian. It takes some hundred microseconds for a thousand
// instructions, and a few milliseconds at most: for a single call Run is better.
func NewMachine(p filter.Program, order binary.ByteOrder) *Machine {
	m := &Machine{ops: make([]op, len(p))}
	big := filter.IsBigEndian(order)
	for pc, in := range p {
		m.ops[pc] = prepare(in, big)
	}
	m.addTables(p)
	return m
}

func prepare(in filter.Insn, big bool) op {
	o := op{jt: in.Jt, jf: in.Jf, k: in.K}
	switch in.Code {
	case filter.OpLdAbs:
		o.code, o.arg = prepareLoad(in.K>>2&15, big)
	case filter.OpLdLen:
		o.code, o.k = opImm, filter.DataSize
	case filter.OpLdxLen:
		o.code, o.k = opLdxImm, filter.DataSize
	default:
		code, plain := plainOps[in.Code]
		switch {
		case plain:
			o.code = code
		case in.Code&7 == filter.ClassAlu && in.Code < 0x100:
			o.code = opAlu + uint8(in.Code>>2)
		default: // no instruction
			o.code, o.k = opRetK, uint32(filter.KillThread)
		}
	}
	return o
}

// prepareLoad tells what word i of seccomp_data is.
func prepareLoad(i uint32, big bool) (code, arg uint8) {
	low := (i&1 == 0) != big
	switch {
	case i == 0:
		return opNr, 0
	case i == 1:
		return opArch, 0
	case i < 4 && low:
		return opIPLow, 0
	case i < 4:
		return opIPHigh, 0
	case low:
		return opLow, uint8(i-4) / 2
	}
	return opHigh, uint8(i-4) / 2
}

// Run returns what the filter returns for a call. It does not allocate.
func (m *Machine) Run(d *filter.Data) filter.Action {
	ops := m.ops
	var a uint32
	for pc := uint64(0); pc < uint64(len(ops)); {
		o := &ops[pc]
		pc++
		taken := false
		switch o.code {
		case opNr:
			a = uint32(d.Nr)
			continue
		case opArch:
			a = d.Arch
			continue
		case opLow:
			a = uint32(d.Args[o.arg])
			continue
		case opHigh:
			a = uint32(d.Args[o.arg] >> 32)
			continue
		case opTable:
			a = uint32(d.Nr)
			if t := m.tables[o.arg]; a-t.from < tableSize {
				pc = uint64(t.to[a-t.from])
			}
			continue
		case opJeqK:
			taken = a == o.k
		case opJgtK:
			taken = a > o.k
		case opJgeK:
			taken = a >= o.k
		case opJsetK:
			taken = a&o.k != 0
		case opAndK:
			a &= o.k
			continue
		case opJa:
			pc += uint64(o.k)
			continue
		case opRetK:
			return filter.Action(o.k)
		case opRetA:
			return filter.Action(a)
		default:
			return m.finish(d, pc-1, a)
		}
		if taken {
			pc += uint64(o.jt)
		} else {
			pc += uint64(o.jf)
		}
	}
	return filter.KillThread
}

// finish goes on at pc, where X and the scratch memory are used for the first time: as long as they
// are not, Run need not keep them.
func (m *Machine) finish(d *filter.Data, pc uint64, a uint32) filter.Action {
	ops := m.ops
	var x uint32
	var mem [filter.MemWords]uint32
	for pc < uint64(len(ops)) {
		o := &ops[pc]
		pc++
		taken := false
		switch o.code {
		case opNr, opTable:
			a = uint32(d.Nr)
			continue
		case opArch:
			a = d.Arch
			continue
		case opLow:
			a = uint32(d.Args[o.arg])
			continue
		case opHigh:
			a = uint32(d.Args[o.arg] >> 32)
			continue
		case opIPLow:
			a = uint32(d.IP)
			continue
		case opIPHigh:
			a = uint32(d.IP >> 32)
			continue
		case opImm:
			a = o.k
			continue
		case opLdxImm:
			x = o.k
			continue
		case opLdMem:
			a = mem[o.k%filter.MemWords]
			continue
		case opLdxMem:
			x = mem[o.k%filter.MemWords]
			continue
		case opSt:
			mem[o.k%filter.MemWords] = a
			continue
		case opStx:
			mem[o.k%filter.MemWords] = x
			continue
		case opTax:
			x = a
			continue
		case opTxa:
			a = x
			continue
		case opJeqK:
			taken = a == o.k
		case opJgtK:
			taken = a > o.k
		case opJgeK:
			taken = a >= o.k
		case opJsetK:
			taken = a&o.k != 0
		case opJeqX:
			taken = a == x
		case opJgtX:
			taken = a > x
		case opJgeX:
			taken = a >= x
		case opJsetX:
			taken = a&x != 0
		case opAndK:
			a &= o.k
			continue
		case opJa:
			pc += uint64(o.k)
			continue
		case opRetK:
			return filter.Action(o.k)
		case opRetA:
			return filter.Action(a)
		default:
			code, operand := uint16(o.code-opAlu)<<2, o.k
			if code&filter.SrcX != 0 {
				operand = x
			}
			var ok bool
			if a, ok = alu(code, a, operand); !ok {
				return filter.KillThread
			}
			continue
		}
		if taken {
			pc += uint64(o.jt)
		} else {
			pc += uint64(o.jf)
		}
	}
	return filter.KillThread
}
