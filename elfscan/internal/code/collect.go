package code

import (
	"cmp"
	"slices"

	"github.com/profcheck/profcheck/elfscan/internal/isa"
)

// survey looks at what was followed since the last time: for addresses that are formed, which may be
// code, and for jump tables.
func (w *walker) survey() {
	var refs []isa.Ref
	for _, r := range w.runs {
		code := w.code(r.start, r.end)
		refs = w.mach.Survey(code, r.start, w.lo, w.hi, refs[:0])
		_, w.maybe = w.targets(refs, nil, w.maybe)
		for i := range refs {
			if k := refs[i].Kind; k == isa.RefAddr {
				if g := w.gap(refs[i].Target); g != nil && g.fn < 0 {
					w.maybe = append(w.maybe, refs[i].Target)
				}
			} else if k == isa.RefJumpInd {
				at := refs[i].At
				t, ok := w.table(code[:at-r.start], r.start, code[at-r.start:])
				if ok {
					w.stack = w.entries(t, r.start, w.stack)
				}
			}
		}
	}
	w.runs = w.runs[:0]
}

// collect makes functions of what was reached and puts them between the others.
func (w *walker) collect() {
	slices.Sort(w.starts)
	w.starts = slices.Compact(w.starts)
	w.split()
	shard := int32(len(w.shards))
	var refs []isa.Ref
	var found []function
	for i := range w.gaps {
		g := &w.gaps[i]
		switch {
		case g.opaque:
		case g.fn >= 0:
			fn := &w.funcs[g.fn]
			fn.shard, fn.first = shard, uint32(len(refs))
			refs = w.marked(g, fn.start, fn.end, refs)
			fn.n = uint32(len(refs)) - fn.first
			fn.flags, fn.jumps = fn.flags&Stub, false
			fn.note(refs[fn.first:])
		case g.marks != nil:
			refs, found = w.inGapFunctions(g, shard, refs, found)
		}
	}
	w.shards = append(w.shards, refs)
	w.funcs = append(w.funcs, found...)
	slices.SortFunc(w.funcs, func(a, b function) int { return cmp.Compare(a.start, b.start) })
	for i := range w.funcs {
		w.funcs[i].fallsOut(w.funcs[i+1:])
	}
}

// fallsOut sets the flag of a function that goes on to what lies behind. A system call that ends a
// function is one that does not return (exit, rt_sigreturn), unless the code goes on right there.
func (fn *function) fallsOut(rest []function) {
	if len(rest) == 0 {
		return
	}
	adjacent := rest[0].start == fn.end
	switch fn.falls {
	case falls:
		fn.flags |= FallsOut
	case fallsPadding:
		fn.flags |= FallsOut
	case endsSyscall:
		if adjacent && rest[0].start&15 != 0 {
			fn.flags |= FallsOut
		}
	}
}

// inGapFunctions makes functions of the marked bytes of a gap: one from each start to the next. What
// is marked before the first start belongs to the function before the gap, which goes on here.
func (w *walker) inGapFunctions(g *gap, shard int32, refs []isa.Ref, found []function) ([]isa.Ref, []function) {
	k, _ := slices.BinarySearch(w.starts, g.start)
	limit := g.end
	if k < len(w.starts) {
		limit = min(limit, w.starts[k])
	}
	if g.start < limit && g.marks[0] == head {
		if fn := w.before(g.start); fn != nil {
			refs = w.extend(fn, g, limit, shard, refs)
		}
	}
	for ; k < len(w.starts) && w.starts[k] < g.end; k++ {
		fn := function{start: w.starts[k], end: g.end, flags: Guessed, shard: shard, first: uint32(len(refs)), walked: true}
		if k+1 < len(w.starts) {
			fn.end = min(fn.end, w.starts[k+1])
		}
		limit := fn.end
		fn.end = w.reached(g, fn.start, fn.end)
		if fn.end == fn.start {
			continue
		}
		refs = w.marked(g, fn.start, fn.end, refs)
		fn.n = uint32(len(refs)) - fn.first
		fn.note(refs[fn.first:])
		if fn.falls = w.last(g, fn.end); fn.end != limit {
			fn.falls = ends
		}
		found = append(found, fn)
	}
	return refs, found
}

// before returns the function that ends at addr.
func (w *walker) before(addr uint64) *function {
	i, _ := slices.BinarySearchFunc(w.funcs, addr, func(f function, a uint64) int { return cmp.Compare(f.start, a) })
	if i > 0 && w.funcs[i-1].end == addr {
		return &w.funcs[i-1]
	}
	return nil
}

// extend adds to a function what is marked behind it, up to limit.
func (w *walker) extend(fn *function, g *gap, limit uint64, shard int32, refs []isa.Ref) []isa.Ref {
	first := uint32(len(refs))
	refs = append(refs, w.shardRefs(fn, shard, refs)...)
	fn.end = w.reached(g, g.start, limit)
	refs = w.marked(g, g.start, fn.end, refs)
	fn.shard, fn.first, fn.n = shard, first, uint32(len(refs))-first
	fn.note(refs[first:])
	if fn.falls = w.last(g, fn.end); fn.end != limit {
		fn.falls = ends
	}
	return refs
}

// shardRefs returns the references of a function; own are those of the shard that is being made.
func (w *walker) shardRefs(fn *function, shard int32, own []isa.Ref) []isa.Ref {
	if fn.shard == shard {
		return own[fn.first : fn.first+fn.n]
	}
	return w.refsOf(fn)
}

// reached returns the end of what is marked between start and end, start if nothing is.
func (w *walker) reached(g *gap, start, end uint64) uint64 {
	for end > start && !g.marks[end-1-g.start].code() {
		end--
	}
	return end
}

func (m mark) code() bool { return m == head || m == tail }

// last tells how the marked code goes on that ends at end, without regard to padding at its end.
func (w *walker) last(g *gap, end uint64) ending {
	padded := false
	for at := end - g.start; ; {
		for at > 0 && g.marks[at-1] == tail {
			at--
		}
		if at == 0 || g.marks[at-1] != head {
			return ends
		}
		at--
		ops, n := w.mach.Decode(g.data[at:], g.start+at, w.ops[:0])
		switch e := endingOf(ops); {
		case n == 0: // an instruction that is not known
			return falls
		case w.padding(g.data[at : at+uint64(n)]):
			padded = true
		case padded && e == falls:
			return fallsPadding
		case e == endsSyscall && ops[len(ops)-1].Kind == isa.OpSyscall && w.exits(g, g.start+at):
			return ends
		default:
			return e
		}
	}
}

// marked appends the references of the marked instructions from start to end.
func (w *walker) marked(g *gap, start, end uint64, refs []isa.Ref) []isa.Ref {
	if g.marks == nil {
		return refs
	}
	if w.mach != isa.AMD64 {
		first := len(refs)
		refs = w.mach.Survey(g.data[start-g.start:end-g.start], start, 0, 0, refs)
		kept := slices.DeleteFunc(refs[first:], func(r isa.Ref) bool { return g.marks[r.At-g.start] != head })
		return refs[:first+len(kept)]
	}
	for at := start; at < end; {
		if !g.marks[at-g.start].code() {
			at++
			continue
		}
		from := at
		for at < end && g.marks[at-g.start].code() {
			at++
		}
		refs = w.mach.Survey(g.data[from-g.start:at-g.start], from, w.lo, w.hi, refs)
	}
	return refs
}

// split makes further functions begin at the targets of jumps between functions, unless the code
// before goes on to them: a piece that several functions share, or a function that is never called
// but only jumped to at the end of others.
func (w *walker) split() {
	slices.SortFunc(w.jumps, func(a, b jump) int { return cmp.Compare(a.to, b.to) })
	w.jumps = slices.CompactFunc(w.jumps, func(a, b jump) bool {
		return a.to == b.to && w.owner(a.from) == w.owner(b.from)
	})
	for range 8 {
		var more []uint64
		for _, j := range w.jumps {
			g := w.gap(j.to)
			if g == nil || g.fn >= 0 || w.owner(j.from) == w.owner(j.to) || w.fallenInto(g, j.to) {
				continue
			}
			if _, ok := slices.BinarySearch(w.starts, j.to); !ok {
				more = append(more, j.to)
			}
		}
		if len(more) == 0 {
			return
		}
		w.starts = append(w.starts, more...)
		slices.Sort(w.starts)
		w.starts = slices.Compact(w.starts)
	}
}

// owner tells apart the functions of gaps: by the last start at or before addr, and by the gap.
func (w *walker) owner(addr uint64) [2]uint64 {
	g := w.gap(addr)
	if g == nil {
		return [2]uint64{}
	}
	k, ok := slices.BinarySearch(w.starts, addr)
	if !ok {
		k--
	}
	if k < 0 || w.starts[k] < g.start {
		return [2]uint64{g.start, 0}
	}
	return [2]uint64{g.start, w.starts[k]}
}

// fallenInto reports whether the instruction before addr goes on to it.
func (w *walker) fallenInto(g *gap, addr uint64) bool {
	if addr == g.start {
		fn := w.before(addr)
		return fn != nil && (fn.falls == falls || fn.falls == endsSyscall)
	}
	return g.marks[addr-1-g.start].code() && w.last(g, addr) != ends
}
