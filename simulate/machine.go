package simulate

import (
	"encoding/binary"
	"slices"

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

// A table says where the comparisons after a load of the number lead.
type table struct {
	from uint32
	to   [tableSize]uint16 // by number from from on: the first instruction that is no jump
}

const (
	tableSize = 1024 // numbers: more than any ABI has
	tableMin  = 6    // comparisons; fewer are not worth one
	maxTables = 16   // of a program; each costs 2 KiB and as many steps as its comparisons take
	maxSteps  = 1 << 20
)

// addTables gives tables to the loads of the number that are followed by enough comparisons, in the
// order of the program, as long as maxTables and maxSteps allow.
func (m *Machine) addTables(p filter.Program) {
	if len(p) >= 1<<16 {
		return // which a table could not say; the loader would refuse it, too
	}
	steps, reached := 0, make([]int, len(p))
	for pc, in := range p {
		if in.Code != filter.OpLdAbs || in.K != filter.OffsetNr || len(m.tables) == maxTables {
			continue
		}
		constants := comparisons(p, pc+1, reached)
		if steps += len(constants); steps > maxSteps {
			return
		}
		from, ok := window(constants)
		if !ok {
			continue
		}
		t := &table{from: from}
		for i := range t.to {
			to, n := follow(p, pc+1, t.from+uint32(i))
			if steps += n; steps > maxSteps {
				return
			}
			t.to[i] = uint16(to)
		}
		m.ops[pc].code, m.ops[pc].arg = opTable, uint8(len(m.tables))
		m.tables = append(m.tables, t)
	}
}

// isTest reports whether an instruction changes nothing but the place.
func isTest(code uint16) bool {
	switch code {
	case filter.OpJa, filter.OpJeqK, filter.OpJgtK, filter.OpJgeK, filter.OpJsetK:
		return true
	}
	return false
}

// comparisons returns the constants of the tests that can come right after one another from pc on.
// What it reaches it marks with start, which must be another one each time.
func comparisons(p filter.Program, start int, reached []int) []uint32 {
	var constants []uint32
	last := start
	reach := func(pc int) {
		if pc < len(p) {
			reached[pc], last = start, max(last, pc)
		}
	}
	reach(start)
	for pc := start; pc <= last && pc < len(p); pc++ {
		in := p[pc]
		switch {
		case reached[pc] != start || !isTest(in.Code):
		case in.Code == filter.OpJa:
			if in.K < uint32(len(p)) {
				reach(pc + 1 + int(in.K))
			}
		default:
			constants = append(constants, in.K)
			reach(pc + 1 + int(in.Jt))
			reach(pc + 1 + int(in.Jf))
		}
	}
	return constants
}

// window returns the start of the lowest tableSize numbers that hold enough of the constants: those of
// x32, which share their comparisons with x86_64, are high above its own.
func window(constants []uint32) (from uint32, ok bool) {
	slices.Sort(constants)
	for i := 0; i+tableMin <= len(constants); i++ {
		if constants[i+tableMin-1]-constants[i] >= tableSize {
			continue
		}
		if constants[i] < tableSize/2 {
			return 0, true // numbers that no rule names are below, too
		}
		return constants[i], true
	}
	return 0, false
}

// follow goes through the tests from pc on with the value a in A.
func follow(p filter.Program, pc int, a uint32) (to, steps int) {
	for pc < len(p) && isTest(p[pc].Code) {
		in := p[pc]
		pc++
		steps++
		switch {
		case in.Code == filter.OpJa && in.K >= uint32(len(p)):
			pc = len(p)
		case in.Code == filter.OpJa:
			pc += int(in.K)
		case compare(in.Code, a, in.K):
			pc += int(in.Jt)
		default:
			pc += int(in.Jf)
		}
	}
	return min(pc, len(p)), steps
}
