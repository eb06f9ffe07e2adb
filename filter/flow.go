package filter

import (
	"encoding/binary"

	"github.com/profcheck/profcheck/syscalls"
)

// Naming says for whom a program's numbers are named. The zero value takes the byte order from the
// architectures that the program tests, and lets a call of any architecture of that order come in.
type Naming struct {
	// Order tells the halves of 64-bit values apart. Nil is the program's own, see
	// Program.ByteOrder.
	Order binary.ByteOrder
	// Arches are those whose calls reach the program; nil are all of the byte order. It makes a
	// difference for programs that do not test the architecture themselves.
	Arches []*syscalls.Arch
}

// tokens are the AUDIT_ARCH tokens of all architectures, each once; a tokenSet has one bit for each.
var tokens = func() []uint32 {
	var list []uint32
	seen := make(map[uint32]bool)
	for _, a := range syscalls.Arches() {
		if !seen[a.Audit] {
			seen[a.Audit] = true
			list = append(list, a.Audit)
		}
	}
	return list
}()

type tokenSet uint64

// tokensOf returns the tokens of the naming's architectures.
func (n *Naming) tokensOf(big bool) tokenSet {
	list := n.Arches
	if list == nil {
		for _, a := range syscalls.Arches() {
			if a.BigEndian == big {
				list = append(list, a)
			}
		}
	}
	var set tokenSet
	for i, t := range tokens {
		for _, a := range list {
			if a.Audit == t {
				set |= 1 << i
			}
		}
	}
	return set
}

// A fact is what is known before an instruction on every path that leads to it.
type fact struct {
	reached bool
	tokens  tokenSet // the architectures whose calls come here
	word    int      // A is this word of seccomp_data and mask; -1: something else
	mask    uint32
}

// join keeps what holds on both ways to a place.
func (f fact) join(g fact) fact {
	if !f.reached {
		return g
	}
	f.tokens |= g.tokens
	if f.word != g.word || f.mask != g.mask {
		f.word, f.mask = -1, 0
	}
	return f
}

// flow returns what is known before each instruction. Jumps only go forward, and so one pass in
// order of the addresses sees every way to a place before the place itself. Targets beyond the end
// are left out: such a program does not load.
func (p Program) flow(start tokenSet) []fact {
	facts := make([]fact, len(p))
	to := func(target uint64, f fact) {
		if target < uint64(len(p)) {
			facts[target] = facts[target].join(f)
		}
	}
	if len(p) > 0 {
		facts[0] = fact{reached: true, tokens: start, word: -1}
	}
	for pc, in := range p {
		f := facts[pc]
		if !f.reached {
			continue
		}
		next := uint64(pc) + 1
		s, ok := shapes[in.Code]
		switch {
		case !ok || s.form == formRetK || s.form == formRetA:
		case s.form == formJump:
			to(next+uint64(in.K), f)
		case s.form == formBranchK:
			yes, no := f.split(in)
			to(next+uint64(in.Jt), yes)
			to(next+uint64(in.Jf), no)
		case s.form == formBranchX:
			to(next+uint64(in.Jt), f)
			to(next+uint64(in.Jf), f)
		default:
			to(next, f.after(in))
		}
	}
	return facts
}

// after follows A through an instruction that does not jump.
func (f fact) after(in Insn) fact {
	switch in.Code {
	case OpLdAbs:
		f.word, f.mask = -1, 0
		if in.K < DataSize && in.K%4 == 0 {
			f.word, f.mask = int(in.K/4), 0xffffffff
		}
	case OpAndK:
		f.mask &= in.K
	case OpSt, OpStx, OpTax, OpLdxImm, OpLdxLen, OpLdxMem:
	default:
		f.word, f.mask = -1, 0
	}
	return f
}

// split divides the known architectures at a comparison of the arch word. Calls with a token that no
// table has may go both ways, and so both sides count as reached.
func (f fact) split(in Insn) (yes, no fact) {
	yes, no = f, f
	if f.word != OffsetArch/4 {
		return yes, no
	}
	yes.tokens, no.tokens = 0, 0
	for i, t := range tokens {
		bit := tokenSet(1) << i & f.tokens
		if compare(in.Code, t&f.mask, in.K) {
			yes.tokens |= bit
		} else {
			no.tokens |= bit
		}
	}
	return yes, no
}

// compare carries out the comparison of a conditional jump.
func compare(code uint16, a, operand uint32) bool {
	switch code {
	case OpJeqK, OpJeqX:
		return a == operand
	case OpJgtK, OpJgtX:
		return a > operand
	case OpJgeK, OpJgeX:
		return a >= operand
	}
	return a&operand != 0
}

// ByteOrder returns the byte order of the machines that the program is for: that of the
// architectures whose tokens it compares the arch word with. Without such a comparison, or with
// architectures of both orders, it is little-endian.
func (p Program) ByteOrder() binary.ByteOrder {
	little, big := false, false
	for pc, f := range p.flow(0) {
		if f.word != OffsetArch/4 || p[pc].Code != OpJeqK {
			continue
		}
		if a := syscalls.ByAudit(p[pc].K, 0); a != nil {
			big = big || a.BigEndian
			little = little || !a.BigEndian
		}
	}
	if big && !little {
		return binary.BigEndian
	}
	return binary.LittleEndian
}
