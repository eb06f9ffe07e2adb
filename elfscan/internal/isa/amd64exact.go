package isa

// exact describes the instructions whose effect Ops can name, of those that the tables mark so.
func (d *insn64) exact() {
	switch op := d.enc.opcode(); d.enc.table() {
	case mapOne:
		switch {
		case op < 0x40:
			d.arithmetic(op)
		case op < 0x80:
			d.stackOrExtend(op)
		case op < 0xc0:
			d.moves(op)
		case op < 0xe0:
			d.shiftsAndReturns(op)
		default:
			d.lastGroups(op)
		}
	case map0F, map0F + 1, map0F + 2, map0F + 3:
		d.twoByte(op)
	default:
		d.wideMemory(op)
	}
}

// aluOps maps the three bits that tell ADD OR ADC SBB AND SUB XOR CMP apart. OpNop: no Op for it.
var aluOps = [8]OpKind{OpAdd, OpOr, OpNop, OpNop, OpAnd, OpSub, OpXor, OpNop}

// arithmetic is the opcodes 00 to 3D.
func (d *insn64) arithmetic(op byte) {
	kind, width := aluOps[op>>3&7], d.width()
	if kind == OpNop {
		d.borrow(op)
		return
	}
	switch op & 7 {
	case 0, 1:
		if d.isReg() && d.rm() == d.reg() && d.zeroes(kind) {
			d.zero(d.rm())
		} else if d.isHigh(d.reg()) {
			d.general()
		} else {
			d.assignRM(kind, R(d.reg()))
		}
	case 2, 3:
		if d.isReg() && d.rm() == d.reg() && d.zeroes(kind) {
			d.zero(d.reg())
		} else if b, ok := d.source(width); ok && !d.isHigh(d.reg()) {
			d.assign(kind, width, d.reg(), R(d.reg()), b)
		} else {
			d.general()
		}
	case 4: // AL
		d.aluReg(kind, 1, rax, d.immediate(1))
	case 5:
		d.aluReg(kind, width, rax, d.immediate(d.immWidth()))
	}
}

// borrow is ADC, SBB and CMP, of which only SBB of a register and itself is described: it spreads the
// carry flag over the register.
func (d *insn64) borrow(op byte) {
	if width := d.width(); (op == 0x19 || op == 0x1b) && width >= 4 && d.isReg() && d.rm() == d.reg() {
		d.put(OpSelect, width, R(d.reg()), I(0), I(-1))
		return
	}
	d.general()
}

// carry is ADC and SBB of an immediate and a register: the carry flag adds or takes one more.
func (d *insn64) carry(v int64) {
	kind, r, one := OpAdd, d.rm(), int64(1)
	if d.modrm()>>3&7 == 3 {
		kind, one = OpSub, -1
	}
	d.put(OpSelect, d.width(), R(r), R(r), A(r, one))
	d.put(kind, d.width(), R(r), R(r), I(v))
}

// zeroes reports whether x kind x is 0.
func (d *insn64) zeroes(kind OpKind) bool { return kind == OpXor || kind == OpSub }

// zero clears r, or the part of it that the instruction names.
func (d *insn64) zero(r Reg) {
	if width := d.width(); width < 4 {
		d.insert(r, width, 0)
	} else {
		d.put(OpSet, width, R(r), I(0), Operand{})
	}
}

// insert puts the low width bytes of v, 1 or 2, into r and keeps the rest of it.
func (d *insn64) insert(r Reg, width uint8, v int64) {
	mask, shift := int64(1)<<(8*width)-1, 0
	if d.isHigh(r) {
		r, shift = r-4, 8
	}
	d.put(OpAnd, 8, R(r), R(r), I(^(mask << shift)))
	if v &= mask; v != 0 {
		d.put(OpOr, 8, R(r), R(r), I(v<<shift))
	}
}

// aluReg is r = r kind v, for a part of r if width is less than 4.
func (d *insn64) aluReg(kind OpKind, width uint8, r Reg, v int64) {
	switch {
	case width >= 4 && kind == OpAnd && v == 0, width >= 4 && kind == OpOr && v == -1:
		d.put(OpSet, width, R(r), I(v), Operand{})
	case width >= 4:
		d.put(kind, width, R(r), R(r), I(v))
	case kind == OpAnd && v == 0, kind == OpOr && v == -1:
		d.insert(r, width, v)
	default:
		d.forget(1 << d.byteReg(r))
	}
}

// stackOrExtend is the opcodes 50 to 6D.
func (d *insn64) stackOrExtend(op byte) {
	switch {
	case op < 0x58:
		d.push(R(d.opReg()))
	case op < 0x60:
		d.popTo(d.opReg())
	case op == 0x63: // MOVSXD
		width := d.width()
		src, ok := d.source(min(width, 4))
		switch src.Size = 4; {
		case !ok:
			d.general()
		case width == 8:
			d.put(OpSignExtend, 8, R(d.reg()), src, Operand{})
		default:
			d.assign(OpSet, width, d.reg(), src, Operand{})
		}
	case op == 0x68, op == 0x6a:
		d.push(I(d.immediate(d.immWidth())))
	default: // INS
		d.stringOp(op)
	}
}

// moves is the opcodes 80 to BF.
func (d *insn64) moves(op byte) {
	switch {
	case op <= 0x83:
		d.immediateGroup()
	case op == 0x88, op == 0x89:
		if d.isHigh(d.reg()) {
			d.general()
		} else {
			d.assignRM(OpSet, R(d.reg()))
		}
	case op == 0x8a, op == 0x8b:
		if src, ok := d.source(d.width()); ok {
			d.assign(OpSet, d.width(), d.reg(), src, Operand{})
		} else {
			d.general()
		}
	case op == 0x8f:
		d.popRM()
	case op == 0x90 && d.enc&encB == 0: // NOP, PAUSE
	case op == 0x98:
		d.extendAX()
	case op == 0x9c: // PUSHF
		d.pushUnknown()
	case op == 0x9d: // POPF
		d.put(OpAdd, 8, R(rsp), R(rsp), I(d.stackSize()))
	case op >= 0xa4 && op <= 0xaf:
		d.stringOp(op)
	case op >= 0xb8:
		if v := d.immediate(d.immWidth()); d.width() == 2 {
			d.insert(d.opReg(), 2, v)
		} else {
			d.put(OpSet, d.width(), R(d.opReg()), I(v), Operand{})
		}
	case op >= 0xb0:
		d.insert(d.opReg(), 1, d.immediate(1))
	default: // XCHG
		d.general()
	}
}

// immediateGroup is ADD to CMP of an immediate, 80, 81 and 83.
func (d *insn64) immediateGroup() {
	kind, v := aluOps[d.modrm()>>3&7], d.immediate(d.immWidth())
	switch {
	case kind == OpNop && d.modrm()>>3&7 < 4 && d.isReg() && d.width() >= 4 && d.rm() != rsp:
		d.carry(v)
	case kind == OpNop:
		d.general()
	case d.isReg():
		d.aluReg(kind, d.width(), d.rm(), v)
	default:
		d.assignRM(kind, I(v))
	}
}

// popRM is POP r/m. An address that uses RSP sees it already moved.
func (d *insn64) popRM() {
	if d.isReg() {
		d.popTo(d.rm())
		return
	}
	size := d.stackSize()
	d.put(OpAdd, 8, R(rsp), R(rsp), I(size))
	if dst, ok := d.source(uint8(size)); ok {
		d.put(OpSet, uint8(size), dst, M(rsp, -size, uint8(size)), Operand{})
	} else {
		d.forgetMem(uint8(size))
	}
}

// extendAX is CBW, CWDE and CDQE.
func (d *insn64) extendAX() {
	width := d.width()
	src := R(rax)
	src.Size = width / 2
	d.assign(OpSignExtend, width, rax, src, Operand{})
}

// stringOp is INS, MOVS and STOS, which store at RDI, repeatedly with REP.
func (d *insn64) stringOp(op byte) {
	if op&0xfe == 0x6c || op&0xfe == 0xa4 || op&0xfe == 0xaa {
		size := d.width()
		if op&1 == 0 {
			size = 1
		}
		place := M(rdi, 0, size)
		switch {
		case d.enc&enc67 != 0:
			place = anyMemory
		case d.enc&(encF2|encF3) != 0:
			place = Operand{Kind: Mem, Reg: rdi, Index: rcx, Scale: size, Size: size}
		}
		d.add(Op{Kind: OpForget, Width: place.Size, Dst: place})
	}
	d.forget(d.attr.clobbers())
}
