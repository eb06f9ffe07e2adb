package elfscan

import (
	"slices"
	"sort"

	"github.com/profcheck/profcheck/elfscan/internal/isa"
)

// load reads size bytes at the address that id holds, zero-extended.
func (f *flow) load(s *state, id valueID, size uint8) valueID {
	v := f.vs.get(id)
	if v.stack {
		return f.loadSlot(s, v.off, size)
	}
	addrs, ok := f.vs.isConst(id)
	if !ok || len(addrs) == 0 {
		return unknownID
	}
	out := f.loadFixed(addrs[0], size)
	for _, a := range addrs[1:] {
		out = f.vs.join(out, f.loadFixed(a, size))
	}
	return out
}

// loadFixed reads memory at a fixed address: its content if that never changes, else a cell.
func (f *flow) loadFixed(addr uint64, size uint8) valueID {
	if size != 8 && size != 4 && size != 2 && size != 1 {
		return unknownID
	}
	if f.p.im.writable(addr) && !f.p.constant(addr) {
		switch size {
		case 8:
			return f.vs.cell(addr)
		case 4:
			return f.vs.narrow(f.vs.cell(addr))
		}
		return unknownID
	}
	w, ok := f.p.im.word(addr)
	if !ok {
		b := f.p.im.bytes(addr, uint64(size)) // the last words of a segment
		if b == nil {
			return unknownID
		}
		for i, x := range b {
			w |= uint64(x) << (8 * i)
		}
	}
	if size < 8 {
		w &= 1<<(8*uint(size)) - 1
	}
	return f.vs.constant(w)
}

func (f *flow) loadSlot(s *state, off int64, size uint8) valueID {
	if f.escaped(off) {
		return unknownID
	}
	for i := range s.slots {
		sl := &s.slots[i]
		if sl.off+int64(sl.size) <= off || off+int64(size) <= sl.off {
			continue
		}
		switch {
		case sl.off == off && sl.size == size:
			return sl.id
		case sl.off == off && size == 4 && sl.size == 8:
			return f.vs.narrow(sl.id)
		}
		return unknownID
	}
	if off >= f.m.StackArg {
		return f.argument(off, size)
	}
	return unknownID
}

// escaped reports whether the slot at off can be reached through a pointer: it lies at or above an
// address that was taken, in the same part of the frame (own slots below the return address,
// stack arguments above). The sizes of the objects are not known, so everything above counts.
func (f *flow) escaped(off int64) bool {
	for t := range f.taken {
		if off >= t && (t >= f.m.StackArg) == (off >= f.m.StackArg) {
			return true
		}
	}
	return false
}

// assign stores the value id in op.Dst.
func (f *flow) assign(s *state, op *isa.Op, id valueID, pc uint64) {
	switch op.Dst.Kind {
	case isa.RegOp:
		if op.Width == 4 {
			id = f.vs.narrow(id)
		} else if op.Width < 4 {
			id = unknownID
		}
		s.regs[op.Dst.Reg] = id
	case isa.Mem:
		if op.Dst.Index != isa.NoReg {
			f.lose(id)
			f.leak(id)
			f.storeSomewhere(s, f.base8(s, op.Dst))
			return
		}
		f.store(s, f.address(s, op.Dst), op.Dst.Size, id, pc)
	}
}

// saveFrame stores the frame pointer in the frame, which chains frames together for those who walk
// the stack: an address of nothing that the function keeps there itself.
func (f *flow) saveFrame(s *state, op *isa.Op) bool {
	id := s.regs[f.m.FP]
	if f.asm || !f.vs.get(id).stack {
		return false
	}
	if to := f.vs.get(f.address(s, op.Dst)); to.stack {
		f.setSlot(s, to.off, op.Dst.Size, id)
		return true
	}
	return false
}

// joined is vs.join, noting stack addresses that are no longer followed after it. The address in
// the stack pointer, sp, is left out: results of a call are copied from there, which leaves it
// behind in a register.
func (f *flow) joined(a, b, sp valueID) valueID {
	j := f.vs.join(a, b)
	if !f.vs.get(j).stack {
		for _, id := range [2]valueID{a, b} {
			if id != sp {
				f.lose(id)
			}
		}
	}
	return j
}

// computed is vs.binary, noting stack addresses likewise.
func (f *flow) computed(kind isa.OpKind, a, b valueID) valueID {
	j := f.vs.binary(kind, a, b)
	if !f.vs.get(j).stack {
		f.lose(a)
		f.lose(b)
	}
	return j
}

// lose notes that id, if it is an address in the frame, goes where it is not followed.
func (f *flow) lose(id valueID) {
	if v := f.vs.get(id); v.stack {
		f.take(v.off)
	}
}

func (f *flow) take(off int64) {
	if !f.taken[off] && !f.escaped(off) {
		f.taken[off] = true
		f.restart = true
	}
}

// base8 returns the value of the base register of an operand whose index is not followed.
func (f *flow) base8(s *state, o isa.Operand) valueID {
	if o.Reg == isa.NoReg {
		return unknownID
	}
	return f.vs.binary(isa.OpAdd, s.regs[o.Reg], f.vs.constant(uint64(o.Value)))
}

// storeSomewhere is a store at an unknown distance from a base. If the base is a stack address, an
// array lies in that part of the frame, and what the slots there hold now is forgotten.
func (f *flow) storeSomewhere(s *state, base valueID) {
	v := f.vs.get(base)
	if !v.stack {
		return
	}
	if v.off < f.m.StackArg || f.asm {
		const farBelow = -1 << 40
		f.killSlots(s, farBelow, f.m.StackArg-farBelow)
	}
	if v.off >= f.m.StackArg || f.asm {
		f.killSlots(s, f.m.StackArg, 4*outSlots)
	}
}

func (f *flow) store(s *state, addr valueID, size uint8, id valueID, pc uint64) {
	v := f.vs.get(addr)
	f.lose(id)
	if v.stack {
		f.setSlot(s, v.off, size, id)
		if f.escaped(v.off) {
			f.leak(id)
		}
		return
	}
	f.leak(id)
	if c, ok := f.vs.isConst(addr); ok {
		for _, a := range c {
			f.noteStore(cellStore{pc, a, size, id})
		}
	}
}

func (f *flow) noteStore(st cellStore) {
	k := [2]uint64{st.at, st.cell}
	if i, ok := f.storeAt[k]; ok {
		f.out.stores[i].id = f.vs.join(f.out.stores[i].id, st.id)
		return
	}
	f.storeAt[k] = len(f.out.stores)
	f.out.stores = append(f.out.stores, st)
}

// setSlot writes size bytes at off and forgets what they overlap.
func (f *flow) setSlot(s *state, off int64, size uint8, id valueID) {
	f.killSlots(s, off, int64(size))
	if f.escaped(off) || len(s.slots) >= maxSlots && off < f.m.StackArg {
		return
	}
	if off >= f.m.StackArg && (size != 8 || off%8 != 0) && (size != 4 || off%4 != 0) {
		return // stack arguments are followed in words of 4 and 8 bytes only
	}
	f.insertSlot(s, slot{off, size, id})
}

func (f *flow) insertSlot(s *state, sl slot) {
	i := sort.Search(len(s.slots), func(i int) bool { return s.slots[i].off >= sl.off })
	if i < len(s.slots) && s.slots[i].off == sl.off {
		s.slots[i] = sl
		return
	}
	s.slots = slices.Insert(s.slots, i, sl)
}

// killSlots forgets the n bytes at off. Stack arguments in them become explicitly unknown, because
// an absent one would mean what the caller passed.
func (f *flow) killSlots(s *state, off, n int64) {
	kept, from, to := s.slots[:0], off, off+n
	for _, sl := range s.slots {
		if sl.off+int64(sl.size) <= off || off+n <= sl.off {
			kept = append(kept, sl)
		} else {
			from, to = min(from, sl.off), max(to, sl.off+int64(sl.size))
		}
	}
	s.slots = kept
	for a := max(from, f.m.StackArg) &^ 3; a < to && a < f.m.StackArg+4*outSlots; a += 4 {
		if slices.ContainsFunc(s.slots, func(sl slot) bool { return sl.off < a+4 && a < sl.off+int64(sl.size) }) {
			continue
		}
		f.insertSlot(s, slot{a, 4, unknownID})
	}
}

// forget applies an OpForget, or what a syscall clobbers.
func (f *flow) forget(s *state, op *isa.Op, pc uint64) {
	for r := range f.m.Regs {
		if op.Clobber.Has(isa.Reg(r)) {
			s.regs[r] = unknownID
		}
	}
	switch op.Dst.Kind {
	case isa.RegOp:
		s.regs[op.Dst.Reg] = unknownID
	case isa.Mem:
		if op.Dst.Index != isa.NoReg {
			f.storeSomewhere(s, f.base8(s, op.Dst))
		} else if v := f.vs.get(f.address(s, op.Dst)); v.stack {
			n := int64(max(op.Dst.Size, op.Width))
			if n == 0 {
				n = widestStore
			}
			f.killSlots(s, v.off, n)
		} else if c, ok := f.vs.isConst(f.address(s, op.Dst)); ok {
			for _, a := range c {
				f.noteStore(cellStore{pc, a, max(op.Dst.Size, op.Width), unknownID})
			}
		}
	}
}
