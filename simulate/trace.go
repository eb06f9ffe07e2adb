package simulate

import (
	"encoding/binary"

	"github.com/profcheck/profcheck/filter"
)

// Step is one instruction that ran.
type Step struct {
	PC    int    // index in the program
	A, X  uint32 // the registers after it
	Word  int    // the word of seccomp_data that it loaded (byte offset / 4), -1 if it loaded none
	Taken bool   // a conditional jump whose condition held
}

// Result is what Trace returns.
type Result struct {
	Action filter.Action // the same that Run returns
	Trace  []Step        // in the order of execution; the last one returned
}

// Trace does the same as Run and tells how: each instruction that ran, what it read, and what it
// left in the registers. The steps and the words explain the answer: no other instruction and no
// other word of the call had a part in it.
func Trace(p filter.Program, d *filter.Data, order binary.ByteOrder) Result {
	words := d.Words(order)
	return trace(p, &words, alu)
}

// trace is Trace with the arithmetic as an argument, so that a test can put a wrong one in.
func trace(p filter.Program, words *[16]uint32, alu func(code uint16, a, operand uint32) (uint32, bool)) Result {
	var r Result
	var a, x uint32
	var m [filter.MemWords]uint32
	for pc := uint64(0); pc < uint64(len(p)); pc++ {
		in := p[pc]
		step := Step{PC: int(pc), Word: -1}
		operand := in.K
		if in.Code&filter.SrcX != 0 {
			operand = x
		}
		ended, ok := false, true
		switch in.Code {
		case filter.OpLdAbs:
			step.Word = int(in.K >> 2 & 15)
			a = words[step.Word]
		case filter.OpLdLen:
			a = filter.DataSize
		case filter.OpLdxLen:
			x = filter.DataSize
		case filter.OpLdImm:
			a = in.K
		case filter.OpLdxImm:
			x = in.K
		case filter.OpLdMem:
			a = m[in.K%filter.MemWords]
		case filter.OpLdxMem:
			x = m[in.K%filter.MemWords]
		case filter.OpSt:
			m[in.K%filter.MemWords] = a
		case filter.OpStx:
			m[in.K%filter.MemWords] = x
		case filter.OpTax:
			x = a
		case filter.OpTxa:
			a = x
		case filter.OpRetK:
			r.Action, ended = filter.Action(in.K), true
		case filter.OpRetA:
			r.Action, ended = filter.Action(a), true
		case filter.OpJa:
			pc += uint64(in.K)
		case filter.OpJeqK, filter.OpJgtK, filter.OpJgeK, filter.OpJsetK,
			filter.OpJeqX, filter.OpJgtX, filter.OpJgeX, filter.OpJsetX:
			if step.Taken = compare(in.Code, a, operand); step.Taken {
				pc += uint64(in.Jt)
			} else {
				pc += uint64(in.Jf)
			}
		default:
			a, ok = alu(in.Code, a, operand)
		}
		step.A, step.X = a, x
		r.Trace = append(r.Trace, step)
		if ended || !ok {
			return r
		}
	}
	return r
}
