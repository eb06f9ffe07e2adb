package isa

// a64mem is what a load or store does.
type a64mem struct {
	load, store bool   // atomics do both
	known       bool   // what it says about values is exact; if not, the registers in lost change
	literal     bool   // address is the instruction's + disp
	simd        bool   // no general registers are loaded or stored
	signed      bool   // sign-extends
	width       uint8  // bytes of a loaded register, 4 or 8
	size        uint8  // bytes of memory per register
	count       uint8  // registers
	rt, rt2, rn uint32 // 31 is the zero register, or SP in rn
	index       uint32 // added to the address, 31 for none
	option      uint32 // how the index is extended, as in a64out.extend
	shift       uint8  // and then shifted
	disp        int64
	wback       a64wback
	lost        uint32 // mask of registers whose value is unknown afterwards
	vague       bool   // touches memory at an unknown place
}

type a64wback uint8

const (
	a64Offset  a64wback = iota
	a64Pre              // base += disp, then access
	a64Post             // access, then base += disp
	a64PostReg          // access, then base += index
)

// mem decodes a word of the load and store group. It reports false for what is not allocated.
func (w a64) mem() (m a64mem, ok bool) {
	m = a64mem{rt: w.rd(), rt2: 31, rn: w.rn(), index: 31, count: 1, known: true}
	switch w.field(27, 3) {
	case 1:
		switch {
		case w.bit(26):
			ok = m.structure(w)
		case w.bit(24):
			ok = m.guess(w)
		default:
			ok = m.exclusive(w)
		}
	case 3:
		if w.bit(24) {
			ok = m.ordered(w)
		} else {
			ok = m.fromLiteral(w)
		}
	case 5:
		ok = m.pair(w)
	case 7:
		ok = m.single(w)
	}
	if ok && m.known && !m.simd && m.wback != a64Offset && m.rn != 31 &&
		(m.rn == m.rt || m.count == 2 && m.rn == m.rt2) {
		ok = m.guess(w) // the architecture leaves open what happens
	}
	if m.load && m.known && !m.simd && m.count == 2 && m.rt == m.rt2 && m.rt != 31 {
		m.known, m.lost = false, m.lost|1<<m.rt // likewise
	}
	return m, ok
}

// guess is for what this decoder does not know: any register field may change, and any memory.
func (m *a64mem) guess(w a64) bool {
	*m = a64mem{load: true, store: true, vague: true, rt: w.rd(), rt2: 31, rn: w.rn(), index: 31,
		size: 16, count: 1, lost: 1<<w.rn() | a64NoZero(w.rd()) | a64NoZero(w.rt2()) | a64NoZero(w.rm())}
	return true
}

// narrow reports whether the address is base plus the extended low half of the index.
func (m *a64mem) narrow() bool {
	return m.index != 31 && m.wback == a64Offset && m.option&3 == 2
}

// writes returns the mask of registers that change.
func (m *a64mem) writes() uint32 {
	mask := m.lost
	if m.wback != a64Offset {
		mask |= 1 << m.rn
	}
	if m.load && m.known && !m.simd {
		mask |= a64NoZero(m.rt)
		if m.count == 2 {
			mask |= a64NoZero(m.rt2)
		}
	}
	return mask
}

// structure: LD1 to LD4 and ST1 to ST4 of SIMD registers.
func (m *a64mem) structure(w a64) bool {
	if w.bit(31) || w.bit(29) {
		return false
	}
	m.simd, m.load, m.store = true, w.bit(22), !w.bit(22)
	if w.bit(24) { // one element of each register
		m.count = uint8(w.field(13, 1)<<1|w.field(21, 1)) + 1
		m.size = 1 << w.field(14, 2)
		switch w.field(14, 2) {
		case 2:
			m.size = 4 << w.field(10, 1)
		case 3:
			m.size = 1 << w.field(10, 2)
		}
	} else {
		// LD2 to LD4 have opcodes with two low zeros and no arrangement 1D.
		oneD := w.field(10, 2) == 3 && !w.bit(30) && w.field(12, 2) == 0
		if w.bit(21) || !w.bit(23) && w.rm() != 0 || oneD {
			return false
		}
		m.count = [16]uint8{0: 4, 2: 4, 4: 3, 6: 3, 7: 1, 8: 2, 10: 2}[w.field(12, 4)]
		m.size = 8 << w.field(30, 1)
	}
	if m.count == 0 {
		return false
	}
	if w.bit(23) {
		m.wback, m.disp = a64Post, int64(m.count)*int64(m.size)
		if w.rm() != 31 {
			m.wback, m.index = a64PostReg, w.rm()
		}
	}
	return true
}

// exclusive: LDXR, STXR, pairs of them, LDAR, STLR, CAS, CASP.
func (m *a64mem) exclusive(w a64) bool {
	load := w.bit(22)
	m.size = 1 << w.field(30, 2)
	m.width = max(4, m.size)
	switch w.field(21, 1) | w.field(23, 1)<<1 {
	case 0:
		m.exclusivePart(w, load)
	case 1:
		m.count, m.size = 2, 4<<w.field(30, 1)
		if w.bit(31) {
			m.rt2 = w.rt2()
			m.exclusivePart(w, load)
			break
		}
		m.load, m.store, m.known = true, true, false // CASP
		m.lost = a64NoZero(w.rm()) | a64NoZero(w.rm()|1)
		return w.rt2() == 31
	case 2:
		m.load, m.store = load, !load
	case 3:
		m.load, m.store, m.known, m.lost = true, true, false, a64NoZero(w.rm()) // CAS
		return w.rt2() == 31
	}
	return true
}

// exclusivePart: a load gives up its destinations, a store its status register.
func (m *a64mem) exclusivePart(w a64, load bool) {
	m.load, m.store, m.known = load, !load, false
	m.lost = a64NoZero(w.rm())
	if load {
		m.lost = a64NoZero(m.rt) | a64NoZero(m.rt2)
	}
}

// ordered: LDAPUR and STLUR, memory tags, memory copies, 128-bit atomics.
func (m *a64mem) ordered(w a64) bool {
	sub := w.field(10, 2)
	switch {
	case !w.bit(21) && sub == 0 && !w.bit(26), !w.bit(21) && sub == 2 && w.bit(26):
		m.disp = w.signed(12, 9)
		return m.access(w) && m.size != 0
	case !w.bit(26) && w.bit(21) && w.field(30, 2) == 3:
		m.tag(w, sub)
	case !w.bit(26) && w.bit(21) && w.field(30, 2) == 0 && sub == 0: // LDCLRP, LDSETP, SWPP
		m.load, m.store, m.known, m.size = true, true, false, 16
		m.lost = a64NoZero(w.rd()) | a64NoZero(w.rm())
	default:
		return m.guess(w)
	}
	return true
}

// tag: STG and its relatives, of which only STZG and STZ2G change data, and LDG.
func (m *a64mem) tag(w a64, sub uint32) {
	opc := w.field(22, 2)
	m.simd, m.size, m.count, m.disp = true, 16, 1+uint8(opc>>1), w.signed(12, 9)*16
	switch {
	case sub != 0:
		m.store = opc&1 != 0
		m.wback = [4]a64wback{1: a64Post, 3: a64Pre}[sub]
	case opc == 1 || opc == 3: // LDG, LDGM
		m.known, m.lost = false, a64NoZero(w.rd())
	case opc == 0: // STZGM
		m.guess(w)
	}
}

// fromLiteral: LDR and LDRSW of an address relative to the instruction; PRFM.
func (m *a64mem) fromLiteral(w a64) bool {
	opc := w.field(30, 2)
	m.literal, m.disp, m.load = true, w.rel(5, 19), true
	switch {
	case w.bit(26):
		m.simd, m.size = true, 4<<opc
		return opc != 3
	case opc == 3:
		m.load, m.simd = false, true
	case opc == 2:
		m.signed, m.size, m.width = true, 4, 8
	default:
		m.size, m.width = 4<<opc, 4<<opc
	}
	return true
}

// pair: LDP, STP, LDNP, STNP, LDPSW, STGP.
func (m *a64mem) pair(w a64) bool {
	opc := w.field(30, 2)
	m.rt2, m.count = w.rt2(), 2
	m.load, m.store = w.bit(22), !w.bit(22)
	m.wback = [4]a64wback{1: a64Post, 3: a64Pre}[w.field(23, 2)]
	scale := uint8(4)
	switch {
	case opc == 3, opc == 1 && !w.bit(26) && w.field(23, 2) == 0:
		return false
	case w.bit(26):
		m.simd, m.size = true, 4<<opc
		scale = m.size
	case opc == 1 && m.load:
		m.signed, m.size, m.width = true, 4, 8
	case opc == 1: // STGP
		m.size, scale = 8, 16
	default:
		m.size, m.width = 4<<(opc>>1), 4<<(opc>>1)
		scale = m.size
	}
	m.disp = w.signed(15, 7) * int64(scale)
	return true
}

// single: loads and stores of one register in all addressing modes, and atomics.
func (m *a64mem) single(w a64) bool {
	sub := w.field(10, 2)
	switch {
	case w.bit(24):
	case w.bit(21) && sub == 0:
		return m.atomic(w)
	case w.bit(21) && sub != 2: // LDRAA, LDRAB: the base is authenticated first
		if w.field(30, 2) != 3 || w.bit(26) {
			return m.guess(w)
		}
		m.load, m.known, m.vague, m.size, m.lost = true, false, true, 8, a64NoZero(w.rd())
		if w.bit(11) {
			m.lost |= 1 << w.rn()
		}
		return true
	case !w.bit(21) && sub == 2 && w.bit(26):
		return false
	}
	if !m.access(w) {
		return false
	}
	scale := m.scale(w)
	switch {
	case w.bit(24):
		m.disp = int64(w.field(10, 12)) << scale
	case w.bit(21):
		m.index, m.option = w.rm(), w.field(13, 3)
		if w.bit(12) {
			m.shift = scale
		}
		if m.narrow() && m.store {
			// An Operand cannot say that the low half of the index counts: its register is given
			// up, and with it the address.
			m.vague, m.lost = true, 1<<m.index
		}
		return w.bit(14)
	default:
		m.disp = w.signed(12, 9)
		m.wback = [4]a64wback{1: a64Post, 3: a64Pre}[sub]
		if m.size == 0 && sub != 0 {
			return false // there is no such prefetch
		}
	}
	return true
}

// scale returns the shift of offsets, the logarithm of the size.
func (m *a64mem) scale(w a64) uint8 {
	if m.simd && m.size == 16 {
		return 4
	}
	return uint8(w.field(30, 2))
}

// access reads size and direction: bits 31, 30, 26, 23 and 22. A prefetch has size 0.
func (m *a64mem) access(w a64) bool {
	size, opc := w.field(30, 2), w.field(22, 2)
	m.size, m.width = 1<<size, 4
	m.load, m.store = opc != 0, opc == 0
	switch {
	case w.bit(26):
		m.simd, m.load, m.store = true, opc&1 != 0, opc&1 == 0
		if opc >= 2 {
			m.size = 16
			return size == 0
		}
	case opc == 1:
		m.width = max(4, m.size)
	case opc == 2 && size == 3:
		m.load, m.simd, m.size = false, true, 0
	case opc == 2:
		m.signed, m.width = true, 8
	case opc == 3:
		m.signed = true
		return size < 2
	}
	return true
}

// atomic: LDADD, SWP and the like, LDAPR, and 64-byte accesses.
func (m *a64mem) atomic(w a64) bool {
	opc := w.field(12, 3)
	m.size = 1 << w.field(30, 2)
	m.width = max(4, m.size)
	switch {
	case w.bit(26):
		return m.guess(w)
	case w.bit(15) && opc == 4 && w.bit(23) && !w.bit(22): // LDAPR
		m.load = true
	case !w.bit(15) || opc == 0:
		m.load, m.store, m.known, m.lost = true, true, false, a64NoZero(w.rd())
	default:
		m.guess(w)
		if w.bit(15) && opc == 5 { // LD64B: eight registers
			m.lost |= 0xff << w.rd() &^ (1 << 31)
		}
	}
	return true
}
