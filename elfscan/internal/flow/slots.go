package flow

import (
	"slices"
	"sort"
)

// setSlot writes size bytes at off and forgets what they overlap.
func (f *flow) setSlot(s *state, off int64, size uint8, id ValueID) {
	f.killSlots(s, off, int64(size))
	if !f.conv.Ordered && f.escaped(s, off) || len(s.slots) >= maxSlots && off < f.conv.StackArg {
		return
	}
	if off >= f.conv.StackArg && (size != 8 || off%8 != 0) && (size != 4 || off%4 != 0) {
		return // stack arguments are followed in words of 4 and 8 bytes only
	}
	f.insertSlot(s, Slot{off, size, id})
}

func (f *flow) insertSlot(s *state, sl Slot) {
	i := sort.Search(len(s.slots), func(i int) bool { return s.slots[i].Off >= sl.Off })
	if i < len(s.slots) && s.slots[i].Off == sl.Off {
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
		if sl.Off+int64(sl.Size) <= off || off+n <= sl.Off {
			kept = append(kept, sl)
		} else {
			from, to = min(from, sl.Off), max(to, sl.Off+int64(sl.Size))
		}
	}
	s.slots = kept
	for a := max(from, f.conv.StackArg) &^ 3; a < to && a < f.conv.StackArg+4*OutSlots; a += 4 {
		if slices.ContainsFunc(s.slots, func(sl Slot) bool { return sl.Off < a+4 && a < sl.Off+int64(sl.Size) }) {
			continue
		}
		f.insertSlot(s, Slot{a, 4, Unknown})
	}
}
