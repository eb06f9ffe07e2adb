package native

import (
	"cmp"
	"slices"
)

// protectors are the syscalls that can make memory executable, with the argument that says so, and its bit:
// PROT_EXEC (mman.h), SHM_EXEC (shm.h) and READ_IMPLIES_EXEC (personality.h), the same for all
// architectures.
var protectors = map[string]struct {
	arg int
	bit uint64
}{"mmap": {2, 4}, "mprotect": {2, 4}, "pkey_mprotect": {2, 4}, "shmat": {2, 0o100000}, "personality": {0, 0x400000}}

// askOnly is what personality takes to tell the present one.
const askOnly = 0xffffffff

// protGrowsDown is PROT_GROWSDOWN (mman.h).
const protGrowsDown = 1 << 24

// system are the libraries that belong to the libc, by their sonames: until glibc 2.33 it came in several.
var system = []string{"libpthread.so.0", "libdl.so.2", "librt.so.1"}

// addCode tells where code of the program or of a library makes memory executable, or may do so: what
// is written there runs unseen. Libc and loader do so for the files that they map, which are looked
// at, and nothing else.
func (p *program) addCode(res *Result, byNr map[int32][]candidate) {
	for _, m := range p.mods {
		if m.ExecStack {
			res.Gaps = append(res.Gaps, Gap{Kind: GapStack, Names: []string{m.Path}, All: true})
			break
		}
	}
	var sure, maybe []*hop
	stack := map[node]bool{} // functions that make the stack executable for a library that asks for it: in programs with their libc inside
	if nr, ok := p.arch.Number("mprotect"); ok {
		for _, c := range byNr[nr] {
			if slices.ContainsFunc(c.args[2].Consts, func(prot uint64) bool { return prot&protGrowsDown != 0 }) {
				stack[c.hop.fn] = true
			}
		}
	}
	for name, by := range protectors {
		nr, ok := p.arch.Number(name)
		if !ok {
			continue
		}
		for _, c := range byNr[nr] {
			m := p.owner(c.hop.fn)
			switch v := c.args[by.arg]; {
			case m.Interp || stack[c.hop.fn] || p.isLibc(m) || slices.Contains(system, m.Soname):
			case slices.ContainsFunc(v.Consts, func(x uint64) bool { return x&by.bit != 0 && x&askOnly != askOnly }):
				sure = append(sure, c.hop)
			case !v.Known && by.bit == 4 && p.interp() != nil: // without, the libc may be inside
				maybe = append(maybe, c.hop)
			}
		}
	}
	all := len(sure) > 0
	if !all {
		sure = maybe
	}
	if len(sure) == 0 {
		return
	}
	first := slices.MinFunc(sure, func(a, b *hop) int {
		return cmp.Or(cmp.Compare(p.tree.tier[a.fn], p.tree.tier[b.fn]), cmp.Compare(a.at, b.at))
	})
	res.Gaps = append(res.Gaps, Gap{Kind: GapCode, All: all, Path: p.path(first)})
}
