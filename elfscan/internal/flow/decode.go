package flow

import (
	"slices"

	"github.com/profcheck/profcheck/elfscan/internal/isa"
)

// decode reads the function linearly and marks where blocks begin.
func (f *flow) decode() {
	f.at = slices.Grow(f.at[:0], len(f.code)+1)[:len(f.code)+1]
	f.leader = zeroed(f.leader, len(f.code)+1)
	for i := range f.at {
		f.at[i] = -1
	}
	for off := 0; off < len(f.code); {
		start := int32(len(f.ops))
		ops, n := f.m.Decode(f.code[off:], f.base+uint64(off), f.ops)
		f.ops = ops
		if n == 0 {
			off += f.conv.Gap
			continue
		}
		f.at[off] = int32(len(f.insts))
		f.insts = append(f.insts, inst{int32(off), uint8(n), start, int32(len(f.ops))})
		for _, op := range f.ops[start:] {
			if op.Kind == isa.OpJump || op.Kind == isa.OpBranch {
				if t := op.Target - f.base; t < uint64(len(f.code)) {
					f.leader[t] = true
				}
			}
		}
		off += n
	}
	for i := range f.insts[:max(0, len(f.insts)-1)] {
		in := &f.insts[i]
		if in.end > in.start && ends(f.ops[in.end-1].Kind) {
			if f.conv.Ordered {
				f.orphan(i + 1)
			} else if next := f.insts[i+1].off; !f.leader[next] {
				f.leader[next] = true
				f.orphans = append(f.orphans, next)
			}
		}
	}
}

// orphan notes that nothing seems to lead to instruction i, if it is not padding before the next
// block.
func (f *flow) orphan(i int) {
	for ; i < len(f.insts) && !f.leader[f.insts[i].off]; i++ {
		in := &f.insts[i]
		if padding(f.code[in.off : in.off+int32(in.len)]) {
			continue
		}
		f.leader[in.off] = true
		f.orphans = append(f.orphans, in.off)
		return
	}
}

// padding reports whether an instruction is what assemblers fill gaps with.
func padding(code []byte) bool {
	if len(code) == 4 && code[0] == 0x1f && code[1] == 0x20 && code[2] == 3 && code[3] == 0xd5 {
		return true // NOP of arm64
	}
	for len(code) > 1 && (code[0] == 0x66 || code[0] == 0x2e) {
		code = code[1:]
	}
	switch {
	case len(code) == 1:
		return code[0] == 0x90 || code[0] == 0xcc
	case code[0] == 0x0f:
		return code[1] == 0x1f
	case len(code) == 2: // xchg %ax, %ax
		return code[0] == 0x87 && code[1] == 0xc0
	}
	return false
}

func ends(k isa.OpKind) bool {
	return k == isa.OpJump || k == isa.OpJumpInd || k == isa.OpReturn || k == isa.OpStop
}
