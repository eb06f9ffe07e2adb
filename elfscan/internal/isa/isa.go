package isa

// Reg is a general register in the machine's own numbering, 0 to Machine.Regs-1.
type Reg uint8

// NoReg stands for no register: an absent base or index, a machine without link register.
const NoReg Reg = 0xff

// RegSet is a set of registers, bit n for register n.
type RegSet uint64

// Has reports whether r is in the set.
func (s RegSet) Has(r Reg) bool { return r < 64 && s>>r&1 != 0 }

// Regs returns the set of the given registers.
func Regs(rs ...Reg) RegSet {
	var s RegSet
	for _, r := range rs {
		s |= 1 << r
	}
	return s
}

// Machine describes one instruction set and the conventions of code for it.
type Machine struct {
	Name    string // the syscalls.Arch it belongs to
	PtrSize int    // bytes
	Regs    int    // how many general registers Ops name
	SP      Reg    // stack pointer
	LR      Reg    // link register; NoReg where a call pushes the return address
	FP      Reg    // frame pointer, which callees keep

	Number Reg    // holds the syscall number
	Args   [6]Reg // hold its arguments
	Result Reg    // receives its result

	GoParams []Reg  // integer argument and result registers of Go's ABIInternal, in order
	GoKept   RegSet // registers that hold the same value after a Go call (stack pointer, g)
	CallPush int64  // bytes that a call puts on the stack: 8 on x86-64, 0 with a link register
	StackArg int64  // offset of the first ABI0 stack argument from SP at entry

	// Scan walks code, which lies at address base, from its first byte to its last and appends to
	// refs what it finds, in address order. Direct jumps and branches inside [base,
	// base+len(code)) are not reported. Bytes that do not decode are stepped over with RefBad.
	Scan func(code []byte, base uint64, refs []Ref) []Ref

	// Survey is Scan for code that was not made by Go's compiler. It reports besides the Size of
	// loads and stores, calls and jumps to addresses that are computed (RefCallInd, RefJumpInd),
	// and as RefAddr every 32- or 64-bit immediate and every displacement of an address with base
	// or index that lies in [lo, hi): in a module which is loaded where it was linked these are
	// addresses. With hi 0 there are none. What is read or written further than 64 bytes, or at a
	// distance that a register tells, is a RefAddr as well.
	Survey func(code []byte, base, lo, hi uint64, refs []Ref) []Ref

	// Decode reads the instruction at the start of code, which lies at address pc, and appends its
	// effects to ops in the order in which they happen. It returns the instruction's length in
	// bytes, or 0 if the bytes are not an instruction (or are cut short); then it appends nothing.
	Decode func(code []byte, pc uint64, ops []Op) ([]Op, int)
}

// RefKind says what a Ref is.
type RefKind uint8

// The kinds of Ref.
const (
	RefCall    RefKind = iota // direct call of Target
	RefJump                   // direct jump or branch to Target, outside of the code scanned
	RefAddr                   // the address Target is formed (LEA, ADRP+ADD, ADR)
	RefLoad                   // memory at the fixed address Target is read
	RefStore                  // memory at the fixed address Target is written, or read and written
	RefSyscall                // native syscall instruction; Target 0
	RefInt80                  // int 0x80 or sysenter, the 32-bit entry; Target 0
	RefBad                    // not an instruction; Target 0
	RefCallInd                // call of an address in a register or in memory that varies (Survey)
	RefJumpInd                // jump likewise (Survey)
)

// Ref is one thing of interest in scanned code.
type Ref struct {
	At     uint64 // address of the instruction (of the last one, where two form an address)
	Target uint64
	Kind   RefKind
	Size   uint8 // RefLoad, RefStore of Survey: bytes accessed, 0 if not known (then at most 64)
}

// Displaced, Biased and Added are the Sizes of a RefAddr that Survey makes of a number to which a
// register is added. What is meant may begin elsewhere: compilers write table[i-1] as
// table-8(,%rax,8), and handlers[c-'a'] as handlers-776(,%rax,8). Displaced is a displacement with base
// or index; it is Biased if it can fetch a pointer: 8 bytes or more are read there, or the address is
// formed. As the register may make up for much, these count near [lo, hi), too. Added is an immediate
// that is added to a register.
const (
	Displaced = 1
	Biased    = 2
	Added     = 3
)

// OpKind says what an Op does.
type OpKind uint8

// The kinds of Op. Values are 64 bits wide; Width says how many bytes of the result count: with
// Width 4 the result is cut to 32 bits and zero-extended, which is what both x86-64 and arm64 do.
const (
	OpNop        OpKind = iota // no effect on registers or memory that an Op could name
	OpSet                      // Dst = A
	OpAdd                      // Dst = A + B
	OpSub                      // Dst = A - B
	OpAnd                      // Dst = A & B
	OpOr                       // Dst = A | B
	OpXor                      // Dst = A ^ B
	OpShl                      // Dst = A << B
	OpShr                      // Dst = A >> B, zeros come in
	OpSignExtend               // Dst = the low A.Size bytes of A, sign-extended
	OpSelect                   // Dst = A or B: a conditional move
	OpForget                   // registers in Clobber hold unknown values; if Dst is memory, it does too
	OpCall                     // direct call of Target; what it clobbers is the convention's affair
	OpCallInd                  // call of the address in A
	OpJump                     // direct jump to Target
	OpJumpInd                  // jump to the address in A
	OpBranch                   // conditional jump to Target, or on to the next instruction
	OpReturn
	OpSyscall // native syscall; Clobber names what the kernel overwrites
	OpInt80   // 32-bit entry; Clobber likewise
	OpStop    // does not continue: ud2, hlt, int3, brk
)

// Op is one effect of an instruction.
type Op struct {
	Kind    OpKind
	Width   uint8   // bytes of the result, 4 or 8 for registers; for stores the bytes written
	Dst     Operand // register or memory
	A, B    Operand
	Target  uint64
	Clobber RegSet
}

// OperandKind says what an Operand is.
type OperandKind uint8

// The kinds of Operand.
const (
	None OperandKind = iota
	RegOp
	Imm  // Value
	Mem  // Size bytes of memory at Base + Index*Scale + Value, zero-extended when read
	Addr // the address Base + Index*Scale + Value itself
)

// Operand is a place or a value. For Mem and Addr an absent Base or Index is NoReg; with both
// absent Value is an absolute address (a RIP-relative or ADRP one is given resolved).
type Operand struct {
	Kind  OperandKind
	Reg   Reg // RegOp: the register; Mem and Addr: the base
	Index Reg // Mem and Addr only
	Scale uint8
	Size  uint8 // Mem: bytes accessed, 0 in OpForget if unknown; source width of OpSignExtend
	Value int64
}

// R returns a register operand.
func R(r Reg) Operand { return Operand{Kind: RegOp, Reg: r, Index: NoReg} }

// I returns an immediate operand.
func I(v int64) Operand { return Operand{Kind: Imm, Reg: NoReg, Index: NoReg, Value: v} }

// M returns a memory operand of size bytes at base+disp; base may be NoReg.
func M(base Reg, disp int64, size uint8) Operand {
	return Operand{Kind: Mem, Reg: base, Index: NoReg, Size: size, Value: disp}
}

// A returns an address operand base+disp; base may be NoReg.
func A(base Reg, disp int64) Operand {
	return Operand{Kind: Addr, Reg: base, Index: NoReg, Value: disp}
}
