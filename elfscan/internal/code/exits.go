package code

import (
	"cmp"
	"slices"

	"github.com/profcheck/profcheck/elfscan/internal/isa"
)

// exitNumbers are the numbers of exit and exit_group, which do not return. A filter can make them
// return; what then follows in the same function is read as any other code is, but nobody writes
// such code for the function that happens to be linked behind.
func (x *extractor) exitNumbers() [2]int64 {
	if x.mach == isa.AMD64 {
		return [2]int64{60, 231}
	}
	return [2]int64{93, 94}
}

// number is what is known of the register that holds a system call's number, in straight code.
type number struct {
	value int64
	since uint64 // the instruction that set it
	known bool
}

// follow applies the effects of the instruction at addr.
func (n *number) follow(mach *isa.Machine, ops []isa.Op, addr uint64) {
	for i := range ops {
		op := &ops[i]
		switch {
		case op.Kind == isa.OpCall || op.Kind == isa.OpCallInd:
			n.known = false
		case op.Dst.Kind == isa.RegOp && op.Dst.Reg == mach.Number:
			*n = number{op.A.Value, addr, op.Kind == isa.OpSet && op.A.Kind == isa.Imm && op.Width >= 4}
		case op.Clobber.Has(mach.Number):
			n.known = false
		}
	}
}

// exits reports whether the system call that ends code, which lies at pc, is exit or exit_group: the
// number is a constant, and nothing jumps between it and the call. Code is read from its first byte
// on, because only so it is known where its instructions begin.
func (x *extractor) exits(code []byte, pc uint64) bool {
	var ops []isa.Op
	var num, last number
	var into []uint64 // where its jumps lead
	call := pc
	for at := pc; len(code) > 0; {
		var n int
		if ops, n = x.mach.Decode(code, at, ops[:0]); n == 0 {
			return false
		}
		for i := range ops {
			switch ops[i].Kind {
			case isa.OpJumpInd:
				return false
			case isa.OpJump, isa.OpBranch:
				into = append(into, ops[i].Target)
			case isa.OpSyscall:
				call, last = at, num
			case isa.OpInt80:
				last.known = false
			}
		}
		num.follow(x.mach, ops, at)
		code, at = code[n:], at+uint64(n)
	}
	return x.exit(last) && !slices.ContainsFunc(into, func(a uint64) bool { return a > last.since && a <= call })
}

// exit reports whether a number is that of exit or exit_group.
func (x *extractor) exit(n number) bool {
	numbers := x.exitNumbers()
	return n.known && slices.Contains(numbers[:], n.value)
}

// blockLimit is how many instructions before a system call its number is looked for, in a gap.
const blockLimit = 8

// exits does the same for the marked system call at address call.
func (w *walker) exits(g *gap, call uint64) bool {
	heads := make([]uint64, 0, blockLimit)
	for i := call - g.start; i > 0 && len(heads) < blockLimit; {
		for i--; i > 0 && g.marks[i] == tail; {
			i--
		}
		if g.marks[i] != head {
			break
		}
		heads = append(heads, g.start+i)
	}
	var num number
	for _, at := range slices.Backward(heads) {
		w.ops, _ = w.mach.Decode(g.data[at-g.start:], at, w.ops[:0])
		num.follow(w.mach, w.ops, at)
		if e := endingOf(w.ops); e == ends || e == endsCall {
			num.known = false
		}
	}
	return w.exit(num) && !w.entered(num.since+1, call+1)
}

// entered reports whether a function begins or a jump leads between two addresses. Both lists are in
// order by then.
func (w *walker) entered(from, to uint64) bool {
	i, _ := slices.BinarySearch(w.starts, from)
	k, _ := slices.BinarySearchFunc(w.jumps, from, func(j jump, a uint64) int { return cmp.Compare(j.to, a) })
	return i < len(w.starts) && w.starts[i] < to || k < len(w.jumps) && w.jumps[k].to < to
}
