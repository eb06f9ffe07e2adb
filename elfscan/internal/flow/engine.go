package flow

import (
	"github.com/profcheck/profcheck/elfscan/internal/isa"
)

// flow follows values through one function: an abstract interpretation of its control-flow graph,
// from the entry, over the domain of values.
//
// Of the own stack frame it trusts what compilers do: a store through a pointer that does not derive
// from the stack pointer, and a callee, change no slot whose address was not taken. How far that
// goes is the convention's affair, see Convention.Ordered.
type flow struct {
	p    Program
	m    *isa.Machine
	conv *Convention
	vs   *Values
	fn   Func
	base uint64
	code []byte

	insts   []inst
	ops     []isa.Op
	at      []int32  // offset in code -> index in insts, -1 inside of an instruction
	leader  []bool   // by offset
	states  []*state // by index in insts
	visits  []int32
	pending []int32 // offsets; a heap if the convention is ordered
	queued  []bool  // by index in insts: is pending

	free   []*state // for use again
	merged []Slot   // scratch of join

	tables  []int32         // offsets that jump tables of this function lead to, ascending
	read    map[uint64]bool // bases of the tables that were read
	orphans []int32         // offsets that follow an unconditional end and that nothing jumps to
	visited []bool          // by index in insts
	budget  int             // ops and slots that may still be followed
	taken   map[int64]bool
	restart bool
	out     *Summary
	index   map[uint64]int    // address of a call or syscall -> index in out
	storeAt map[[2]uint64]int // address of a store, and where it stores to -> index in out
	trace   *trace            // nil but in Trace
}

type inst struct {
	off        int32
	len        uint8
	start, end int32 // ops
}

// state is what is known at one point. Slots below the stack arguments that are absent are
// unknown; an absent slot of the stack arguments holds what the caller put there.
type state struct {
	regs  [MaxRegs]ValueID
	weak  bool   // only reached by falling through behind a call, which may not come back
	swept bool   // only reached from code that nothing is known to lead to
	slots []Slot // ascending offset from SP at entry, not overlapping

	// Where addresses count from when they are taken on (Convention.Ordered): the lowest one taken
	// so far of the own frame, and of the stack arguments.
	low, lowArg int64

	zeros uint32 // vector registers that are 0 (Convention.Ordered)
}

// noneTaken is above all addresses in a frame.
const noneTaken = 1 << 62

// MaxRegs is more registers than machines have.
const MaxRegs = 32

// Slot is a piece of the frame, Off bytes above the stack pointer at entry, and what it holds.
type Slot struct {
	Off  int64
	Size uint8
	ID   ValueID
}

// maxSlots bounds the slots of one state; more are forgotten.
const maxSlots = 1024

// widenAfter is how often a point is visited before values that still change become unknown.
const widenAfter = 6

const (
	// MaxCode bounds the bytes of a function that is followed. Numbers in a longer one, which only
	// generated tables of data reach, are unknown.
	MaxCode = 1 << 16
	// maxWork bounds the ops that are followed in one function and the slots that are copied on the
	// way. Real functions take less than a hundredth.
	maxWork = 1 << 20
)

// Analyse follows function fn of program p, whose functions keep to conv.
func Analyse(p Program, vs *Values, conv *Convention, fn Func) *Summary {
	f := newFlow(p, vs, conv, fn)
	defer f.release()
	if len(f.code) > MaxCode || fn.Vague {
		f.giveUp()
		return f.out
	}
	f.decode()
	// Slots whose address is taken are not trusted. They are known only at the end, so the
	// function is followed again until no new one appears; each round adds at least one.
	for round := 0; ; round++ {
		if round == 8 { // too many: trust no slot
			f.taken[-1<<62], f.taken[f.conv.StackArg] = true, true
		}
		f.restart = false
		f.run()
		if f.budget <= 0 {
			f.giveUp()
			return f.out
		}
		if !f.restart {
			return f.out
		}
	}
}

func (f *flow) run() {
	f.recycle()
	f.states, f.visits = zeroed(f.states, len(f.insts)), zeroed(f.visits, len(f.insts))
	f.visited, f.queued = zeroed(f.visited, len(f.insts)), zeroed(f.queued, len(f.insts))
	f.out = &Summary{Astray: noneTaken}
	clear(f.index)
	clear(f.storeAt)
	entry := f.blank()
	for r := range f.m.Regs {
		entry.regs[r] = f.vs.RegParam(isa.Reg(r))
	}
	entry.regs[f.m.SP] = f.vs.StackAddr(0)
	entry.low, entry.lowArg = noneTaken, noneTaken
	f.reach(0, entry)
	f.free = append(f.free, entry)
	for _, at := range f.fn.Entries {
		f.reachBlank(int32(at-f.base), false)
	}
	f.drain()
	f.sweep()
}

// drain follows what is pending until nothing changes.
func (f *flow) drain() {
	for len(f.pending) > 0 && f.budget > 0 {
		off := f.next()
		s := f.clone(f.states[f.at[off]])
		f.budget -= len(s.slots)
		s.weak = false
		f.block(off, s)
		f.free = append(f.free, s)
	}
	f.pending = f.pending[:0]
}

// block interprets from off on, until the flow ends or runs into the next leader.
func (f *flow) block(off int32, s *state) {
	for i := f.at[off]; ; i++ {
		if int(i) >= len(f.insts) {
			f.fallOut(s)
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
		f.visited[i] = true
		f.budget -= 1 + int(in.end-in.start)
		if f.conv.Ordered && (f.setByte(in, s) || f.vector(in, s)) {
			continue
		}
		for k := in.start; k < in.end; k++ {
			op := &f.ops[k]
			if op.Kind == isa.OpBranch {
				f.branch(op, i, f.base+uint64(in.off), s)
			} else if !f.step(op, f.base+uint64(in.off), s) {
				return
			}
		}
	}
}

// fallOut notes that the flow runs into the function behind this one, which assembly can do.
func (f *flow) fallOut(s *state) {
	end := f.base + uint64(len(f.code))
	f.record(&isa.Op{Kind: isa.OpJump, Target: end}, end-1, s)
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
		if op.Dst.Kind == isa.Mem && op.A.Kind == isa.RegOp && op.A.Reg == f.conv.FP && f.saveFrame(s, op) {
			return true
		}
		f.assign(s, op, f.eval(s, op.A), pc)
	case isa.OpSelect:
		f.assign(s, op, f.joined(s, f.eval(s, op.A), f.eval(s, op.B), s.regs[f.m.SP]), pc)
	case isa.OpSignExtend:
		f.assign(s, op, f.vs.SignExtend(f.eval(s, op.A), op.A.Size), pc)
	case isa.OpAdd, isa.OpSub, isa.OpAnd, isa.OpOr, isa.OpXor, isa.OpShl, isa.OpShr:
		f.assign(s, op, f.arithmetic(s, op, f.eval(s, op.A), f.eval(s, op.B)), pc)
	case isa.OpForget:
		f.forget(s, op, pc)
	case isa.OpCall:
		if op.Target-f.base < uint64(len(f.code)) && op.Target != f.base {
			// A call into the own body (asm idiom to get the PC): treat as unknown code.
			f.reachBlank(int32(op.Target-f.base), false)
		} else {
			f.record(op, pc, s)
		}
		if f.p.Stops(op.Target) {
			return false
		}
		f.afterCall(s, op)
		f.again(s, op.Target)
	case isa.OpCallInd:
		f.record(op, pc, s)
		callees, _ := f.vs.IsConst(f.eval(s, op.A))
		f.afterCall(s, op)
		for _, t := range callees {
			f.again(s, t)
		}
	case isa.OpSyscall, isa.OpInt80:
		f.record(op, pc, s)
		f.passAddresses(s) // the kernel writes to buffers
		if f.conv.Ordered {
			f.killEscaped(s)
		}
		f.forget(s, op, pc)
	case isa.OpJump:
		f.jump(op, pc, s)
		return false
	case isa.OpJumpInd:
		f.jumpInd(op, pc, s)
		return false
	case isa.OpReturn:
		if f.conv.Leaks {
			f.leakRegs(s)
		}
		if f.conv.Ordered {
			f.giveBack(s.regs[f.conv.Result])
		}
		return false
	case isa.OpStop:
		return false
	}
	return true
}

// arithmetic computes op on a and b. A shift of 32 bits sees only 32 bits, and counts modulo 32.
func (f *flow) arithmetic(s *state, op *isa.Op, a, b ValueID) ValueID {
	if f.conv.Ordered && op.Dst.Kind == isa.RegOp && op.Dst.Reg == f.m.SP {
		return f.moveStack(op.Kind, a, b)
	}
	if op.Width == 4 && (op.Kind == isa.OpShr || op.Kind == isa.OpShl) {
		a = f.vs.Narrow(a)
		b = f.vs.Binary(isa.OpAnd, b, f.vs.Constant(31))
	}
	return f.computed(s, op.Kind, a, b)
}

func (f *flow) jump(op *isa.Op, pc uint64, s *state) {
	t := op.Target - f.base
	if t >= uint64(len(f.code)) {
		f.record(op, pc, s)
		return
	}
	f.reach(int32(t), s)
}

// eval returns the value of an operand.
func (f *flow) eval(s *state, o isa.Operand) ValueID {
	switch o.Kind {
	case isa.RegOp:
		return s.regs[o.Reg]
	case isa.Imm:
		return f.vs.Constant(uint64(o.Value))
	case isa.Addr:
		id := f.address(s, o)
		if f.conv.Ordered && id == Unknown {
			f.loseBase(s, o)
		}
		return id
	case isa.Mem:
		if o.Index != isa.NoReg {
			if f.conv.Ordered {
				return f.tableEntry(s, o)
			}
			f.noteTable(s, o)
			return Unknown
		}
		return f.load(s, f.address(s, o), o.Size)
	}
	return Unknown
}

// address computes base + index*scale + displacement.
func (f *flow) address(s *state, o isa.Operand) ValueID {
	id := f.vs.Constant(uint64(o.Value))
	if o.Reg != isa.NoReg {
		if o.Value == 0 {
			id = s.regs[o.Reg]
		} else {
			id = f.vs.Binary(isa.OpAdd, s.regs[o.Reg], id)
		}
	}
	if o.Index != isa.NoReg {
		c, ok := f.vs.IsConst(s.regs[o.Index])
		if !ok {
			return Unknown
		}
		scaled := mapConsts(c, func(v uint64) uint64 { return v * uint64(o.Scale) })
		id = f.vs.Binary(isa.OpAdd, id, f.vs.Intern(Value{Consts: scaled}))
	}
	return id
}
