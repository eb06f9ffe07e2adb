package flow

import (
	"slices"

	"github.com/profcheck/profcheck/elfscan/internal/isa"
)

// jumpInd follows a jump table: to where the tables that this function reads lead, or, if none is
// known, to every place that something jumps to and to those that no other jump explains.
func (f *flow) jumpInd(op *isa.Op, pc uint64, s *state) {
	if f.conv.Ordered {
		if f.jumpTable(op, pc, s) {
			return
		}
	} else {
		f.noteTable(s, op.A)
	}
	f.record(op, pc, s)
	if len(f.tables) > 0 {
		for _, t := range f.tables {
			f.reach(t, s)
		}
		return
	}
	for _, t := range f.orphans {
		f.reach(t, s)
	}
	if f.fn.Hand {
		for off, leads := range f.leader {
			if leads {
				f.reach(int32(off), s)
			}
		}
	}
}

// maxEntries bounds the entries of one jump table.
const maxEntries = 1 << 12

// jumpTable follows a jump through a table that is known: to each of its entries. How many there are
// is not told: the table ends with the first entry that is no place in this function, as it must
// where the next object begins. Reading on too far only adds ways that are not taken. Entries behind
// a gap, which cold parts of functions leave, are the orphans' affair.
func (f *flow) jumpTable(op *isa.Op, pc uint64, s *state) bool {
	t := f.vs.Get(f.eval(s, op.A)).Table
	if t.Size == 0 || !t.leads() {
		return false
	}
	n := 0
	for n < maxEntries {
		to, ok := t.target(f.p, n)
		d := to - f.base
		if !ok || d >= uint64(len(f.code)) || f.at[d] < 0 {
			break
		}
		f.leader[d] = true
		f.reach(int32(d), s)
		n++
	}
	f.budget -= n
	return n > 0
}

// noteTable remembers the targets of a jump table if o reads one: memory indexed from a known
// address whose words point into this function.
func (f *flow) noteTable(s *state, o isa.Operand) {
	if o.Kind != isa.Mem || o.Index == isa.NoReg {
		return
	}
	base := uint64(o.Value)
	if o.Reg != isa.NoReg {
		c, ok := f.vs.IsConst(s.regs[o.Reg])
		if !ok || len(c) != 1 {
			return
		}
		base += c[0]
	}
	if f.read[base] {
		return
	}
	if f.read == nil {
		f.read = map[uint64]bool{}
	}
	f.read[base] = true
	for at := base; ; at += 8 {
		w, ok := f.p.Word(at)
		t := w - f.base
		if !ok || t >= uint64(len(f.code)) || f.at[t] < 0 {
			break
		}
		f.leader[t] = true
		f.tables = append(f.tables, int32(t))
		f.budget--
	}
	slices.Sort(f.tables)
	f.tables = slices.Compact(f.tables)
}

// leak notes that the function values that id can be go where they are not followed.
func (f *flow) leak(id ValueID) {
	if !f.conv.Leaks {
		return
	}
	for _, v := range f.p.Pointers(id) {
		if !slices.Contains(f.out.Leaks, v) {
			f.out.Leaks = append(f.out.Leaks, v)
		}
	}
}

// leakRegs does so for what a call or return passes in registers.
func (f *flow) leakRegs(s *state) {
	for _, r := range f.conv.Params {
		f.leak(s.regs[r])
	}
}

// leakCall does so for a call: its registers, and the words on the stack that can be arguments.
func (f *flow) leakCall(s *state, c *Call) {
	f.leakRegs(s)
	n := uint64(OutSlots / 2)
	if size, ok := f.p.StackArgs(c.Target); ok {
		n = min(n, uint64(size+f.conv.StackArg)/8)
	}
	for i := range n {
		f.leak(Word(c.Stack8, int64(i)))
	}
}
