package isa

// memory appends the effects of a load or store.
func (o *a64out) memory(w a64, pc uint64) bool {
	m, ok := w.mem()
	if !ok {
		return false
	}
	base := Reg(m.rn)
	place := M(base, m.disp, m.size)
	switch {
	case m.literal:
		place = M(NoReg, int64(w.to(pc, m.disp)), m.size)
	case m.wback == a64Pre:
		o.put(OpAdd, base, 8, R(base), I(m.disp))
		place.Value = 0
	case m.wback != a64Offset:
		place.Value = 0
	case m.index != 31:
		place.Index, place.Scale = Reg(m.index), 1<<m.shift
	}
	switch {
	case m.vague || !m.known || m.simd:
		o.forgetMemory(&m, place)
	case m.narrow():
		o.narrowLoad(&m, place)
	case m.load:
		o.load(&m, place)
	case m.store:
		o.store(&m, place)
	}
	switch m.wback {
	case a64Post:
		o.put(OpAdd, base, 8, R(base), I(m.disp))
	case a64PostReg:
		o.put(OpAdd, base, 8, R(base), R(Reg(m.index)))
	}
	return true
}

// forgetMemory: what is written to memory is unknown, and so are the registers in lost. These are
// forgotten last, because the address needs them, except where the address is to be unknown.
func (o *a64out) forgetMemory(m *a64mem, place Operand) {
	if m.vague {
		o.forget(m.lost)
	}
	if m.store {
		place.Size = m.size * m.count
		o.add(Op{Kind: OpForget, Width: place.Size, Dst: place})
	}
	if !m.vague {
		o.forget(m.lost)
	}
}

// load appends the loads of one or two registers; a register that is also the base comes last.
func (o *a64out) load(m *a64mem, place Operand) {
	kind := OpSet
	if m.signed {
		kind = OpSignExtend
	}
	second := place
	second.Value += int64(m.size)
	switch {
	case m.count == 1:
		o.put(kind, a64Dst(m.rt), m.width, place, Operand{})
	case m.rt == m.rn && m.rn != 31:
		o.put(kind, a64Dst(m.rt2), m.width, second, Operand{})
		o.put(kind, a64Dst(m.rt), m.width, place, Operand{})
	default:
		o.put(kind, a64Dst(m.rt), m.width, place, Operand{})
		o.put(kind, a64Dst(m.rt2), m.width, second, Operand{})
	}
}

// narrowLoad loads through a 32-bit index, which is first extended in the destination.
func (o *a64out) narrowLoad(m *a64mem, place Operand) {
	d := a64Dst(m.rt)
	if d == NoReg || d == place.Reg {
		o.forget(a64Mask(d))
		return
	}
	o.extend(d, R(place.Index), m.option)
	place.Index = d
	o.load(m, place)
}

func (o *a64out) store(m *a64mem, place Operand) {
	regs := [2]uint32{m.rt, m.rt2}
	for i, r := range regs[:m.count] {
		dst := place
		dst.Value += int64(i) * int64(m.size)
		o.add(Op{Kind: OpSet, Width: m.size, Dst: dst, A: a64Src(r)})
	}
}
