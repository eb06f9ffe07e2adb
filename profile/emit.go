package profile

import (
	"slices"

	"github.com/profcheck/profcheck/filter"
)

// An emitter writes a program from its end to its beginning. Jumps only go forward, so the target of
// each is already there when the jump is written, and one that is more than 255 instructions away
// gets a stepping stone right behind the jump. What was written before is not written again.
type emitter struct {
	reversed []filter.Insn
	nearest  map[target]int // the last return of an action, the last stepping stone to a place
	written  map[step]target
}

// A target is where a decision goes on: an action, or a place in the program, counted from its end
// (the last instruction is 1).
type target struct {
	place  int // 0: the action
	action filter.Action
}

// A step is an instruction with where it goes on.
type step struct {
	code    uint16
	k       uint32
	yes, no target // no is the zero target for an instruction that is no jump
}

func newEmitter() *emitter {
	return &emitter{nearest: map[target]int{}, written: map[step]target{}}
}

func leaf(a filter.Action) target { return target{action: a} }

// reach is how far a conditional jump goes.
const reach = 255

// most is how long the program may get while it is written; some of it turns out not to be needed.
const most = filter.MaxInsns + filter.MaxInsns/4

// full reports whether the program is too long to load anyway; then nothing more need be written.
func (e *emitter) full() bool { return len(e.reversed) > most }

func (e *emitter) push(code uint16, k uint32, jt, jf int) target {
	e.reversed = append(e.reversed, filter.Insn{Code: code, Jt: uint8(jt), Jf: uint8(jf), K: k})
	return target{place: len(e.reversed)}
}

// near makes a target that a jump can reach, if at most more instructions are written before it.
func (e *emitter) near(t target, more int) int {
	for _, place := range []int{t.place, e.nearest[t]} {
		if place != 0 && len(e.reversed)+more-place <= reach {
			return place
		}
	}
	var place int
	if t.place != 0 {
		place = e.push(filter.OpJa, uint32(len(e.reversed)-t.place), 0, 0).place
	} else {
		place = e.push(filter.OpRetK, uint32(t.action), 0, 0).place
	}
	e.nearest[t] = place
	return place
}

// jump writes a conditional jump. Without a difference between its ends there is nothing to write.
func (e *emitter) jump(code uint16, k uint32, yes, no target) target {
	if yes == no || e.full() {
		return yes
	}
	s := step{code, k, yes, no}
	if t, ok := e.written[s]; ok {
		return t
	}
	f := e.near(no, 1) // the stepping stone for yes may come between
	t := e.near(yes, 0)
	e.written[s] = e.push(code, k, len(e.reversed)-t, len(e.reversed)-f)
	return e.written[s]
}

// before writes an instruction that goes on to next.
func (e *emitter) before(code uint16, k uint32, next target) target {
	if e.full() {
		return next
	}
	s := step{code: code, k: k, yes: next}
	if t, ok := e.written[s]; ok {
		return t
	}
	if next.place == 0 {
		place := e.push(filter.OpRetK, uint32(next.action), 0, 0).place
		e.nearest[next] = place
	} else if next.place != len(e.reversed) {
		e.push(filter.OpJa, uint32(len(e.reversed)-next.place), 0, 0)
	}
	e.written[s] = e.push(code, k, 0, 0)
	return e.written[s]
}

// loaded returns where a target goes on for one who has the word at an offset in the accumulator
// already: past the load that it begins with.
func (e *emitter) loaded(t target, offset uint32) target {
	if t.place > 1 {
		if in := e.reversed[t.place-1]; in.Code == filter.OpLdAbs && in.K == offset {
			return target{place: t.place - 1}
		}
	}
	return t
}

// program returns what was written, beginning at the target.
func (e *emitter) program(begin target) filter.Program {
	if begin.place == 0 {
		return filter.Program{{Code: filter.OpRetK, K: uint32(begin.action)}}
	}
	p := slices.Clone(e.reversed[:begin.place])
	slices.Reverse(p)
	return pruned(p)
}

// pruned leaves out what no run reaches, and jumps that only go on to the next instruction.
func pruned(p filter.Program) filter.Program {
	used := make([]bool, len(p)+1)
	used[0] = true
	for pc, in := range p {
		if !used[pc] {
			continue
		}
		switch in.Code {
		case filter.OpRetK:
		case filter.OpJa:
			used[pc+1+int(in.K)] = true
		case filter.OpJeqK, filter.OpJgtK, filter.OpJgeK, filter.OpJsetK:
			used[pc+1+int(in.Jt)], used[pc+1+int(in.Jf)] = true, true
		default:
			used[pc+1] = true
		}
	}
	// From the end: where each instruction comes to lie, counted from there.
	place := make([]int, len(p)+1)
	count := 0
	for pc := len(p) - 1; pc >= 0; pc-- {
		in := p[pc]
		if used[pc] && in.Code == filter.OpJa && place[pc+1+int(in.K)] == count {
			used[pc] = false
		}
		if used[pc] {
			count++
		}
		place[pc] = count
	}
	out := make(filter.Program, 0, count)
	for pc, in := range p {
		if !used[pc] {
			continue
		}
		to := func(skip int) int { return place[pc] - 1 - place[pc+1+skip] }
		switch in.Code {
		case filter.OpJa:
			in.K = uint32(to(int(in.K)))
		case filter.OpJeqK, filter.OpJgtK, filter.OpJgeK, filter.OpJsetK:
			in.Jt, in.Jf = uint8(to(int(in.Jt))), uint8(to(int(in.Jf)))
		}
		out = append(out, in)
	}
	return out
}
