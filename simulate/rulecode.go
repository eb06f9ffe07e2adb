package simulate

import (
	"encoding/binary"

	"github.com/profcheck/profcheck/filter"
)

// A ruleCoder writes rules as code that does what they say, word by word: a search for the token
// and the number, and behind all of it one body for each list of cases that differs from the others.
type ruleCoder struct {
	code   []instr
	bodies []body
	byKey  map[string]int32
	key    []byte
}

// A body is what happens within a stretch.
type body struct {
	cases []filter.Case
	other filter.Action
}

// A place is where a jump goes: an instruction, or, if negative, the body number -1-place.
type place = int32

func (b *ruleCoder) rules(r *filter.Rules) {
	start := len(b.code)
	b.byKey = map[string]int32{}
	b.emit(instr{code: opLoadSymbol, k: uint32(tokenSymbol)})
	for _, t := range r.Tokens {
		at := b.emit(instr{code: filter.OpJeqK, k: t.Arch})
		b.code[at].jt = b.numbers(t.Stretches)
		b.code[at].next = int32(len(b.code))
	}
	last := b.emit(instr{code: filter.OpJa})
	b.code[last].next = b.body(nil, r.Other)
	places := make([]int32, len(b.bodies))
	for i, body := range b.bodies {
		places[i] = int32(len(b.code))
		b.write(body)
	}
	for i := range b.code[start:] {
		in := &b.code[start+i]
		if in.next < 0 {
			in.next = places[-1-in.next]
		}
		if in.jt < 0 {
			in.jt = places[-1-in.jt]
		}
		if in.code == opLoadSymbol || in.code == filter.OpAndK {
			in.next = int32(start + i + 1)
		}
	}
}

func (b *ruleCoder) emit(in instr) int32 {
	b.code = append(b.code, in)
	return int32(len(b.code) - 1)
}

// numbers writes the search for the stretch of a number.
func (b *ruleCoder) numbers(stretches []filter.Stretch) place {
	type piece struct {
		from uint32
		to   place
	}
	var pieces []piece
	for _, s := range stretches {
		to := b.body(s.Cases, s.Else)
		if n := len(pieces); n == 0 || pieces[n-1].to != to {
			pieces = append(pieces, piece{s.From, to})
		}
	}
	if len(pieces) == 1 {
		return pieces[0].to
	}
	at := b.emit(instr{code: opLoadSymbol, k: uint32(numberSymbol)})
	var search func(list []piece) place
	search = func(list []piece) place {
		if len(list) == 1 {
			return list[0].to
		}
		middle := len(list) / 2
		at := b.emit(instr{code: filter.OpJgeK, k: list[middle].from})
		below := search(list[:middle])
		above := search(list[middle:])
		b.code[at].next, b.code[at].jt = below, above
		return at
	}
	search(pieces)
	return at
}

// body names a body; equal ones are one.
func (b *ruleCoder) body(cases []filter.Case, other filter.Action) place {
	k := b.key[:0]
	for i, c := range cases {
		if len(c.Tests) == 0 { // the cases behind are never asked
			cases, other = cases[:i], c.Action
			break
		}
	}
	for _, c := range cases {
		k = binary.BigEndian.AppendUint32(append(k, byte(len(c.Tests))), uint32(c.Action))
		for _, t := range c.Tests {
			k = append(k, byte(t.Arg), byte(t.Op))
			k = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(k, t.Mask), t.Value)
		}
	}
	k = binary.BigEndian.AppendUint32(k, uint32(other))
	b.key = k
	i, ok := b.byKey[string(k)]
	if !ok {
		i = int32(len(b.bodies))
		b.byKey[string(k)] = i
		b.bodies = append(b.bodies, body{cases, other})
	}
	return -1 - i
}

// write writes a body: case after case, each of which goes on with the next where a test fails.
func (b *ruleCoder) write(body body) {
	for _, c := range body.cases {
		var fails []int32
		for _, t := range c.Tests {
			fails = append(fails, b.test(t)...)
		}
		b.emit(instr{code: filter.OpRetK, k: uint32(c.Action)})
		b.point(fails)
	}
	b.emit(instr{code: filter.OpRetK, k: uint32(body.other)})
}

// point makes open ways go on at the end of the code.
func (b *ruleCoder) point(open []int32) {
	for _, i := range open {
		if i < 0 {
			b.code[-1-i].jt = int32(len(b.code))
		} else {
			b.code[i].next = int32(len(b.code))
		}
	}
}

var testCodes = map[filter.TestOp]uint16{
	filter.TestEq: filter.OpJeqK, filter.TestGt: filter.OpJgtK, filter.TestGe: filter.OpJgeK,
}

// test writes a test, which goes on behind it where it holds. It returns the jumps whose other way
// is open: -1-i stands for the true way of instruction i, i for its false way.
func (b *ruleCoder) test(t filter.Test) (open []int32) {
	op, swapped := t.Op, false
	switch op { // the others are the opposite of one of these
	case filter.TestNe:
		op, swapped = filter.TestEq, true
	case filter.TestLe:
		op, swapped = filter.TestGt, true
	case filter.TestLt:
		op, swapped = filter.TestGe, true
	}
	var yes, no []int32
	load := func(half int) {
		b.emit(instr{code: opLoadSymbol, k: uint32(2*t.Arg + half)})
		if mask := uint32(t.Mask >> (32 * half)); mask != max32 {
			b.emit(instr{code: filter.OpAndK, k: mask})
		}
	}
	hi, lo := uint32(t.Value>>32), uint32(t.Value)
	load(1)
	if op != filter.TestEq {
		at := b.emit(instr{code: filter.OpJgtK, k: hi})
		b.code[at].next = at + 1
		yes = append(yes, -1-at)
	}
	at := b.emit(instr{code: filter.OpJeqK, k: hi})
	b.code[at].jt = at + 1
	no = append(no, at)
	load(0)
	at = b.emit(instr{code: testCodes[op], k: lo})
	yes, no = append(yes, -1-at), append(no, at)
	if swapped {
		yes, no = no, yes
	}
	b.point(yes)
	return no
}
