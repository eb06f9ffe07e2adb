package isa

import "math/bits"

// a64out collects Ops. The destination NoReg is the zero register: what goes there is dropped.
type a64out struct{ ops []Op }

func (o *a64out) add(op Op) { o.ops = append(o.ops, op) }

func (o *a64out) put(k OpKind, d Reg, width uint8, a, b Operand) {
	if d != NoReg {
		o.add(Op{Kind: k, Width: width, Dst: R(d), A: a, B: b})
	}
}

// forget forgets the registers of a mask, if there are any.
func (o *a64out) forget(mask uint32) {
	if mask != 0 {
		o.add(Op{Kind: OpForget, Clobber: RegSet(mask)})
	}
}

// a64Dst is register field r as a destination where 31 is the zero register.
func a64Dst(r uint32) Reg {
	if r == 31 {
		return NoReg
	}
	return Reg(r)
}

// a64Src is register field r as a source where 31 is the zero register.
func a64Src(r uint32) Operand {
	if r == 31 {
		return I(0)
	}
	return R(Reg(r))
}

// a64Mask is the set of register d, empty for NoReg.
func a64Mask(d Reg) uint32 {
	if d == NoReg {
		return 0
	}
	return 1 << d
}

func a64Low(n uint32) uint64 { return ^uint64(0) >> (64 - n) } // n ones, n from 1 to 64

// immediate appends the effects of data processing with an immediate.
func (o *a64out) immediate(w a64, pc uint64) bool {
	if !w.immediateOK() {
		return false
	}
	width, rd := w.width(), a64Dst(w.rd())
	switch w.field(23, 3) {
	case 0, 1:
		o.put(OpSet, rd, 8, A(NoReg, int64(w.adr(pc))), Operand{})
	case 2:
		o.addImm(w, width)
	case 4:
		o.logicalImm(w, width)
	case 5:
		o.moveWide(w, width, rd)
	case 6:
		o.bitfield(w, width, rd)
	default: // tags, minimum and maximum, EXTR
		o.forget(w.writesImm())
	}
	return true
}

// adr returns the address that ADR or ADRP forms at pc.
func (w a64) adr(pc uint64) uint64 {
	imm := w.signed(5, 19)<<2 | int64(w.field(29, 2))
	if w.bit(31) {
		return pc&^0xfff + uint64(imm<<12)
	}
	return pc + uint64(imm)
}

// addImmValue returns what ADD or SUB immediate adds.
func (w a64) addImmValue() int64 {
	imm := int64(w.field(10, 12))
	if w.bit(22) {
		imm <<= 12
	}
	if w.bit(30) {
		return -imm
	}
	return imm
}

// addImm: ADD and SUB use SP for 31, except that the result of ADDS and SUBS goes to the zero
// register.
func (o *a64out) addImm(w a64, width uint8) {
	d, n := Reg(w.rd()), R(Reg(w.rn()))
	if w.bit(29) {
		d = a64Dst(w.rd())
	}
	switch imm := w.addImmValue(); {
	case imm == 0:
		o.put(OpSet, d, width, n, Operand{})
	case w.bit(30):
		o.put(OpSub, d, width, n, I(-imm))
	default:
		o.put(OpAdd, d, width, n, I(imm))
	}
}

// logicalImm: AND, ORR, EOR use SP for 31 as a destination, ANDS the zero register.
func (o *a64out) logicalImm(w a64, width uint8) {
	v, _ := w.bitmask()
	d, n := Reg(w.rd()), a64Src(w.rn())
	kind := [4]OpKind{OpAnd, OpOr, OpXor, OpAnd}[w.field(29, 2)]
	if w.field(29, 2) == 3 {
		d = a64Dst(w.rd())
	}
	if w.rn() == 31 && kind != OpAnd { // MOV of a bitmask
		o.put(OpSet, d, width, I(int64(v)), Operand{})
	} else {
		o.put(kind, d, width, n, I(int64(v)))
	}
}

// bitmask decodes the immediate of a logical instruction: an element of 2, 4 .. 64 bits that holds
// a run of ones, rotated right, and is repeated over the register.
func (w a64) bitmask() (uint64, bool) {
	n, immr, imms := w.field(22, 1), w.field(16, 6), w.field(10, 6)
	if n == 1 && !w.bit(31) {
		return 0, false
	}
	size := uint32(bits.Len32(n<<6 | ^imms&0x3f))
	if size < 2 {
		return 0, false
	}
	esize := uint32(1) << (size - 1)
	ones, rot := imms&(esize-1)+1, immr&(esize-1)
	if ones == esize {
		return 0, false
	}
	v := a64Low(ones)
	if rot != 0 {
		v = (v>>rot | v<<(esize-rot)) & a64Low(esize)
	}
	for ; esize < 64; esize *= 2 {
		v |= v << esize
	}
	if !w.bit(31) {
		v &= 0xffffffff
	}
	return v, true
}

// moveWide: MOVN, MOVZ, MOVK.
func (o *a64out) moveWide(w a64, width uint8, d Reg) {
	shift := w.field(21, 2) * 16
	all := a64Low(uint32(width) * 8)
	imm := uint64(w.field(5, 16)) << shift
	switch w.field(29, 2) {
	case 0:
		o.put(OpSet, d, width, I(int64(^imm&all)), Operand{})
	case 2:
		o.put(OpSet, d, width, I(int64(imm)), Operand{})
	case 3:
		if d != NoReg {
			o.put(OpAnd, d, width, R(d), I(int64(all&^(0xffff<<shift))))
			o.put(OpOr, d, width, R(d), I(int64(imm)))
		}
	}
}

// bitfield: SBFM, BFM, UBFM and all that is written with them. With r = immr and s = imms, a field
// of s-r+1 bits is taken from bit r on (s >= r), or one of s+1 bits is put at bit size-r.
func (o *a64out) bitfield(w a64, width uint8, d Reg) {
	size := uint32(width) * 8
	r, s, opc := w.field(16, 6), w.field(10, 6), w.field(29, 2)
	if d == NoReg {
		return
	}
	n := a64Src(w.rn())
	switch {
	case opc == 2:
		o.unsignedField(d, width, n, r, s)
	case opc == 0:
		o.signedField(d, width, n, r, s)
	case w.rn() == 31: // BFC
		field := a64Low(s+1) << (size - r&63)
		if s >= r {
			field = a64Low(s - r + 1)
		}
		o.put(OpAnd, d, width, R(d), I(int64(a64Low(size)&^field)))
	default: // BFI, BFXIL: mixes two registers
		o.forget(a64Mask(d))
	}
}

// unsignedField: UBFM with LSL, LSR, UBFX, UBFIZ, UXTB, UXTH. Shifts to the right are done at full
// width: the mask that follows removes what comes down from above a W register.
func (o *a64out) unsignedField(d Reg, width uint8, n Operand, r, s uint32) {
	size := uint32(width) * 8
	switch {
	case s >= r:
		if r != 0 {
			o.put(OpShr, d, 8, n, I(int64(r)))
			n = R(d)
		}
		if mask := a64Low(s - r + 1); r == 0 || width == 4 || s != 63 {
			o.put(OpAnd, d, width, n, I(int64(mask)))
		}
	default:
		if s+1 != r { // not all the bits that stay: UBFIZ
			o.put(OpAnd, d, width, n, I(int64(a64Low(s+1))))
			n = R(d)
		}
		o.put(OpShl, d, width, n, I(int64(size-r)))
	}
}

// signedField: SBFM with SXTB, SXTH, SXTW, ASR, SBFX, SBFIZ, exact for fields of 8, 16 or 32 bits.
func (o *a64out) signedField(d Reg, width uint8, n Operand, r, s uint32) {
	bits, size := s+1, uint32(width)*8
	if s >= r {
		bits = s - r + 1
	}
	if bits != 8 && bits != 16 && bits != 32 {
		o.forget(a64Mask(d))
		return
	}
	if s >= r && r != 0 {
		o.put(OpShr, d, 8, n, I(int64(r)))
		n = R(d)
	}
	n.Size = uint8(bits / 8)
	o.put(OpSignExtend, d, width, n, Operand{})
	if s < r {
		o.put(OpShl, d, width, R(d), I(int64(size-r)))
	}
}
