package flow

import "github.com/profcheck/profcheck/elfscan/internal/isa"

// Convention is what a function may rely on when it calls another one.
type Convention struct {
	Machine  *isa.Machine
	Kept     isa.RegSet // registers that hold the same value after a call, the stack pointer among them
	Params   []isa.Reg  // integer arguments, in order
	Result   isa.Reg    // the first result
	StackArg int64      // offset of the first stack argument from SP at entry
	Gap      int        // bytes to go on by where code does not decode: the alignment of instructions
}

// Go is the convention of compiled Go code: ABIInternal in registers, ABI0 on the stack.
func Go(m *isa.Machine) *Convention {
	return &Convention{Machine: m, Kept: m.GoKept | isa.Regs(m.SP, m.FP), Params: m.GoParams, Result: m.GoParams[0],
		StackArg: m.StackArg, Gap: gap(m)}
}

func gap(m *isa.Machine) int {
	if m == isa.ARM64 {
		return 4
	}
	return 1
}
