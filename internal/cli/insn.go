package cli

import (
	"fmt"

	"github.com/profcheck/profcheck/filter"
)

// mnemonics are the words of the instructions in the field's notation (Documentation/networking/
// filter.rst): #k is a constant, [k] a byte offset in seccomp_data, M[k] scratch memory.
var mnemonics = map[uint16]string{
	filter.OpLdAbs: "ld [%d]", filter.OpLdLen: "ld len", filter.OpLdxLen: "ldx len",
	filter.OpLdImm: "ld #%#x", filter.OpLdxImm: "ldx #%#x",
	filter.OpLdMem: "ld M[%d]", filter.OpLdxMem: "ldx M[%d]", filter.OpSt: "st M[%d]", filter.OpStx: "stx M[%d]",
	filter.OpAddK: "add #%#x", filter.OpSubK: "sub #%#x", filter.OpMulK: "mul #%#x", filter.OpDivK: "div #%#x",
	filter.OpOrK: "or #%#x", filter.OpAndK: "and #%#x", filter.OpXorK: "xor #%#x",
	filter.OpLshK: "lsh #%d", filter.OpRshK: "rsh #%d",
	filter.OpAddX: "add x", filter.OpSubX: "sub x", filter.OpMulX: "mul x", filter.OpDivX: "div x",
	filter.OpOrX: "or x", filter.OpAndX: "and x", filter.OpXorX: "xor x", filter.OpLshX: "lsh x", filter.OpRshX: "rsh x",
	filter.OpNeg: "neg", filter.OpJa: "ja +%d",
	filter.OpJeqK: "jeq #%#x", filter.OpJgtK: "jgt #%#x", filter.OpJgeK: "jge #%#x", filter.OpJsetK: "jset #%#x",
	filter.OpJeqX: "jeq x", filter.OpJgtX: "jgt x", filter.OpJgeX: "jge x", filter.OpJsetX: "jset x",
	filter.OpRetA: "ret a", filter.OpTax: "tax", filter.OpTxa: "txa",
}

// takesK lists the codes whose mnemonic shows k.
func takesK(code uint16) bool {
	switch code & 7 {
	case filter.ClassMisc, filter.ClassRet:
		return false
	case filter.ClassAlu, filter.ClassJmp:
		return code&filter.SrcX == 0 && code != filter.OpNeg
	}
	return code != filter.OpLdLen && code != filter.OpLdxLen
}

// mnemonic renders one instruction; jumps show how many instructions they skip where the condition
// holds and where it does not.
func mnemonic(in filter.Insn) string {
	word, ok := mnemonics[in.Code]
	switch {
	case in.Code == filter.OpRetK:
		return "ret " + filter.Action(in.K).String()
	case !ok:
		return fmt.Sprintf("%#04x %d %d %#x", in.Code, in.Jt, in.Jf, in.K)
	case takesK(in.Code):
		word = fmt.Sprintf(word, in.K)
	}
	if in.Code&7 == filter.ClassJmp && in.Code != filter.OpJa {
		word += fmt.Sprintf(", +%d, +%d", in.Jt, in.Jf)
	}
	return word
}
