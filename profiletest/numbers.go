package profiletest

import (
	"fmt"
	"slices"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// groupNumbers lists the numbers that a word stands for on an ABI: all, or those that no syscall has.
func groupNumbers(group string, arch *syscalls.Arch) []span[uint32] {
	all := ownNumbers(arch)
	if group == wordAll {
		return all
	}
	var out []span[uint32]
	for _, s := range all {
		next := uint64(s.from)
		for _, call := range arch.Syscalls() {
			nr := uint64(uint32(call.Nr))
			if nr < next || nr > uint64(s.to) {
				continue
			}
			if nr > next {
				out = append(out, span[uint32]{uint32(next), uint32(nr - 1)})
			}
			next = nr + 1
		}
		if next <= uint64(s.to) {
			out = append(out, span[uint32]{uint32(next), s.to})
		}
	}
	return out
}

// ownNumbers are the numbers that belong to an ABI. x86_64 and x32, which share a token, divide them:
// bit 30 is x32's (arch/x86/entry/common.c), but for -1, which is no call of either.
func ownNumbers(arch *syscalls.Arch) []span[uint32] {
	var out []span[uint32]
	for _, s := range []span[uint32]{{0, 1<<30 - 1}, {1 << 30, 1<<31 - 1}, {1 << 31, 3<<30 - 1}, {3 << 30, 1<<32 - 2}, {1<<32 - 1, 1<<32 - 1}} {
		if syscalls.ByAudit(arch.Audit, int32(s.from)) != arch {
			continue
		}
		if n := len(out); n > 0 && out[n-1].to+1 == s.from {
			out[n-1].to = s.to
			continue
		}
		out = append(out, s)
	}
	return out
}

// maxCuts bounds the numbers at which a filter may change its mind about a range.
const maxCuts = 1 << 14

// cuts returns the first numbers of stretches within which the filter cannot tell one number
// from another, ascending: what it compares the number with, and the number behind it. The error is
// errUndecided if it does something else with a number than compare it with constants.
func (c *compiled) cuts() ([]uint32, error) {
	out := []uint32{0}
	add := func(v uint64) {
		if v < 1<<32 {
			out = append(out, uint32(v))
		}
	}
	tainted := c.numberInA()
	for pc, in := range c.program {
		if !tainted[pc] {
			continue
		}
		switch in.Code {
		case filter.OpJeqK:
			add(uint64(in.K))
			add(uint64(in.K) + 1)
		case filter.OpJgtK:
			add(uint64(in.K) + 1)
		case filter.OpJgeK:
			add(uint64(in.K))
		case filter.OpJsetK:
			low := uint64(in.K & -in.K) // the mask looks at no bit below
			if low < 1<<20 {
				return nil, fmt.Errorf("%w: the filter tests bits of the number", errUndecided)
			}
			for v := low; v < 1<<32; v += low {
				add(v)
			}
		case filter.OpJa, filter.OpRetK, filter.OpLdAbs, filter.OpLdImm, filter.OpLdLen, filter.OpLdMem, filter.OpLdxImm, filter.OpLdxLen, filter.OpLdxMem, filter.OpTxa, filter.OpStx:
		default:
			return nil, fmt.Errorf("%w: the filter computes with the number", errUndecided)
		}
	}
	slices.Sort(out)
	if out = slices.Compact(out); len(out) > maxCuts {
		return nil, fmt.Errorf("%w: the filter compares the number with too many constants", errUndecided)
	}
	return out, nil
}

// numberInA marks the instructions before which A may hold the number of a call.
func (c *compiled) numberInA() []bool {
	p := c.program
	out := make([]bool, len(p))
	mark := func(pc int, held bool) {
		if held && pc < len(p) {
			out[pc] = true
		}
	}
	for pc, in := range p {
		held := out[pc]
		switch class := in.Code & 7; {
		case in.Code == filter.OpLdAbs:
			held = in.K == filter.OffsetNr
		case class == filter.ClassLd, in.Code == filter.OpTxa:
			held = false // a number that was stored or moved before is refused there
		case in.Code == filter.OpJa:
			mark(pc+1+int(in.K), held)
			continue
		case class == filter.ClassRet:
			continue
		case class == filter.ClassJmp:
			mark(pc+1+int(in.Jt), held)
			mark(pc+1+int(in.Jf), held)
			continue
		}
		mark(pc+1, held)
	}
	return out
}

// pieces divides a range so that the filter treats all numbers of a piece alike.
func (c *compiled) pieces(n span[uint32]) ([]span[uint32], error) {
	if n.from == n.to {
		return []span[uint32]{n}, nil
	}
	cuts, err := c.cuts()
	if err != nil {
		return nil, err
	}
	out := []span[uint32]{n}
	for _, cut := range cuts {
		if last := &out[len(out)-1]; cut > last.from && cut <= last.to {
			out = append(out, span[uint32]{cut, last.to})
			last = &out[len(out)-2]
			last.to = cut - 1
		}
	}
	return out, nil
}

// all returns the answers to a range of numbers, neighbours with the same answers as one. The
// instructions that the calls reach are noted on the way.
func (c *compiled) all(n span[uint32], arch *syscalls.Arch, conds []bound) ([]answer, error) {
	pieces, err := c.pieces(n)
	if err != nil {
		return nil, err
	}
	var out []answer
	var before []answer
	for _, piece := range pieces {
		list, err := c.answers(arch, int32(piece.from), conds)
		if err != nil {
			return nil, err
		}
		c.reach(arch, int32(piece.from), conds, list)
		if sameAnswers(before, list) {
			for i := range before {
				out[len(out)-len(before)+i].to = piece.to
			}
			continue
		}
		for i := range list {
			list[i].to = piece.to
		}
		out, before = append(out, list...), list
	}
	return out, nil
}

func sameAnswers(a, b []answer) bool {
	return len(a) > 0 && slices.EqualFunc(a, b, func(a, b answer) bool { return a.action == b.action && a.when == b.when })
}
