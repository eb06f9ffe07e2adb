package flow

import "github.com/profcheck/profcheck/elfscan/internal/isa"

// Tracer is told where values go that matter to it. Each method but Watched reports whether that is
// where the tracer can follow them.
type Tracer interface {
	// Watched reports whether a value may be one that matters.
	Watched(id ValueID) bool
	// Makes tells that an instruction has the constant id as an operand or a result.
	Makes(pc uint64, id ValueID)
	// Loads tells of a load of size bytes at addr, which gives id.
	Loads(pc uint64, addr ValueID, size uint8, id ValueID) bool
	// Stores tells of a store of id to a fixed address.
	Stores(pc uint64, addr ValueID, size uint8, id ValueID) bool
	// Calls tells of a call, a jump out of the function or a syscall. It must not keep c.
	Calls(c *Call) bool
	// Survives reports whether register r may be the same behind a call of the function at target,
	// although the convention does not say so.
	Survives(target uint64, r isa.Reg) bool
	// Returns tells that a result is watched, or what is left in its register.
	Returns(r isa.Reg) bool
}

// Trace follows function fn and accounts for each use of the values that t watches. They may be copied
// to registers and to slots of the frame whose address is not taken, have constants added, be compared,
// loaded through, stored to fixed addresses, called and passed on. Trace reports whether that is all: it
// is false if an instruction uses one in a way that no Op describes, if two ways meet such that one is
// forgotten, if one is stored elsewhere, and if there is code in fn to which no way was
// found or which other code enters.
//
// What is trusted is what Analyse trusts: that a call changes no slot whose address was not taken, that
// callees read their arguments only, and that a comparison makes no address.
func Trace(p Program, vs *Values, conv *Convention, fn Func, t Tracer) bool {
	if len(fn.Code) > MaxCode || fn.Vague || len(fn.Entries) > 0 || !conv.Ordered {
		return false
	}
	f := newFlow(p, vs, conv, fn)
	defer f.release()
	f.decode()
	f.run()
	if f.budget <= 0 {
		return false
	}
	f.trace = &trace{Tracer: t, ok: true}
	defer func() { f.trace = nil }()
	for i := 0; i < len(f.states) && f.trace.ok; i++ {
		if s := f.states[i]; s != nil {
			f.trace.ok = !s.swept
			s = f.clone(s)
			f.traceBlock(f.insts[i].off, s)
			f.free = append(f.free, s)
		}
	}
	return f.trace.ok
}

type trace struct {
	Tracer
	ok      bool
	watched []Slot // scratch: slots before an instruction
}

// traceBlock is block with an account of what is watched.
func (f *flow) traceBlock(off int32, s *state) {
	t := f.trace
	for i := f.at[off]; t.ok; i++ {
		if int(i) >= len(f.insts) {
			end := f.base + uint64(len(f.code))
			f.traceCall(&isa.Op{Kind: isa.OpJump, Target: end}, end-1, s)
			return
		}
		in := &f.insts[i]
		if in.off != off && f.leader[in.off] {
			f.reach(in.off, s)
			return
		}
		if i > 0 && f.insts[i-1].off+int32(f.insts[i-1].len) != in.off && in.off != off {
			return
		}
		t.watched = t.watched[:0]
		for _, sl := range s.slots {
			if t.Watched(sl.ID) {
				t.watched = append(t.watched, sl)
			}
		}
		if f.setByte(in, s) {
			continue
		}
		if !described(f.ops[in.start:in.end]) && f.touches(in, s) {
			t.ok = false
			return
		}
		for k := in.start; k < in.end; k++ {
			op, pc := &f.ops[k], f.base+uint64(in.off)
			f.traceOp(op, pc, s)
			if !t.ok {
				return
			}
			if op.Kind == isa.OpBranch {
				f.branch(op, i, pc, s)
			} else if !f.step(op, pc, s) {
				return
			}
			f.traceSlots(op, s)
		}
	}
}

// described reports whether the ops of an instruction are all that it does with its operands.
func described(ops []isa.Op) bool {
	some := false
	for i := range ops {
		switch ops[i].Kind {
		case isa.OpForget:
			return false
		case isa.OpNop:
		default:
			some = true
		}
	}
	return some
}

// touches reports whether an instruction that no Op describes may read a watched value.
func (f *flow) touches(in *inst, s *state) bool {
	code := f.code[in.off : in.off+int32(in.len)]
	regs, memory := mentioned(f.m, code)
	for r := range f.m.Regs {
		if !regs.Has(isa.Reg(r)) {
			continue
		}
		if f.trace.Watched(s.regs[r]) {
			return true
		}
		// How far from the register is not looked at.
		if memory && f.vs.Get(s.regs[r]).Stack && len(f.trace.watched) > 0 && !f.writesOnly(in) {
			return true
		}
	}
	return false
}

// writesOnly reports whether an instruction does nothing with memory but write to it, which is a
// matter of traceSlots. It is so for stores of vector registers.
func (f *flow) writesOnly(in *inst) bool {
	code := f.code[in.off : in.off+int32(in.len)]
	return f.m == isa.AMD64 && vectorStore(code)
}

// traceOp looks at what one op does with watched values, before it is applied to s.
func (f *flow) traceOp(op *isa.Op, pc uint64, s *state) {
	t := f.trace
	switch op.Kind {
	case isa.OpNop, isa.OpBranch, isa.OpStop, isa.OpForget:
		if op.Kind == isa.OpBranch && op.Target-f.base >= uint64(len(f.code)) {
			f.traceCall(op, pc, s)
		}
		return
	case isa.OpCall, isa.OpJump, isa.OpSyscall, isa.OpInt80, isa.OpCallInd, isa.OpJumpInd:
		f.traceLeave(op, pc, s)
		return
	case isa.OpReturn:
		for _, r := range results(f.m) {
			t.ok = t.ok && (!t.Watched(s.regs[r]) || t.Returns(r))
		}
		return
	}
	a, b := f.operand(op.A, pc, s), Unknown
	if op.B.Kind != isa.None {
		b = f.operand(op.B, pc, s)
	}
	id := f.result(op, a, b)
	t.Makes(pc, id)
	if op.Dst.Kind == isa.Mem {
		f.traceStore(op, pc, id, s)
	}
}

// result is what an op computes of a and b, if watched values go there only where that is exact.
func (f *flow) result(op *isa.Op, a, b ValueID) ValueID {
	t := f.trace
	watched := t.Watched(a) || op.B.Kind != isa.None && t.Watched(b)
	id := Unknown
	switch op.Kind {
	case isa.OpSet:
		id = a
	case isa.OpSelect:
		id = f.vs.Join(a, b)
		t.ok = t.ok && f.holds(id, a) && f.holds(id, b)
	case isa.OpAdd, isa.OpSub:
		id = f.vs.Binary(op.Kind, a, b)
		t.ok = t.ok && (!watched || id != Unknown && !f.vs.Get(id).Unknown)
	default:
		t.ok = t.ok && !watched
		return Unknown
	}
	if watched && op.Width < 8 && (op.Width != 4 || f.vs.Narrow(id) != id) {
		t.ok = false
	}
	return id
}

// holds reports whether all that is watched of id is in sum, too, just as it is.
func (f *flow) holds(sum, id ValueID) bool {
	if sum == id || !f.trace.Watched(id) {
		return true
	}
	v, w := f.vs.Get(sum), f.vs.Get(id)
	same := !w.Derived() || v.Off == w.Off && v.Cut == w.Cut && v.Ors == nil && w.Ors == nil
	return same && f.vs.Join(sum, id) == sum
}

// operand evaluates an operand and tells what that reads.
func (f *flow) operand(o isa.Operand, pc uint64, s *state) ValueID {
	t := f.trace
	switch o.Kind {
	case isa.RegOp:
		return s.regs[o.Reg]
	case isa.Imm:
		id := f.vs.Constant(uint64(o.Value))
		t.Makes(pc, id)
		return id
	case isa.Addr, isa.Mem:
	default:
		return Unknown
	}
	addr := f.tracedAddress(o, pc, s)
	if o.Kind == isa.Addr || !t.ok {
		return addr
	}
	if addr == Unknown {
		return Unknown
	}
	v := f.vs.Get(addr)
	if v.Stack {
		return f.tracedSlot(v.Off, o.Size, s)
	}
	id := f.load(s, addr, o.Size)
	t.ok = t.ok && t.Loads(pc, addr, o.Size, id)
	return id
}

// tracedAddress computes an address. An unknown one must not start from what is watched.
func (f *flow) tracedAddress(o isa.Operand, pc uint64, s *state) ValueID {
	t := f.trace
	id := f.address(s, o)
	t.Makes(pc, id)
	base := f.vs.Constant(uint64(o.Value))
	if o.Reg != isa.NoReg {
		base = f.base8(s, o)
	}
	parts := [3]ValueID{base, Unknown, Unknown}
	if o.Reg != isa.NoReg {
		parts[1] = s.regs[o.Reg]
	}
	if o.Index != isa.NoReg {
		parts[2] = s.regs[o.Index]
	}
	for _, x := range parts {
		if t.Watched(x) && (id == Unknown || o.Index != isa.NoReg || f.vs.Get(id).Unknown) {
			t.ok = false
		}
	}
	if v := f.vs.Get(base); o.Index != isa.NoReg && v.Stack && o.Kind == isa.Mem && len(t.watched) > 0 {
		t.ok = false // an array in the frame
	}
	return id
}

// tracedSlot reads the frame.
func (f *flow) tracedSlot(off int64, size uint8, s *state) ValueID {
	id := f.loadSlot(s, off, size)
	for _, sl := range f.trace.watched {
		if sl.Off < off+int64(size) && off < sl.Off+int64(sl.Size) && sl.ID != id {
			f.trace.ok = false
		}
	}
	return id
}

func (f *flow) traceStore(op *isa.Op, pc uint64, id ValueID, s *state) {
	t := f.trace
	addr := Unknown
	if op.Dst.Index == isa.NoReg {
		addr = f.address(s, op.Dst)
	}
	switch v := f.vs.Get(addr); {
	case v.Stack:
		t.ok = t.ok && (!t.Watched(id) || op.Dst.Size == 8 && v.Off < f.conv.StackArg && !f.escaped(s, v.Off))
	case !v.Unknown && len(v.Consts) > 0 && !v.Derived():
		t.ok = t.ok && t.Stores(pc, addr, op.Dst.Size, id)
	default:
		t.ok = t.ok && !t.Watched(id)
	}
}

// traceSlots makes sure that what is watched in the frame is still known, and still private.
func (f *flow) traceSlots(op *isa.Op, s *state) {
	t := f.trace
	sp := f.vs.Get(s.regs[f.m.SP])
	for _, sl := range t.watched {
		if now, ok := s.lookup(sl.Off, sl.Size); ok && now == sl.ID || sp.Stack && sl.Off < sp.Off {
			continue
		}
		to := f.vs.Get(Unknown)
		if op.Dst.Kind == isa.Mem && op.Kind != isa.OpForget && op.Dst.Index == isa.NoReg {
			to = f.vs.Get(f.address(s, op.Dst))
		}
		if !to.Stack || to.Off > sl.Off || to.Off+int64(op.Dst.Size) < sl.Off+int64(sl.Size) {
			t.ok = false
		}
	}
	for _, sl := range s.slots {
		if t.Watched(sl.ID) && f.escaped(s, sl.Off) {
			t.ok = false
		}
	}
	t.ok = t.ok && (s.lowArg == noneTaken || !f.watchedArgument())
}

// watchedArgument reports whether a stack argument is watched.
func (f *flow) watchedArgument() bool {
	for j := range int64(64) {
		if f.trace.Watched(f.vs.StackParam(j)) {
			return true
		}
	}
	return false
}

// traceLeave looks at an op that leads on to other code or to the kernel.
func (f *flow) traceLeave(op *isa.Op, pc uint64, s *state) {
	inside := op.Target-f.base < uint64(len(f.code))
	switch {
	case op.Kind == isa.OpJump && inside:
		return
	case op.Kind == isa.OpCall && inside && op.Target != f.base:
		f.trace.ok = false
		return
	case op.Kind == isa.OpJumpInd:
		if id := f.operand(op.A, pc, s); f.vs.Get(id).Table.Size != 0 && f.trace.ok {
			return // each way of it is looked at
		}
	case op.Kind == isa.OpCallInd:
		f.operand(op.A, pc, s)
	}
	f.traceCall(op, pc, s)
}

// traceCall tells of a call, and makes sure that no watched slot is in what it gets the address of.
func (f *flow) traceCall(op *isa.Op, pc uint64, s *state) {
	t := f.trace
	c := Call{At: pc, Kind: op.Kind, Target: op.Target, Regs: &s.regs}
	if op.Kind == isa.OpCallInd || op.Kind == isa.OpJumpInd {
		c.Callee = f.eval(s, op.A)
	}
	c.Stack8 = f.outgoing(s, 8)
	for r := range f.m.Regs {
		v := f.vs.Get(s.regs[r])
		if !v.Stack || isa.Reg(r) == f.m.SP || f.conv.Kept.Has(isa.Reg(r)) {
			continue
		}
		for _, sl := range t.watched {
			if v.Off <= sl.Off {
				t.ok = false
			}
		}
	}
	sp := f.vs.Get(s.regs[f.m.SP])
	for _, sl := range t.watched {
		if !sp.Stack || sl.Off >= sp.Off+4*OutSlots {
			t.ok = false
		}
	}
	if t.ok = t.ok && t.Calls(&c); t.ok && op.Kind == isa.OpCall {
		f.traceSurvivors(op, pc, s)
	}
}

// traceSurvivors makes sure that what is watched in registers that a call may change is not used
// behind it: compilers know which of them the functions of a file leave alone (gcc -fipa-ra).
func (f *flow) traceSurvivors(op *isa.Op, pc uint64, s *state) {
	t := f.trace
	for r := range f.m.Regs {
		reg := isa.Reg(r)
		if f.conv.Kept.Has(reg) || !t.Watched(s.regs[r]) || !t.Survives(op.Target, reg) {
			continue
		}
		in := &f.insts[f.at[pc-f.base]]
		w := overwrites{m: f.m, start: f.base, code: f.code, r: reg, params: f.conv.Params, left: unreadFor}
		t.ok = t.ok && w.from(int(in.off)+int(in.len))
	}
}

// traceEdge makes sure that the state at a place has all that is watched in one that leads there.
func (f *flow) traceEdge(at, s *state) {
	t := f.trace
	sp := f.vs.Get(s.regs[f.m.SP])
	for r := range f.m.Regs {
		t.ok = t.ok && (at != nil && f.holds(at.regs[r], s.regs[r]) || !t.Watched(s.regs[r]))
	}
	for _, sl := range s.slots {
		if !t.Watched(sl.ID) || sp.Stack && sl.Off < sp.Off {
			continue
		}
		if at == nil {
			t.ok = false
			return
		}
		id, ok := at.lookup(sl.Off, sl.Size)
		t.ok = t.ok && ok && f.holds(id, sl.ID)
	}
}
