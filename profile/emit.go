package profile

import (
	"math"
	"slices"

	"github.com/profcheck/profcheck/filter"
)

// An emitter writes a program from its end to its beginning. Jumps only go forward, so the target of
// each is already there when the jump is written, and one that is more than 255 instructions away
// gets a stepping stone right behind the jump.
type emitter struct {
	reversed []filter.Insn
	returns  map[filter.Action]int // position of the last return of each action
}

// A target is where a decision goes on: an action, or a place in the program, counted from its end
// (the last instruction is 1).
type target struct {
	place  int // 0: the action
	action filter.Action
}

func leaf(a filter.Action) target { return target{action: a} }

// reach is how far a conditional jump goes.
const reach = 255

// full reports whether the program is too long to load anyway; then nothing more need be written.
func (e *emitter) full() bool { return len(e.reversed) > filter.MaxInsns }

func (e *emitter) push(code uint16, k uint32, jt, jf int) target {
	e.reversed = append(e.reversed, filter.Insn{Code: code, Jt: uint8(jt), Jf: uint8(jf), K: k})
	return target{place: len(e.reversed)}
}

// near makes a target that a jump can reach, if at most more instructions are written before it.
func (e *emitter) near(t target, more int) int {
	place := t.place
	if place == 0 {
		place = e.returns[t.action]
	}
	if place != 0 && len(e.reversed)+more-place <= reach {
		return place
	}
	if t.place != 0 {
		return e.push(filter.OpJa, uint32(len(e.reversed)-place), 0, 0).place
	}
	place = e.push(filter.OpRetK, uint32(t.action), 0, 0).place
	e.returns[t.action] = place
	return place
}

// jump writes a conditional jump. Without a difference between its ends there is nothing to write.
func (e *emitter) jump(code uint16, k uint32, yes, no target) target {
	if yes == no || e.full() {
		return yes
	}
	f := e.near(no, 1) // the stepping stone for yes may come between
	t := e.near(yes, 0)
	return e.push(code, k, len(e.reversed)-t, len(e.reversed)-f)
}

// before writes an instruction that goes on to next.
func (e *emitter) before(code uint16, k uint32, next target) target {
	if e.full() {
		return next
	}
	if next.place == 0 {
		next = e.push(filter.OpRetK, uint32(next.action), 0, 0)
		e.returns[next.action] = next.place
	} else if next.place != len(e.reversed) {
		e.push(filter.OpJa, uint32(len(e.reversed)-next.place), 0, 0)
	}
	return e.push(code, k, 0, 0)
}

// program returns what was written, beginning at the target.
func (e *emitter) program(begin target) filter.Program {
	if begin.place == 0 {
		return filter.Program{{Code: filter.OpRetK, K: uint32(begin.action)}}
	}
	// The beginning is what was written last, but for stones that nothing needs any more.
	p := slices.Clone(e.reversed[:begin.place])
	slices.Reverse(p)
	return p
}

// A piece is a stretch of values, from start to the next piece's, that have one answer: an action,
// or what write produces.
type piece struct {
	start  uint32
	action filter.Action
	write  func() target // nil: action
}

func (p piece) same(q piece) bool { return p.write == nil && q.write == nil && p.action == q.action }

func (p piece) target() target {
	if p.write != nil {
		return p.write()
	}
	return leaf(p.action)
}

// merged joins neighbours with the same answer.
func merged(pieces []piece) []piece {
	var out []piece
	for _, p := range pieces {
		if len(out) == 0 || !out[len(out)-1].same(p) {
			out = append(out, p)
		}
	}
	return out
}

// search writes a balanced search for the value in the accumulator.
func (e *emitter) search(pieces []piece) target {
	switch n := len(pieces); {
	case n == 1 || e.full():
		return pieces[0].target()
	case n == 2 && pieces[1].start == math.MaxUint32:
		no, yes := pieces[0].target(), pieces[1].target()
		return e.jump(filter.OpJeqK, pieces[1].start, yes, no)
	case n == 3 && pieces[0].same(pieces[2]) && pieces[2].start-pieces[1].start == 1:
		no, yes := pieces[0].target(), pieces[1].target()
		return e.jump(filter.OpJeqK, pieces[1].start, yes, no)
	}
	mid := len(pieces) / 2
	above := e.search(pieces[mid:])
	below := e.search(pieces[:mid])
	return e.jump(filter.OpJgeK, pieces[mid].start, above, below)
}
