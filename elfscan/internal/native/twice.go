package native

import "github.com/profcheck/profcheck/elfscan/internal/isa"

// twiceNames are functions that come back to their caller twice (C11 7.13, vfork(2), getcontext(3)).
var twiceNames = []string{"setjmp", "_setjmp", "sigsetjmp", "__sigsetjmp", "getcontext", "swapcontext", "vfork", "__vfork", "savectx"}

// Twice implements flow.Program. Besides names, which stripped programs lack, the shape tells: to come
// back later a function keeps the registers that callees must not change behind its first parameter.
func (h *host) Twice(target uint64) bool {
	n := h.function(target)
	if n == none || h.start(n) != target {
		return false
	}
	return h.returnsTwice(n, 0)
}

// A function of at most so many bytes that calls one that comes back twice may be its wrapper.
const twiceWrapper = 96

func (h *host) returnsTwice(n node, depth int) bool {
	n = h.behind(n)
	twice, ok := h.twice[n]
	if ok || depth > 3 {
		return twice
	}
	h.twice[n] = false // until known otherwise, for functions that call each other
	body := h.code(n)
	if h.savesRegisters(body, h.start(n)) || h.keepsReturn(body, h.start(n)) {
		twice = true
	} else if len(body) <= twiceWrapper {
		for _, e := range h.out(n) {
			if e.kind == edgeCall && int(e.to) < h.funcs && h.returnsTwice(e.to, depth+1) {
				twice = true
				break
			}
		}
	}
	h.twice[n] = twice
	return twice
}

// mostPrologue is how many bytes of a function are looked at for what it saves first.
const mostPrologue = 160

// leastSaved is how many registers a function saves if it saves all; x86-64 has five beside those for
// frame and stack, which glibc disguises.
const leastSaved = 5

// savesRegisters reports whether code begins by storing the registers that callees keep behind the first
// parameter.
func (h *host) savesRegisters(body []byte, start uint64) bool {
	body = body[:min(len(body), mostPrologue)]
	var ops []isa.Op
	saved := isa.RegSet(0)
	count := 0
	for off := 0; off < len(body); {
		var n int
		if ops, n = h.m.Decode(body[off:], start+uint64(off), ops[:0]); n == 0 {
			break
		}
		for i := range ops {
			op := &ops[i]
			if op.Kind != isa.OpSet || op.Dst.Kind != isa.Mem || op.Dst.Reg != h.conv.Params[0] || op.A.Kind != isa.RegOp {
				continue
			}
			if r := op.A.Reg; r != h.m.SP && h.conv.Kept.Has(r) && !saved.Has(r) {
				saved |= isa.Regs(r)
				count++
			}
		}
		off += n
	}
	return count >= leastSaved
}

// keepsReturn reports whether code takes its return address off the stack and then makes a syscall, as vfork
// does on x86-64, whose child runs on the same stack and would overwrite it.
func (h *host) keepsReturn(body []byte, start uint64) bool {
	body = body[:min(len(body), mostPrologue)]
	var ops []isa.Op
	taken := false
	for off := 0; off < len(body); {
		var n int
		if ops, n = h.m.Decode(body[off:], start+uint64(off), ops[:0]); n == 0 {
			return false
		}
		for i := range ops {
			switch op := &ops[i]; {
			case op.Kind == isa.OpSyscall:
				return taken
			case op.Kind == isa.OpSet && op.Dst.Kind == isa.RegOp && op.A.Kind == isa.Mem && op.A.Reg == h.m.SP && op.A.Value == 0 && op.A.Index == isa.NoReg:
				taken = true
			case op.Kind == isa.OpCall, op.Kind == isa.OpCallInd, op.Kind == isa.OpReturn, op.Kind == isa.OpJump, op.Kind == isa.OpJumpInd, op.Kind == isa.OpBranch,
				!taken && op.Dst.Kind == isa.RegOp && op.Dst.Reg == h.m.SP:
				return false
			}
		}
		off += n
	}
	return false
}
