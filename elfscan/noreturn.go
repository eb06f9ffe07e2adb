package elfscan

import (
	"github.com/profcheck/profcheck/elfscan/internal/flow"
	"github.com/profcheck/profcheck/elfscan/internal/isa"
)

// findMorestack finds the functions that grow the stack: the ones that function bodies call last,
// before they jump back to their own beginning. They have no fixed name in an obfuscated binary.
func (p *program) findMorestack() {
	p.morestack, p.grows = map[uint64]bool{}, map[int32]bool{}
	seen := map[uint64]int{}
	var refs []isa.Ref
	var ops []isa.Op
	step := max(1, len(p.tab.funcs)/2000)
	for f := 0; f < len(p.tab.funcs); f += step {
		code, base := p.tab.code(f), p.tab.funcs[f].entry
		refs = p.m.Scan(code, base, refs[:0])
		last := -1
		for i, r := range refs {
			if r.Kind == isa.RefCall {
				last = i
			}
		}
		if last < 0 {
			continue
		}
		// From the call on: argument registers restored, then the jump to the entry.
		for off := refs[last].At - base; off < uint64(len(code)); {
			var n int
			if ops, n = p.m.Decode(code[off:], base+off, ops[:0]); n == 0 {
				break
			}
			off += uint64(n)
			if k := len(ops) - 1; k >= 0 && ops[k].Kind == isa.OpJump {
				if ops[k].Target == base {
					seen[refs[last].Target]++
				}
				break
			}
		}
	}
	for target, n := range seen {
		if n >= 3 || n*20 >= len(p.tab.funcs) {
			p.morestack[target] = true
			p.grows[int32(p.tab.find(target))] = true
		}
	}
}

// stops reports whether a call of the function at target never comes back: it grows the stack and
// starts the caller over, or its body holds no return and no way out.
func (p *program) stops(target uint64) bool {
	if p.morestack[target] {
		return true
	}
	if known, ok := p.noReturn[target]; ok {
		return known
	}
	f := p.tab.find(target)
	if f < 0 || p.tab.funcs[f].entry != target {
		return false
	}
	stops := flow.NoReturn(p.m, p.tab.code(f), target)
	p.noReturn[target] = stops
	return stops
}
