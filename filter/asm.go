package filter

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/profcheck/profcheck/syscalls"
)

// AsmError is a mistake in a text that describes a program.
type AsmError struct {
	Line, Column int // 1-based; columns count bytes
	Reason       string
}

// Error returns place and reason in one line.
func (e *AsmError) Error() string {
	return fmt.Sprintf("filter: line %d, column %d: %s", e.Line, e.Column, e.Reason)
}

// Assemble reads a program in the notation that Disassemble writes, which is that of the kernel's
// Documentation/networking/filter.rst with names. One line holds one instruction, with a label
// before it or not:
//
//	label:  word operands           ; comment, also // comment and /* comment */
//
//	ld nr  ld arch  ld ip.lo  ld arg0.hi    a word of seccomp_data; ld [16] by its byte offset
//	ld #k  ld M[k]  ld len  ldx ...  st M[k]  stx M[k]      ldi and ldxi are ld and ldx with #k
//	add sub mul div or and xor lsh rsh      with #k or x; neg, tax, txa with nothing
//	ja target                               jmp is the same
//	jeq jgt jge jset jne jlt jle            with #k or x, then one target or two: where it
//	                                        holds, and where it does not; the next line otherwise
//	ret ALLOW  ret ERRNO(EPERM)  ret #k  ret a
//	.insn code, jt, jf, k                   any instruction
//
// A target is a label, further down, or the number of instructions to skip, +3 or 3. A constant #k
// is decimal, hexadecimal or octal as in C, or negative; the name of an architecture or of the
// kernel's constant for it (x86_64, AUDIT_ARCH_X86_64), which is its token; or the name of a
// syscall, which needs an architecture:
//
//	.arch NAME      names after this line are syscalls of NAME
//	.order ORDER    little or big: which half of arg0 comes first after this line; little at the start
//
// The program is not judged, Verify does that. Mistakes are *AsmError. A text without instructions
// and one with more than MaxDecode are mistakes, too.
func Assemble(text string) (Program, error) {
	p, _, _, err := assemble(text, false)
	return p, err
}

// assemble is Assemble with the byte order to start with. It returns the last one, and whether the
// text said one.
func assemble(text string, start bool) (p Program, big, said bool, err error) {
	a := &assembler{big: start, labels: make(map[string]int)}
	if err := a.read(text); err != nil {
		return nil, false, false, err
	}
	if err := a.resolve(); err != nil {
		return nil, false, false, err
	}
	return a.p, a.big, a.said, nil
}

type assembler struct {
	p      Program
	big    bool
	said   bool // there was a .order
	arch   *syscalls.Arch
	labels map[string]int // to the instruction that follows
	jumps  []jump
	line   int // the one that is read, 1-based
}

// A jump is a target that waits for its label.
type jump struct {
	pc    int
	field int // 0: k, 1: jt, 2: jf
	label string
	at    AsmError // its place
}

// A word is a piece of a line.
type word struct {
	text   string
	column int
}

func (a *assembler) fail(column int, format string, args ...any) error {
	return &AsmError{a.line, column, fmt.Sprintf(format, args...)}
}

// read takes the text line by line.
func (a *assembler) read(text string) error {
	inside := false // of a comment that goes over several lines
	for line := range strings.Lines(text) {
		a.line++
		line, inside = strip(line, inside)
		if err := a.statement(line); err != nil {
			return err
		}
		if len(a.p) > MaxDecode {
			return a.fail(1, "more than %d instructions", MaxDecode)
		}
	}
	switch {
	case inside:
		return a.fail(1, "a comment does not end")
	case len(a.p) == 0:
		a.line = max(a.line, 1)
		return a.fail(1, "no instructions")
	}
	return nil
}

// strip blanks out the comments of a line, so that columns stay. It reports whether the line ends
// inside of one.
func strip(line string, inside bool) (string, bool) {
	if !inside && !strings.ContainsAny(line, ";/") {
		return line, false
	}
	b := []byte(line)
	for i := 0; i < len(b); i++ {
		rest := line[i:]
		switch {
		case inside && strings.HasPrefix(rest, "*/"):
			b[i], b[i+1] = ' ', ' '
			i++
			inside = false
		case inside:
			b[i] = ' '
		case strings.HasPrefix(rest, "/*"):
			b[i], b[i+1] = ' ', ' '
			i++
			inside = true
		case b[i] == ';' || strings.HasPrefix(rest, "//"):
			return string(b[:i]), false
		}
	}
	return string(b), inside
}

// Limits of what is looked at, so that memory does not grow with the text.
const (
	maxWord     = 100 // bytes of a word
	maxLabels   = 2 * MaxDecode
	maxOperands = 5 // of an instruction; none takes so many
)

const blanks = " \t\r\n\v\f"

// statement takes labels and what stands after them.
func (a *assembler) statement(line string) error {
	at := 0
	skip := func() { at += len(line[at:]) - len(strings.TrimLeft(line[at:], blanks)) }
	for skip(); ; skip() {
		rest := line[at:]
		colon := strings.IndexByte(rest, ':')
		if colon < 0 {
			break
		}
		name := strings.TrimRight(rest[:colon], blanks)
		if !isIdentifier(name) || len(name) > maxWord {
			return a.fail(at+1, "%s is no label", quote(name))
		}
		if _, twice := a.labels[name]; twice {
			return a.fail(at+1, "label %s stands at two places", name)
		}
		if len(a.labels) == maxLabels {
			return a.fail(at+1, "more than %d labels", maxLabels)
		}
		a.labels[name] = len(a.p)
		at += colon + 1
	}
	rest := strings.TrimRight(line[at:], blanks)
	if rest == "" {
		return nil
	}
	end := strings.IndexAny(rest, blanks)
	if end < 0 {
		end = len(rest)
	}
	head := word{strings.ToLower(rest[:end]), at + 1}
	operands := split(rest[end:], at+end)
	for _, w := range append(operands, head) {
		if len(w.text) > maxWord {
			return a.fail(w.column, "%s has more than %d bytes", quote(w.text), maxWord)
		}
	}
	if strings.HasPrefix(head.text, ".") {
		return a.directive(head, operands)
	}
	return a.instruction(head, operands)
}

// split divides operands at commas. start is the offset of the text in its line.
func split(text string, start int) []word {
	if strings.Trim(text, blanks) == "" {
		return nil
	}
	var words []word
	for part := range strings.SplitSeq(text, ",") {
		lead := len(part) - len(strings.TrimLeft(part, blanks))
		words = append(words, word{strings.Trim(part, blanks), start + lead + 1})
		start += len(part) + 1
		if len(words) == maxOperands {
			break
		}
	}
	return words
}

func (a *assembler) directive(head word, operands []word) error {
	want := map[string]int{".arch": 1, ".order": 1, ".insn": 4}[head.text]
	if want == 0 {
		return a.fail(head.column, "%s is no directive; there are .arch, .order and .insn", quote(head.text))
	}
	if len(operands) != want {
		return a.fail(head.column, "%s takes %d operands, not %d", head.text, want, len(operands))
	}
	first := operands[0]
	switch head.text {
	case ".arch":
		arch, err := syscalls.Lookup(first.text)
		if err != nil {
			return a.fail(first.column, "%v", err)
		}
		a.arch = arch
	case ".order":
		if first.text != "little" && first.text != "big" {
			return a.fail(first.column, "byte order %s is neither little nor big", quote(first.text))
		}
		a.big, a.said = first.text == "big", true
	case ".insn":
		var fields [4]uint64
		for i, bits := range []int{16, 8, 8, 32} {
			v, err := strconv.ParseUint(operands[i].text, 0, bits)
			if err != nil {
				return a.fail(operands[i].column, "%s is no number of %d bits", quote(operands[i].text), bits)
			}
			fields[i] = v
		}
		a.p = append(a.p, Insn{uint16(fields[0]), uint8(fields[1]), uint8(fields[2]), uint32(fields[3])})
	}
	return nil
}

// resolve puts the distances to the labels into the jumps.
func (a *assembler) resolve() error {
	for _, j := range a.jumps {
		target, ok := a.labels[j.label]
		place := j.at
		switch skip := target - j.pc - 1; {
		case !ok:
			place.Reason = fmt.Sprintf("no label %s", j.label)
			return &place
		case skip < 0:
			place.Reason = fmt.Sprintf("label %s is not further down, and jumps only go forward", j.label)
			return &place
		case j.field == 0:
			a.p[j.pc].K = uint32(skip)
		case skip > 255:
			place.Reason = fmt.Sprintf("label %s is %d instructions away, and a conditional jump skips 255 at most", j.label, skip)
			return &place
		case j.field == 1:
			a.p[j.pc].Jt = uint8(skip)
		default:
			a.p[j.pc].Jf = uint8(skip)
		}
	}
	return nil
}

// isIdentifier reports whether a text is a name as C has them.
func isIdentifier(s string) bool {
	for i, c := range []byte(s) {
		letter := c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// quote renders a piece of the input for an error: one line, and not all of a long one.
func quote(s string) string {
	if len(s) > 40 {
		return strconv.Quote(s[:40]) + "..."
	}
	return strconv.Quote(s)
}
