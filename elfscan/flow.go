package elfscan

import (
	"sort"

	"github.com/profcheck/profcheck/elfscan/internal/isa"
)

// flow follows values through one function: an abstract interpretation of its control-flow graph,
// from the entry, over the domain of values.
//
// It trusts the conventions of compiled Go code in two points, and only for memory of the own stack
// frame: a callee changes no slot of its caller's frame other than the area for its own arguments
// and results, unless the slot's address was taken; and a store through a pointer that does not
// derive from the stack pointer hits no slot whose address was not taken.
type flow struct {
	p    *program
	m    *isa.Machine
	vs   *values
	fn   int
	base uint64
	code []byte

	insts   []inst
	ops     []isa.Op
	at      []int32 // offset in code -> index in insts, -1 inside of an instruction
	leader  []bool  // by offset
	states  map[int32]*state
	visits  map[int32]int
	pending []int32

	tables  []int32 // offsets that jump tables of this function lead to
	orphans []int32 // offsets that follow an unconditional end and that nothing jumps to
	taken   map[int64]bool
	restart bool
	out     *summary
	index   map[uint64]int // address of a call or syscall -> index in out
}

type inst struct {
	off        int32
	len        uint8
	start, end int32 // ops
}

// state is what is known at one point. Slots below the stack arguments that are absent are
// unknown; an absent slot of the stack arguments holds what the caller put there.
type state struct {
	regs  [maxRegs]valueID
	weak  bool   // only reached by falling through behind a call, which may not come back
	slots []slot // ascending offset from SP at entry, not overlapping
}

const maxRegs = 32

type slot struct {
	off  int64
	size uint8
	id   valueID
}

// maxSlots bounds the slots of one state; more are forgotten.
const maxSlots = 1024

// widenAfter is how often a point is visited before values that still change become unknown.
const widenAfter = 6

// outSlots is how many 4-byte words of a call's stack arguments are kept.
const outSlots = 32

// callState is what a function does at one call or syscall instruction.
type callState struct {
	at     uint64
	kind   isa.OpKind // OpCall, OpCallInd, OpSyscall, OpInt80; OpJump and OpJumpInd are tail calls
	target uint64     // of a direct call
	callee valueID    // of an indirect one
	regs   [maxRegs]valueID
	stack8 [outSlots / 2]valueID // the 8-byte words at SP, SP+8, ... before the call
	stack4 [outSlots]valueID     // the 4-byte words at SP, SP+4, ...
}

// cellStore is a store of a value to a variable at a fixed address.
type cellStore struct {
	at   uint64
	cell uint64
	id   valueID
}

// summary is what one function does that matters to its callers.
type summary struct {
	calls  []callState
	stores []cellStore
}

// analyse follows function fn.
func (p *program) analyse(fn int) *summary {
	f := &flow{p: p, m: p.m, vs: p.vs, fn: fn, base: p.tab.funcs[fn].entry, code: p.tab.code(fn),
		taken: map[int64]bool{}}
	f.decode()
	// Slots whose address is taken are not trusted. They are known only at the end, so the
	// function is followed again until no new one appears; each round adds at least one.
	for round := 0; ; round++ {
		f.restart = false
		f.run()
		if !f.restart || round == 8 {
			if f.restart { // too many: trust no slot
				f.taken[-1<<62] = true
				f.run()
			}
			return f.out
		}
	}
}

// decode reads the function linearly and marks where blocks begin.
func (f *flow) decode() {
	f.at = make([]int32, len(f.code)+1)
	f.leader = make([]bool, len(f.code)+1)
	for i := range f.at {
		f.at[i] = -1
	}
	for off := 0; off < len(f.code); {
		start := int32(len(f.ops))
		ops, n := f.m.Decode(f.code[off:], f.base+uint64(off), f.ops)
		f.ops = ops
		if n == 0 {
			off++
			continue
		}
		f.at[off] = int32(len(f.insts))
		f.insts = append(f.insts, inst{int32(off), uint8(n), start, int32(len(f.ops))})
		for _, op := range f.ops[start:] {
			if op.Kind == isa.OpJump || op.Kind == isa.OpBranch {
				if t := op.Target - f.base; t < uint64(len(f.code)) {
					f.leader[t] = true
				}
			}
		}
		off += n
	}
	for i := range f.insts[:max(0, len(f.insts)-1)] {
		in := &f.insts[i]
		if in.end > in.start && ends(f.ops[in.end-1].Kind) {
			if next := f.insts[i+1].off; !f.leader[next] {
				f.leader[next] = true
				f.orphans = append(f.orphans, next)
			}
		}
	}
}

func ends(k isa.OpKind) bool {
	return k == isa.OpJump || k == isa.OpJumpInd || k == isa.OpReturn || k == isa.OpStop
}

func (f *flow) run() {
	f.states, f.visits = map[int32]*state{}, map[int32]int{}
	f.out, f.index = &summary{}, map[uint64]int{}
	entry := &state{}
	for r := range f.m.Regs {
		entry.regs[r] = f.vs.regParam(isa.Reg(r))
	}
	entry.regs[f.m.SP] = f.vs.stackAddr(0)
	f.reach(0, entry)
	for len(f.pending) > 0 {
		off := f.pending[len(f.pending)-1]
		f.pending = f.pending[:len(f.pending)-1]
		s := f.states[off].clone()
		s.weak = false
		f.block(off, s)
	}
}

func (s *state) clone() *state {
	c := *s
	c.slots = append([]slot(nil), s.slots...)
	return &c
}

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
	// Where two ways disagree on the stack pointer, one is not real: behind a call that never comes
	// back the compiler puts whatever block is next.
	if old.regs[f.m.SP] != s.regs[f.m.SP] && old.weak != s.weak {
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
	merge := func(a, b valueID) valueID {
		j := f.joined(a, b, old.regs[f.m.SP])
		if widen && j != a {
			j = unknownID
		}
		return j
	}
	for r := range f.m.Regs {
		if frame := isa.Reg(r) == f.m.SP || isa.Reg(r) == f.m.FP; frame && old.regs[r] != s.regs[r] {
			// Not an address that goes astray, only a frame that is no longer followed.
			if old.regs[r] != unknownID {
				old.regs[r], changed = unknownID, true
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
		case a.off < f.m.StackArg:
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
		if _, ok := old.lookup(b.off, b.size); ok || b.off < f.m.StackArg {
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

func (s *state) lookup(off int64, size uint8) (valueID, bool) {
	i := sort.Search(len(s.slots), func(i int) bool { return s.slots[i].off >= off })
	if i < len(s.slots) && s.slots[i].off == off && s.slots[i].size == size {
		return s.slots[i].id, true
	}
	return unknownID, false
}

// argument is what the caller left in the stack argument at off.
func (f *flow) argument(off int64, size uint8) valueID {
	d := off - f.m.StackArg
	switch {
	case d < 0 || d%4 != 0:
	case size == 8 && d%8 == 0:
		return f.vs.stackParam(d / 4)
	case size == 4:
		return f.vs.narrow(f.vs.stackParam(d / 4))
	}
	return unknownID
}

// block interprets from off on, until the flow ends or runs into the next leader.
func (f *flow) block(off int32, s *state) {
	for i := f.at[off]; ; i++ {
		if int(i) >= len(f.insts) {
			return
		}
		in := &f.insts[i]
		if in.off != off && f.leader[in.off] {
			s.weak = f.behindCall(i)
			f.reach(in.off, s)
			return
		}
		if i > 0 && f.insts[i-1].off+int32(f.insts[i-1].len) != in.off && in.off != off {
			return // bytes in between that are no instruction
		}
		for k := in.start; k < in.end; k++ {
			if !f.step(&f.ops[k], f.base+uint64(in.off), s) {
				return
			}
		}
	}
}

// behindCall reports whether instruction i follows a call, with nothing but padding in between.
func (f *flow) behindCall(i int32) bool {
	for i--; i >= 0; i-- {
		in := &f.insts[i]
		if in.start == in.end {
			continue
		}
		switch f.ops[in.end-1].Kind {
		case isa.OpNop:
			continue
		case isa.OpCall, isa.OpCallInd:
			return true
		}
		return false
	}
	return false
}

// step applies one op to s; it reports whether the flow goes on behind it.
func (f *flow) step(op *isa.Op, pc uint64, s *state) bool {
	switch op.Kind {
	case isa.OpNop:
	case isa.OpSet:
		f.assign(s, op, f.eval(s, op.A), pc)
	case isa.OpSelect:
		f.assign(s, op, f.joined(f.eval(s, op.A), f.eval(s, op.B), s.regs[f.m.SP]), pc)
	case isa.OpSignExtend:
		f.assign(s, op, f.vs.signExtend(f.eval(s, op.A), op.A.Size), pc)
	case isa.OpAdd, isa.OpSub, isa.OpAnd, isa.OpOr, isa.OpXor, isa.OpShl, isa.OpShr:
		f.assign(s, op, f.computed(op.Kind, f.eval(s, op.A), f.eval(s, op.B)), pc)
	case isa.OpForget:
		f.forget(s, op)
	case isa.OpCall:
		if op.Target-f.base < uint64(len(f.code)) && op.Target != f.base {
			// A call into the own body (asm idiom to get the PC): treat as unknown code.
			f.reach(int32(op.Target-f.base), &state{})
		}
		f.record(op, pc, s)
		if f.p.stops(op.Target) {
			return false
		}
		f.afterCall(s, op)
	case isa.OpCallInd:
		f.record(op, pc, s)
		f.afterCall(s, op)
	case isa.OpSyscall, isa.OpInt80:
		f.record(op, pc, s)
		f.forget(s, op)
	case isa.OpBranch:
		f.jump(op, pc, s)
	case isa.OpJump:
		f.jump(op, pc, s)
		return false
	case isa.OpJumpInd:
		f.jumpInd(op, pc, s)
		return false
	case isa.OpReturn, isa.OpStop:
		return false
	}
	return true
}

func (f *flow) jump(op *isa.Op, pc uint64, s *state) {
	t := op.Target - f.base
	if t >= uint64(len(f.code)) {
		f.record(op, pc, s)
		return
	}
	f.reach(int32(t), s)
}

// jumpInd follows a jump table: to where the tables that this function reads lead, or, if none is
// known, to every place that no other jump explains.
func (f *flow) jumpInd(op *isa.Op, pc uint64, s *state) {
	f.noteTable(s, op.A)
	if len(f.tables) > 0 {
		for _, t := range f.tables {
			f.reach(t, s)
		}
		return
	}
	f.record(op, pc, s)
	for _, t := range f.orphans {
		f.reach(t, s)
	}
}

// noteTable remembers the targets of a jump table if o reads one: memory indexed from a known
// address whose words point into this function.
func (f *flow) noteTable(s *state, o isa.Operand) {
	if o.Kind != isa.Mem || o.Index == isa.NoReg {
		return
	}
	base := uint64(o.Value)
	if o.Reg != isa.NoReg {
		c, ok := f.vs.isConst(s.regs[o.Reg])
		if !ok || len(c) != 1 {
			return
		}
		base += c[0]
	}
	for i := range uint64(4096) {
		w, ok := f.p.im.word(base + 8*i)
		t := w - f.base
		if !ok || t >= uint64(len(f.code)) || f.at[t] < 0 {
			return
		}
		f.leader[t] = true
		known := false
		for _, k := range f.tables {
			known = known || k == int32(t)
		}
		if !known {
			f.tables = append(f.tables, int32(t))
		}
	}
}

// eval returns the value of an operand.
func (f *flow) eval(s *state, o isa.Operand) valueID {
	switch o.Kind {
	case isa.RegOp:
		return s.regs[o.Reg]
	case isa.Imm:
		return f.vs.constant(uint64(o.Value))
	case isa.Addr:
		return f.address(s, o)
	case isa.Mem:
		if o.Index != isa.NoReg {
			f.noteTable(s, o)
			return unknownID
		}
		return f.load(s, f.address(s, o), o.Size)
	}
	return unknownID
}

// address computes base + index*scale + displacement.
func (f *flow) address(s *state, o isa.Operand) valueID {
	id := f.vs.constant(uint64(o.Value))
	if o.Reg != isa.NoReg {
		if o.Value == 0 {
			id = s.regs[o.Reg]
		} else {
			id = f.vs.binary(isa.OpAdd, s.regs[o.Reg], id)
		}
	}
	if o.Index != isa.NoReg {
		c, ok := f.vs.isConst(s.regs[o.Index])
		if !ok {
			return unknownID
		}
		scaled := mapConsts(c, func(v uint64) uint64 { return v * uint64(o.Scale) })
		id = f.vs.binary(isa.OpAdd, id, f.vs.intern(value{consts: scaled}))
	}
	return id
}
