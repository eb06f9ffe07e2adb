package isa

import "encoding/binary"

// insn64 is one decoded instruction and the Ops collected for it.
type insn64 struct {
	code []byte // its bytes
	m    int    // offset of ModRM, 0: none
	attr attr
	enc  enc
	pc   uint64
	ops  []Op
}

// decodeAMD64 is AMD64's Decode. Instructions that are not described exactly forget what the tables
// say they write.
func decodeAMD64(code []byte, pc uint64, ops []Op) ([]Op, int) {
	n, m, a, x := parse(code)
	if n == 0 {
		return ops, 0
	}
	d := insn64{code: code[:n], m: m, attr: a, enc: x, pc: pc, ops: ops}
	switch a & clMask {
	case clExact, clEscape:
		d.exact()
	case clCall:
		d.add(Op{Kind: OpCall, Target: d.target(4)})
	case clJump:
		d.add(Op{Kind: OpJump, Target: d.target(d.imm8or32())})
	case clBranch:
		d.forget(a.clobbers())
		d.add(Op{Kind: OpBranch, Target: d.target(d.imm8or32())})
	case clLea:
		d.lea()
	case clSyscall: // the kernel returns with SYSRET: RCX and R11 hold RIP and RFLAGS
		d.add(Op{Kind: OpSyscall, Clobber: Regs(rax, rcx, 11)})
	case clInt80: // SYSENTER returns to a place of the kernel's choice
		d.add(Op{Kind: OpInt80, Clobber: 0xffff})
	case clInt:
		d.interrupt()
	case clMoffs:
		d.moffs()
	default:
		d.general()
	}
	return d.ops, n
}

func (d *insn64) add(op Op) { d.ops = append(d.ops, op) }

// put appends dst = a kind b, width bytes wide.
func (d *insn64) put(kind OpKind, width uint8, dst, a, b Operand) {
	d.add(Op{Kind: kind, Width: width, Dst: dst, A: a, B: b})
}

func (d *insn64) forget(s RegSet) {
	if s != 0 {
		d.add(Op{Kind: OpForget, Clobber: s})
	}
}

// general forgets what the instruction writes according to the table.
func (d *insn64) general() {
	s := d.attr.clobbers()
	if d.attr&writesReg != 0 {
		s |= 1 << d.byteReg(d.reg())
	}
	if d.attr&writesV != 0 {
		s |= 1 << (d.enc >> 11 & 15)
	}
	if d.attr&writesOp != 0 {
		s |= 1 << d.opReg()
	}
	if d.m != 0 && d.attr.writesRM(d.modrm()>>3&7) {
		switch {
		case !d.isReg():
			if d.attr&noAccess == 0 {
				d.forgetMem(d.storeSize())
			}
		case d.attr&rmGeneral != 0:
			s |= 1 << d.byteReg(d.rm())
		}
	}
	d.forget(s)
}

func (d *insn64) modrm() byte { return d.code[d.m] }

// isReg reports whether the r/m operand is a register.
func (d *insn64) isReg() bool { return d.modrm() >= 0xc0 || d.attr&modIsReg != 0 }

// reg is the register in ModRM.reg.
func (d *insn64) reg() Reg { return Reg(d.modrm()>>3&7) | Reg(d.enc&encR)<<1 }

// rm is the register in ModRM.rm.
func (d *insn64) rm() Reg { return Reg(d.modrm()&7) | Reg(d.enc&encB)<<3 }

// opReg is the register in the opcode's low bits.
func (d *insn64) opReg() Reg { return Reg(d.enc.opcode()&7) | Reg(d.enc&encB)<<3 }

// bytewise reports whether the register operands are 8 bits wide.
func (d *insn64) bytewise() bool { return d.attr&szMask == sz1 && d.enc.table() < map38 }

// isHigh reports whether r names one of AH, CH, DH and BH in a bytewise instruction.
func (d *insn64) isHigh(r Reg) bool {
	return d.bytewise() && d.enc&encREX == 0 && r >= 4 && r < 8
}

// byteReg is the register that holds r: for AH, CH, DH and BH that is RAX, RCX, RDX or RBX.
func (d *insn64) byteReg(r Reg) Reg {
	if d.isHigh(r) {
		return r - 4
	}
	return r
}

// width is the operand size in bytes.
func (d *insn64) width() uint8 {
	switch {
	case d.bytewise():
		return 1
	case d.enc&encW != 0:
		return 8
	case d.enc&enc66 != 0:
		return 2
	}
	return 4
}

// storeSize is how many bytes are written where the r/m operand is memory; 0 is unknown.
func (d *insn64) storeSize() uint8 {
	switch s := d.attr & szMask; s {
	case szAny:
		return 0
	case szOp:
		return d.width()
	case szW:
		return 4 << (d.enc >> 3 & 1)
	case szL:
		return 16 << (d.enc >> 15 & 3)
	default:
		return 1 << (s>>52 - 1)
	}
}

// immediate returns the immediate that ends the instruction, sign-extended.
func (d *insn64) immediate(width int) int64 {
	if width == 8 {
		return int64(binary.LittleEndian.Uint64(d.code[len(d.code)-8:]))
	}
	return int64(rel(d.code, width))
}

// immWidth is the width of the immediate in bytes.
func (d *insn64) immWidth() int { return immBytes(d.code, d.m, d.attr&immMask, d.enc) }

func (d *insn64) imm8or32() int { return int(immLen[d.attr&immMask][0]) }

// target is where a direct jump leads whose displacement has width bytes.
func (d *insn64) target(width int) uint64 { return d.pc + uint64(len(d.code)) + rel(d.code, width) }

// interrupt is INT n.
func (d *insn64) interrupt() {
	if d.code[len(d.code)-1] == 0x80 {
		// Kernels before 4.18 (entry_64_compat.S) cleared R8 to R11 on the way.
		d.add(Op{Kind: OpInt80, Clobber: Regs(rax, 8, 9, 10, 11)})
		return
	}
	d.forget(0xffff)
}

// moffs is MOV between the accumulator and an absolute address.
func (d *insn64) moffs() {
	place := M(NoReg, int64(moffs(d.code, d.enc)), d.width())
	if d.enc.opcode()&1 == 0 {
		place.Size = 1
	}
	store, partial := d.enc.opcode()&2 != 0, place.Size < 4
	switch {
	case d.enc&encSeg != 0 && store:
	case store:
		d.put(OpSet, place.Size, place, R(rax), Operand{})
	case d.enc&encSeg != 0 || partial:
		d.forget(1 << rax)
	default:
		d.put(OpSet, place.Size, R(rax), place, Operand{})
	}
}
