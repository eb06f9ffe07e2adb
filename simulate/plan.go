package simulate

import (
	"slices"

	"github.com/profcheck/profcheck/filter"
)

// An instr is one instruction of a plan: that of a filter, with the places where it goes on instead
// of distances, all of them further down.
type instr struct {
	code uint16
	k    uint32
	// next is the instruction behind, or, for a return, the first of the next unit. A conditional
	// jump goes to jt and to next, and a division by X = 0 to jt.
	next, jt int32
	sides    uint8 // for returns, and divisions by X: whose answer it is
}

// opLoadSymbol loads a symbol into A, whatever the byte order. Filters do not have it; it is what
// rules are made of.
const opLoadSymbol = 0x100

// Sides of a comparison; one policy alone is the old side.
const (
	oldSide = 1 << iota
	newSide
)

// A plan is several units (filters, rules), one after the other, as one program without loops. A
// return folds the action into what its sides have so far, forgets registers and memory and goes on
// with the next unit; the end of the last unit is the end of the code.
type plan struct {
	code  []instr
	joins []bool   // by instruction, and the end: reached from several places
	live  []uint32 // by instruction: a bit per memory word, liveA and liveX, whose content matters
	both  int32    // from here on every unit is one of both sides
	raw   bool     // the answer is the returned value itself, not what the kernel takes of it
}

const (
	liveA = 1 << (16 + iota)
	liveX
)

// add puts a unit at the end.
func (p *plan) add(u unit, sides uint8) {
	start := len(p.code)
	if u.rules != nil {
		b := ruleCoder{code: p.code}
		b.rules(u.rules)
		p.code = b.code
	} else {
		p.code = slices.Grow(p.code, len(u.program))
		for i, in := range u.program {
			p.code = append(p.code, translate(in, int32(start+i)))
		}
	}
	end := int32(len(p.code))
	for i := start; i < len(p.code); i++ {
		in := &p.code[i]
		in.next = min(in.next, end)
		switch {
		case in.code&7 == filter.ClassRet:
			in.next, in.sides = end, sides
		case in.code == filter.OpDivX:
			in.jt, in.sides = end, sides
		}
	}
}

// translate makes an instruction of a filter that stands at a place of the plan.
func translate(in filter.Insn, at int32) instr {
	r := instr{code: in.Code, k: in.K, next: at + 1}
	switch {
	case in.Code == filter.OpJa:
		r.next += int32(in.K)
	case in.Code&7 == filter.ClassJmp:
		r.jt = r.next + int32(in.Jt)
		r.next += int32(in.Jf)
		if r.jt == r.next {
			r.code = filter.OpJa
		}
	}
	return r
}

// branches reports whether the instruction may go to jt too.
func (in instr) branches() bool {
	return in.code&7 == filter.ClassJmp && in.code != filter.OpJa || in.code == filter.OpDivX
}

// quit is the return that a division by X = 0 is.
func (in instr) quit() *instr { return &instr{next: in.jt, sides: in.sides} }

// finish computes what the explorer needs to know of the code as a whole.
func (p *plan) finish() {
	n := len(p.code)
	p.joins = make([]bool, n+1)
	seen := make([]bool, n+1)
	reach := func(to int32) {
		p.joins[to] = p.joins[to] || seen[to]
		seen[to] = true
	}
	reach(0)
	for i, in := range p.code {
		if !seen[i] {
			continue
		}
		reach(in.next)
		if in.branches() {
			reach(in.jt)
		}
	}
	p.joins[n] = true
	p.live = make([]uint32, n+1)
	for i := n - 1; i >= 0; i-- {
		in := p.code[i]
		out := p.live[in.next]
		if in.branches() {
			out |= p.live[in.jt]
		}
		p.live[i] = in.liveBefore(out)
	}
}

// liveBefore tells what matters before the instruction from what matters behind it.
func (in instr) liveBefore(out uint32) uint32 {
	replace := func(to, from uint32) uint32 {
		if out&to == 0 {
			return out
		}
		return out&^to | from
	}
	word := uint32(1) << (in.k % filter.MemWords)
	switch in.code {
	case filter.OpLdAbs, filter.OpLdLen, filter.OpLdImm, opLoadSymbol:
		return replace(liveA, 0)
	case filter.OpLdxLen, filter.OpLdxImm:
		return replace(liveX, 0)
	case filter.OpLdMem:
		return replace(liveA, word)
	case filter.OpLdxMem:
		return replace(liveX, word)
	case filter.OpSt:
		return replace(word, liveA)
	case filter.OpStx:
		return replace(word, liveX)
	case filter.OpTax:
		return replace(liveX, liveA)
	case filter.OpTxa:
		return replace(liveA, liveX)
	case filter.OpRetK:
		return 0
	case filter.OpRetA:
		return liveA
	case filter.OpJa:
		return out
	case filter.OpDivX: // X decides whether the program ends here
		return out | liveX
	}
	if in.code&7 == filter.ClassJmp {
		out |= liveA
	}
	if in.code&filter.SrcX != 0 && out&liveA != 0 {
		out |= liveX
	}
	return out
}
