package flow

import (
	"slices"

	"github.com/profcheck/profcheck/elfscan/internal/isa"
)

// unreadFor bounds the instructions behind a call that Unread looks at.
const unreadFor = 64

// Unread reports whether the function of the given code, which starts at start, overwrites register r
// after each call of target before it reads it, as far as that is plain from the instructions behind
// the call. A tail call is none.
func Unread(m *isa.Machine, start uint64, code []byte, target uint64, r isa.Reg) bool {
	w := overwrites{m: m, start: start, code: code, r: r, params: C(m).Params}
	var ops []isa.Op
	for off := 0; off < len(code); {
		n := 0
		if ops, n = m.Decode(code[off:], start+uint64(off), ops[:0]); n == 0 {
			return false
		}
		off += n
		for i := range ops {
			op := &ops[i]
			if op.Kind != isa.OpCall && op.Kind != isa.OpJump && op.Kind != isa.OpBranch || op.Target != target {
				continue
			}
			if w.left = unreadFor; op.Kind != isa.OpCall || !w.from(off) {
				return false
			}
		}
	}
	return true
}

// overwrites follows code to where a register is written or read.
type overwrites struct {
	m      *isa.Machine
	start  uint64
	code   []byte
	r      isa.Reg
	params []isa.Reg
	left   int
	ops    []isa.Op
}

// from reports whether all ways from off on overwrite the register before they read it. A call does
// if none of its arguments lies there.
func (w *overwrites) from(off int) bool {
	for ; w.left > 0 && off < len(w.code); w.left-- {
		n := 0
		if w.ops, n = w.m.Decode(w.code[off:], w.start+uint64(off), w.ops[:0]); n == 0 {
			return false
		}
		if regs, _ := mentioned(w.m, w.code[off:off+n]); !described(w.ops) && regs.Has(w.r) {
			return false
		}
		off += n
		for _, op := range slices.Clone(w.ops) {
			switch op.Kind {
			case isa.OpCall, isa.OpCallInd:
				return !names(op.A, w.r) && !slices.Contains(w.params, w.r)
			case isa.OpBranch, isa.OpJump:
				to := op.Target - w.start
				if to >= uint64(len(w.code)) || !w.from(int(to)) {
					return false
				}
				if op.Kind == isa.OpJump {
					return true
				}
			case isa.OpReturn:
				return !slices.Contains(results(w.m), w.r)
			case isa.OpJumpInd, isa.OpSyscall, isa.OpInt80:
				return false
			case isa.OpStop:
				return true
			default:
				if names(op.A, w.r) || names(op.B, w.r) || op.Dst.Kind == isa.Mem && names(op.Dst, w.r) {
					return false
				}
				if op.Kind == isa.OpSet && op.Dst.Kind == isa.RegOp && op.Dst.Reg == w.r && op.Width >= 4 {
					return true
				}
			}
		}
	}
	return false
}

// results are the registers that hold what a function returns.
func results(m *isa.Machine) []isa.Reg {
	if m == isa.ARM64 {
		return []isa.Reg{0, 1}
	}
	return []isa.Reg{0, 2} // RAX, RDX
}

// names reports whether an operand has to do with register r.
func names(o isa.Operand, r isa.Reg) bool {
	return o.Kind != isa.None && o.Kind != isa.Imm && (o.Reg == r || o.Index == r)
}

// LeavesAlone reports whether code, at start, writes register r nowhere; calls are left to calls, which
// gets the targets of direct ones and reports whether they leave it alone as well.
func LeavesAlone(m *isa.Machine, start uint64, code []byte, r isa.Reg, calls func(target uint64) bool) bool {
	var ops []isa.Op
	for off := 0; off < len(code); {
		n := 0
		if ops, n = m.Decode(code[off:], start+uint64(off), ops[:0]); n == 0 {
			return true
		}
		off += n
		for i := range ops {
			op := &ops[i]
			outside := op.Target-start >= uint64(len(code))
			switch {
			case op.Kind == isa.OpCallInd, op.Clobber.Has(r), op.Dst.Kind == isa.RegOp && op.Dst.Reg == r:
				return false
			case (op.Kind == isa.OpCall || op.Kind == isa.OpJump) && outside && !calls(op.Target):
				return false
			}
		}
	}
	return true
}
