package profile

import (
	"encoding/binary"
	"slices"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// holds says what is in A before an instruction, over all ways that lead to it.
type holds uint8

const (
	holdsNothing holds = iota // no way leads there
	holdsArch                 // the word arch on all ways
	holdsOther
)

// TestedArches returns the architectures of a byte order whose tokens a filter compares the word
// arch with, in the order in which it does. Jumps only go forward, so that one pass sees all ways to an
// instruction before it.
func TestedArches(p filter.Program, order binary.ByteOrder) (out []*syscalls.Arch) {
	state := make([]holds, len(p)+1)
	join := func(pc uint64, h holds) {
		if pc >= uint64(len(p)) {
			return
		}
		if state[pc] == holdsNothing {
			state[pc] = h
		} else if state[pc] != h {
			state[pc] = holdsOther
		}
	}
	state[0] = holdsOther
	var tokens []uint32
	for pc, in := range p {
		h := state[pc]
		if h == holdsNothing {
			continue
		}
		next := uint64(pc) + 1
		switch in.Code & 7 {
		case filter.ClassRet:
			continue
		case filter.ClassJmp:
			if in.Code == filter.OpJa {
				join(next+uint64(in.K), h)
				continue
			}
			if in.Code == filter.OpJeqK && h == holdsArch {
				tokens = append(tokens, in.K)
			}
			join(next+uint64(in.Jt), h)
			join(next+uint64(in.Jf), h)
			continue
		case filter.ClassLd:
			h = holdsOther
			if in.Code == filter.OpLdAbs && in.K == filter.OffsetArch {
				h = holdsArch
			}
		case filter.ClassAlu:
			h = holdsOther
		case filter.ClassMisc:
			if in.Code == filter.OpTxa {
				h = holdsOther
			}
		}
		join(next, h)
	}
	for _, t := range tokens {
		for _, a := range syscalls.Arches() {
			if a.BigEndian == filter.IsBigEndian(order) && a.Audit == t && !slices.Contains(out, a) {
				out = append(out, a)
			}
		}
	}
	return out
}
