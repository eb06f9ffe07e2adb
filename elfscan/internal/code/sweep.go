package code

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/profcheck/profcheck/elfscan/internal/isa"
)

// ending is how a function's last instruction, apart from padding, goes on.
type ending uint8

const (
	ends         ending = iota // it does not: a jump, a return, a trap
	endsCall                   // a call, which is taken not to return
	endsSyscall                // a system call, which may be one that does not return
	falls                      // what lies behind comes next
	fallsPadding               // likewise, with padding between
)

// shardBytes is how much code a worker takes at a time.
const shardBytes = 256 << 10

// sweep reads the functions that have bounds from their first byte to their last.
func (x *extractor) sweep() {
	var cuts []int
	size := uint64(shardBytes)
	for i := range x.funcs {
		if size >= shardBytes {
			cuts, size = append(cuts, i), 0
		}
		size += x.funcs[i].end - x.funcs[i].start
	}
	x.shards = make([][]isa.Ref, len(cuts), len(cuts)+1)
	starts, maybe := make([][]uint64, len(cuts)), make([][]uint64, len(cuts))
	each(len(cuts), func(shard int) {
		end := len(x.funcs)
		if shard+1 < len(cuts) {
			end = cuts[shard+1]
		}
		x.sweepShard(shard, x.funcs[cuts[shard]:end])
		starts[shard], maybe[shard] = x.targets(x.shards[shard], nil, nil)
	})
	for i := range cuts {
		x.starts, x.maybe = append(x.starts, starts[i]...), append(x.maybe, maybe[i]...)
	}
}

// each calls f for 0 to n-1, on all processors.
func each(n int, f func(int)) {
	workers := min(n, runtime.GOMAXPROCS(0))
	if workers <= 1 {
		for i := range n {
			f(i)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wg.Wait()
}

// refsPerByte is how many references code has, about: one in ten bytes.
const refsPerByte = 10

func (x *extractor) sweepShard(shard int, funcs []function) {
	size := uint64(0)
	for i := range funcs {
		size += funcs[i].end - funcs[i].start
	}
	refs := make([]isa.Ref, 0, size/refsPerByte)
	var ops []isa.Op
	for i := range funcs {
		fn := &funcs[i]
		first := len(refs)
		code := x.code(fn.start, fn.end)
		refs = x.mach.Survey(code, fn.start, x.lo, x.hi, refs)
		fn.shard, fn.first, fn.n = int32(shard), uint32(first), uint32(len(refs)-first)
		fn.note(refs[first:])
		from := fn.start
		if len(refs) > first {
			from = refs[len(refs)-1].At
		}
		if fn.falls, ops = x.ending(code[from-fn.start:], from, ops); fn.falls == endsSyscall && x.exits(code, fn.start) {
			fn.falls = ends
		}
	}
	x.shards[shard] = refs
}

// note sets the flags that references tell.
func (fn *function) note(refs []isa.Ref) {
	for i := range refs {
		switch refs[i].Kind {
		case isa.RefSyscall, isa.RefInt80:
			fn.flags |= HasSyscall
		case isa.RefCallInd:
			fn.flags |= HasIndirect
		case isa.RefJumpInd:
			fn.jumps = true
		case isa.RefBad:
			fn.bad = true
		}
	}
}

// ending tells how code, which lies at pc, ends. It begins with an instruction.
func (x *extractor) ending(code []byte, pc uint64, ops []isa.Op) (ending, []isa.Op) {
	last := ends
	for len(code) > 0 {
		var n int
		ops, n = x.mach.Decode(code, pc, ops[:0])
		switch {
		case n == 0:
			n, last = min(len(code), x.step()), ends
		case x.padding(code[:n]):
			if last == falls {
				last = fallsPadding
			}
		default:
			last = endingOf(ops)
		}
		code, pc = code[n:], pc+uint64(n)
	}
	return last, ops
}

// step is how far to go on behind what is no instruction.
func (x *extractor) step() int {
	if x.mach == isa.AMD64 {
		return 1
	}
	return 4
}

// endingOf tells how an instruction with the effects ops goes on.
func endingOf(ops []isa.Op) ending {
	if len(ops) == 0 {
		return falls
	}
	switch ops[len(ops)-1].Kind {
	case isa.OpJump, isa.OpJumpInd, isa.OpReturn, isa.OpStop:
		return ends
	case isa.OpCall, isa.OpCallInd:
		return endsCall
	case isa.OpSyscall, isa.OpInt80:
		return endsSyscall
	}
	return falls
}

// padding reports whether an instruction is one that fills the space between functions.
func (x *extractor) padding(insn []byte) bool {
	if x.mach != isa.AMD64 {
		return len(insn) == 4 && le.Uint32(insn) == 0xd503201f
	}
	for len(insn) > 0 && (insn[0] == 0x66 || insn[0] == 0x2e) {
		insn = insn[1:]
	}
	switch {
	case len(insn) == 1:
		return insn[0] == 0x90 || insn[0] == 0xcc
	case len(insn) == 2: // XCHG AX, AX
		return insn[0] == 0x66 && insn[1] == 0x90
	}
	return len(insn) > 2 && insn[0] == 0x0f && insn[1] == 0x1f
}
