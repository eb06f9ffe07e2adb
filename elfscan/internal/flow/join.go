package flow

import (
	"sort"

	"github.com/profcheck/profcheck/elfscan/internal/isa"
)

// reach joins s into the state at offset off and queues that point if this changed it.
func (f *flow) reach(off int32, s *state) {
	if off < 0 || int(off) >= len(f.code) || f.at[off] < 0 {
		return
	}
	old := f.states[off]
	if old == nil {
		f.states[off] = s.clone()
		f.pending = append(f.pending, off)
		return
	}
	if s.swept && !old.swept {
		return
	}
	if old.swept && !s.swept {
		f.states[off] = s.clone()
		f.pending = append(f.pending, off)
		return
	}
	// Where two ways disagree on the stack pointer, one is not real: behind a call that never comes
	// back the compiler puts whatever block is next. Assembly can mean it.
	if !f.fn.Hand && old.regs[f.m.SP] != s.regs[f.m.SP] && old.weak != s.weak {
		if old.weak {
			f.states[off] = s.clone()
			f.pending = append(f.pending, off)
		}
		return
	}
	old.weak = old.weak && s.weak
	f.visits[off]++
	if f.join(old, s, f.visits[off] > widenAfter) {
		f.pending = append(f.pending, off)
	}
}

func (f *flow) join(old, s *state, widen bool) (changed bool) {
	merge := func(a, b ValueID) ValueID {
		j := f.joined(a, b, old.regs[f.m.SP])
		if widen && j != a {
			j = Unknown
		}
		return j
	}
	for r := range f.m.Regs {
		if frame := isa.Reg(r) == f.m.SP || isa.Reg(r) == f.m.FP; frame && old.regs[r] != s.regs[r] {
			// Not an address that goes astray, only a frame that is no longer followed.
			if old.regs[r] != Unknown {
				old.regs[r], changed = Unknown, true
			}
			continue
		}
		if j := merge(old.regs[r], s.regs[r]); j != old.regs[r] {
			old.regs[r], changed = j, true
		}
	}
	merged := state{}
	var mixed []slot // ranges of the stack arguments that the two ways wrote in different pieces
	for _, a := range old.slots {
		id, ok := s.lookup(a.off, a.size)
		switch {
		case ok:
			id = merge(a.id, id)
		case a.off < f.conv.StackArg:
			continue
		case s.overlaps(a):
			mixed = append(mixed, a)
			continue
		default: // overwritten on one way only
			id = merge(a.id, f.argument(a.off, a.size))
		}
		merged.slots = append(merged.slots, slot{a.off, a.size, id})
	}
	for _, b := range s.slots {
		if _, ok := old.lookup(b.off, b.size); ok || b.off < f.conv.StackArg {
			continue
		}
		if old.overlaps(b) {
			mixed = append(mixed, b)
			continue
		}
		merged.slots = append(merged.slots, slot{b.off, b.size, merge(f.argument(b.off, b.size), b.id)})
	}
	sort.Slice(merged.slots, func(i, j int) bool { return merged.slots[i].off < merged.slots[j].off })
	for _, m := range mixed {
		f.killSlots(&merged, m.off, int64(m.size))
	}
	if !equalSlots(merged.slots, old.slots) {
		old.slots, changed = merged.slots, true
	}
	return changed
}

func (s *state) overlaps(a slot) bool {
	for _, b := range s.slots {
		if a.off < b.off+int64(b.size) && b.off < a.off+int64(a.size) {
			return true
		}
	}
	return false
}

func equalSlots(a, b []slot) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func (s *state) lookup(off int64, size uint8) (ValueID, bool) {
	i := sort.Search(len(s.slots), func(i int) bool { return s.slots[i].off >= off })
	if i < len(s.slots) && s.slots[i].off == off && s.slots[i].size == size {
		return s.slots[i].id, true
	}
	return Unknown, false
}

// argument is what the caller left in the stack argument at off.
func (f *flow) argument(off int64, size uint8) ValueID {
	d := off - f.conv.StackArg
	switch {
	case d < 0 || d%4 != 0:
	case size == 8 && d%8 == 0:
		return f.vs.StackParam(d / 4)
	case size == 4:
		return f.vs.Narrow(f.vs.StackParam(d / 4))
	}
	return Unknown
}
