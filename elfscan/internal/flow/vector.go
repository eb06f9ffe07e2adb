package flow

import (
	"encoding/binary"
	"slices"

	"github.com/profcheck/profcheck/elfscan/internal/isa"
)

// Vector registers are followed as far as compilers clear structs with them: a register is set to 0
// and stored to the frame, 16 bytes at a time. Nothing else is known of them.

// vector is what an instruction does with vector registers. It reports whether that is all, which is
// so for zeros that are stored to a fixed place in the frame.
func (f *flow) vector(in *inst, s *state) bool {
	var v vectorUse
	code := f.code[in.off : in.off+int32(in.len)]
	if f.m == isa.ARM64 {
		v = vectorARM64(code)
	} else {
		v = vectorAMD64(code)
	}
	switch v.kind {
	case vectorOther:
		s.zeros = 0
	case vectorZeroed:
		s.zeros |= v.regs
	case vectorStored:
		return s.zeros&v.regs == v.regs && f.storeZeros(in, s)
	}
	return false
}

// storeZeros stores zeros where the instruction, by its only op, stores something that is not known.
func (f *flow) storeZeros(in *inst, s *state) bool {
	if in.end-in.start != 1 {
		return false
	}
	op := &f.ops[in.start]
	if op.Kind != isa.OpForget || op.Clobber != 0 || op.Dst.Kind != isa.Mem || op.Dst.Index != isa.NoReg || op.Width == 0 || op.Width%8 != 0 {
		return false
	}
	v := *f.vs.Get(f.address(s, op.Dst))
	if !v.Stack {
		return false
	}
	for i := range int64(op.Width / 8) {
		f.setSlot(s, v.Off+8*i, 8, f.vs.Constant(0))
	}
	return true
}

// vectorUse says what an instruction does with vector registers.
type vectorUse struct {
	kind uint8
	regs uint32
}

const (
	vectorNone   = iota // changes none
	vectorOther         // may change any
	vectorZeroed        // regs become 0
	vectorStored        // regs are stored whole, 16 bytes each, and not changed
)

// vectorAMD64 reads an instruction of x86-64. XMM registers are changed by those behind 0F and with
// VEX and EVEX prefixes only.
func vectorAMD64(code []byte) vectorUse {
	var prefix, rex byte
	for ; len(code) > 0 && slices.Contains(oldPrefixes, code[0]); code = code[1:] {
		if c := code[0]; c == 0x66 || c == 0xf2 || c == 0xf3 {
			if prefix != 0 {
				return vectorUse{kind: vectorOther}
			}
			prefix = c
		}
	}
	if len(code) > 0 && code[0]&0xf0 == 0x40 {
		rex, code = code[0], code[1:]
	}
	switch {
	case len(code) == 0:
		return vectorUse{kind: vectorOther}
	case code[0] != 0x0f:
		if slices.Contains(wideEncodings, code[0]) {
			return vectorUse{kind: vectorOther}
		}
		return vectorUse{}
	case len(code) < 3:
		return vectorUse{kind: vectorOther}
	}
	op, modrm := code[1], code[2]
	reg, rm := uint32(modrm>>3&7|rex&4<<1), uint32(modrm&7|rex&1<<3)
	memory := modrm < 0xc0
	switch op {
	case 0x57, 0xef: // XORPS, XORPD; PXOR, which is one of MMX without prefix
		if !memory && reg == rm && (prefix == 0x66 || prefix == 0 && op == 0x57) {
			return vectorUse{vectorZeroed, 1 << reg}
		}
	case 0x11, 0x29: // MOVUPS, MOVAPS and those of doubles
		if memory && (prefix == 0 || prefix == 0x66) {
			return vectorUse{vectorStored, 1 << reg}
		}
	case 0x7f: // MOVDQA, MOVDQU
		if memory && (prefix == 0x66 || prefix == 0xf3) {
			return vectorUse{vectorStored, 1 << reg}
		}
	}
	if op == 0x1e || op == 0x1f || op&0xf0 == 0x40 || op&0xe0 == 0x80 || op == 0xaf || op&0xf6 == 0xb6 || op&0xfe == 0xb0 {
		return vectorUse{} // ENDBR64, NOP, CMOV, Jcc, SETcc, IMUL, MOVZX, MOVSX, CMPXCHG
	}
	return vectorUse{kind: vectorOther}
}

var (
	oldPrefixes   = []byte{0x66, 0xf2, 0xf3, 0xf0, 0x64, 0x65, 0x67, 0x2e, 0x3e, 0x36, 0x26}
	wideEncodings = []byte{0xc4, 0xc5, 0x62, 0x8f} // VEX, EVEX, XOP or POP to memory
)

// vectorARM64 reads an instruction of arm64.
func vectorARM64(code []byte) vectorUse {
	if len(code) != 4 {
		return vectorUse{kind: vectorOther}
	}
	w := binary.LittleEndian.Uint32(code)
	t, t2 := uint32(1)<<(w&31), uint32(1)<<(w>>10&31)
	switch {
	case w&0xffffffe0 == 0x4f000400, w&0xffffffe0 == 0x6f00e400: // MOVI Vd.4S, #0; MOVI Vd.2D, #0
		return vectorUse{vectorZeroed, t}
	case w&0xffc00000 == 0x3d800000, w&0xffe00c00 == 0x3c800000: // STR, STUR of Q
		return vectorUse{vectorStored, t}
	case w&0xffc00000 == 0xad000000: // STP of Q
		return vectorUse{vectorStored, t | t2}
	}
	switch w >> 25 & 15 { // the group of instructions
	case 8, 9, 10, 11, 5, 13, 4, 12: // with immediates, branches, with registers, general loads and stores
		return vectorUse{}
	}
	return vectorUse{kind: vectorOther}
}
