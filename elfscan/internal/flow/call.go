package flow

import (
	"slices"

	"github.com/profcheck/profcheck/elfscan/internal/isa"
)

// afterCall forgets what a callee may change: every register but those that the convention keeps,
// and memory of the frame.
func (f *flow) afterCall(s *state, op *isa.Op) {
	f.passAddresses(s)
	if f.conv.Ordered {
		f.killEscaped(s)
		f.dropBelow(s)
		s.zeros = 0
	} else {
		f.killArguments(s, op)
	}
	for r := range f.m.Regs {
		if !f.conv.Kept.Has(isa.Reg(r)) {
			s.regs[r] = Unknown
		}
	}
	if op.Kind == isa.OpCall {
		if known, ok := f.p.Result(op.Target); ok {
			s.regs[f.conv.Result] = known
		}
	}
}

// again forgets the memory of the frame behind a call that may come back twice: at the second time
// it holds what the function has written since. Registers are those of the first time, or undefined
// (C11 7.13.2.1).
func (f *flow) again(s *state, target uint64) {
	if f.conv.Ordered && f.p.Twice(target) {
		s.slots = nil
	}
}

// killArguments forgets the arguments and results that a call has on the stack.
func (f *flow) killArguments(s *state, op *isa.Op) {
	sp := f.vs.Get(s.regs[f.m.SP])
	if !sp.Stack {
		return
	}
	n := int64(256) // results of a call through a pointer: those that fit no register
	target := op.Target
	if op.Kind == isa.OpCallInd {
		if c, ok := f.vs.IsConst(f.eval(s, op.A)); ok && len(c) == 1 {
			target = c[0]
		}
	}
	if size, ok := f.p.StackArgs(target); ok {
		n = size
	}
	f.killSlots(s, sp.Off, n+f.conv.StackArg)
}

// passAddresses notes the addresses of the frame that a callee gets to see in registers.
//
// The stack pointer itself is an exception. On machines with a link register no object lies there,
// and prologues leave that address in scratch registers. On the others the outgoing arguments lie
// there: a struct is copied to them through their address, which no callee keeps, so that only what
// is there now is forgotten.
func (f *flow) passAddresses(s *state) {
	sp := f.vs.Get(s.regs[f.m.SP])
	for r := range f.m.Regs {
		if s.regs[r] == Unknown || isa.Reg(r) == f.m.SP || isa.Reg(r) == f.conv.FP {
			continue
		}
		v := f.vs.Get(s.regs[r])
		switch {
		case !v.Stack:
		case f.conv.Ordered:
			if !f.conv.Kept.Has(isa.Reg(r)) {
				f.take(s, v.Off)
			}
		case sp.Stack && v.Off == sp.Off && f.m.LR != isa.NoReg:
		case sp.Stack && v.Off == sp.Off:
			f.killSlots(s, sp.Off, -sp.Off)
		default:
			f.take(s, v.Off)
		}
	}
}

// record notes the state at a call, tail call or syscall instruction.
func (f *flow) record(op *isa.Op, pc uint64, s *state) {
	c := Call{At: pc, Kind: op.Kind, Regs: f.vs.share(s.regs)}
	switch op.Kind {
	case isa.OpCall, isa.OpJump, isa.OpBranch:
		c.Target = op.Target
	case isa.OpCallInd, isa.OpJumpInd:
		c.Callee = f.eval(s, op.A)
	}
	c.Stack8, c.Stack4 = f.outgoing(s, 8), f.outgoing(s, 4)
	if f.conv.Leaks && op.Kind != isa.OpSyscall && op.Kind != isa.OpInt80 {
		f.leakCall(s, &c)
	}
	if f.conv.Ordered {
		c.Frame = f.passed(s)
	}
	if i, ok := f.index[pc]; ok {
		old := &f.out.Calls[i]
		if old.Regs != c.Regs {
			regs := *old.Regs
			for r := range regs {
				regs[r] = f.vs.Join(regs[r], c.Regs[r])
			}
			old.Regs = f.vs.share(regs)
		}
		old.Stack8, old.Stack4 = f.joinWords(old.Stack8, c.Stack8), f.joinWords(old.Stack4, c.Stack4)
		old.Frame = f.joinFrames(old.Frame, c.Frame)
		old.Callee = f.vs.Join(old.Callee, c.Callee)
		return
	}
	f.index[pc] = len(f.out.Calls)
	f.out.Calls = append(f.out.Calls, c)
}

// outgoing returns the words of the given size that lie at the stack pointer, where arguments of a
// call are; nil if none is known.
func (f *flow) outgoing(s *state, size uint8) []ValueID {
	sp := f.vs.Get(s.regs[f.m.SP])
	if !sp.Stack {
		return nil
	}
	var words [OutSlots]ValueID
	n := int64(4 * OutSlots / int(size))
	known := f.words(words[:n], s, sp.Off, size)
	if !known {
		return nil
	}
	return slices.Clone(words[:n])
}

// words reads consecutive words of the frame from off on; it reports whether any is known.
func (f *flow) words(words []ValueID, s *state, off int64, size uint8) bool {
	end := off + int64(len(words))*int64(size)
	known := Unknown
	if f.conv.Ordered && end <= f.conv.StackArg { // own slots only
		for i := range s.slots {
			sl := &s.slots[i]
			d := sl.Off - off
			if d < 0 || sl.Off >= end || d%int64(size) != 0 || sl.Size < size {
				continue
			}
			id := sl.ID
			switch {
			case sl.Size == size:
			case size == 4 && sl.Size == 8:
				id = f.vs.Narrow(id)
			default:
				continue
			}
			words[d/int64(size)] = id
			known |= id
		}
		return known != Unknown
	}
	for i := range words {
		words[i] = f.loadSlot(s, off+int64(size)*int64(i), size)
		known |= words[i]
	}
	return known != Unknown
}

func (f *flow) joinWords(a, b []ValueID) []ValueID {
	if a == nil || b == nil {
		return nil
	}
	for i := range a {
		a[i] = f.vs.Join(a[i], b[i])
	}
	return a
}

// maxFrame bounds the slots that are kept of a call.
const maxFrame = 64

// passed returns what lies in the frame at and above the lowest address that a register for
// arguments holds.
func (f *flow) passed(s *state) []Slot {
	low := int64(noneTaken)
	for _, r := range f.conv.Params {
		if v := f.vs.Get(s.regs[r]); v.Stack {
			low = min(low, v.Off)
		}
	}
	i := 0
	for i < len(s.slots) && s.slots[i].Off < low {
		i++
	}
	if i == len(s.slots) {
		return nil
	}
	return slices.Clone(s.slots[i:min(len(s.slots), i+maxFrame)])
}

// joinFrames keeps what is known on both ways.
func (f *flow) joinFrames(a, b []Slot) []Slot {
	kept := a[:0]
	for _, x := range a {
		for _, y := range b {
			if x.Off == y.Off && x.Size == y.Size {
				x.ID = f.vs.Join(x.ID, y.ID)
				kept = append(kept, x)
			}
		}
	}
	return kept
}

// share returns a copy of regs that all equal ones share: most calls are made with little known.
func (vs *Values) share(regs [MaxRegs]ValueID) *[MaxRegs]ValueID {
	if known := vs.shared[regs]; known != nil {
		return known
	}
	vs.shared[regs] = &regs
	return &regs
}
