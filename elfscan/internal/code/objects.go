package code

import (
	"cmp"
	"debug/elf"
	"math/bits"
	"slices"

	"github.com/profcheck/profcheck/elfscan/internal/isa"
	"github.com/profcheck/profcheck/elfscan/internal/module"
)

// objects collects where data objects may begin: symbols and their ends, what pointers and addresses in code lead
// to, sections. What is only loaded or stored directly may be the middle of an object and begins
// none, and neither does a displacement, which may lie before its object: that counts for the object
// behind as well.
func (x *extractor) objects() {
	b := boundaries{m: x.m, marks: make([][]uint64, len(x.m.Segments))}
	for _, a := range x.data {
		b.add(a)
	}
	for i := range x.m.Sections {
		b.add(x.m.Sections[i].Addr)
	}
	for _, table := range [][]module.Symbol{x.m.Symbols, x.m.Locals} {
		for i := range table {
			if s := &table[i]; s.Defined && !s.Absolute && s.Type != elf.STT_TLS {
				b.add(s.Addr)
				if s.Size > 0 && !isFunction(s) {
					b.add(s.Addr + s.Size)
				}
			}
		}
	}
	for i := range x.m.Relocs {
		switch r := &x.m.Relocs[i]; r.Kind {
		case module.RelocRelative:
			b.add(r.Addend)
		case module.RelocSymbol:
			if int(r.Symbol) < len(x.m.Symbols) && x.m.Symbols[r.Symbol].Defined {
				b.add(x.m.Symbols[r.Symbol].Addr + r.Addend)
			}
		}
	}
	for i := range x.funcs {
		refs := x.refsOf(&x.funcs[i])
		for i := range refs {
			if refs[i].Kind == isa.RefAddr && (refs[i].Size == 0 || refs[i].Size == isa.Added) {
				b.add(refs[i].Target)
			}
		}
	}
	x.data = b.ascending()
	if x.sure() {
		x.data = slices.DeleteFunc(x.data, func(a uint64) bool { return x.region(a) != nil })
	}
}

// displaced adds, for displacements that are no beginning of an object, the next object, and the
// next function for those in code: $f-1 is added to what is one more. Where a pointer can be fetched,
// anything around may be meant, except by a jump through a table of the function.
func (x *extractor) displaced() {
	if x.hi == 0 {
		return
	}
	for i := range x.funcs {
		refs := x.refsOf(&x.funcs[i])
		for k := range refs {
			r := &refs[k]
			if r.Kind != isa.RefAddr || r.Size == 0 {
				continue
			}
			if r.Size != isa.Displaced {
				x.extra = append(x.extra, Ref{At: r.At, Target: r.Target, Kind: Around})
				if f := x.next(r.Target); f != nil && x.region(r.Target) != nil {
					x.extra = append(x.extra, Ref{At: r.At, Target: f.start, Kind: Addr})
				}
			}
			if next, ok := slices.BinarySearch(x.data, r.Target); !ok && next < len(x.data) {
				x.extra = append(x.extra, Ref{At: r.At, Target: x.data[next], Kind: Addr})
			}
		}
	}
}

// next returns the first function that begins at addr or behind, nil if there is none.
func (x *extractor) next(addr uint64) *function {
	i, _ := slices.BinarySearchFunc(x.funcs, addr, func(f function, a uint64) int { return cmp.Compare(f.start, a) })
	if i == len(x.funcs) {
		return nil
	}
	return &x.funcs[i]
}

// boundaries collects addresses of data, each once, and sorts them: by a bit for each byte that the
// file holds, and by a list for what it does not.
type boundaries struct {
	m     *module.Module
	marks [][]uint64 // of each segment
	rest  []uint64
}

func (b *boundaries) add(addr uint64) {
	for i := range b.m.Segments {
		s := &b.m.Segments[i]
		off := addr - s.Addr
		switch {
		case off >= s.Size:
			continue
		case off >= uint64(len(s.Data)):
			b.rest = append(b.rest, addr)
			return
		}
		if b.marks[i] == nil {
			b.marks[i] = make([]uint64, (len(s.Data)+63)/64)
		}
		b.marks[i][off/64] |= 1 << (off % 64)
		return
	}
}

func (b *boundaries) ascending() []uint64 {
	slices.Sort(b.rest)
	rest := slices.Compact(b.rest)
	var out []uint64
	for i := range b.m.Segments {
		s := &b.m.Segments[i]
		for k, w := range b.marks[i] {
			for ; w != 0; w &= w - 1 {
				out = append(out, s.Addr+uint64(k*64+bits.TrailingZeros64(w)))
			}
		}
		for len(rest) > 0 && rest[0]-s.Addr < s.Size {
			out = append(out, rest[0])
			rest = rest[1:]
		}
	}
	return out
}
