package isa

import "encoding/binary"

// ARM64 is AArch64, the instruction set A64. Registers 0 to 30 are X0 to X30 and 31 is SP. The zero
// register is never a Reg: it is Imm 0 as a source, and a result written to it is dropped.
//
// The conventions are those of the Arm procedure call standard (AAPCS64), of the kernel
// (arch/arm64/kernel/syscall.c el0_svc: number in X8, arguments in X0 to X5, result in X0) and of
// Go's ABIInternal (abi-internal.md: R0 to R15, g in R28).
var ARM64 = &Machine{
	Name:    "aarch64",
	PtrSize: 8,
	Regs:    32,
	SP:      a64SP,
	FP:      29,
	LR:      a64LR,

	Number: 8,
	Args:   [6]Reg{0, 1, 2, 3, 4, 5},
	Result: 0,

	GoParams: []Reg{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
	GoKept:   Regs(a64SP, 28),
	CallPush: 0,
	StackArg: 8,

	Scan:   a64Scan,
	Survey: a64Survey,
	Decode: a64Decode,
}

const (
	a64LR Reg = 30
	a64SP Reg = 31

	// a64GoUndef is what Go's assembler writes for UNDEF: an unallocated word that is meant to trap
	// where code cannot be reached (cmd/internal/obj/arm64, AUNDEF).
	a64GoUndef = 0xbea71700
)

// a64 is one instruction word.
type a64 uint32

func (w a64) bit(n uint) bool              { return w>>n&1 != 0 }
func (w a64) field(lo, n uint) uint32      { return uint32(w) >> lo & (1<<n - 1) }
func (w a64) rd() uint32                   { return uint32(w) & 31 } // also Rt
func (w a64) rn() uint32                   { return uint32(w) >> 5 & 31 }
func (w a64) rt2() uint32                  { return uint32(w) >> 10 & 31 } // also Ra
func (w a64) rm() uint32                   { return uint32(w) >> 16 & 31 } // also Rs
func (w a64) group() uint32                { return uint32(w) >> 25 & 15 }
func (w a64) signed(lo, n uint) int64      { return int64(int32(uint32(w)<<(32-lo-n)) >> (32 - n)) }
func (w a64) rel(lo, n uint) int64         { return w.signed(lo, n) << 2 }
func (w a64) to(pc uint64, d int64) uint64 { return pc + uint64(d) }

// width returns the bytes of the result: bit 31 of data processing tells W from X registers.
func (w a64) width() uint8 {
	if w.bit(31) {
		return 8
	}
	return 4
}

// The top level of the encoding, bits 28 to 25.
const (
	a64GroupReserved = 0 // UDF, and SME where bit 31 is set
	a64GroupSVE      = 2
	a64GroupImm      = 8  // and 9: data processing with an immediate
	a64GroupBranch   = 10 // and 11: branches, exceptions, system
	a64GroupReg      = 5  // and 13: data processing with registers
	a64GroupFP       = 7  // and 15: floating point and SIMD
	// 4, 6, 12 and 14 are loads and stores.
)

// a64Decode is ARM64.Decode. Unallocated encodings are recognised where the space around them is
// stable; in spaces that still grow (SVE, SME, SIMD, newer atomics) an unknown word forgets every
// register that it could write.
func a64Decode(code []byte, pc uint64, ops []Op) ([]Op, int) {
	if len(code) < 4 {
		return ops, 0
	}
	w := a64(binary.LittleEndian.Uint32(code))
	n := len(ops)
	out := a64out{ops}
	ok := true
	switch w.group() {
	case a64GroupReserved, a64GroupSVE, 1, 3:
		ok = out.vector(w)
	case a64GroupImm, a64GroupImm + 1:
		ok = out.immediate(w, pc)
	case a64GroupBranch, a64GroupBranch + 1:
		ok = out.branch(w, pc)
	case a64GroupReg, a64GroupReg + 8:
		ok = out.register(w)
	case a64GroupFP, a64GroupFP + 8:
		if w == a64GoUndef {
			out.add(Op{Kind: OpStop})
		} else {
			out.forget(w.writesFP())
		}
	default:
		ok = out.memory(w, pc)
	}
	if !ok {
		return out.ops[:n], 0
	}
	if len(out.ops) == n {
		out.add(Op{Kind: OpNop})
	}
	return out.ops, 4
}

// branch appends the effects of branches, exceptions and system instructions.
func (o *a64out) branch(w a64, pc uint64) bool {
	switch b := w.flow(); b.kind {
	case a64Bad:
		return false
	case a64Jump:
		o.add(Op{Kind: OpJump, Target: w.to(pc, b.disp)})
	case a64Cond:
		o.add(Op{Kind: OpBranch, Target: w.to(pc, b.disp)})
	case a64Call:
		o.add(Op{Kind: OpCall, Target: w.to(pc, b.disp)})
	case a64JumpReg:
		o.add(Op{Kind: OpJumpInd, A: a64Src(w.rn())})
	case a64CallReg:
		o.add(Op{Kind: OpCallInd, A: a64Src(w.rn())})
	case a64Return:
		o.add(Op{Kind: OpReturn})
	case a64SVC:
		o.add(Op{Kind: OpSyscall, Clobber: Regs(0)})
	case a64Trap:
		o.add(Op{Kind: OpStop})
	default:
		o.forget(w.writesSystem())
		if w.zeroesCache() {
			o.add(Op{Kind: OpForget, Dst: M(Reg(w.rd()), 0, 64), Width: 64})
		}
	}
	return true
}

// vector appends the effects of the reserved, SVE and SME spaces.
func (o *a64out) vector(w a64) bool {
	switch {
	case w.group() == a64GroupReserved && !w.bit(31):
		// UDF is 16 zero bits and a number. The word 0 is padding or data, not an instruction.
		if w == 0 || w>>16 != 0 {
			return false
		}
		o.add(Op{Kind: OpStop})
	case w.group()&1 != 0:
		return false
	default:
		o.forget(w.writesVector())
		if w.bit(31) && w.bit(30) && w.bit(29) {
			// A store whose reach depends on the vector length: the base was forgotten, so this is
			// an unknown address.
			o.add(Op{Kind: OpForget, Dst: M(Reg(w.rn()), 0, 255), Width: 255})
		}
	}
	return true
}

// a64Flow is what a word of the branch group does with control.
type a64Flow struct {
	kind a64FlowKind
	disp int64 // from the instruction, for the direct ones
}

type a64FlowKind uint8

const (
	a64Bad    a64FlowKind = iota
	a64System             // goes on to the next instruction
	a64Jump
	a64Cond
	a64Call
	a64JumpReg
	a64CallReg
	a64Return
	a64SVC
	a64Trap
)

// flow decodes a word of the branch group.
func (w a64) flow() a64Flow {
	switch w >> 29 {
	case 0:
		return a64Flow{a64Jump, w.rel(0, 26)}
	case 4:
		return a64Flow{a64Call, w.rel(0, 26)}
	case 1, 5:
		if w.bit(25) { // TBZ, TBNZ
			return a64Flow{a64Cond, w.rel(5, 14)}
		}
		return a64Flow{a64Cond, w.rel(5, 19)} // CBZ, CBNZ
	case 2:
		if w>>24 == 0x54 {
			return a64Flow{a64Cond, w.rel(5, 19)}
		}
	case 6:
		switch w >> 24 {
		case 0xd4:
			return a64Flow{kind: w.exception()}
		case 0xd5:
			return a64Flow{kind: a64System}
		case 0xd6, 0xd7:
			return a64Flow{kind: w.branchReg()}
		}
	}
	return a64Flow{}
}

// exception tells SVC from the instructions that trap. The kernel ignores SVC's immediate.
func (w a64) exception() a64FlowKind {
	if w.field(2, 3) != 0 {
		return a64Bad
	}
	switch opc, ll := w.field(21, 3), w.field(0, 2); {
	case opc == 0 && ll == 1:
		return a64SVC
	case opc == 0 && ll != 0, // HVC, SMC: undefined in a process
		opc == 1 && ll == 0, // BRK
		opc == 2 && ll == 0, // HLT
		opc == 5 && ll != 0: // DCPS
		return a64Trap
	case opc == 3 && ll == 0: // TCANCEL: control goes back to TSTART
		return a64Trap
	}
	return a64Bad
}

// branchReg decodes BR, BLR, RET and their authenticating forms.
func (w a64) branchReg() a64FlowKind {
	op3 := w.field(10, 6)
	plain := op3 == 0 && w.rd() == 0
	auth := op3 == 2 || op3 == 3 // BRAA, BRAB and so on
	if w.field(16, 5) != 31 || !plain && !auth {
		return a64Bad
	}
	switch opc := w.field(21, 4); {
	case opc == 0 || opc == 8 && auth:
		return a64JumpReg
	case opc == 1 || opc == 9 && auth:
		return a64CallReg
	case opc == 2:
		return a64Return
	case opc == 4, opc == 5 && plain: // ERET, DRPS: undefined in a process
		return a64Trap
	}
	return a64Bad
}
