package filter

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/profcheck/profcheck/syscalls"
)

// namesWidth is how long a comment with the names of several architectures may be, in bytes.
const namesWidth = 60

// Disassemble writes a program as text that Assemble reads back byte for byte, whatever the program
// is. A nil Naming is the zero Naming.
//
// The text has one instruction a line. Jump targets are labels that carry the number of the
// instruction, L12; a conditional jump with one label goes on with the next line otherwise.
// Constants have names where A is known to hold the word that the name is of: architectures for
// arch, and for nr the syscalls of the architecture that the program has found by then, which
// ".arch" lines tell. Where several architectures come to a place and mean different calls, the
// number stands there, with the calls in a comment as long as they are few.
//
//	.order little
//	        ld arch
//	        jne #x86_64, L4
//	        ld nr
//	.arch x86_64
//	        jeq #execve, L5
//	L4:     ret ALLOW
//	L5:     ret ERRNO(1)            ; EPERM
//
// What this notation cannot say, codes that seccomp does not allow and values in fields that the
// instruction does not use, is written as ".insn code, jt, jf, k".
func Disassemble(p Program, n *Naming) string {
	if n == nil {
		n = &Naming{}
	}
	order := n.Order
	if order == nil {
		order = p.ByteOrder()
	}
	d := newDisassembler(p, order, n)
	var out strings.Builder
	if d.big {
		out.WriteString(".order big\n")
	} else {
		out.WriteString(".order little\n")
	}
	labels, arch := p.targets(), d.arch
	for pc := range p {
		text, comment := d.insn(pc)
		if d.arch != arch {
			arch = d.arch
			fmt.Fprintf(&out, ".arch %s\n", arch.Name)
		}
		label := ""
		if labels[pc] {
			label = fmt.Sprintf("L%d:", pc)
		}
		if comment != "" {
			text = fmt.Sprintf("%-23s ; %s", text, comment)
		}
		fmt.Fprintf(&out, "%-7s %s\n", label, text)
	}
	return out.String()
}

type disassembler struct {
	p     Program
	big   bool
	facts []fact
	arch  *syscalls.Arch // whose syscalls the names are that have been written last
}

func newDisassembler(p Program, order binary.ByteOrder, n *Naming) *disassembler {
	big := IsBigEndian(order)
	return &disassembler{p: p, big: big, facts: p.flow(n.tokensOf(big))}
}

// targets marks the instructions that the text names as jump targets. The false branch of a
// conditional jump that goes on with the next instruction names none, and neither does its true
// branch then.
func (p Program) targets() []bool {
	marks := make([]bool, len(p))
	mark := func(pc int, skip uint32) {
		if target := uint64(pc) + 1 + uint64(skip); target < uint64(len(p)) {
			marks[target] = true
		}
	}
	for pc, in := range p {
		s := shapes[in.Code]
		if !in.exact() {
			continue
		}
		switch {
		case s.form == formJump:
			mark(pc, in.K)
		case s.form.branches():
			if negated(in) == "" {
				mark(pc, uint32(in.Jt))
			}
			if in.Jf != 0 {
				mark(pc, uint32(in.Jf))
			}
		}
	}
	return marks
}

// negations are the words for a comparison that goes on with the next instruction where it holds.
var negations = map[string]string{"jeq": "jne", "jgt": "jle", "jge": "jlt"}

// negated returns the word of a conditional jump whose true branch is the next instruction and
// whose false branch is not; "" for all others.
func negated(in Insn) string {
	if in.Jt != 0 || in.Jf == 0 {
		return ""
	}
	return negations[shapes[in.Code].word]
}

// insn writes the instruction at pc, with a comment or "".
func (d *disassembler) insn(pc int) (text, comment string) {
	in, s := d.p[pc], shapes[d.p[pc].Code]
	switch {
	case !in.exact() && s.word != "":
		return in.raw(), in.String()
	case !in.exact():
		return in.raw(), classicOnly[in.Code]
	case s.form == formWord && wordName(in.K, d.big) != "":
		return "ld " + wordName(in.K, d.big), ""
	case s.form == formJump:
		return "ja " + d.target(pc, in.K), ""
	case s.form.branches():
		operand, comment := d.operand(pc)
		return d.branch(pc, operand), comment
	case in.Code == OpRetK && Action(in.K).Base() == Errno:
		return in.String(), ErrnoName(Action(in.K).Errno())
	}
	return in.String(), ""
}

// branch writes a conditional jump with its operand.
func (d *disassembler) branch(pc int, operand string) string {
	in := d.p[pc]
	word := shapes[in.Code].word
	if not := negated(in); not != "" {
		return fmt.Sprintf("%s %s, %s", not, operand, d.target(pc, uint32(in.Jf)))
	}
	text := fmt.Sprintf("%s %s, %s", word, operand, d.target(pc, uint32(in.Jt)))
	if in.Jf != 0 {
		text += ", " + d.target(pc, uint32(in.Jf))
	}
	return text
}

// target names where a jump goes: the label, or the number of skipped instructions where there is
// nothing to put a label on.
func (d *disassembler) target(pc int, skip uint32) string {
	if target := uint64(pc) + 1 + uint64(skip); target < uint64(len(d.p)) {
		return fmt.Sprintf("L%d", target)
	}
	return fmt.Sprintf("+%d", skip)
}

// operand writes what a conditional jump compares A with, with a name where it has one, and a
// comment where that helps.
func (d *disassembler) operand(pc int) (operand, comment string) {
	in, f := d.p[pc], d.facts[pc]
	s := shapes[in.Code]
	operand = strings.TrimPrefix(s.operand(in.Code, in.K), " ")
	if !f.reached || f.word < 0 || s.form != formBranchK {
		return operand, ""
	}
	whole := f.mask == 0xffffffff
	switch {
	case whole && f.word == OffsetNr/4 && in.Code != OpJsetK:
		if in.K <= 0xffff {
			operand = fmt.Sprintf("#%d", in.K) // as tables of syscalls have it
		}
		names := callNames(f.tokens, in.K)
		arch := d.pick(names)
		if in.Code != OpJeqK || arch == nil {
			return operand, describe(names)
		}
		d.arch = arch
		return "#" + names[0].name, ""
	case whole && f.word == OffsetArch/4 && in.Code == OpJeqK:
		if a := syscalls.ByAudit(in.K, 0); a != nil {
			operand = "#" + a.Name
		}
		return operand, ""
	case pc > 0 && d.p[pc-1].Code == OpLdAbs:
		return operand, "" // the line above says what is compared
	}
	comment = wordName(uint32(f.word)*4, d.big)
	if !whole {
		comment += fmt.Sprintf(" & %#x", f.mask)
	}
	return operand, comment
}

// A callName is the name that a number has on some architectures.
type callName struct {
	name   string
	arches []*syscalls.Arch
}

// callNames returns what a number means on the architectures, in their order.
func callNames(set tokenSet, nr uint32) []callName {
	var list []callName
	for i, t := range tokens {
		if set>>i&1 == 0 {
			continue
		}
		a := syscalls.ByAudit(t, int32(nr))
		name, ok := a.NameOf(int32(nr))
		if back, _ := a.Number(name); !ok || back != int32(nr) {
			continue
		}
		at := slices.IndexFunc(list, func(c callName) bool { return c.name == name })
		if at < 0 {
			at = len(list)
			list = append(list, callName{name: name})
		}
		list[at].arches = append(list[at].arches, a)
	}
	return list
}

// pick returns the architecture under which the only name stands for the number; nil if there is
// no single name. The one that the text has set already is preferred.
func (d *disassembler) pick(names []callName) *syscalls.Arch {
	switch {
	case len(names) != 1:
		return nil
	case slices.Contains(names[0].arches, d.arch):
		return d.arch
	}
	return names[0].arches[0]
}

// describe lists names with their architectures, and the name alone where there is one; "" where
// the list would be too long to read.
func describe(names []callName) string {
	if len(names) == 1 {
		return names[0].name
	}
	var parts []string
	for _, n := range names {
		part := n.name + " on "
		for i, a := range n.arches {
			if i > 0 {
				part += ", "
			}
			part += a.Name
		}
		parts = append(parts, part)
	}
	if text := strings.Join(parts, "; "); len(text) <= namesWidth {
		return text
	}
	return ""
}
