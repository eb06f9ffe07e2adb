package isa

// register appends the effects of data processing with registers.
func (o *a64out) register(w a64) bool {
	switch {
	case !w.registerOK():
		return false
	case w.bit(28):
		if w.field(21, 4) == 4 {
			o.selects(w)
		} else {
			o.forget(w.writesReg())
		}
	case !w.bit(24):
		o.logicalReg(w)
	case !w.bit(21):
		o.addShifted(w)
	default:
		o.addExtended(w)
	}
	return true
}

// combine appends d = n op m', where m' was put into d by prepare, an exact sequence that may use
// nothing but d. That needs d to be a register other than n; otherwise d is forgotten.
func (o *a64out) combine(k OpKind, d Reg, width uint8, n Operand, prepare func() bool) {
	if d == NoReg {
		return
	}
	start := len(o.ops)
	if d == a64SP || n.Kind == RegOp && n.Reg == d || !prepare() {
		o.ops = o.ops[:start]
		o.forget(a64Mask(d))
		return
	}
	o.put(k, d, width, n, R(d))
}

// shift puts m, shifted by LSL or LSR, into d. It reports false for ASR and ROR.
func (o *a64out) shift(d Reg, width uint8, m Operand, kind, amount uint32) bool {
	size := uint32(width) * 8
	switch {
	case amount == 0:
		o.put(OpSet, d, width, m, Operand{})
	case kind == 0:
		o.put(OpShl, d, width, m, I(int64(amount)))
	case kind == 1:
		o.unsignedField(d, width, m, amount, size-1)
	default:
		return false
	}
	return true
}

// logicalReg: AND, ORR, EOR, ANDS and, with the second source inverted, BIC, ORN, EON, BICS.
func (o *a64out) logicalReg(w a64) {
	width, amount := w.width(), w.field(10, 6)
	d, n, m := a64Dst(w.rd()), a64Src(w.rn()), a64Src(w.rm())
	kind := [4]OpKind{OpAnd, OpOr, OpXor, OpAnd}[w.field(29, 2)]
	invert := w.bit(21)
	if w.rm() == 31 {
		amount = 0
		if invert {
			m, invert = I(-1), false
		}
	}
	switch {
	case amount == 0 && !invert && w.rn() == 31 && kind != OpAnd: // MOV
		o.put(OpSet, d, width, m, Operand{})
	case amount == 0 && !invert:
		o.put(kind, d, width, n, m)
	case amount == 0 && w.rn() == 31 && kind != OpAnd: // MVN
		o.put(OpXor, d, width, m, I(-1))
	case amount == 0 && kind == OpXor: // EON
		o.put(OpXor, d, width, n, m)
		o.put(OpXor, d, width, R(d), I(-1))
	case amount == 0 && kind == OpAnd && w.rd() != w.rm(): // BIC
		o.put(OpOr, d, width, n, m)
		o.put(OpXor, d, width, R(d), m)
	default:
		o.combine(kind, d, width, n, func() bool {
			ok := o.shift(d, width, m, w.field(22, 2), amount)
			if ok && invert {
				o.put(OpXor, d, width, R(d), I(-1))
			}
			return ok
		})
	}
}

// addShifted: ADD, SUB, ADDS, SUBS with a shifted register, and so NEG and CMP.
func (o *a64out) addShifted(w a64) {
	width, amount, kind := w.width(), w.field(10, 6), w.field(22, 2)
	d, n, m := a64Dst(w.rd()), a64Src(w.rn()), a64Src(w.rm())
	o.addSub(w, d, n, m, amount == 0 || w.rm() == 31, kind == 0, amount, func() bool {
		return o.shift(d, width, m, kind, amount)
	})
}

// addExtended: ADD, SUB, ADDS, SUBS with a register that is extended, then shifted left. Here 31
// is SP for the first source and, where no flags are set, for the destination.
func (o *a64out) addExtended(w a64) {
	width, amount, option := w.width(), w.field(10, 3), w.field(13, 3)
	d, n, m := Reg(w.rd()), R(Reg(w.rn())), a64Src(w.rm())
	if w.bit(29) {
		d = a64Dst(w.rd())
	}
	whole := option&3 == 3 || option&3 == 2 && width == 4 // no bits are cut off
	o.addSub(w, d, n, m, w.rm() == 31 || whole && amount == 0, whole, amount, func() bool {
		o.extend(d, m, option)
		return amount == 0 || o.shift(d, width, R(d), 0, amount)
	})
}

// addSub appends d = n +- m for a second source that is m itself (plain), m << amount (left), or
// what prepare puts into d.
func (o *a64out) addSub(w a64, d Reg, n, m Operand, plain, left bool, amount uint32, prepare func() bool) {
	width, kind := w.width(), OpAdd
	if w.bit(30) {
		kind = OpSub
	}
	switch {
	case plain && kind == OpAdd && m.Kind == Imm && m.Value == 0:
		o.put(OpSet, d, width, n, Operand{})
	case plain:
		o.put(kind, d, width, n, m)
	case left && kind == OpAdd && amount < 8 && n.Kind == RegOp:
		sum := Operand{Kind: Addr, Reg: n.Reg, Index: m.Reg, Scale: 1 << amount}
		o.put(OpSet, d, width, sum, Operand{})
	default:
		o.combine(kind, d, width, n, prepare)
	}
}

// extend puts m into d, extended as option says: 0 to 3 UXTB, UXTH, UXTW, UXTX, 4 to 7 SXTB..SXTX.
func (o *a64out) extend(d Reg, m Operand, option uint32) {
	bytes := uint8(1) << (option & 3)
	switch {
	case bytes == 8 || m.Kind == Imm:
		o.put(OpSet, d, 8, m, Operand{})
	case option < 4:
		o.put(OpAnd, d, 8, m, I(int64(a64Low(uint32(bytes)*8))))
	default:
		m.Size = bytes
		o.put(OpSignExtend, d, 8, m, Operand{})
	}
}

// selects: CSEL, CSINC, CSINV, CSNEG, and so CSET, CSETM, CINC, CNEG. The condition is not
// followed: either source may be the result.
func (o *a64out) selects(w a64) {
	width, d, n, m := w.width(), a64Dst(w.rd()), a64Src(w.rn()), a64Src(w.rm())
	zero := w.rm() == 31
	switch op := w.field(30, 1)<<1 | w.field(10, 1); {
	case op == 0, op == 3 && zero:
		o.put(OpSelect, d, width, n, m)
	case op == 1 && zero:
		o.put(OpSelect, d, width, n, I(1))
	case op == 1:
		o.put(OpSelect, d, width, n, A(m.Reg, 1))
	case op == 2 && zero:
		o.put(OpSelect, d, width, n, I(-1))
	default:
		o.combine(OpSelect, d, width, n, func() bool {
			if op == 2 {
				o.put(OpXor, d, width, m, I(-1))
			} else {
				o.put(OpSub, d, width, I(0), m)
			}
			return true
		})
	}
}
