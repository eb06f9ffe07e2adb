package isa

import "fmt"

// a64val is what a register may hold: n possible values, or anything if n is 0.
type a64val struct {
	n int
	v [2]uint64
}

func a64one(v uint64) a64val { return a64val{1, [2]uint64{v}} }

// a64store is one write to memory.
type a64store struct {
	addr  a64val
	size  int
	value a64val
}

// a64state is what the witnesses compare: registers, writes to memory, and control.
type a64state struct {
	reg    [32]a64val
	stores []a64store
	flow   string
	read   func(addr uint64, size int) uint64 // memory; nil for a64memory
}

// a64byte is the content of memory that nobody wrote: some function of the address.
func a64byte(addr uint64) uint64 {
	x := addr * 0x9e3779b97f4a7c15
	return (x ^ x>>29) & 0xff
}

func a64memory(addr uint64, size int) uint64 {
	var v uint64
	for i := range size {
		v |= a64byte(addr+uint64(i)) << (8 * i)
	}
	return v
}

func a64cut(v uint64, bytes int) uint64 {
	if bytes >= 8 {
		return v
	}
	return v & (1<<(8*bytes) - 1)
}

func a64extendSign(v uint64, bytes int) uint64 {
	s := uint(64 - 8*bytes)
	return uint64(int64(v<<s) >> s)
}

// a64combine applies f to all the values that a and b may have.
func a64combine(a, b a64val, f func(x, y uint64) uint64) a64val {
	var out a64val
	if a.n == 0 || b.n == 0 {
		return out
	}
	for _, x := range a.v[:a.n] {
		for _, y := range b.v[:b.n] {
			out = out.with(f(x, y))
			if out.n == 0 {
				return out
			}
		}
	}
	return out
}

// with adds a possible value; a third one makes it unknown.
func (a a64val) with(v uint64) a64val {
	for _, x := range a.v[:a.n] {
		if x == v {
			return a
		}
	}
	if a.n == 2 {
		return a64val{}
	}
	a.v[a.n] = v
	a.n++
	return a
}

func (s *a64state) address(o Operand) a64val {
	sum := func(x, y uint64) uint64 { return x + y }
	at := a64one(uint64(o.Value))
	if o.Reg != NoReg {
		at = a64combine(at, s.reg[o.Reg], sum)
	}
	if o.Index != NoReg {
		at = a64combine(at, s.reg[o.Index], func(x, y uint64) uint64 { return x + y*uint64(o.Scale) })
	}
	return at
}

func (s *a64state) value(o Operand) a64val {
	switch o.Kind {
	case RegOp:
		return s.reg[o.Reg]
	case Imm:
		return a64one(uint64(o.Value))
	case Addr:
		return s.address(o)
	case Mem:
		at := s.address(o)
		read := s.read
		if read == nil {
			read = a64memory
		}
		return a64combine(at, at, func(x, _ uint64) uint64 { return read(x, int(o.Size)) })
	}
	return a64val{}
}

// a64binary are the kinds of Op with two sources.
var a64binary = map[OpKind]func(x, y uint64) uint64{
	OpAdd: func(x, y uint64) uint64 { return x + y },
	OpSub: func(x, y uint64) uint64 { return x - y },
	OpAnd: func(x, y uint64) uint64 { return x & y },
	OpOr:  func(x, y uint64) uint64 { return x | y },
	OpXor: func(x, y uint64) uint64 { return x ^ y },
	OpShl: func(x, y uint64) uint64 { return x << y },
	OpShr: func(x, y uint64) uint64 { return x >> y },
}

// apply runs one Op.
func (s *a64state) apply(op Op) {
	a := s.value(op.A)
	switch op.Kind {
	case OpNop:
	case OpSet:
		s.assign(op, a)
	case OpSelect:
		b := s.value(op.B)
		if a.n != 1 || b.n != 1 {
			a = a64val{}
		} else {
			a = a.with(b.v[0])
		}
		s.assign(op, a)
	case OpSignExtend:
		s.assign(op, a64combine(a, a, func(x, _ uint64) uint64 { return a64extendSign(x, int(op.A.Size)) }))
	case OpForget:
		if op.Dst.Kind == Mem {
			s.stores = append(s.stores, a64store{s.address(op.Dst), int(op.Dst.Size), a64val{}})
		}
		s.clobber(op.Clobber)
	case OpSyscall:
		s.flow = "svc"
		s.clobber(op.Clobber)
	case OpCall:
		s.flow = fmt.Sprintf("bl %#x", op.Target)
	case OpJump:
		s.flow = fmt.Sprintf("b %#x", op.Target)
	case OpBranch:
		s.flow = fmt.Sprintf("b.cond %#x", op.Target)
	case OpCallInd:
		s.flow = fmt.Sprintf("blr %#x", a.v[0])
	case OpJumpInd:
		s.flow = fmt.Sprintf("br %#x", a.v[0])
	case OpReturn:
		s.flow = "ret"
	case OpStop:
		s.flow = "stop"
	default:
		s.assign(op, a64combine(a, s.value(op.B), a64binary[op.Kind]))
	}
}

func (s *a64state) clobber(set RegSet) {
	for r := range s.reg {
		if set.Has(Reg(r)) {
			s.reg[r] = a64val{}
		}
	}
}

// assign puts v into the destination of op.
func (s *a64state) assign(op Op, v a64val) {
	v = a64combine(v, v, func(x, y uint64) uint64 {
		if x != y {
			return a64cut(v.v[0], int(op.Width)) // a pair meets itself crosswise
		}
		return a64cut(x, int(op.Width))
	})
	if op.Dst.Kind == Mem {
		s.stores = append(s.stores, a64store{s.address(op.Dst), int(op.Dst.Size), v})
		return
	}
	s.reg[op.Dst.Reg] = v
}

// a64start gives each register a value of its own, chosen by seed.
func a64start(seed uint64) a64state {
	var s a64state
	x := seed*2 + 1
	for r := range s.reg {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		s.reg[r] = a64one(x * 0x2545f4914f6cdd1d)
	}
	return s
}

// a64run decodes the word at pc and applies it; false if it does not decode.
func a64run(word uint32, pc uint64, s *a64state) ([]Op, bool) {
	code := []byte{byte(word), byte(word >> 8), byte(word >> 16), byte(word >> 24)}
	ops, n := ARM64.Decode(code, pc, nil)
	for _, op := range ops {
		s.apply(op)
	}
	return ops, n == 4
}
