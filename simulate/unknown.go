package simulate

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strings"

	"github.com/profcheck/profcheck/filter"
)

// String returns "unknown (the filter has too many paths): ALLOW or ERRNO(1)".
func (u *Unknown) String() string {
	var parts []string
	for _, a := range u.Actions {
		parts = append(parts, a.String())
	}
	if u.Any {
		parts = append(parts, "any other")
	}
	return fmt.Sprintf("unknown (%s): %s", u.Reason, strings.Join(parts, " or "))
}

func spanString(from, to uint32) string {
	if from == to {
		return fmt.Sprint(from)
	}
	return fmt.Sprintf("%d..%d", from, to)
}

// actionSet is a set of actions; any says that others may be in it too.
type actionSet struct {
	in  map[filter.Action]bool
	any bool
}

func (s *actionSet) add(a filter.Action) {
	if s.in == nil {
		s.in = map[filter.Action]bool{}
	}
	s.in[a] = true
}

// folded is what the kernel may have after one more filter whose answers are in the set.
func (s actionSet) folded(with actionSet) actionSet {
	if len(with.in) == 0 && !with.any {
		return s
	}
	// An answer comes through if some other is not stronger.
	r := actionSet{any: s.any || with.any}
	for a := range s.in {
		for b := range with.in {
			if fold(a, b) == a {
				r.add(a)
				break
			}
		}
		if with.any {
			r.add(a)
		}
	}
	for b := range with.in {
		for a := range s.in {
			if fold(a, b) == b {
				r.add(b)
				break
			}
		}
		if s.any {
			r.add(b)
		}
	}
	return r
}

// sorted returns the actions, the strictest first.
func (s actionSet) sorted() []filter.Action {
	return slices.SortedFunc(maps.Keys(s.in), func(a, b filter.Action) int {
		return cmp.Or(cmp.Compare(int32(a.Base()), int32(b.Base())), cmp.Compare(a, b))
	})
}

// tails is what can come out of paths that were lost.
type tails struct {
	reason string
	answer [2]actionSet
}

// tailsOf returns what can come out of lost paths, each computed once.
func (a *analysis) tailsOf(lost []lostPath) *tails {
	a.key = a.key[:0]
	for _, l := range lost {
		a.key = binary.BigEndian.AppendUint64(a.key, a.id(l.path))
	}
	key := string(a.key)
	t, ok := a.byLost[key]
	if !ok {
		t = a.newTails(lost)
		a.byLost[key] = t
	}
	return t
}

// A sketch is what all paths at an instruction have in common. Values that differ are obscure.
type sketch struct {
	reached bool
	a, x    value
	m       memory
}

// obscure is a value of which nothing is known. Every computation with it gives it again.
var obscure = value{node: &node{size: maxSize + 1, deps: 1<<subjects - 1}}

// newTails passes once over the code, in its order, from where the paths are. At each instruction it
// keeps one state, the common part of those of all paths: the work is that of one path through the
// longest way. It is sound, because every path that is there is in that state.
func (a *analysis) newTails(lost []lostPath) *tails {
	t := &tails{reason: lost[0].reason}
	states := make([]sketch, len(a.code)+1)
	var numbers set
	entry := map[int32][2]actionSet{} // by first instruction of a unit
	for _, l := range lost {
		numbers = append(numbers, l.numbers...)
		states[l.pc].meet(sketchOf(l.path))
	}
	numbers = normal(numbers)
	for first := int32(0); first < int32(len(a.code)); {
		end := a.unitEnd(first)
		sofar := entry[first]
		for _, l := range lost {
			if l.pc >= first && l.pc < end {
				sofar[0].add(l.answer[0])
				sofar[1].add(l.answer[1])
			}
		}
		returned, sides := a.sketchUnit(states, first, end, numbers)
		for side := range sofar {
			if sides>>side&1 != 0 {
				sofar[side] = sofar[side].folded(returned)
			}
		}
		entry[end] = sofar
		first = end
	}
	t.answer = entry[int32(len(a.code))]
	for _, l := range lost {
		if l.pc == int32(len(a.code)) {
			t.answer[0].add(l.answer[0])
			t.answer[1].add(l.answer[1])
		}
	}
	return t
}

// unitEnd returns where the unit that starts at an instruction ends: where its returns go on.
func (a *analysis) unitEnd(first int32) int32 {
	for _, in := range a.code[first:] {
		if in.code == filter.OpRetK || in.code == filter.OpRetA {
			return in.next
		}
	}
	return int32(len(a.code))
}

func sketchOf(s *path) sketch {
	r := sketch{reached: true, a: s.a, x: s.x}
	if s.m != nil {
		r.m = *s.m
	}
	return r
}

// meet keeps what two states have in common.
func (s *sketch) meet(t sketch) {
	if !s.reached {
		*s = t
		return
	}
	common := func(v *value, w value) {
		if !v.same(w) {
			*v = obscure
		}
	}
	common(&s.a, t.a)
	common(&s.x, t.x)
	for i := range s.m {
		common(&s.m[i], t.m[i])
	}
}

// sketchUnit passes over one unit and returns what it may return.
func (a *analysis) sketchUnit(states []sketch, first, end int32, numbers set) (returned actionSet, sides uint8) {
	quit := func(s sketch, in *instr) {
		sides = in.sides
		states[end].meet(sketch{reached: true})
	}
	for pc := first; pc < end; pc++ {
		s, in := states[pc], &a.code[pc]
		if !s.reached {
			continue
		}
		operand := constant(in.k)
		if in.code&filter.SrcX != 0 {
			operand = s.x
		}
		switch in.code {
		case filter.OpLdAbs:
			s.a = a.words[in.k>>2&15]
		case opLoadSymbol:
			s.a = a.symbols[in.k%symbols]
		case filter.OpLdLen:
			s.a = constant(filter.DataSize)
		case filter.OpLdxLen:
			s.x = constant(filter.DataSize)
		case filter.OpLdImm:
			s.a = constant(in.k)
		case filter.OpLdxImm:
			s.x = constant(in.k)
		case filter.OpLdMem:
			s.a = s.m[in.k%filter.MemWords]
		case filter.OpLdxMem:
			s.x = s.m[in.k%filter.MemWords]
		case filter.OpSt:
			s.m[in.k%filter.MemWords] = s.a
		case filter.OpStx:
			s.m[in.k%filter.MemWords] = s.x
		case filter.OpTax:
			s.x = s.a
		case filter.OpTxa:
			s.a = s.x
		case filter.OpJa:
		case filter.OpRetK:
			returned.add(filter.Action(in.k))
			quit(s, in)
			continue
		case filter.OpRetA:
			s.a.returnedInto(&returned)
			quit(s, in)
			continue
		case filter.OpJeqK, filter.OpJgtK, filter.OpJgeK, filter.OpJsetK,
			filter.OpJeqX, filter.OpJgtX, filter.OpJgeX, filter.OpJsetX:
			can, cannot := s.goes(in, operand, numbers)
			if can {
				states[in.jt].meet(s)
			}
			if cannot {
				states[in.next].meet(s)
			}
			continue
		case filter.OpDivX:
			if !operand.isConst() || operand.xor == 0 {
				returned.add(filter.KillThread)
				quit(s, in.quit())
			}
			if operand.isConst() && operand.xor == 0 {
				continue
			}
			s.a = sketched(in.code, s.a, operand)
		default:
			s.a = sketched(in.code, s.a, operand)
		}
		states[in.next].meet(s)
	}
	return returned, sides
}

// sketched computes an operation if the result is short.
func sketched(code uint16, a, b value) value {
	if a.size()+b.size() >= maxSize {
		return obscure
	}
	return apply(code, a, b)
}

// goes tells which ways a conditional jump may go.
func (s *sketch) goes(in *instr, operand value, numbers set) (can, cannot bool) {
	left, op, right := s.a, relation(in.code), operand
	jset := in.code&^filter.SrcX == filter.OpJsetK
	if jset {
		left, right = sketched(filter.OpAndK, s.a, operand), constant(0)
	}
	if left.size()+right.size() > maxSize {
		return true, true
	}
	q, decided, holds, err := ask(left, op, right)
	switch {
	case err != nil:
		return true, true
	case decided:
		can, cannot = holds, !holds
	default:
		can, cannot = true, true
		k := knowledge{numbers: slices.Clone(numbers), meter: &meter{maxWork}}
		if yes, no, ok := q.ofNumber(&k); ok {
			can, cannot = len(yes) > 0, len(no) > 0
		}
	}
	if jset {
		can, cannot = cannot, can
	}
	return can, cannot
}

// returnedInto adds the actions that a returned value can be.
func (v value) returnedInto(s *actionSet) {
	if v.node != nil || bits.OnesCount32(v.mask) > maxFree {
		s.any = true
		return
	}
	for sub := uint32(0); ; {
		s.add(filter.Action(sub ^ v.xor))
		if sub = (sub - v.mask) & v.mask; sub == 0 {
			return
		}
	}
}

// unknown tells what is known of a piece with lost paths, or with too many that ended. If all that
// can come out is the same, that is everything.
func (a *analysis) unknown(p piece) ([]Region, *Unknown) {
	t := &tails{reason: tooManyEnds}
	if len(p.lost) > 0 {
		t = a.tailsOf(p.lost)
	}
	all := actionSet{any: t.answer[0].any}
	for action := range t.answer[0].in {
		all.add(action)
	}
	for _, l := range p.leaves {
		all.add(l.answer[0])
	}
	if len(all.in) == 1 && !all.any {
		return []Region{{Action: all.sorted()[0]}}, nil
	}
	var known []Region
	if a.afford(p.leaves) {
		for _, c := range a.cells(p.leaves) {
			known = append(known, Region{c.answer[0], a.conditions(c)})
		}
		sortRegions(known)
	}
	return known, &Unknown{Reason: t.reason, Actions: all.sorted(), Any: all.any}
}
