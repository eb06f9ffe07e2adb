package native

import (
	"slices"
	"sort"

	"github.com/profcheck/profcheck/elfscan/internal/code"
	"github.com/profcheck/profcheck/elfscan/internal/isa"
)

// maxHalves bounds the functions that are cut in two.
const maxHalves = 1 << 12

// halve cuts functions whose bounds were guessed where another function calls or jumps to their middle, if
// no jump leads from one half to the other: these are two functions. Without symbols and frame
// descriptions, as in musl, nothing else tells where the second begins. It reports whether it cut any.
func (m *mapped) halve(mach *isa.Machine) bool {
	fs := m.facts
	if mach == nil || !slices.ContainsFunc(fs.Funcs, func(f code.Func) bool { return f.Flags&code.Guessed != 0 }) {
		return false
	}
	var at []uint64
	for i := range fs.Funcs {
		f := &fs.Funcs[i]
		for _, r := range fs.Refs[f.First : f.First+f.N] {
			if r.Kind != code.Call && r.Kind != code.Jump {
				continue
			}
			if k := m.fn(r.Target); k >= 0 && k != i && fs.Funcs[k].Flags&code.Guessed != 0 && fs.Funcs[k].Start != r.Target {
				at = append(at, r.Target)
			}
		}
	}
	if len(at) == 0 || len(at) > maxHalves {
		return false
	}
	slices.Sort(at)
	at = slices.Compact(at)
	cut := &code.Facts{Refs: fs.Refs, Objects: fs.Objects}
	for i := range fs.Funcs {
		f := fs.Funcs[i]
		for len(at) > 0 && at[0] <= f.Start {
			at = at[1:]
		}
		for len(at) > 0 && at[0] < f.End {
			if m.apart(mach, f.Start, at[0], f.End) {
				first, rest := parts(fs.Refs, f, at[0])
				cut.Funcs = append(cut.Funcs, first)
				f = rest
			}
			at = at[1:]
		}
		cut.Funcs = append(cut.Funcs, f)
	}
	m.facts = cut
	return len(cut.Funcs) > len(fs.Funcs)
}

// apart reports whether no jump leads from one side of at to the other between start and end.
func (m *mapped) apart(mach *isa.Machine, start, at, end uint64) bool {
	a, b := m.raw(start, at-start), m.raw(at, end-at)
	if a == nil || b == nil {
		return false
	}
	var refs []isa.Ref
	refs = mach.Scan(a, start, refs)
	refs = mach.Scan(b, at, refs)
	return !slices.ContainsFunc(refs, func(r isa.Ref) bool {
		return r.Kind == isa.RefBad || r.Kind == isa.RefJump && r.Target != at && r.Target >= start && r.Target < end
	})
}

// parts cuts f and its references at an address. The first part may run into the second.
func parts(refs []code.Ref, f code.Func, at uint64) (first, rest code.Func) {
	n := uint32(sort.Search(int(f.N), func(i int) bool { return refs[int(f.First)+i].At >= at }))
	first, rest = f, f
	first.End, first.N = at, n
	rest.Start, rest.First, rest.N = at, f.First+n, f.N-n
	first.Flags |= code.FallsOut
	for _, p := range []*code.Func{&first, &rest} {
		p.Flags &^= code.HasSyscall
		for _, r := range refs[p.First : p.First+p.N] {
			if r.Kind == code.Syscall || r.Kind == code.Compat {
				p.Flags |= code.HasSyscall
			}
		}
	}
	return first, rest
}
