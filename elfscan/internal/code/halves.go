package code

import (
	"cmp"
	"slices"
	"sort"

	"github.com/profcheck/profcheck/elfscan/internal/isa"
)

// maxHalves bounds the functions that are cut in two.
const maxHalves = 1 << 12

// halve cuts functions whose bounds were guessed where another function calls or jumps to their
// middle, if no jump leads from one half to the other: these are two functions. Without symbols and
// frame descriptions, as in musl, nothing else tells where the second begins.
func (x *extractor) halve(f *Facts) {
	at := f.middles()
	if len(at) == 0 || len(at) > maxHalves {
		return
	}
	funcs := make([]Func, 0, len(f.Funcs)+len(at))
	for _, fn := range f.Funcs {
		for len(at) > 0 && at[0] <= fn.Start {
			at = at[1:]
		}
		for len(at) > 0 && at[0] < fn.End {
			if x.apart(fn.Start, at[0], fn.End) {
				first, rest := parts(f.Refs, fn, at[0])
				if x.goesOn(first) {
					first.Flags |= FallsOut
				}
				funcs = append(funcs, first)
				fn = rest
			}
			at = at[1:]
		}
		funcs = append(funcs, fn)
	}
	f.Funcs = funcs
}

// middles returns where functions call or jump to the middle of others whose bounds were guessed.
func (f *Facts) middles() []uint64 {
	var guessed []Func // few, beside the calls
	for i := range f.Funcs {
		if f.Funcs[i].Flags&Guessed != 0 {
			guessed = append(guessed, f.Funcs[i])
		}
	}
	if len(guessed) == 0 {
		return nil
	}
	low, high := guessed[0].Start, guessed[len(guessed)-1].End
	var at []uint64
	for i := range f.Funcs {
		fn := &f.Funcs[i]
		refs := f.Refs[fn.First : fn.First+fn.N]
		for k := range refs {
			to := refs[k].Target
			if refs[k].Kind > Jump || to < low || to >= high || to-fn.Start < fn.End-fn.Start {
				continue
			}
			n, begins := slices.BinarySearchFunc(guessed, to, func(o Func, a uint64) int { return cmp.Compare(o.Start, a) })
			if !begins && n > 0 && to < guessed[n-1].End {
				at = append(at, to)
			}
		}
	}
	slices.Sort(at)
	return slices.Compact(at)
}

// apart reports whether no jump leads from one side of at to the other between start and end.
func (x *extractor) apart(start, at, end uint64) bool {
	a, b := x.code(start, at), x.code(at, end)
	if a == nil || b == nil {
		return false
	}
	var refs []isa.Ref
	refs = x.mach.Scan(a, start, refs)
	refs = x.mach.Scan(b, at, refs)
	return !slices.ContainsFunc(refs, func(r isa.Ref) bool {
		return r.Kind == isa.RefBad || r.Kind == isa.RefJump && r.Target != at && r.Target >= start && r.Target < end
	})
}

// goesOn reports whether the first half of a function may run into the second.
func (x *extractor) goesOn(fn Func) bool {
	code := x.code(fn.Start, fn.End)
	e, _ := x.ending(code, fn.Start, nil)
	return e != ends && (e != endsSyscall || !x.exits(code, fn.Start))
}

// parts cuts fn and its references at an address.
func parts(refs []Ref, fn Func, at uint64) (first, rest Func) {
	n := uint32(sort.Search(int(fn.N), func(i int) bool { return refs[int(fn.First)+i].At >= at }))
	first, rest = fn, fn
	first.End, first.N = at, n
	rest.Start, rest.First, rest.N = at, fn.First+n, fn.N-n
	first.Flags &^= FallsOut
	for _, p := range []*Func{&first, &rest} {
		p.Flags &^= HasSyscall
		for _, r := range refs[p.First : p.First+p.N] {
			if r.Kind == Syscall || r.Kind == Compat {
				p.Flags |= HasSyscall
			}
		}
	}
	return first, rest
}
