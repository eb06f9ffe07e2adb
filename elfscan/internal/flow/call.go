package flow

import (
	"slices"

	"github.com/profcheck/profcheck/elfscan/internal/isa"
)

// afterCall forgets what a callee may change: every register but those that the convention keeps,
// and its own arguments and results on the stack.
func (f *flow) afterCall(s *state, op *isa.Op) {
	f.passAddresses(s)
	sp := f.vs.Get(s.regs[f.m.SP])
	if sp.Stack {
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

// passAddresses notes the addresses of the frame that a callee gets to see in registers.
//
// The stack pointer itself is an exception. On machines with a link register no object lies there,
// and prologues leave that address in scratch registers. On the others the outgoing arguments lie
// there: a struct is copied to them through their address, which no callee keeps, so that only what
// is there now is forgotten.
func (f *flow) passAddresses(s *state) {
	sp := f.vs.Get(s.regs[f.m.SP])
	for r := range f.m.Regs {
		if isa.Reg(r) == f.m.SP || isa.Reg(r) == f.m.FP {
			continue
		}
		v := f.vs.Get(s.regs[r])
		switch {
		case !v.Stack:
		case sp.Stack && v.Off == sp.Off && f.m.LR != isa.NoReg:
		case sp.Stack && v.Off == sp.Off:
			f.killSlots(s, sp.Off, -sp.Off)
		default:
			f.take(v.Off)
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
	if op.Kind != isa.OpSyscall && op.Kind != isa.OpInt80 {
		f.leakCall(s, &c)
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
	known := Unknown
	n := 4 * OutSlots / int(size)
	for i := range n {
		words[i] = f.loadSlot(s, sp.Off+int64(size)*int64(i), size)
		known |= words[i]
	}
	if known == Unknown {
		return nil
	}
	return slices.Clone(words[:n])
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

// share returns a copy of regs that all equal ones share: most calls are made with little known.
func (vs *Values) share(regs [MaxRegs]ValueID) *[MaxRegs]ValueID {
	if known := vs.shared[regs]; known != nil {
		return known
	}
	vs.shared[regs] = &regs
	return &regs
}
