package isa

// The methods here, which Scan and Decode share, tell what is allocated and which registers a word
// can write, as a mask in which bit 31 is SP. They are exact for Armv8 and cautious beyond. The zero
// register is never in a mask.

// a64NoZero is the mask of a register field in which 31 is the zero register.
func a64NoZero(r uint32) uint32 { return 1 << r &^ (1 << 31) }

// writes tells for Scan which registers change. Loads and stores are not its affair.
func (w a64) writes() uint32 {
	switch w.group() {
	case a64GroupReserved, a64GroupSVE:
		return w.writesVector()
	case a64GroupImm, a64GroupImm + 1:
		return w.writesImm()
	case a64GroupReg, a64GroupReg + 8:
		return w.writesReg()
	case a64GroupFP, a64GroupFP + 8:
		return w.writesFP()
	}
	return 0
}

// immediateOK reports whether a word of the immediate group is allocated.
func (w a64) immediateOK() bool {
	opc := w.field(29, 2)
	switch w.field(23, 3) {
	case 3:
		if w.bit(22) { // SMAX, SMIN, UMAX, UMIN
			return opc == 0 && w.field(20, 2) == 0
		}
		return w.bit(31) && !w.bit(29) // ADDG, SUBG
	case 4:
		_, ok := w.bitmask()
		return ok
	case 5:
		return opc != 1 && (w.bit(31) || !w.bit(22))
	case 6:
		return opc != 3 && w.bit(22) == w.bit(31) && (w.bit(31) || !w.bit(21) && !w.bit(15))
	case 7:
		if opc == 3 { // AUTIASPPC, which authenticates the link register
			return w.bit(31)
		}
		return opc == 0 && !w.bit(21) && w.bit(22) == w.bit(31) && (w.bit(31) || !w.bit(15))
	}
	return true
}

// registerOK reports whether a word of the register group is allocated, without a look at the many
// opcodes of instructions with one to three sources.
func (w a64) registerOK() bool {
	short := w.bit(31) || !w.bit(15) // the shift of a W register is below 32
	if !w.bit(28) {
		switch {
		case !w.bit(24):
			return short
		case !w.bit(21):
			return short && w.field(22, 2) != 3
		}
		return w.field(22, 2) == 0 && w.field(10, 3) <= 4
	}
	switch op := w.field(21, 4); op {
	case 2: // CCMP, CCMN
		return w.bit(29) && !w.bit(10) && !w.bit(4)
	case 4: // CSEL and its relatives
		return !w.bit(29) && !w.bit(11)
	case 0, 6:
		return true
	default: // MADD and its relatives
		return op >= 8 && w.field(29, 2) == 0
	}
}

func (w a64) writesImm() uint32 {
	switch w.field(23, 3) {
	case 2:
		if !w.bit(29) {
			return 1 << w.rd()
		}
	case 3:
		if !w.bit(22) {
			return 1 << w.rd()
		}
	case 4:
		if w.field(29, 2) != 3 {
			return 1 << w.rd()
		}
	case 7:
		if w.field(29, 2) == 3 {
			return 1 << a64LR
		}
	}
	return a64NoZero(w.rd())
}

func (w a64) writesReg() uint32 {
	if !w.bit(28) {
		if w.bit(24) && w.bit(21) && !w.bit(29) { // extended register, no flags
			return 1 << w.rd()
		}
		return a64NoZero(w.rd())
	}
	switch op := w.field(21, 4); {
	case op == 0 && w.bit(29) && w.field(10, 5) != 0, op == 2: // flags only
		return 0
	case op == 0 && w.field(13, 3) == 1, // ADDPT, SUBPT
		op == 6 && !w.bit(30) && w.field(10, 6) == 4: // IRG
		return 1 << w.rd()
	}
	return a64NoZero(w.rd())
}

// writesFP finds the floating-point and SIMD instructions that have a general destination.
func (w a64) writesFP() uint32 {
	d := a64NoZero(w.rd())
	switch {
	case w.field(24, 7)&^0x20 == 0x1e && w.bit(21) && w.field(10, 6) == 0:
		// Between floating point and integer: opcode 2, 3 and 7 go the other way.
		if op := w.field(16, 3); op != 2 && op != 3 && op != 7 {
			return d
		}
	case w.field(24, 7)&^0x20 == 0x1e && !w.bit(21): // fixed point
		if w.field(16, 3) < 2 {
			return d
		}
	case !w.bit(31) && w.field(21, 9) == 0x070 && !w.bit(15) && w.bit(10):
		if imm4 := w.field(11, 4); imm4 == 5 || imm4 == 7 { // SMOV, UMOV
			return d
		}
	}
	return 0
}

// writesVector: SVE and SME name a general destination in bits 4 to 0, if they have one. A store
// also gives up its base, which stands for an address that is not known.
func (w a64) writesVector() uint32 {
	if w.group() == a64GroupReserved && !w.bit(31) {
		return 0 // UDF
	}
	switch mem := w.bit(31); {
	case mem && w.bit(30) && w.bit(29): // store
		return 1<<w.rn() | a64NoZero(w.rd())
	case mem && w.group() == a64GroupSVE: // load
		return 0
	case w>>24 == 4 && w.bit(21) && w.field(12, 4) == 5: // ADDVL, ADDPL and the SME forms
		return 1 << w.rd()
	}
	return a64NoZero(w.rd())
}

// writesSystem: MRS and SYSL read into Rt; some hints sign or strip the link register or X17.
func (w a64) writesSystem() uint32 {
	if w>>24 != 0xd5 {
		return 0
	}
	switch {
	case w.bit(22): // 128-bit moves and SYSP
		return a64NoZero(w.rd()) | a64NoZero((w.rd()+1)&31)
	case w.bit(21):
		return a64NoZero(w.rd())
	case w.zeroesCache():
		return a64NoZero(w.rd())
	case w>>12 != 0xd5032 || w.rd() != 31:
		return 0
	}
	switch hint := w.field(5, 7); {
	case hint == 7 || hint >= 24 && hint < 32: // XPACLRI, PACIASP, AUTIASP and so on
		return 1 << a64LR
	case hint == 8 || hint == 10 || hint == 12 || hint == 14: // PACIA1716 and so on
		return 1 << 17
	case hint == 40: // CHKFEAT
		return 1 << 16
	}
	return 0
}

// zeroesCache reports whether w is DC ZVA or DC GZVA, which zeroes a block of memory of a size that
// the CPU tells (DCZID_EL0), aligned down. Decode gives up the address register, so that it is a
// store to an unknown address.
func (w a64) zeroesCache() bool {
	return w>>8 == 0xd50b74 && (w.field(5, 3) == 1 || w.field(5, 3) == 4) && w.rd() != 31
}
