package flow

import "github.com/profcheck/profcheck/elfscan/internal/isa"

// Convention is what a function may rely on when it calls another one.
type Convention struct {
	Machine  *isa.Machine
	Kept     isa.RegSet // registers that hold the same value after a call, the stack pointer among them
	Params   []isa.Reg  // integer arguments, in order
	Result   isa.Reg    // the first result
	StackArg int64      // offset of the first stack argument from SP at entry
	FP       isa.Reg    // chains frames together, and its address in the frame is none of an object; or NoReg
	Leaks    bool       // Summary.Leaks is wanted

	// Ordered says how much is trusted of a frame whose addresses are passed on. If false, a slot
	// whose address is taken somewhere in the function is not trusted anywhere in it, and calls
	// change their own arguments and results on the stack. If true, an address counts from where it
	// is taken on: from there, calls and stores through pointers change what lies at or above it,
	// and calls change nothing else.
	Ordered bool
	Gap     int // bytes to go on by where code does not decode: the alignment of instructions
}

// Go is the convention of compiled Go code: ABIInternal in registers, ABI0 on the stack.
func Go(m *isa.Machine) *Convention {
	return &Convention{Machine: m, Kept: m.GoKept | isa.Regs(m.SP, m.FP), Params: m.GoParams, Result: m.GoParams[0],
		StackArg: m.StackArg, FP: m.FP, Leaks: true, Gap: gap(m)}
}

// C is the convention of C compilers: the System V ABI on x86-64, AAPCS64 on arm64.
//
// A function trusts its frame as far as compiled code does. Objects that others may write to are
// those whose address was passed, stored or lost before; how long they are is not known, so that all
// that lies above counts to them. What lies below, where compilers keep spilled registers, stays.
// Callees own the arguments that they get on the stack, but compiled code does not read those again
// after a call, so that they need not be forgotten.
func C(m *isa.Machine) *Convention {
	c := &Convention{Machine: m, StackArg: m.CallPush, FP: isa.NoReg, Ordered: true, Gap: gap(m)}
	switch m {
	case isa.ARM64:
		c.Params, c.Kept = []isa.Reg{0, 1, 2, 3, 4, 5, 6, 7}, isa.Regs(m.SP)
		for r := isa.Reg(19); r <= 29; r++ {
			c.Kept |= isa.Regs(r)
		}
	default: // RBX RBP RSP R12 to R15
		c.Params, c.Kept = []isa.Reg{7, 6, 2, 1, 8, 9}, isa.Regs(3, 4, 5, 12, 13, 14, 15)
	}
	c.Result = m.Result
	return c
}

// Entry returns where the syscall number and the arguments lie at a syscall instruction of the given
// kind. INT 0x80 and SYSENTER take those of 32-bit code, wherever they stand.
func (c *Convention) Entry(kind isa.OpKind) (number isa.Reg, args [6]isa.Reg) {
	if kind == isa.OpInt80 {
		return 0, [6]isa.Reg{3, 1, 2, 6, 7, 5} // EAX; EBX ECX EDX ESI EDI EBP
	}
	return c.Machine.Number, c.Machine.Args
}

func gap(m *isa.Machine) int {
	if m == isa.ARM64 {
		return 4
	}
	return 1
}
