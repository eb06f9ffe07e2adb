package filter

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/profcheck/profcheck/syscalls"
)

// aliases are other words for an instruction.
var aliases = map[string]string{"jmp": "ja", "ldi": "ld", "ldxi": "ldx", "jneq": "jne"}

// positives is the inverse of negations.
var positives = func() map[string]string {
	m := make(map[string]string)
	for positive, not := range negations {
		m[not] = positive
	}
	return m
}()

// instruction takes one instruction.
func (a *assembler) instruction(head word, operands []word) error {
	name := head.text
	if real, ok := aliases[name]; ok {
		name = real
	}
	positive, negative := positives[name]
	if negative {
		name = positive
	}
	if !slices.Contains(instructionWords(), name) {
		all := append(slices.Collect(maps.Keys(aliases)), instructionWords()...)
		if near := syscalls.NearestOf(head.text, all); near != "" {
			return a.fail(head.column, "unknown instruction %s, is it %s?", quote(head.text), near)
		}
		return a.fail(head.column, "unknown instruction %s", quote(head.text))
	}
	switch name {
	case "ja":
		if len(operands) != 1 {
			return a.fail(head.column, "%s takes one target", head.text)
		}
		a.p = append(a.p, Insn{Code: OpJa})
		return a.target(operands[0], 0)
	case "jeq", "jgt", "jge", "jset":
		return a.branch(head, name, negative, operands)
	}
	in, err := a.plain(head, name, operands)
	a.p = append(a.p, in)
	return err
}

// instructionWords returns the words of shapes, ascending.
var instructionWords = func() func() []string {
	set := make(map[string]bool)
	for _, s := range shapes {
		set[s.word] = true
	}
	list := slices.Sorted(maps.Keys(set))
	return func() []string { return list }
}()

// plain reads an instruction that does not jump.
func (a *assembler) plain(head word, name string, operands []word) (Insn, error) {
	if code, ok := codes[shape{name, formNone}]; ok {
		if len(operands) != 0 {
			return Insn{}, a.fail(operands[0].column, "%s takes no operand", name)
		}
		return Insn{Code: code}, nil
	}
	if len(operands) != 1 || operands[0].text == "" {
		return Insn{}, a.fail(head.column, "%s takes one operand", name)
	}
	op := operands[0]
	f, k, err := a.form(name, op)
	if err != nil {
		return Insn{}, err
	}
	code, ok := codes[shape{name, f}]
	if !ok || aliases[head.text] != "" && f != formConst {
		return Insn{}, a.fail(op.column, "%s does not take %s", head.text, quote(op.text))
	}
	return Insn{Code: code, K: k}, nil
}

// form tells what an operand is, with its number.
func (a *assembler) form(name string, op word) (form, uint32, error) {
	lower := strings.ToLower(op.text)
	if name == "ret" {
		switch {
		case lower == "a" || lower == "%a":
			return formRetA, 0, nil
		case strings.HasPrefix(op.text, "#"):
			k, err := a.constant(op)
			return formRetK, k, err
		}
		action, err := ParseAction(op.text)
		if err != nil {
			return 0, 0, a.fail(op.column, "%v", err)
		}
		return formRetK, uint32(action), nil
	}
	switch {
	case lower == "x" || lower == "%x":
		return formX, 0, nil
	case lower == "len" || lower == "#len":
		return formLen, 0, nil
	case strings.HasPrefix(op.text, "#"):
		k, err := a.constant(op)
		return formConst, k, err
	case strings.HasPrefix(lower, "m["):
		k, err := a.bracket(op, op.text[1:])
		return formMem, k, err
	case strings.HasPrefix(op.text, "["):
		k, err := a.bracket(op, op.text)
		return formWord, k, err
	}
	if offset, ok := wordOffset(op.text, a.big); ok {
		return formWord, offset, nil
	}
	if _, ok := wordOffset(op.text+".lo", a.big); ok {
		return 0, 0, a.fail(op.column, "%s has two words, %s.lo and %s.hi", lower, lower, lower)
	}
	return 0, 0, a.fail(op.column, "%s does not take %s", name, quote(op.text))
}

// bracket reads [k].
func (a *assembler) bracket(op word, text string) (uint32, error) {
	inner, ok := strings.CutSuffix(text[1:], "]")
	k, err := strconv.ParseUint(strings.Trim(inner, blanks), 0, 32)
	if !ok || err != nil {
		return 0, a.fail(op.column, "%s has no number of 32 bits in brackets", quote(op.text))
	}
	return uint32(k), nil
}

// constant reads #k.
func (a *assembler) constant(op word) (uint32, error) {
	text := strings.Trim(op.text[1:], blanks)
	if isIdentifier(text) {
		return a.named(op, text)
	}
	if digits, negative := strings.CutPrefix(text, "-"); negative {
		if k, err := strconv.ParseUint(digits, 0, 32); err == nil && k <= 1<<31 {
			return -uint32(k), nil
		}
	} else if k, err := strconv.ParseUint(text, 0, 32); err == nil {
		return uint32(k), nil
	}
	return 0, a.fail(op.column, "%s is no number of 32 bits and no name", quote(op.text))
}

// named reads the name of an architecture or, with .arch, of a syscall.
func (a *assembler) named(op word, name string) (uint32, error) {
	if arch := syscalls.ByName(name); arch != nil {
		return arch.Audit, nil
	}
	if token, ok := auditConstants[name]; ok {
		return token, nil
	}
	if a.arch == nil {
		return 0, a.fail(op.column, "%s is no architecture, and for a syscall a line .arch must come before", quote(name))
	}
	if nr, ok := a.arch.Number(name); ok {
		return uint32(nr), nil
	}
	if syscalls.Known(name) {
		return 0, a.fail(op.column, "%s has no syscall %s", a.arch.Name, name)
	}
	if near := syscalls.Nearest(name); near != "" {
		return 0, a.fail(op.column, "unknown syscall %s, is it %s?", quote(name), near)
	}
	return 0, a.fail(op.column, "unknown syscall %s", quote(name))
}

// branch reads a conditional jump.
func (a *assembler) branch(head word, name string, negative bool, operands []word) error {
	if len(operands) != 2 && len(operands) != 3 {
		return a.fail(head.column, "%s takes #k or x, and one target or two", head.text)
	}
	f, k, err := a.form(name, operands[0])
	if err != nil {
		return err
	}
	switch f {
	case formConst:
		f = formBranchK
	case formX:
		f = formBranchX
	default:
		return a.fail(operands[0].column, "%s does not take %s", head.text, quote(operands[0].text))
	}
	a.p = append(a.p, Insn{Code: codes[shape{name, f}], K: k})
	yes, no := 1, 2
	if negative {
		yes, no = no, yes
	}
	if err := a.target(operands[1], yes); err != nil {
		return err
	}
	if len(operands) == 3 {
		return a.target(operands[2], no)
	}
	return nil
}

// target reads where the last instruction jumps to, for one of its fields.
func (a *assembler) target(op word, field int) error {
	pc := len(a.p) - 1
	if isIdentifier(op.text) {
		a.jumps = append(a.jumps, jump{pc, field, op.text, AsmError{Line: a.line, Column: op.column}})
		return nil
	}
	bits := 8
	if field == 0 {
		bits = 32
	}
	skip, err := strconv.ParseUint(strings.TrimPrefix(op.text, "+"), 10, bits)
	if err != nil {
		return a.fail(op.column, "%s is no label and no number of %d bits", quote(op.text), bits)
	}
	switch field {
	case 0:
		a.p[pc].K = uint32(skip)
	case 1:
		a.p[pc].Jt = uint8(skip)
	default:
		a.p[pc].Jf = uint8(skip)
	}
	return nil
}
