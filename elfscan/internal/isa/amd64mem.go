package isa

// memory returns the ModRM memory operand as the address it forms, without regard to segment and
// address-size prefixes.
func (d *insn64) memory() Operand {
	b := d.modrm()
	o := Operand{Kind: Addr, Reg: d.rm(), Index: NoReg}
	at := d.m + 1
	if b&7 == 4 { // SIB
		sib := d.code[at]
		at++
		o.Reg = Reg(sib&7) | Reg(d.enc&encB)<<3
		if x := Reg(sib>>3&7) | Reg(d.enc&encX)<<2; x != rsp {
			o.Index, o.Scale = x, 1<<(sib>>6)
		}
		if sib&7 == 5 && b < 0x40 {
			o.Reg, o.Value = NoReg, int64(disp32(d.code[at:]))
		}
	}
	switch {
	case b&0xc7 == 5: // relative to RIP
		o.Reg = NoReg
		o.Value = int64(d.pc + uint64(len(d.code)) + disp32(d.code[at:]))
	case b>>6 == 1:
		o.Value = int64(int8(d.code[at]))
		if d.enc&encEVEX != 0 { // in units of what is stored; only stores are asked for
			o.Value *= int64(d.storeSize())
		}
	case b>>6 == 2:
		o.Value = int64(disp32(d.code[at:]))
	}
	return o
}

// anyMemory stands for memory at an unknown address.
var anyMemory = Operand{Kind: Mem, Reg: NoReg, Index: NoReg}

// forgetMem forgets size bytes of the r/m operand in memory. Memory of FS and GS is not tracked.
func (d *insn64) forgetMem(size uint8) {
	if d.enc&encSeg != 0 {
		return
	}
	o := anyMemory
	if d.enc&enc67 == 0 && !(size == 0 && d.enc&encEVEX != 0) {
		o = d.memory()
		o.Kind, o.Size = Mem, size
	}
	d.add(Op{Kind: OpForget, Width: size, Dst: o})
}

// source returns the r/m operand for reading size bytes of it; false if its value cannot be named.
func (d *insn64) source(size uint8) (Operand, bool) {
	if d.isReg() {
		return R(d.rm()), !d.isHigh(d.rm())
	}
	if d.enc&(encSeg|enc67) != 0 {
		return Operand{}, false
	}
	o := d.memory()
	o.Kind, o.Size = Mem, size
	return o, true
}

// assign is dst = a kind b for a general register. Writes of less than 4 bytes keep the rest of the
// register: they forget it.
func (d *insn64) assign(kind OpKind, width uint8, dst Reg, a, b Operand) {
	if width < 4 {
		d.forget(1 << d.byteReg(dst))
		return
	}
	d.put(kind, width, R(dst), a, b)
}

// assignRM is r/m = r/m kind b, or r/m = b if kind is OpSet.
func (d *insn64) assignRM(kind OpKind, b Operand) {
	width := d.width()
	dst, ok := d.source(width)
	switch {
	case !ok:
		d.general()
	case kind == OpSet && d.isReg():
		d.assign(OpSet, width, dst.Reg, b, Operand{})
	case kind == OpSet:
		d.put(OpSet, width, dst, b, Operand{})
	case d.isReg():
		d.assign(kind, width, dst.Reg, dst, b)
	default:
		d.put(kind, width, dst, dst, b)
	}
}

// lea forms an address. With the address-size prefix it is cut to 32 bits.
func (d *insn64) lea() {
	width := d.width()
	if d.enc&enc67 != 0 && width > 4 {
		width = 4
	}
	d.assign(OpSet, width, d.reg(), d.memory(), Operand{})
}

// stackSize is how many bytes the instruction pushes or pops.
func (d *insn64) stackSize() int64 {
	if d.enc&enc66 != 0 && d.enc&encW == 0 {
		return 2
	}
	return 8
}

// push stores v, which is read before, below the stack pointer and moves that.
func (d *insn64) push(v Operand) {
	size := d.stackSize()
	d.put(OpSet, uint8(size), M(rsp, -size, uint8(size)), v, Operand{})
	d.put(OpSub, 8, R(rsp), R(rsp), I(size))
}

// pushUnknown pushes something that cannot be named.
func (d *insn64) pushUnknown() {
	size := d.stackSize()
	d.add(Op{Kind: OpForget, Width: uint8(size), Dst: M(rsp, -size, uint8(size))})
	d.put(OpSub, 8, R(rsp), R(rsp), I(size))
}

// popTo loads r from the stack. With 2 bytes the rest of r is kept: it is forgotten.
func (d *insn64) popTo(r Reg) {
	size := d.stackSize()
	if size == 8 {
		d.put(OpSet, 8, R(r), M(rsp, 0, 8), Operand{})
	} else {
		d.forget(1 << r)
	}
	if r != rsp {
		d.put(OpAdd, 8, R(rsp), R(rsp), I(size))
	}
}
