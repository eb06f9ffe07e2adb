package isa

// shiftsAndReturns is the opcodes C0 to DF.
func (d *insn64) shiftsAndReturns(op byte) {
	switch op {
	case 0xc0, 0xc1:
		d.shift(d.code[len(d.code)-1])
	case 0xd0, 0xd1:
		d.shift(1)
	case 0xc2, 0xc3, 0xca, 0xcb:
		d.add(Op{Kind: OpReturn})
	case 0xc6, 0xc7:
		d.movImmediate()
	case 0xc8:
		d.enter()
	case 0xc9: // LEAVE
		d.put(OpSet, 8, R(rsp), R(rbp), Operand{})
		d.popTo(rbp)
	case 0xcc, 0xcf: // INT3, IRET
		d.add(Op{Kind: OpStop})
	default:
		d.x87(op)
	}
}

// shift is the group C0, C1, D0, D1 by a constant. Rotations and SAR are not described.
func (d *insn64) shift(count byte) {
	width := d.width()
	if width == 8 {
		count &= 63
	} else {
		count &= 31
	}
	dst, ok := d.source(width)
	kind := OpShl
	switch d.modrm() >> 3 & 7 {
	case 4, 6:
	case 5:
		kind = OpShr
	default:
		ok = false
	}
	if !ok || d.isReg() && width < 4 {
		d.general()
		return
	}
	if kind == OpShr && d.isReg() && width == 4 {
		d.put(OpSet, 4, dst, dst, Operand{}) // bits 32 to 63 do not come down
	}
	d.put(kind, width, dst, dst, I(int64(count)))
}

// movImmediate is C6 and C7: MOV, or with ModRM F8 XABORT and XBEGIN.
func (d *insn64) movImmediate() {
	n := d.immWidth()
	switch v := d.immediate(n); {
	case d.modrm() == 0xf8 && d.enc.opcode() == 0xc7: // on abort RAX holds the reason
		d.forget(1 << rax)
		d.add(Op{Kind: OpBranch, Target: d.target(n)})
	case d.modrm() == 0xf8:
		d.forget(1 << rax)
	case d.isReg() && d.width() < 4:
		d.insert(d.rm(), d.width(), v)
	default:
		d.assignRM(OpSet, I(v))
	}
}

// enter is ENTER. Nested frames are not described.
func (d *insn64) enter() {
	size, level := int64(d.code[len(d.code)-3])|int64(d.code[len(d.code)-2])<<8, d.code[len(d.code)-1]
	if level&31 != 0 || d.enc&enc66 != 0 {
		d.add(Op{Kind: OpForget, Dst: M(rsp, -256, 0)})
		d.forget(d.attr.clobbers())
		return
	}
	d.push(R(rbp))
	d.put(OpSet, 8, R(rbp), R(rsp), Operand{})
	d.put(OpSub, 8, R(rsp), R(rsp), I(size))
}

// x87 is D9 to DF: their stores have sizes of their own, and FNSTSW AX.
func (d *insn64) x87(op byte) {
	reg := d.modrm() >> 3 & 7
	switch {
	case d.isReg():
		if op == 0xdf && d.modrm() == 0xe0 {
			d.forget(1 << rax)
		}
	case d.attr.writesRM(reg):
		d.forgetMem(x87Sizes[op&7][reg])
	}
}

// x87Sizes gives the bytes that D8 to DF store, by ModRM.reg. FNSTENV writes up to 28, FNSAVE up to
// 108.
var x87Sizes = [8][8]uint8{
	1: {2: 4, 3: 4, 6: 28, 7: 2},
	3: {1: 4, 2: 4, 3: 4, 7: 10},
	5: {1: 8, 2: 8, 3: 8, 6: 108, 7: 2},
	7: {1: 2, 2: 2, 3: 2, 6: 10, 7: 8},
}

// lastGroups is the opcodes F1 to FF.
func (d *insn64) lastGroups(op byte) {
	reg := d.modrm() >> 3 & 7
	switch {
	case op == 0xf1, op == 0xf4: // INT1, HLT
		d.add(Op{Kind: OpStop})
	case op == 0xf6, op == 0xf7:
		d.unary(reg)
	case reg == 0:
		d.assignRM(OpAdd, I(1))
	case reg == 1:
		d.assignRM(OpSub, I(1))
	case reg == 2, reg == 4:
		d.indirect(OpCallInd + OpKind(reg/4*2))
	case reg == 3: // far CALL
		d.add(Op{Kind: OpCallInd})
	case reg == 5: // far JMP
		d.add(Op{Kind: OpJumpInd})
	default: // PUSH
		if v, ok := d.source(uint8(d.stackSize())); ok {
			d.push(v)
		} else {
			d.pushUnknown()
		}
	}
}

// unary is TEST, NOT, NEG, MUL, IMUL, DIV and IDIV.
func (d *insn64) unary(reg byte) {
	switch {
	case reg < 2: // TEST
	case reg == 2:
		d.assignRM(OpXor, I(-1))
	case reg == 3:
		width := d.width()
		v, ok := d.source(width)
		switch {
		case !ok || d.isReg() && width < 4:
			d.general()
		default:
			d.put(OpSub, width, v, I(0), v)
		}
	case d.bytewise(): // AX
		d.forget(1 << rax)
	default:
		d.forget(1<<rax | 1<<rdx)
	}
}

// indirect is a near CALL or JMP to the address in r/m.
func (d *insn64) indirect(kind OpKind) {
	v, ok := d.source(8)
	if !ok {
		v = Operand{}
	}
	d.add(Op{Kind: kind, A: v})
}

// twoByte is the opcodes after 0F.
func (d *insn64) twoByte(op byte) {
	switch {
	case op == 0x01:
		d.system()
	case op == 0x07, op == 0x0b, op == 0x35, op == 0xaa, op == 0xb9, op == 0xff:
		d.add(Op{Kind: OpStop}) // SYSRET UD2 SYSEXIT RSM UD1 UD0
	case op&0xf0 == 0x40:
		d.cmov()
	case op == 0xa0, op == 0xa8: // PUSH FS, GS
		d.pushUnknown()
	case op == 0xa1, op == 0xa9:
		d.put(OpAdd, 8, R(rsp), R(rsp), I(d.stackSize()))
	case op == 0xa6, op == 0xa7: // VIA PadLock, which works on memory at RDI
		d.add(Op{Kind: OpForget, Dst: anyMemory})
		d.forget(d.attr.clobbers())
	case op == 0xc7:
		d.groupC7()
	case op == 0xf7: // MASKMOVQ, MASKMOVDQU
		d.wideMemory(op)
	default:
		d.extend(op)
	}
}

// cmov is CMOVcc. Without REX.W the upper half of the register is cleared in either case.
func (d *insn64) cmov() {
	width := d.width()
	src, ok := d.source(width)
	if !ok || width < 4 {
		d.general()
		return
	}
	d.put(OpSelect, width, R(d.reg()), R(d.reg()), src)
}

// extend is MOVZX and MOVSX.
func (d *insn64) extend(op byte) {
	width, size := d.width(), 1+op&1
	if d.isReg() && size == 1 && d.enc&encREX == 0 && d.rm() >= 4 && d.rm() < 8 || width < 4 {
		d.general() // AH, CH, DH, BH, or a partial write
		return
	}
	src, ok := d.source(size)
	src.Size = size
	switch {
	case !ok:
		d.general()
	case op&8 != 0:
		d.put(OpSignExtend, width, R(d.reg()), src, Operand{})
	case src.Kind == Mem:
		d.put(OpSet, width, R(d.reg()), src, Operand{})
	default:
		d.put(OpAnd, width, R(d.reg()), src, I(1<<(8*size)-1))
	}
}

// system is 0F 01.
func (d *insn64) system() {
	b := d.modrm()
	switch {
	case b < 0xc0:
		switch b >> 3 & 7 {
		case 0, 1: // SGDT SIDT
			d.forgetMem(10)
		case 4: // SMSW
			d.forgetMem(2)
		case 5: // RSTORSSP
			d.forgetMem(8)
		}
	case b&0xf8 == 0xe0: // SMSW
		d.forget(1 << d.rm())
	case b == 0xfa || b == 0xc8, b == 0xc9 || b == 0xfb, b == 0xd5, b == 0xd6, b == 0xd1, b&0xf8 == 0xf0:
		// MONITOR MWAIT XEND XTEST XSETBV LMSW write no general register.
	case b == 0xca, b == 0xcb, b == 0xf8, b == 0xe8 && d.enc.table() == map0F:
		// CLAC STAC SWAPGS SERIALIZE neither.
	case b == 0xd0, b == 0xee, b == 0xfd && d.enc.table() == map0F: // XGETBV RDPKRU RDPRU
		d.forget(1<<rax | 1<<rdx)
	case b == 0xef: // WRPKRU
	case b == 0xf9: // RDTSCP
		d.forget(1<<rax | 1<<rcx | 1<<rdx)
	case b == 0xfc: // CLZERO clears the cache line at RAX
		d.add(Op{Kind: OpForget, Dst: M(rax, 0, 0)})
	default: // calls into hypervisors, enclaves and firmware
		d.add(Op{Kind: OpForget, Dst: anyMemory})
		d.forget(0xffff)
	}
}

// groupC7 is CMPXCHG8B, CMPXCHG16B, the XSAVE family, RDRAND, RDSEED and RDPID.
func (d *insn64) groupC7() {
	switch reg := d.modrm() >> 3 & 7; {
	case d.isReg():
		d.general()
	case reg == 1:
		d.forgetMem(8 << (d.enc >> 3 & 1))
		d.forget(1<<rax | 1<<rdx)
	case reg >= 6:
		d.forgetMem(8)
	default:
		d.general()
	}
}

// wideMemory is the instructions that store at a register which is not part of a memory operand:
// MASKMOVDQU at RDI, MOVDIR64B and ENQCMD at ModRM.reg.
func (d *insn64) wideMemory(op byte) {
	place := M(rdi, 0, 16)
	if op == 0xf8 {
		place = M(d.reg(), 0, 64)
	}
	switch {
	case d.enc&encSeg != 0 && op == 0xf7:
		return
	case d.enc&enc67 != 0:
		place = anyMemory
	}
	d.add(Op{Kind: OpForget, Width: place.Size, Dst: place})
}
