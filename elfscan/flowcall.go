package elfscan

import (
	"slices"

	"github.com/profcheck/profcheck/elfscan/internal/isa"
)

// afterCall forgets what a callee may change: every register but those that the convention keeps,
// and its own arguments and results on the stack.
func (f *flow) afterCall(s *state, op *isa.Op) {
	f.passAddresses(s)
	sp := f.vs.get(s.regs[f.m.SP])
	if sp.stack {
		n := int64(256) // results of a call through a pointer: those that fit no register
		target := op.Target
		if op.Kind == isa.OpCallInd {
			if c, ok := f.vs.isConst(f.eval(s, op.A)); ok && len(c) == 1 {
				target = c[0]
			}
		}
		if callee := f.p.tab.find(target); callee >= 0 {
			if size, ok := f.p.tab.stackArgs(callee); ok {
				n = int64(size)
			}
		}
		f.killSlots(s, sp.off, n+f.m.StackArg)
	}
	for r := range f.m.Regs {
		if !f.m.GoKept.Has(isa.Reg(r)) && isa.Reg(r) != f.m.SP && isa.Reg(r) != f.m.FP {
			s.regs[r] = unknownID
		}
	}
	if op.Kind == isa.OpCall {
		if known, ok := f.p.results[op.Target]; ok {
			s.regs[f.m.GoParams[0]] = known
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
	sp := f.vs.get(s.regs[f.m.SP])
	for r := range f.m.Regs {
		if isa.Reg(r) == f.m.SP || isa.Reg(r) == f.m.FP {
			continue
		}
		v := f.vs.get(s.regs[r])
		switch {
		case !v.stack:
		case sp.stack && v.off == sp.off && f.m.LR != isa.NoReg:
		case sp.stack && v.off == sp.off:
			f.killSlots(s, sp.off, -sp.off)
		default:
			f.take(v.off)
		}
	}
}

// record notes the state at a call, tail call or syscall instruction.
func (f *flow) record(op *isa.Op, pc uint64, s *state) {
	c := callState{at: pc, kind: op.Kind, regs: f.p.share(s.regs)}
	switch op.Kind {
	case isa.OpCall, isa.OpJump, isa.OpBranch:
		c.target = op.Target
	case isa.OpCallInd, isa.OpJumpInd:
		c.callee = f.eval(s, op.A)
	}
	c.stack8, c.stack4 = f.outgoing(s, 8), f.outgoing(s, 4)
	if op.Kind != isa.OpSyscall && op.Kind != isa.OpInt80 {
		f.leakCall(s, &c)
	}
	if i, ok := f.index[pc]; ok {
		old := &f.out.calls[i]
		if old.regs != c.regs {
			regs := *old.regs
			for r := range regs {
				regs[r] = f.vs.join(regs[r], c.regs[r])
			}
			old.regs = f.p.share(regs)
		}
		old.stack8, old.stack4 = f.joinWords(old.stack8, c.stack8), f.joinWords(old.stack4, c.stack4)
		old.callee = f.vs.join(old.callee, c.callee)
		return
	}
	f.index[pc] = len(f.out.calls)
	f.out.calls = append(f.out.calls, c)
}

// outgoing returns the words of the given size that lie at the stack pointer, where arguments of a
// call are; nil if none is known.
func (f *flow) outgoing(s *state, size uint8) []valueID {
	sp := f.vs.get(s.regs[f.m.SP])
	if !sp.stack {
		return nil
	}
	var words [outSlots]valueID
	known := unknownID
	n := 4 * outSlots / int(size)
	for i := range n {
		words[i] = f.loadSlot(s, sp.off+int64(size)*int64(i), size)
		known |= words[i]
	}
	if known == unknownID {
		return nil
	}
	return slices.Clone(words[:n])
}

func (f *flow) joinWords(a, b []valueID) []valueID {
	if a == nil || b == nil {
		return nil
	}
	for i := range a {
		a[i] = f.vs.join(a[i], b[i])
	}
	return a
}

// share returns a copy of regs that all equal ones share: most calls are made with little known.
func (p *program) share(regs [maxRegs]valueID) *[maxRegs]valueID {
	if known := p.shared[regs]; known != nil {
		return known
	}
	p.shared[regs] = &regs
	return &regs
}
