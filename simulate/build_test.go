package simulate

import (
	"encoding/binary"
	"math/rand/v2"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// A comparison is one of those that libseccomp knows, on a 64-bit argument.
type comparison struct {
	arg  int
	op   string // == != > >= < <= and &, which compares the masked argument
	mask uint64 // for &
	v    uint64
}

func (c comparison) holds(args [6]uint64) bool {
	a := args[c.arg]
	switch c.op {
	case "==":
		return a == c.v
	case "!=":
		return a != c.v
	case ">":
		return a > c.v
	case ">=":
		return a >= c.v
	case "<":
		return a < c.v
	case "<=":
		return a <= c.v
	}
	return a&c.mask == c.v
}

// A rule is an action for calls on which all comparisons hold.
type rule struct {
	when   []comparison
	action filter.Action
}

// compileRules makes a filter for one number from rules in the order of their precedence: by words,
// high half first, as compilers of filters do. Jumps are long where they must be.
func compileRules(arch *syscalls.Arch, nr int32, rules []rule, other filter.Action) filter.Program {
	order := arch.Order()
	p := filter.Program{
		filter.Load(filter.OffsetArch),
		filter.Jump(filter.OpJeqK, arch.Audit, 1, 0),
		filter.Return(filter.KillProcess),
		filter.Load(filter.OffsetNr),
		filter.Jump(filter.OpJeqK, uint32(nr), 1, 0),
		filter.Return(filter.Allow | 1),
	}
	for _, r := range rules {
		body := filter.Program{filter.Return(r.action)}
		for i := len(r.when) - 1; i >= 0; i-- {
			body = append(compileComparison(r.when[i], order, arch.Bits == 32, len(body)), body...)
		}
		p = append(p, body...)
	}
	return append(p, filter.Return(other))
}

// compileComparison goes on after its end where the comparison holds, and rest instructions further
// where it does not.
func compileComparison(c comparison, order binary.ByteOrder, narrow bool, rest int) filter.Program {
	hi, lo := uint32(c.v>>32), uint32(c.v)
	loadHi, loadLo := filter.Load(filter.ArgHigh(c.arg, order)), filter.Load(filter.ArgLow(c.arg, order))
	no := uint8(rest)
	jump := filter.Jump
	var low filter.Program
	switch c.op {
	case "==":
		low = filter.Program{loadLo, jump(filter.OpJeqK, lo, 0, no)}
	case "!=":
		low = filter.Program{loadLo, jump(filter.OpJeqK, lo, no, 0)}
	case ">":
		low = filter.Program{loadLo, jump(filter.OpJgtK, lo, 0, no)}
	case ">=":
		low = filter.Program{loadLo, jump(filter.OpJgeK, lo, 0, no)}
	case "<":
		low = filter.Program{loadLo, jump(filter.OpJgeK, lo, no, 0)}
	case "<=":
		low = filter.Program{loadLo, jump(filter.OpJgtK, lo, no, 0)}
	case "&":
		low = filter.Program{loadLo, filter.Stmt(filter.OpAndK, uint32(c.mask)), jump(filter.OpJeqK, lo, 0, no)}
	}
	if narrow {
		return low
	}
	n := uint8(len(low))
	switch c.op {
	case "==":
		return append(filter.Program{loadHi, jump(filter.OpJeqK, hi, 0, n+no)}, low...)
	case "!=":
		return append(filter.Program{loadHi, jump(filter.OpJeqK, hi, 0, n)}, low...)
	case ">", ">=":
		return append(filter.Program{loadHi, jump(filter.OpJgtK, hi, n+1, 0), jump(filter.OpJeqK, hi, 0, n+no)}, low...)
	case "<", "<=":
		return append(filter.Program{loadHi, jump(filter.OpJgtK, hi, n+no+1, 0), jump(filter.OpJeqK, hi, 0, n)}, low...)
	}
	return append(filter.Program{loadHi, filter.Stmt(filter.OpAndK, uint32(c.mask>>32)), jump(filter.OpJeqK, hi, 0, n+no)}, low...)
}

// edgeValues are numbers at which comparisons change, and some others.
var edgeValues = []uint64{0, 1, 2, 5, 40, 0x7e020000, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x100000005, 0x7fffffffffffffff, 0xffffffff00000000, 0xffffffffffffffff}

// randomRules makes rules that touch each other.
func randomRules(rng *rand.Rand, narrow bool) []rule {
	ops := []string{"==", "!=", ">", ">=", "<", "<=", "&"}
	actions := []filter.Action{filter.Allow, filter.ErrnoAction(1), filter.Log}
	rules := make([]rule, 1+rng.IntN(4))
	for i := range rules {
		rules[i].action = actions[rng.IntN(len(actions))]
		for range 1 + rng.IntN(3) {
			c := comparison{arg: rng.IntN(2), op: ops[rng.IntN(len(ops))], v: edgeValues[rng.IntN(len(edgeValues))]}
			if c.op == "&" {
				c.mask = edgeValues[rng.IntN(len(edgeValues))]
				c.v &= c.mask
			}
			if narrow {
				c.v &= max32
				c.mask &= max32
			}
			rules[i].when = append(rules[i].when, c)
		}
	}
	return rules
}

// randomProgram makes a verified program of the whole instruction set. It starts with unknown words
// in A, X and memory and ends in several returns, so that branches matter.
func randomProgram(rng *rand.Rand, n int) filter.Program {
	codes := filter.Opcodes()
	for {
		arg := func() uint32 { return uint32(filter.OffsetArgs + 4*rng.IntN(4)) }
		p := filter.Program{
			filter.Load(arg()), filter.Stmt(filter.OpTax, 0), filter.Stmt(filter.OpSt, 0),
			filter.Load(arg()), filter.Stmt(filter.OpSt, 1), filter.Stmt(filter.OpStx, 2),
		}
		for len(p) < n {
			p = append(p, randomInsn(rng, codes, n-len(p)))
		}
		for i := range 4 {
			p = append(p, filter.Return(filter.Action(i)))
		}
		if p.Verify() == nil {
			return p
		}
	}
}

// randomInsn makes an instruction; jumps skip at most left+1 others.
func randomInsn(rng *rand.Rand, codes []uint16, left int) filter.Insn {
	in := filter.Insn{Code: codes[rng.IntN(len(codes))], K: uint32(edgeValues[rng.IntN(len(edgeValues))])}
	if rng.IntN(3) == 0 {
		in.Code = []uint16{filter.OpJeqK, filter.OpJgtK, filter.OpJgeK, filter.OpJsetK, filter.OpLdAbs, filter.OpAndK}[rng.IntN(6)]
	}
	switch in.Code {
	case filter.OpRetA, filter.OpRetK:
		if rng.IntN(4) != 0 {
			return filter.Stmt(filter.OpAndK, uint32(1)<<rng.IntN(32)|1)
		}
	case filter.OpDivK:
		in.K |= 1
	case filter.OpLdAbs:
		in.K = uint32(rng.IntN(16) * 4)
		if rng.IntN(2) == 0 { // mostly one argument, so that tests meet
			in.K = uint32(filter.OffsetArgs + 4*rng.IntN(2))
		}
	case filter.OpLshK, filter.OpRshK:
		in.K = uint32(rng.IntN(32))
	case filter.OpLdMem, filter.OpLdxMem, filter.OpSt, filter.OpStx:
		in.K %= 3
	case filter.OpJa:
		in.K = uint32(rng.IntN(min(left+2, 3)))
	}
	if in.Code&7 == filter.ClassJmp && in.Code != filter.OpJa {
		far := min(left+2, 8)
		in.Jt, in.Jf = uint8(rng.IntN(far)), uint8(rng.IntN(far))
	}
	return in
}
