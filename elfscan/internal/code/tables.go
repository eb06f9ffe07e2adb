package code

import (
	"cmp"
	"slices"

	"github.com/profcheck/profcheck/elfscan/internal/isa"
)

// tables looks at the computed jumps of all functions. Those that read a jump table are not
// indirect; entries that lead out of the function, to its cold part, are jumps.
func (x *extractor) tables() {
	var todo []int
	for i := range x.funcs {
		if x.funcs[i].jumps {
			todo = append(todo, i)
		}
	}
	const part = 64
	extra := make([][]Ref, (len(todo)+part-1)/part)
	each(len(extra), func(k int) {
		for _, i := range todo[k*part : min(len(todo), k*part+part)] {
			extra[k] = x.tablesOf(&x.funcs[i], extra[k])
		}
	})
	for _, e := range extra {
		x.extra = append(x.extra, e...)
	}
}

// windowBytes is how far before a computed jump its table is looked for, at least.
const windowBytes = 96

// tablesOf does that for one function.
func (x *extractor) tablesOf(fn *function, extra []Ref) []Ref {
	refs := x.refsOf(fn)
	code := x.code(fn.start, fn.end)
	for i := range refs {
		if refs[i].Kind != isa.RefJumpInd {
			continue
		}
		at, from := refs[i].At, fn.start
		for k := i - 1; k >= 0; k-- {
			if refs[k].At+windowBytes <= at {
				from = refs[k].At
				break
			}
		}
		t, ok := x.table(code[from-fn.start:at-fn.start], from, code[at-fn.start:])
		found := false
		if ok {
			extra, found = x.confirm(fn, refs, t, at, extra)
		}
		if !found {
			fn.flags |= HasIndirect
		}
	}
	return extra
}

// confirm looks for the table of a jump at address at: where the code says, or else at any address
// that the function forms. It marks the table and appends the jumps out of the function.
func (x *extractor) confirm(fn *function, refs []isa.Ref, t jumpTable, at uint64, extra []Ref) ([]Ref, bool) {
	if t.size < 4 {
		// Entries of one or two bytes reach no other function.
		return extra, t.base-fn.start < fn.end-fn.start
	}
	found := false
	for i := range refs {
		r := &refs[i]
		if r.Kind != isa.RefAddr && r.Kind != refTable || t.at != 0 && r.Target != t.at || r.Target&3 != 0 && x.mach != isa.AMD64 {
			continue
		}
		c := t
		c.at = r.Target
		if c.base == 0 && !c.whole {
			c.base, c.signed = c.at, true
		}
		if n := x.own(fn, &c); n > 0 {
			extra = x.leaving(fn, &c, at, extra)
			r.Kind = refTable
			found = true
		}
	}
	return extra, found
}

// own reports how many of a table's first two entries lead into the function.
func (x *extractor) own(fn *function, t *jumpTable) int {
	n := 0
	for i := range 2 {
		if to, ok := x.entry(t, i); ok && to-fn.start < fn.end-fn.start {
			n++
		}
	}
	return n
}

// leaving appends the jumps out of the function that a table's entries make. The table ends where
// an entry leads to no code, or out of the function behind the beginning of another object.
func (x *extractor) leaving(fn *function, t *jumpTable, at uint64, extra []Ref) []Ref {
	k, _ := slices.BinarySearch(x.data, t.at+1)
	for i := range tableLimit {
		to, ok := x.entry(t, i)
		if !ok {
			break
		}
		if to-fn.start < fn.end-fn.start {
			continue
		}
		if k < len(x.data) && t.at+uint64(i)*uint64(t.size) >= x.data[k] {
			break
		}
		ref := Ref{At: at, Target: to, Kind: Jump}
		if n := len(extra); n == 0 || extra[n-1] != ref {
			extra = append(extra, ref)
		}
	}
	return extra
}

// compareRefs orders references by place, then target.
func compareRefs(a, b Ref) int {
	return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Target, b.Target))
}
