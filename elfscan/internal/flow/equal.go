package flow

import (
	"encoding/binary"

	"github.com/profcheck/profcheck/elfscan/internal/isa"
)

// equality is what a conditional branch tells: on one of its ways a register holds a constant, as
// all 64 bits of it were compared. Compilers use that for numbers: read is 0 on x86-64.
type equality struct {
	reg   isa.Reg // isa.NoReg if nothing is told
	value uint64
	taken bool // at the target; else behind the branch
}

var toldNothing = equality{reg: isa.NoReg}

// equality reads the branch that is instruction i, and the comparison right before it.
func (f *flow) equality(i int32) equality {
	in := &f.insts[i]
	code := f.code[in.off : in.off+int32(in.len)]
	if f.m == isa.ARM64 && in.len == 4 {
		w := binary.LittleEndian.Uint32(code)
		if w&0xfe000000 == 0xb4000000 && w&31 != 31 { // CBZ, CBNZ of X registers
			return equality{isa.Reg(w & 31), 0, w>>24&1 == 0}
		}
		if w&0xff00001e != 0x54000000 || i == 0 || f.leader[in.off] { // B.EQ, B.NE
			return toldNothing
		}
		c := binary.LittleEndian.Uint32(f.code[in.off-4:])
		if c&0xffc0001f != 0xf100001f || c>>5&31 == 31 { // CMP X, #imm
			return toldNothing
		}
		return equality{isa.Reg(c >> 5 & 31), uint64(c >> 10 & 0xfff), w&1 == 0}
	}
	if f.m != isa.AMD64 || i == 0 || f.leader[in.off] {
		return toldNothing
	}
	var taken bool
	switch {
	case len(code) == 2 && code[0]&0xfe == 0x74:
		taken = code[0] == 0x74
	case len(code) == 6 && code[0] == 0x0f && code[1]&0xfe == 0x84:
		taken = code[1] == 0x84
	default:
		return toldNothing
	}
	p := &f.insts[i-1]
	if p.off+int32(p.len) != in.off {
		return toldNothing
	}
	reg, value, ok := comparison(f.code[p.off:in.off])
	if !ok {
		return toldNothing
	}
	return equality{reg, value, taken}
}

// comparison reads TEST r, r and CMP r, imm of 64 bits.
func comparison(c []byte) (reg isa.Reg, value uint64, ok bool) {
	if len(c) == 6 && c[0] == 0x48 && c[1] == 0x3d { // of RAX
		return 0, uint64(int64(int32(binary.LittleEndian.Uint32(c[2:])))), true
	}
	if len(c) < 3 || c[0]&0xf8 != 0x48 || c[2] < 0xc0 {
		return 0, 0, false
	}
	rm := isa.Reg(c[2]&7 | c[0]&1<<3)
	switch {
	case c[1] == 0x85 && len(c) == 3:
		return rm, 0, rm == isa.Reg(c[2]>>3&7|c[0]&4<<1)
	case c[1] == 0x83 && c[2]>>3&7 == 7 && len(c) == 4:
		return rm, uint64(int64(int8(c[3]))), true
	case c[1] == 0x81 && c[2]>>3&7 == 7 && len(c) == 7:
		return rm, uint64(int64(int32(binary.LittleEndian.Uint32(c[3:])))), true
	}
	return 0, 0, false
}

// branch follows both ways of a conditional branch; the one that goes on is left in s.
func (f *flow) branch(op *isa.Op, i int32, pc uint64, s *state) {
	e := toldNothing
	if f.conv.Ordered {
		e = f.equality(i)
	}
	if e.reg == isa.NoReg || f.vs.Get(s.regs[e.reg]).Stack {
		f.jump(op, pc, s)
		return
	}
	before, known := s.regs[e.reg], f.vs.Constant(e.value)
	if e.taken {
		s.regs[e.reg] = known
	}
	f.jump(op, pc, s)
	s.regs[e.reg] = before
	if !e.taken {
		s.regs[e.reg] = known
	}
}

// setByte is SETcc of a register, which no Op describes: its low byte becomes 0 or 1.
func (f *flow) setByte(in *inst, s *state) bool {
	c := f.code[in.off : in.off+int32(in.len)]
	if f.m != isa.AMD64 || len(c) < 3 {
		return false
	}
	var rex byte
	if c[0]&0xf0 == 0x40 {
		rex, c = c[0], c[1:]
	}
	if len(c) != 3 || c[0] != 0x0f || c[1]&0xf0 != 0x90 || c[2] < 0xc0 || rex == 0 && c[2]&7 >= 4 {
		return false
	}
	r := c[2]&7 | rex&1<<3
	v := Value{Unknown: true, Consts: []uint64{0, 1}, Byte: true}
	if old, ok := f.vs.IsConst(s.regs[r]); ok && len(old) == 1 {
		v = Value{Consts: []uint64{old[0] &^ 0xff, old[0]&^0xff + 1}}
	}
	f.loseInto(s, s.regs[r], Unknown)
	s.regs[r] = f.vs.Intern(v)
	return true
}
