package flow

import "github.com/profcheck/profcheck/elfscan/internal/isa"

// NoReturn reports whether the function with this code, at address start, holds no return and no
// way out: what calls it does not go on.
func NoReturn(m *isa.Machine, code []byte, start uint64) bool {
	if len(code) > MaxCode {
		return false
	}
	var ops []isa.Op
	ended := false
	for off := 0; off < len(code); {
		var n int
		ops, n = m.Decode(code[off:], start+uint64(off), ops[:0])
		if n == 0 {
			return false
		}
		ended = len(ops) > 0 && (ends(ops[len(ops)-1].Kind) || ops[len(ops)-1].Kind == isa.OpCall)
		for i := range ops {
			switch k := ops[i].Kind; {
			case k == isa.OpReturn, k == isa.OpJumpInd:
				return false
			case (k == isa.OpJump || k == isa.OpBranch) && ops[i].Target-start >= uint64(len(code)):
				return false
			}
		}
		off += n
	}
	return ended // what follows the last instruction is another function
}

// NeverReturns reports whether a function never comes back because each way through it ends in a
// trap, in a loop or in a call of such a function, as stops knows them. Jumps out of the function
// count as calls that come back to its caller, unless stops knows better; jumps to where no
// instruction tells may return.
func NeverReturns(m *isa.Machine, code []byte, start uint64, stops func(target uint64) bool) bool {
	if len(code) > MaxCode {
		return false
	}
	seen := make([]bool, len(code))
	pending := []int{0}
	var ops []isa.Op
	for len(pending) > 0 {
		off := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
	way:
		for {
			if off >= len(code) {
				return false // runs into another function
			}
			if seen[off] {
				break
			}
			seen[off] = true
			var n int
			if ops, n = m.Decode(code[off:], start+uint64(off), ops[:0]); n == 0 {
				return false
			}
			for i := range ops {
				op := &ops[i]
				switch op.Kind {
				case isa.OpReturn, isa.OpJumpInd:
					return false
				case isa.OpStop:
					break way
				case isa.OpCall:
					if stops(op.Target) {
						break way
					}
				case isa.OpJump, isa.OpBranch:
					t := op.Target - start
					switch {
					case t < uint64(len(code)):
						pending = append(pending, int(t))
					case !stops(op.Target):
						return false
					}
					if op.Kind == isa.OpJump {
						break way
					}
				}
			}
			off += n
		}
	}
	return true
}
