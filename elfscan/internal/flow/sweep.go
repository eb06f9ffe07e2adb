package flow

import "github.com/profcheck/profcheck/elfscan/internal/isa"

// giveUp notes the calls and stores of a function that is too much work, with nothing known of any.
// Of those that lead to the same place one is enough.
func (f *flow) giveUp() {
	f.out = &Summary{Vague: true}
	clear(f.index)
	clear(f.storeAt)
	type place struct {
		kind   isa.OpKind
		target uint64
	}
	seen := map[place]bool{}
	var ops []isa.Op
	blank := f.blank()
	for off := 0; off < len(f.code); {
		pc, n := f.base+uint64(off), 0
		if ops, n = f.m.Decode(f.code[off:], pc, ops[:0]); n == 0 {
			off += f.conv.Gap
			continue
		}
		for i := range ops {
			op := &ops[i]
			t, store := fixedStore(op)
			if k := (place{op.Kind, op.Target + t}); (store || f.leaves(op)) && !seen[k] {
				seen[k] = true
				if store {
					f.noteStore(Store{pc, t, 0, Unknown})
				} else {
					f.record(op, pc, blank)
				}
			}
		}
		off += n
	}
}

// leaves reports whether op leads out of the function, to other code or to the kernel.
func (f *flow) leaves(op *isa.Op) bool {
	switch op.Kind {
	case isa.OpCallInd, isa.OpJumpInd, isa.OpSyscall, isa.OpInt80:
		return true
	case isa.OpCall:
		return op.Target-f.base-1 >= uint64(len(f.code))-1 // not into its own body, but to its entry
	case isa.OpJump, isa.OpBranch:
		return op.Target-f.base >= uint64(len(f.code))
	}
	return false
}

// fixedStore returns the address that op writes to, if it names one.
func fixedStore(op *isa.Op) (uint64, bool) {
	if op.Dst.Kind != isa.Mem || op.Dst.Reg != isa.NoReg || op.Dst.Index != isa.NoReg {
		return 0, false
	}
	return uint64(op.Dst.Value), true
}

// sweep follows what was not reached: code behind a call that was taken not to come back, cases of
// a table that was not found, code that only the runtime enters. Nothing is known there, and what
// is known elsewhere is not given up for it.
func (f *flow) sweep() {
	for i := range f.insts {
		in := &f.insts[i]
		if f.visited[i] || !f.matters(in) {
			continue
		}
		start := i
		for start > 0 && !f.visited[start-1] && !f.leader[f.insts[start].off] {
			if prev := &f.insts[start-1]; prev.off+int32(prev.len) != f.insts[start].off || prev.end > prev.start && ends(f.ops[prev.end-1].Kind) {
				break
			}
			start--
		}
		f.reachBlank(f.insts[start].off, true)
		f.drain()
		if f.conv.Ordered && !f.visited[i] { // there is a call before it that does not come back
			f.reachBlank(in.off, true)
			f.drain()
		}
	}
}

// matters reports whether in does something that a summary tells.
func (f *flow) matters(in *inst) bool {
	for k := in.start; k < in.end; k++ {
		if op := &f.ops[k]; f.leaves(op) {
			return !(op.Kind == isa.OpCall && f.p.Restarts(op.Target))
		} else if _, ok := fixedStore(op); ok {
			return true
		}
	}
	return false
}
