package simulate

import (
	"encoding/binary"

	"github.com/profcheck/profcheck/filter"
)

// Run returns what the filter returns for one call: the raw value, of which the kernel carries out
// Action.Effect. The order is that of the machine, and decides in which word the low half of an
// argument lies; nil is little-endian. p must have passed Verify. Of other programs nothing is
// promised but that they end: one that runs over its end, or does not know an instruction, returns
// KillThread. Run does not allocate.
//
// The arithmetic is that of kernel/bpf/core.c on the program as net/core/filter.c
// bpf_convert_filter translates it: 32 bits, unsigned, wrapping; a shift by X takes its five low
// bits; a division by X = 0 ends the program with 0.
func Run(p filter.Program, d *filter.Data, order binary.ByteOrder) filter.Action {
	words := d.Words(order)
	return run(p, &words)
}

func run(p filter.Program, words *[16]uint32) filter.Action {
	var a, x uint32
	var m [filter.MemWords]uint32
	for pc := uint64(0); pc < uint64(len(p)); pc++ {
		in := &p[pc]
		taken := false
		switch in.Code {
		case filter.OpLdAbs:
			a = words[in.K>>2&15]
			continue
		case filter.OpJeqK:
			taken = a == in.K
		case filter.OpJgtK:
			taken = a > in.K
		case filter.OpJgeK:
			taken = a >= in.K
		case filter.OpJsetK:
			taken = a&in.K != 0
		case filter.OpJeqX:
			taken = a == x
		case filter.OpJgtX:
			taken = a > x
		case filter.OpJgeX:
			taken = a >= x
		case filter.OpJsetX:
			taken = a&x != 0
		case filter.OpJa:
			pc += uint64(in.K)
			continue
		case filter.OpRetK:
			return filter.Action(in.K)
		case filter.OpRetA:
			return filter.Action(a)
		case filter.OpLdLen:
			a = filter.DataSize
			continue
		case filter.OpLdxLen:
			x = filter.DataSize
			continue
		case filter.OpLdImm:
			a = in.K
			continue
		case filter.OpLdxImm:
			x = in.K
			continue
		case filter.OpLdMem:
			a = m[in.K%filter.MemWords]
			continue
		case filter.OpLdxMem:
			x = m[in.K%filter.MemWords]
			continue
		case filter.OpSt:
			m[in.K%filter.MemWords] = a
			continue
		case filter.OpStx:
			m[in.K%filter.MemWords] = x
			continue
		case filter.OpTax:
			x = a
			continue
		case filter.OpTxa:
			a = x
			continue
		default:
			operand := in.K
			if in.Code&filter.SrcX != 0 {
				operand = x
			}
			var ok bool
			if a, ok = alu(in.Code, a, operand); !ok {
				return filter.KillThread
			}
			continue
		}
		if taken {
			pc += uint64(in.Jt)
		} else {
			pc += uint64(in.Jf)
		}
	}
	return filter.KillThread
}

// alu computes one arithmetic instruction, whose operand is k or X. It is false for a division by
// zero, and for a code that is no arithmetic.
func alu(code uint16, a, operand uint32) (uint32, bool) {
	switch code &^ filter.SrcX {
	case filter.OpAddK:
		return a + operand, true
	case filter.OpSubK:
		return a - operand, true
	case filter.OpMulK:
		return a * operand, true
	case filter.OpDivK:
		if operand == 0 {
			return 0, false
		}
		return a / operand, true
	case filter.OpOrK:
		return a | operand, true
	case filter.OpAndK:
		return a & operand, true
	case filter.OpLshK:
		return a << (operand & 31), true
	case filter.OpRshK:
		return a >> (operand & 31), true
	case filter.OpXorK:
		return a ^ operand, true
	case filter.OpNeg:
		return -a, true
	}
	return 0, false
}

// compare computes the condition of a conditional jump, whose operand is k or X.
func compare(code uint16, a, operand uint32) bool {
	switch code &^ filter.SrcX {
	case filter.OpJeqK:
		return a == operand
	case filter.OpJgtK:
		return a > operand
	case filter.OpJgeK:
		return a >= operand
	}
	return a&operand != 0
}
