package isa

// attr is what the decoder knows of an opcode: the shape of its encoding, whether its r/m operand
// is written, and which general registers it writes. Zero is an undefined opcode.
//
//	bits  0-3   immediate, see imm*
//	      4     a ModRM byte follows
//	      5     defined
//	      6     ModRM.mod is ignored and read as 3 (moves of control and debug registers)
//	      7     no memory access although there may be a memory operand (LEA, prefetch, NOP)
//	      8-15  bit r: with ModRM.reg = r the r/m operand is written
//	     16-23  bit r: ModRM.reg = r is undefined with a memory operand
//	     24-31  bit r: ModRM.reg = r is undefined with a register operand
//	     32-47  general registers written besides those named by the encoding
//	     48     ModRM.reg names a general register that is written
//	     49     ModRM.rm, where it is a register, is a general one (written as bits 8-15 say)
//	     50     VEX.vvvv names a general register that is written
//	     51     the opcode's low three bits name a general register that is written
//	     52-55  bytes stored when the r/m operand is memory, see sz*
//	     56-60  what Scan and Decode make of it, see cl*
//	     61     only some forms are defined, see undefinedForm
//	     62     some forms branch to a computed address (group FF)
type attr uint64

const (
	hasModRM attr = 1 << 4
	defined  attr = 1 << 5
	modIsReg attr = 1 << 6
	noAccess attr = 1 << 7

	check    attr = 1 << 61
	indirect attr = 1 << 62

	writesReg attr = 1 << 48
	rmGeneral attr = 1 << 49
	writesV   attr = 1 << 50
	writesOp  attr = 1 << 51

	memOnly attr = 0xff << 24
	regOnly attr = 0xff << 16
)

// Immediates, by the width that follows the ModRM operand.
const (
	immNone attr = iota
	imm8         // 1 byte
	imm16        // 2 bytes
	imm32        // 4 bytes whatever the prefixes, as with near branches
	immZ         // 2 with operand size 16, else 4
	immV         // 2, 4 or 8 by operand size
	imm24        // ENTER: 2 and 1
	immA         // an address: 8, or 4 with the address-size prefix
	immT8        // 1 if ModRM.reg is 0 or 1: TEST in F6
	immTZ        // like immZ if ModRM.reg is 0 or 1: TEST in F7
	immMask attr = 15
)

// immLen gives the bytes of an immediate by its kind and by operand size: index 0 for 32 bits, 1
// for 16 and 2 or 3 for 64. Kinds that need more than that to tell are 0.
var immLen = [16][4]uint8{
	imm8:  {1, 1, 1, 1},
	imm16: {2, 2, 2, 2},
	imm32: {4, 4, 4, 4},
	immZ:  {4, 2, 4, 4},
	immV:  {4, 2, 8, 8},
	imm24: {3, 3, 3, 3},
}

// Sizes of the r/m operand where it is memory that is written.
const (
	szAny = attr(iota) << 52 // unknown, or further away than the operand says
	sz1                      // 1 byte, and so on
	sz2
	sz4
	sz8
	sz16
	sz32
	sz64
	szOp   // operand size: 2, 4 or 8
	szW    // 4, or 8 with REX.W
	szL    // vector length: 16, 32 or 64
	szMask = attr(15) << 52
)

// Classes: opcodes that Scan or Decode treats by itself.
const (
	clNone    = attr(iota) << 56
	clPrefix  // legacy prefix or REX
	clEscape  // 0F, VEX, EVEX, XOP: another table follows
	clExact   // Decode has more to say than the table
	clCall    // direct call
	clJump    // direct jump
	clBranch  // conditional direct jump
	clLea     // address formed
	clSyscall //
	clInt     // INT n
	clInt80   // SYSENTER
	clMoffs   // the operand is an absolute address in place of a ModRM operand
	clMask    = attr(31) << 56
)

// w marks the r/m operand as written for the values of ModRM.reg whose bit is set in regs.
func w(regs uint8) attr { return attr(regs) << 8 }

// clob names general registers that are written implicitly.
func clob(s RegSet) attr { return attr(s&0xffff) << 32 }

// only restricts ModRM.reg to the values set in mem and reg, for memory and register operands.
func only(mem, reg uint8) attr { return attr(^mem)<<16 | attr(^reg)<<24 }

// wAll: the r/m operand is written whatever ModRM.reg is.
const wAll attr = 0xff << 8

// clobbers returns the general registers that the opcode writes implicitly.
func (a attr) clobbers() RegSet { return RegSet(a >> 32 & 0xffff) }

// writesRM reports whether the r/m operand is written when ModRM.reg is reg.
func (a attr) writesRM(reg uint8) bool { return a>>(8+reg&7)&1 != 0 }
