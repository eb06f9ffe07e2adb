package filter

import (
	"fmt"
	"strings"
)

// A form is how an instruction's operand is written, and with it which fields it uses.
type form uint8

const (
	formNone    form = iota // tax
	formConst               // add #k
	formX                   // add x
	formMem                 // ld M[k]
	formWord                // ld [k]
	formLen                 // ld len
	formJump                // ja target
	formBranchK             // jeq #k, targets
	formBranchX             // jeq x, targets
	formRetK                // ret ACTION
	formRetA                // ret a
)

func (f form) usesK() bool {
	switch f {
	case formConst, formMem, formWord, formJump, formBranchK, formRetK:
		return true
	}
	return false
}

func (f form) branches() bool { return f == formBranchK || f == formBranchX }

// A shape is an instruction's word and the form of its operand, in the notation of the kernel's
// Documentation/networking/filter.rst.
type shape struct {
	word string
	form form
}

// shapes has all that seccomp allows, each with a shape of its own.
var shapes = map[uint16]shape{
	OpLdAbs: {"ld", formWord}, OpLdLen: {"ld", formLen}, OpLdImm: {"ld", formConst}, OpLdMem: {"ld", formMem},
	OpLdxLen: {"ldx", formLen}, OpLdxImm: {"ldx", formConst}, OpLdxMem: {"ldx", formMem},
	OpSt: {"st", formMem}, OpStx: {"stx", formMem},
	OpAddK: {"add", formConst}, OpSubK: {"sub", formConst}, OpMulK: {"mul", formConst}, OpDivK: {"div", formConst},
	OpOrK: {"or", formConst}, OpAndK: {"and", formConst}, OpXorK: {"xor", formConst},
	OpLshK: {"lsh", formConst}, OpRshK: {"rsh", formConst},
	OpAddX: {"add", formX}, OpSubX: {"sub", formX}, OpMulX: {"mul", formX}, OpDivX: {"div", formX},
	OpOrX: {"or", formX}, OpAndX: {"and", formX}, OpXorX: {"xor", formX},
	OpLshX: {"lsh", formX}, OpRshX: {"rsh", formX},
	OpNeg: {"neg", formNone}, OpTax: {"tax", formNone}, OpTxa: {"txa", formNone},
	OpJa:   {"ja", formJump},
	OpJeqK: {"jeq", formBranchK}, OpJgtK: {"jgt", formBranchK}, OpJgeK: {"jge", formBranchK}, OpJsetK: {"jset", formBranchK},
	OpJeqX: {"jeq", formBranchX}, OpJgtX: {"jgt", formBranchX}, OpJgeX: {"jge", formBranchX}, OpJsetX: {"jset", formBranchX},
	OpRetK: {"ret", formRetK}, OpRetA: {"ret", formRetA},
}

// codes is the inverse of shapes.
var codes = func() map[shape]uint16 {
	m := make(map[shape]uint16, len(shapes))
	for code, s := range shapes {
		m[s] = code
	}
	return m
}()

// exact reports whether the notation says all of an instruction: its code has a shape, and the
// fields that the code does not use are zero.
func (in Insn) exact() bool {
	s, ok := shapes[in.Code]
	return ok && (s.form.usesK() || in.K == 0) && (s.form.branches() || in.Jt|in.Jf == 0)
}

// raw is the notation of any instruction at all.
func (in Insn) raw() string {
	return fmt.Sprintf(".insn %#04x, %d, %d, %#x", in.Code, in.Jt, in.Jf, in.K)
}

// String returns the instruction in the field's notation: #k is a constant, [k] a byte offset in
// seccomp_data, M[k] scratch memory, and a jump shows how many instructions it skips, where the
// condition holds and where it does not: "jeq #0x3b, +4, +0". Fields that the instruction does not
// use are not shown. A code that seccomp does not allow shows all its fields:
// ".insn 0x0094, 0, 0, 0x2".
func (in Insn) String() string {
	s, ok := shapes[in.Code]
	if !ok {
		return in.raw()
	}
	text := s.word + s.operand(in.Code, in.K)
	switch {
	case s.form == formJump:
		text += fmt.Sprintf(" +%d", in.K)
	case s.form.branches():
		text += fmt.Sprintf(", +%d, +%d", in.Jt, in.Jf)
	}
	return text
}

// operand renders what stands between the word and the jump targets, with the space before it.
func (s shape) operand(code uint16, k uint32) string {
	switch s.form {
	case formConst, formBranchK:
		if code == OpLshK || code == OpRshK {
			return fmt.Sprintf(" #%d", k)
		}
		return fmt.Sprintf(" #%#x", k)
	case formX, formBranchX:
		return " x"
	case formMem:
		return fmt.Sprintf(" M[%d]", k)
	case formWord:
		return fmt.Sprintf(" [%d]", k)
	case formLen:
		return " len"
	case formRetK:
		return " " + Action(k).String()
	case formRetA:
		return " a"
	}
	return ""
}

// wordName returns the name of the word of seccomp_data at a byte offset: "nr", "arch", "ip.lo",
// "arg0.hi"; "" where no word begins. Which half of a 64-bit value comes first is a matter of the
// byte order.
func wordName(offset uint32, big bool) string {
	if offset >= DataSize || offset%4 != 0 {
		return ""
	}
	half := ".lo"
	if (offset%8 == 0) == big {
		half = ".hi"
	}
	switch {
	case offset == OffsetNr:
		return "nr"
	case offset == OffsetArch:
		return "arch"
	case offset < OffsetArgs:
		return "ip" + half
	}
	return fmt.Sprintf("arg%d%s", (offset-OffsetArgs)/8, half)
}

// wordOffset is the inverse of wordName.
func wordOffset(name string, big bool) (uint32, bool) {
	for offset := uint32(0); offset < DataSize; offset += 4 {
		if wordName(offset, big) == strings.ToLower(name) {
			return offset, true
		}
	}
	return 0, false
}
