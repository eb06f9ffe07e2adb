package filter

// The parts of which an instruction's code is put together, with the values of
// include/uapi/linux/bpf_common.h. The class is in the three low bits.
const (
	ClassLd   = 0x00 // into A
	ClassLdx  = 0x01 // into X
	ClassSt   = 0x02 // A to M[k]
	ClassStx  = 0x03 // X to M[k]
	ClassAlu  = 0x04
	ClassJmp  = 0x05
	ClassRet  = 0x06
	ClassMisc = 0x07

	classMask = 0x07
	aluMask   = 0xf0 // the operation within ClassAlu and ClassJmp
	SrcX      = 0x08 // the operand is X instead of k, in ClassAlu and ClassJmp
)

// The codes that seccomp accepts, all 41 of them; every other value of the 16 bits is refused by
// the loader (kernel/seccomp.c seccomp_check_filter). A name that ends in K takes the constant k
// of the instruction as its operand, one that ends in X the register X.
const (
	OpLdAbs  = 0x20 // A = the word of seccomp_data at byte offset k
	OpLdLen  = 0x80 // A = 64, the size of seccomp_data
	OpLdxLen = 0x81 // X = 64
	OpLdImm  = 0x00 // A = k
	OpLdxImm = 0x01 // X = k
	OpLdMem  = 0x60 // A = M[k]
	OpLdxMem = 0x61 // X = M[k]
	OpSt     = 0x02 // M[k] = A
	OpStx    = 0x03 // M[k] = X

	OpAddK = 0x04
	OpAddX = 0x0c
	OpSubK = 0x14
	OpSubX = 0x1c
	OpMulK = 0x24
	OpMulX = 0x2c
	OpDivK = 0x34 // unsigned; the loader refuses k = 0
	OpDivX = 0x3c // X = 0 ends the program with value 0, KILL_THREAD
	OpOrK  = 0x44
	OpOrX  = 0x4c
	OpAndK = 0x54
	OpAndX = 0x5c
	OpLshK = 0x64 // the loader refuses k >= 32
	OpLshX = 0x6c // by X & 31
	OpRshK = 0x74 // logical; the loader refuses k >= 32
	OpRshX = 0x7c // by X & 31
	OpNeg  = 0x84 // A = -A
	OpXorK = 0xa4
	OpXorX = 0xac

	OpJa    = 0x05 // pc += k
	OpJeqK  = 0x15 // A == k
	OpJeqX  = 0x1d
	OpJgtK  = 0x25 // A > k, unsigned
	OpJgtX  = 0x2d
	OpJgeK  = 0x35 // A >= k, unsigned
	OpJgeX  = 0x3d
	OpJsetK = 0x45 // A & k != 0
	OpJsetX = 0x4d

	OpRetK = 0x06
	OpRetA = 0x16

	OpTax = 0x07 // X = A
	OpTxa = 0x87 // A = X
)

// Opcodes returns the 41 codes that seccomp accepts, ascending.
func Opcodes() []uint16 {
	var all []uint16
	for code := range uint16(0x100) {
		if seccompAllows(code) {
			all = append(all, code)
		}
	}
	return all
}

// Stmt makes an instruction that does not jump, like the field's BPF_STMT.
func Stmt(code uint16, k uint32) Insn { return Insn{Code: code, K: k} }

// Jump makes a conditional jump, like the field's BPF_JUMP: jt and jf instructions are skipped
// where the comparison with k is true and where it is false.
func Jump(code uint16, k uint32, jt, jf uint8) Insn { return Insn{Code: code, Jt: jt, Jf: jf, K: k} }

// Load makes the instruction that loads the word of seccomp_data at a byte offset (OffsetNr,
// OffsetArch, ArgLow, ArgHigh) into A.
func Load(offset uint32) Insn { return Insn{Code: OpLdAbs, K: offset} }

// Return makes the instruction that ends the program with an action.
func Return(a Action) Insn { return Insn{Code: OpRetK, K: uint32(a)} }
