package flow

import (
	"cmp"
	"slices"
	"sort"

	"github.com/profcheck/profcheck/elfscan/internal/isa"
)

// reach joins s into the state at offset off and queues that point if this changed it.
func (f *flow) reach(off int32, s *state) {
	if off < 0 || int(off) >= len(f.code) || f.at[off] < 0 {
		if f.trace != nil {
			f.traceEdge(nil, s)
		}
		return
	}
	at := f.at[off]
	old := f.states[at]
	if f.trace != nil {
		f.traceEdge(old, s)
		return
	}
	if old == nil {
		f.states[at] = f.clone(s)
		f.enqueue(off)
		return
	}
	if s.swept && !old.swept {
		return
	}
	if old.swept && !s.swept {
		f.replace(off, s)
		return
	}
	// Where two ways disagree on the stack pointer, one is not real: behind a call that never comes
	// back the compiler puts whatever block is next. Assembly can mean it.
	if !f.fn.Hand && old.regs[f.m.SP] != s.regs[f.m.SP] && old.weak != s.weak {
		if old.weak {
			f.replace(off, s)
		}
		return
	}
	old.weak = old.weak && s.weak
	f.visits[at]++
	if f.join(old, s, f.visits[at] > widenAfter) {
		f.enqueue(off)
	} else if f.conv.Ordered {
		f.visits[at]-- // nothing new
	}
}

func (f *flow) join(old, s *state, widen bool) (changed bool) {
	merge := func(a, b ValueID) ValueID {
		j := f.joined(old, a, b, old.regs[f.m.SP])
		if widen && j != a {
			j = f.vs.widen(j)
		}
		return j
	}
	for r := range f.m.Regs {
		if frame := isa.Reg(r) == f.m.SP || isa.Reg(r) == f.conv.FP; frame && old.regs[r] != s.regs[r] {
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
	merged := state{slots: f.merged[:0], low: old.low, lowArg: old.lowArg}
	var mixed []Slot // ranges of the stack arguments that the two ways wrote in different pieces
	for _, a := range old.slots {
		id, ok := s.lookup(a.Off, a.Size)
		switch {
		case ok:
			id = merge(a.ID, id)
		case a.Off < f.conv.StackArg:
			continue
		case s.overlaps(a):
			mixed = append(mixed, a)
			continue
		default: // overwritten on one way only
			id = merge(a.ID, f.argument(a.Off, a.Size))
		}
		merged.slots = append(merged.slots, Slot{a.Off, a.Size, id})
	}
	inOrder := len(merged.slots)
	for _, b := range s.slots {
		if b.Off < f.conv.StackArg {
			continue
		}
		if _, ok := old.lookup(b.Off, b.Size); ok {
			continue
		}
		if old.overlaps(b) {
			mixed = append(mixed, b)
			continue
		}
		merged.slots = append(merged.slots, Slot{b.Off, b.Size, merge(f.argument(b.Off, b.Size), b.ID)})
	}
	if len(merged.slots) > inOrder {
		slices.SortFunc(merged.slots, func(a, b Slot) int { return cmp.Compare(a.Off, b.Off) })
	}
	for _, m := range mixed {
		f.killSlots(&merged, m.Off, int64(m.Size))
	}
	if !slices.Equal(merged.slots, old.slots) {
		old.slots, changed = append(old.slots[:0], merged.slots...), true
	}
	f.merged = merged.slots
	if low, lowArg := min(old.low, s.low), min(old.lowArg, s.lowArg); low != old.low || lowArg != old.lowArg {
		old.low, old.lowArg, changed = low, lowArg, true
	}
	if zeros := old.zeros & s.zeros; zeros != old.zeros {
		old.zeros, changed = zeros, true
	}
	return changed
}

func (s *state) overlaps(a Slot) bool {
	for _, b := range s.slots {
		if a.Off < b.Off+int64(b.Size) && b.Off < a.Off+int64(a.Size) {
			return true
		}
	}
	return false
}

func (s *state) lookup(off int64, size uint8) (ValueID, bool) {
	i := sort.Search(len(s.slots), func(i int) bool { return s.slots[i].Off >= off })
	if i < len(s.slots) && s.slots[i].Off == off && s.slots[i].Size == size {
		return s.slots[i].ID, true
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
	case size == 4 && d < 64*4:
		if f.vs.halves[d/4] == Unknown {
			f.vs.halves[d/4] = f.vs.Narrow(f.vs.StackParam(d / 4))
		}
		return f.vs.halves[d/4]
	}
	return Unknown
}
