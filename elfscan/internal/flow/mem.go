package flow

import (
	"github.com/profcheck/profcheck/elfscan/internal/isa"
)

// load reads size bytes at the address that id holds, zero-extended.
func (f *flow) load(s *state, id ValueID, size uint8) ValueID {
	v := f.vs.Get(id)
	if v.Stack {
		return f.loadSlot(s, v.Off, size)
	}
	addrs, ok := f.vs.IsConst(id)
	if !ok || len(addrs) == 0 {
		if f.vs.Pointers && v.Derived() {
			return f.loadBehind(*v, size)
		}
		return Unknown
	}
	out := loadFixed(f.p, f.vs, addrs[0], size)
	for _, a := range addrs[1:] {
		out = f.vs.Join(out, loadFixed(f.p, f.vs, a, size))
	}
	return out
}

// loadFixed reads memory at a fixed address: its content if that never changes, else a cell.
func loadFixed(p Program, vs *Values, addr uint64, size uint8) ValueID {
	if size != 8 && size != 4 && size != 2 && size != 1 {
		return Unknown
	}
	if p.Changes(addr) {
		switch size {
		case 8:
			return vs.Cell(addr)
		case 4:
			return vs.Narrow(vs.Cell(addr))
		}
		return Unknown
	}
	w, ok := p.Word(addr)
	if !ok {
		b := p.Bytes(addr, uint64(size)) // the last words of a segment
		if b == nil {
			return Unknown
		}
		for i, x := range b {
			w |= uint64(x) << (8 * i)
		}
	}
	if size < 8 {
		w &= 1<<(8*uint(size)) - 1
	}
	return vs.Constant(w)
}

func (f *flow) loadSlot(s *state, off int64, size uint8) ValueID {
	if !f.conv.Ordered && f.escaped(s, off) {
		return Unknown
	}
	for i := range s.slots {
		sl := &s.slots[i]
		if sl.Off+int64(sl.Size) <= off || off+int64(size) <= sl.Off {
			continue
		}
		switch {
		case sl.Off == off && sl.Size == size:
			return sl.ID
		case sl.Off == off && size == 4 && sl.Size == 8:
			return f.vs.Narrow(sl.ID)
		}
		return Unknown
	}
	if off >= f.conv.StackArg {
		return f.argument(off, size)
	}
	return Unknown
}

// escaped reports whether the slot at off can be reached through a pointer: it lies at or above an
// address that was taken, in the same part of the frame (own slots below the return address,
// stack arguments above). The sizes of the objects are not known, so everything above counts.
func (f *flow) escaped(s *state, off int64) bool {
	if f.conv.Ordered {
		return off >= s.lowArg || off >= s.low && off < f.conv.StackArg
	}
	for t := range f.taken {
		if off >= t && (t >= f.conv.StackArg) == (off >= f.conv.StackArg) {
			return true
		}
	}
	return false
}

// assign stores the value id in op.Dst.
func (f *flow) assign(s *state, op *isa.Op, id ValueID, pc uint64) {
	switch op.Dst.Kind {
	case isa.RegOp:
		if op.Width == 4 {
			id = f.vs.Narrow(id)
		} else if op.Width < 4 {
			id = Unknown
		}
		s.regs[op.Dst.Reg] = id
	case isa.Mem:
		if op.Dst.Index != isa.NoReg {
			f.lose(s, id)
			f.leak(id)
			f.storeSomewhere(s, f.base8(s, op.Dst), pc)
			return
		}
		f.store(s, f.address(s, op.Dst), op.Dst.Size, id, pc)
	}
}

// saveFrame stores the frame pointer in the frame, which chains frames together for those who walk
// the stack: an address of nothing that the function keeps there itself.
func (f *flow) saveFrame(s *state, op *isa.Op) bool {
	id := s.regs[f.conv.FP]
	if f.fn.Hand || !f.vs.Get(id).Stack {
		return false
	}
	if to := f.vs.Get(f.address(s, op.Dst)); to.Stack {
		f.setSlot(s, to.Off, op.Dst.Size, id)
		return true
	}
	return false
}

// joined is vs.join, noting stack addresses that are no longer followed after it. The address in
// the stack pointer, sp, is left out: results of a call are copied from there, which leaves it
// behind in a register.
func (f *flow) joined(s *state, a, b, sp ValueID) ValueID {
	if a == b {
		return a
	}
	j := f.vs.Join(a, b)
	if f.conv.Ordered {
		f.loseInto(s, a, j)
		f.loseInto(s, b, j)
		return j
	}
	if !f.vs.Get(j).Stack {
		for _, id := range [2]ValueID{a, b} {
			if id != sp {
				f.lose(s, id)
			}
		}
	}
	return j
}

// computed is vs.binary, noting stack addresses likewise.
func (f *flow) computed(s *state, kind isa.OpKind, a, b ValueID) ValueID {
	j := f.vs.Binary(kind, a, b)
	if f.conv.Ordered {
		f.loseInto(s, a, j)
		f.loseInto(s, b, j)
		if !f.vs.Get(j).Stack && (kind == isa.OpAdd || kind == isa.OpSub) {
			f.takeAround(s, a)
			f.takeAround(s, b)
		}
		return j
	}
	if !f.vs.Get(j).Stack {
		f.lose(s, a)
		f.lose(s, b)
	}
	return j
}

// loseInto is lose for what was computed into j.
func (f *flow) loseInto(s *state, id, j ValueID) {
	if id == Unknown {
		return
	}
	switch v, kept := f.vs.Get(id), f.vs.Get(j); {
	case v.Stack && !kept.Stack:
		f.take(s, v.Off)
		f.out.Astray = min(f.out.Astray, v.Off)
	case v.Derived() && f.vs.Pointers:
		f.losePointer(v, kept)
	}
}

// lose notes that id, if it is an address in the frame, goes where it is not followed.
func (f *flow) lose(s *state, id ValueID) {
	if f.conv.Ordered {
		f.loseInto(s, id, Unknown)
	} else if v := f.vs.Get(id); v.Stack {
		f.take(s, v.Off)
	}
}

func (f *flow) take(s *state, off int64) {
	if f.conv.Ordered {
		f.takeFrom(s, off)
		return
	}
	if !f.taken[off] && !f.escaped(s, off) {
		f.taken[off] = true
		f.restart = true
	}
}

// takeFrom is take for frames that are trusted in order: from here on, others may read and write what
// lies at off and above it. What lies there already goes where it is not followed.
func (f *flow) takeFrom(s *state, off int64) {
	low, end := &s.low, f.conv.StackArg
	if off >= end {
		low, end = &s.lowArg, noneTaken
	}
	if off >= *low {
		return
	}
	end = min(end, *low)
	*low = off
	for i := range s.slots {
		// A slot that holds an address further down moves low, and with it what is looked at.
		if sl := &s.slots[i]; sl.Off+int64(sl.Size) > off && sl.Off < end {
			if v := f.vs.Get(sl.ID); v.Stack {
				f.lose(s, sl.ID)
			} else if v.Derived() && v.Cut == CutNone && v.Ors == nil {
				f.out.Under.add(&v.Params)
			}
			if f.conv.Leaks {
				f.leak(sl.ID)
			}
		}
	}
}

// farBelow is an offset below all of a frame.
const farBelow = -1 << 40

// takeAround notes an address that is computed from id by an unknown amount, beside a distance that
// code may have folded into it: from the frame or stack pointer any object of the frame can be meant.
func (f *flow) takeAround(s *state, id ValueID) {
	v := f.vs.Get(id)
	if !f.conv.Ordered || !v.Stack {
		return
	}
	for _, r := range [2]isa.Reg{f.m.SP, f.m.FP} {
		if base := f.vs.Get(s.regs[r]); base.Stack && base.Off == v.Off {
			f.take(s, farBelow)
			f.out.Astray = farBelow
		}
	}
}

// base8 returns the value of the base register of an operand whose index is not followed.
func (f *flow) base8(s *state, o isa.Operand) ValueID {
	if o.Reg == isa.NoReg {
		return Unknown
	}
	return f.vs.Binary(isa.OpAdd, s.regs[o.Reg], f.vs.Constant(uint64(o.Value)))
}

// storeSomewhere is a store at an unknown distance from a base. If the base is a stack address, an
// array lies in that part of the frame, and what the slots there hold now is forgotten.
func (f *flow) storeSomewhere(s *state, base ValueID, pc uint64) {
	v := f.vs.Get(base)
	if !v.Stack {
		f.storeBehind(s, v, 0, pc)
		return
	}
	if v.Off < f.conv.StackArg || f.fn.Hand {
		f.killSlots(s, farBelow, f.conv.StackArg-farBelow)
	}
	if v.Off >= f.conv.StackArg || f.fn.Hand {
		f.killSlots(s, f.conv.StackArg, 4*OutSlots)
	}
}

func (f *flow) store(s *state, addr ValueID, size uint8, id ValueID, pc uint64) {
	v := f.vs.Get(addr)
	if v.Stack {
		if !f.conv.Ordered || f.vs.Get(id).Stack || f.escaped(s, v.Off) {
			f.lose(s, id)
		}
		f.setSlot(s, v.Off, size, id)
		if f.conv.Leaks && f.escaped(s, v.Off) {
			f.leak(id)
		}
		return
	}
	if !f.conv.Ordered || len(v.Consts) == 0 || !v.plain() || f.vs.Get(id).Stack {
		f.lose(s, id)
	}
	f.leak(id)
	f.storeBehind(s, f.vs.Get(addr), size, pc)
	if c, ok := f.vs.IsConst(addr); ok {
		for _, a := range c {
			f.noteStore(Store{pc, a, size, id})
		}
	}
}

func (f *flow) noteStore(st Store) {
	k := [2]uint64{st.At, st.Cell}
	if i, ok := f.storeAt[k]; ok {
		f.out.Stores[i].ID = f.vs.Join(f.out.Stores[i].ID, st.ID)
		return
	}
	f.storeAt[k] = len(f.out.Stores)
	f.out.Stores = append(f.out.Stores, st)
}

// forget applies an OpForget, or what a syscall clobbers.
func (f *flow) forget(s *state, op *isa.Op, pc uint64) {
	for r := range f.m.Regs {
		if op.Clobber.Has(isa.Reg(r)) {
			s.regs[r] = Unknown
		}
	}
	switch op.Dst.Kind {
	case isa.RegOp:
		s.regs[op.Dst.Reg] = Unknown
	case isa.Mem:
		if op.Dst.Index != isa.NoReg {
			f.forgetIndexed(s, op.Dst, pc)
		} else if v := f.vs.Get(f.address(s, op.Dst)); v.Stack {
			n := int64(max(op.Dst.Size, op.Width))
			if n == 0 {
				n = WidestStore
			}
			f.killSlots(s, v.Off, n)
		} else if c, ok := f.vs.IsConst(f.address(s, op.Dst)); ok {
			for _, a := range c {
				f.noteStore(Store{pc, a, max(op.Dst.Size, op.Width), Unknown})
				if f.conv.Ordered && a == 0 {
					f.killEscaped(s) // how decoders say that they do not know
				}
			}
		} else {
			f.storeBehind(s, v, op.Dst.Size, pc)
		}
	}
}

// forgetIndexed is a store of something unknown at an index from an address; string instructions
// have their count there.
func (f *flow) forgetIndexed(s *state, o isa.Operand, pc uint64) {
	base := f.base8(s, o)
	if v := f.vs.Get(base); f.conv.Ordered && v.Stack && o.Size > 0 {
		if c, ok := f.vs.IsConst(s.regs[o.Index]); ok && len(c) == 1 && c[0] < 1<<20 {
			f.killSlots(s, v.Off, int64(c[0])*int64(o.Scale)+int64(o.Size))
			return
		}
	}
	f.storeSomewhere(s, base, pc)
}
