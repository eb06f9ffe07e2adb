package isa

import (
	"encoding/binary"
	"fmt"
)

// model applies Ops to concrete registers and memory, as far as they say what happens.
type model struct {
	regs    [16]uint64
	unknown RegSet
	load    func(addr uint64, size uint8) (uint64, bool)
	mem     map[uint64]int // bytes written; -1 is unknown
	anyMem  bool           // memory was forgotten without bounds
	next    uint64         // address of the next instruction
	jumps   []uint64       // where the flow may go on; empty: next
	stops   bool
	noJumps bool // it goes somewhere unknown
}

func (m *model) reg(r Reg) (uint64, bool) { return m.regs[r], !m.unknown.Has(r) }

func (m *model) address(o Operand) (uint64, bool) {
	a, ok := uint64(o.Value), true
	if o.Reg != NoReg {
		v, known := m.reg(o.Reg)
		a, ok = a+v, ok && known
	}
	if o.Index != NoReg {
		v, known := m.reg(o.Index)
		a, ok = a+v*uint64(o.Scale), ok && known
	}
	return a, ok
}

func (m *model) eval(o Operand) (uint64, bool) {
	switch o.Kind {
	case RegOp:
		return m.reg(o.Reg)
	case Imm:
		return uint64(o.Value), true
	case Addr:
		return m.address(o)
	case Mem:
		a, ok := m.address(o)
		if !ok || m.anyMem {
			return 0, false
		}
		var b [8]byte
		old, ok := m.load(a, o.Size)
		binary.LittleEndian.PutUint64(b[:], old)
		for i := range uint64(o.Size) {
			if v, written := m.mem[a+i]; written && v < 0 {
				return 0, false
			} else if written {
				b[i] = byte(v)
			} else if !ok {
				return 0, false
			}
		}
		return binary.LittleEndian.Uint64(b[:]), true
	}
	return 0, false
}

func (m *model) assign(op Op, v uint64, ok bool) error {
	if op.Width == 4 {
		v = uint64(uint32(v))
	}
	switch op.Dst.Kind {
	case RegOp:
		if op.Width != 4 && op.Width != 8 {
			return fmt.Errorf("width %d for a register", op.Width)
		}
		m.regs[op.Dst.Reg] = v
		m.unknown &^= 1 << op.Dst.Reg
		if !ok {
			m.unknown |= 1 << op.Dst.Reg
		}
	case Mem:
		if op.Width != op.Dst.Size || op.Dst.Size == 0 {
			return fmt.Errorf("width %d for a store of %d", op.Width, op.Dst.Size)
		}
		m.store(op.Dst, v, ok)
	default:
		return fmt.Errorf("destination of kind %d", op.Dst.Kind)
	}
	return nil
}

func (m *model) store(dst Operand, v uint64, ok bool) {
	a, known := m.address(dst)
	if !known || dst.Size == 0 {
		m.anyMem = true
		return
	}
	for i := range uint64(dst.Size) {
		m.mem[a+i] = -1
		if ok {
			m.mem[a+i] = int(v >> (8 * i) & 0xff)
		}
	}
}

// apply applies one Op.
func (m *model) apply(op Op, mach *Machine) error {
	a, okA := m.eval(op.A)
	b, okB := m.eval(op.B)
	both := okA && okB
	switch op.Kind {
	case OpNop:
	case OpSet:
		return m.assign(op, a, okA)
	case OpAdd:
		return m.assign(op, a+b, both)
	case OpSub:
		return m.assign(op, a-b, both)
	case OpAnd:
		return m.assign(op, a&b, both)
	case OpOr:
		return m.assign(op, a|b, both)
	case OpXor:
		return m.assign(op, a^b, both)
	case OpShl:
		return m.assign(op, a<<b, both)
	case OpShr:
		return m.assign(op, a>>b, both)
	case OpSignExtend:
		s := 64 - 8*uint(op.A.Size)
		return m.assign(op, uint64(int64(a<<s)>>s), okA)
	case OpSelect: // the caller tries both
		return m.assign(op, a, okA)
	case OpForget:
		if op.Dst.Kind == Mem {
			m.store(op.Dst, 0, false)
		}
		m.unknown |= op.Clobber
	default:
		m.flow(op, mach, a, okA)
	}
	return nil
}

// flow applies the Ops that end an instruction.
func (m *model) flow(op Op, mach *Machine, a uint64, known bool) {
	switch op.Kind {
	case OpCall, OpCallInd:
		m.regs[mach.SP] -= uint64(mach.CallPush)
		m.store(M(mach.SP, 0, 8), m.next, true)
	case OpReturn:
		m.unknown |= 1 << mach.SP
	case OpStop:
		m.stops = true
	}
	switch op.Kind {
	case OpCall, OpJump:
		m.jumps = append(m.jumps, op.Target)
	case OpBranch:
		m.jumps = append(m.jumps, op.Target, m.next)
	case OpCallInd, OpJumpInd, OpReturn:
		m.noJumps = !known
		m.jumps = append(m.jumps, a)
	}
}
