package flow

import (
	"encoding/binary"
	"slices"

	"github.com/profcheck/profcheck/elfscan/internal/isa"
)

// mentioned returns the general registers that an instruction may read, by its encoding, and whether
// it may access memory. It is for instructions that no Op describes, and says rather too much: of a
// vector register the general one with the same number. Those that only compare read nothing.
func mentioned(m *isa.Machine, code []byte) (regs isa.RegSet, memory bool) {
	if m == isa.ARM64 {
		return mentionedARM64(code)
	}
	return mentionedAMD64(code)
}

const allRegs = isa.RegSet(1<<MaxRegs - 1)

func mentionedARM64(code []byte) (isa.RegSet, bool) {
	if len(code) != 4 {
		return allRegs, true
	}
	w := binary.LittleEndian.Uint32(code)
	switch {
	case w&0xfffff01f == 0xd503201f: // hints
		return 0, false
	case w&0x7f00001f == 0x7100001f, w&0x7f00001f == 0x6b00001f, w&0x7f00001f == 0x6a00001f, w&0x7f80001f == 0x7200001f, w&0x3fe00410 == 0x3a400000 && w>>30&1 == 1: // CMP, TST, CCMP
		return 0, false
	}
	regs := isa.Regs(isa.Reg(w&31), isa.Reg(w>>5&31), isa.Reg(w>>10&31), isa.Reg(w>>16&31))
	return regs, w>>25&5 == 4 // the group of loads and stores
}

// amd64 is an instruction of the classic encoding.
type amd64 struct {
	op      byte
	table   byte   // 1: one byte, 2: behind 0F, 3: behind 0F 38 and 0F 3A
	rest    []byte // behind the opcode
	r, x, b isa.Reg
}

func readAMD64(code []byte) (a amd64, ok bool) {
	for len(code) > 0 && slices.Contains(prefixes, code[0]) {
		code = code[1:]
	}
	if len(code) > 0 && code[0]&0xf0 == 0x40 {
		a.r, a.x, a.b = isa.Reg(code[0]&4<<1), isa.Reg(code[0]&2<<2), isa.Reg(code[0]&1<<3)
		code = code[1:]
	}
	switch {
	case len(code) == 0 || slices.Contains(extended, code[0]):
		return a, false
	case code[0] != 0x0f:
		a.table, a.op, a.rest = 1, code[0], code[1:]
	case len(code) > 2 && (code[1] == 0x38 || code[1] == 0x3a):
		a.table, a.op, a.rest = 3, code[2], code[3:]
	case len(code) > 1:
		a.table, a.op, a.rest = 2, code[1], code[2:]
	default:
		return a, false
	}
	return a, true
}

var (
	prefixes = []byte{0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65}
	extended = []byte{0xc4, 0xc5, 0x62, 0x8f} // VEX, EVEX, XOP; POP to memory has Ops
)

// implied are the registers that instructions read without naming them.
const implied = isa.RegSet(0xcf) // RAX RCX RDX RBX RSI RDI

func mentionedAMD64(code []byte) (isa.RegSet, bool) {
	a, ok := readAMD64(code)
	switch {
	case !ok:
		return allRegs, true
	case a.compares():
		return 0, false
	case !a.hasModRM() || len(a.rest) == 0:
		return implied | isa.Regs(isa.Reg(a.op&7), isa.Reg(a.op&7)|a.b), true
	}
	b := a.rest[0]
	regs := isa.Regs(isa.Reg(b>>3&7) | a.r)
	if a.readsImplied() {
		regs |= implied
	}
	if b >= 0xc0 {
		return regs | isa.Regs(isa.Reg(b&7)|a.b), false
	}
	switch {
	case b&7 == 4 && len(a.rest) > 1:
		sib := a.rest[1]
		if sib&7 != 5 || b >= 0x40 {
			regs |= isa.Regs(isa.Reg(sib&7) | a.b)
		}
		if index := isa.Reg(sib>>3&7) | a.x; index != 4 {
			regs |= isa.Regs(index)
		}
	case b&0xc7 != 5: // not relative to RIP
		regs |= isa.Regs(isa.Reg(b&7) | a.b)
	}
	return regs, true
}

// compares reports whether the instruction sets flags only, or nothing: CMP, TEST, BT, NOP, ENDBR64
// and prefetches.
func (a *amd64) compares() bool {
	group := byte(0)
	if len(a.rest) > 0 {
		group = a.rest[0] >> 3 & 7
	}
	if a.table == 2 {
		return a.op == 0xa3 || a.op == 0xba && group == 4 || a.op == 0x0d || a.op == 0x18 || a.op == 0x1e || a.op == 0x1f
	}
	if a.table != 1 {
		return false
	}
	switch a.op {
	case 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x84, 0x85, 0xa8, 0xa9, 0x90:
		return a.op != 0x90 || a.b == 0
	case 0x80, 0x81, 0x83:
		return group == 7
	case 0xf6, 0xf7:
		return group < 2
	}
	return false
}

// hasModRM reports whether operands stand behind the opcode. It is true of some that have none and
// are no code of compilers.
func (a *amd64) hasModRM() bool {
	switch a.table {
	case 1:
		switch {
		case a.op < 0x40:
			return a.op&7 < 4
		case a.op < 0x80:
			return a.op == 0x63 || a.op == 0x69 || a.op == 0x6b
		case a.op < 0x90, a.op == 0xc0, a.op == 0xc1, a.op == 0xc6, a.op == 0xc7, a.op >= 0xd0 && a.op < 0xd4, a.op >= 0xd8 && a.op < 0xe0:
			return true
		}
		return a.op == 0xf6 || a.op == 0xf7 || a.op >= 0xfe
	case 2:
		return a.op&0xf8 != 0xc8 && a.op != 0xa2 && a.op != 0x77 && a.op&0xf0 != 0x30 && (a.op < 5 || a.op > 9)
	}
	return true
}

// readsImplied reports whether there may be operands beside those that are named: of MUL, DIV, shifts
// and the compare-and-exchange family.
func (a *amd64) readsImplied() bool {
	switch a.table {
	case 1:
		return a.op == 0xf7 && len(a.rest) > 0 && a.rest[0]>>3&7 >= 4 || a.op == 0xf6 || a.op >= 0xd2 && a.op < 0xd4
	case 2:
		return a.op == 0xb0 || a.op == 0xb1 || a.op == 0xc7 || a.op == 0xa5 || a.op == 0xad || a.op == 0xae || a.op == 0xf7
	}
	return true
}

// vectorStore reports whether the instruction only stores a vector register.
func vectorStore(code []byte) bool {
	a, ok := readAMD64(code)
	return ok && a.table == 2 && slices.Contains(stores, a.op)
}

// stores are, behind 0F, MOVUPS, MOVLPS, MOVHPS, MOVAPS, MOVNTPS, MOVDQA, MOVQ, MOVNTDQ.
var stores = []byte{0x11, 0x13, 0x17, 0x29, 0x2b, 0x7f, 0xd6, 0xe7}
