package native

import (
	"cmp"
	"debug/elf"
	"slices"

	"github.com/profcheck/profcheck/elfscan/internal/module"
)

// objectAlign is the alignment, in bytes, of objects that are at least as long. GCC gives it to
// aggregates on x86-64 (gcc/config/i386/i386.cc ix86_data_alignment). It proves little: members of a
// struct and elements of a table lie at its multiples as well.
const objectAlign = 32

// beginnings leaves those of the places where objects may begin at which one surely does. A place
// that was found because something holds or forms its address can lie inside of an object, too:
// code that walks a table from its second element on, a list node in a struct, from which
// container_of finds the functions before it. What it cuts off would be lost where the object is
// reached by its beginning, and the other way round; and the code that forms it need not even run.
//
// Certain are segments, sections and symbols. A symbol with a size says besides that all of its bytes
// are one object, and those behind it none of it: no cut is made inside, not even at another symbol,
// which is another name for a part of it. Whatever lies between two certain places is one object, so that an address anywhere in it
// leads to all that any object there holds. No other cut follows from what a file says: neither the
// alignment of an address, nor the zeros before it, nor the shape of the relocations around it differ
// between a member and a neighbour.
//
// Where that costs too much, there are cuts by knowledge of what was cut: see glibcCut.
func (m *mapped) beginnings(places []uint64) []uint64 {
	certain, keep := map[uint64]bool{}, map[uint64]bool{} // keep: even inside of a symbol
	var sized []module.Span
	for _, syms := range [][]module.Symbol{m.Symbols, m.Locals} {
		for i := range syms {
			sym := &syms[i]
			if !sym.Defined || sym.Absolute || sym.Type == elf.STT_TLS {
				continue
			}
			certain[sym.Addr] = true
			if sym.Size > 1 && sym.Type != elf.STT_FUNC && sym.Type != elf.STT_GNU_IFUNC {
				sized = append(sized, module.Span{Addr: sym.Addr, Size: sym.Size})
				certain[sym.Addr+sym.Size] = true
			}
		}
	}
	for i := range m.Segments {
		keep[m.Segments[i].Addr] = true
	}
	var streams module.Section // one at most; a file may hold many of that name
	for _, sec := range m.Sections {
		certain[sec.Addr] = true
		if tables[sec.Name] {
			streams = sec
		}
	}
	for _, a := range places {
		if a-streams.Addr < streams.Size {
			keep[a] = true
		}
	}
	for _, sp := range m.got {
		for a := sp.Addr; a-sp.Addr < sp.Size; a += 8 {
			keep[a] = true
		}
	}
	inside := insideOf(sized)
	var out []uint64
	for i, a := range places {
		if keep[a] || !inside(a) && (certain[a] || m.glibcCut(places, i)) {
			out = append(out, a)
		}
	}
	return out
}

// insideOf returns what tells, for ascending addresses, whether one lies in a span but not at the
// beginning of it, or of others that overlap with it.
func insideOf(spans []module.Span) func(uint64) bool {
	slices.SortFunc(spans, func(a, b module.Span) int { return cmp.Compare(a.Addr, b.Addr) })
	from, end := uint64(0), uint64(0)
	return func(a uint64) bool {
		for ; len(spans) > 0 && spans[0].Addr <= a; spans = spans[1:] {
			if s := spans[0]; s.Addr >= end {
				from, end = s.Addr, s.Addr+s.Size
			} else {
				end = max(end, s.Addr+s.Size)
			}
		}
		return a > from && a < end
	}
}

// glibcCut reports whether glibc's own library may be cut at places[i]. Every program has this
// library, it has few symbols of data, and all of its constants together, with the operations of Sun
// RPC, would be reached by every program through the locale. On x86-64 it is cut at addresses that
// are multiples of objectAlign, unless the pointers behind lie as those between the place before and
// it, as they do in a table; on arm64 the constants are cut everywhere. Nothing that such a file says
// proves these cuts. What does is that its sources are known: TestConstantsOfGlibc holds, for all
// files of the library, each address that code forms against what the symbols say the object is, and
// no function is lost.
func (m *mapped) glibcCut(places []uint64, i int) bool {
	if m.Soname != "libc.so.6" {
		return false
	}
	switch a := places[i]; m.Machine {
	case elf.EM_X86_64:
		return a%objectAlign == 0 && !m.goesOn(places, i)
	case elf.EM_AARCH64:
		relro := m.Section(".data.rel.ro")
		return relro != nil && a-relro.Addr < relro.Size && a%8 == 0
	}
	return false
}

// goesOn reports whether pointers behind places[i] lie as those do between the place before and it.
func (m *mapped) goesOn(places []uint64, i int) bool {
	if i == 0 {
		return false
	}
	from, at := places[i-1], places[i]
	size := at - from
	before, behind := m.relocsIn(from, at), m.relocsIn(at, at+size)
	if len(before) == 0 || len(before) != len(behind) {
		return false
	}
	for k := range before {
		if before[k].Addr+size != behind[k].Addr {
			return false
		}
	}
	return true
}

// relocsIn returns the relocations of the words from one address to another.
func (m *mapped) relocsIn(from, to uint64) []module.Reloc {
	at := func(addr uint64) int {
		i, _ := slices.BinarySearchFunc(m.Relocs, addr, func(r module.Reloc, a uint64) int { return cmp.Compare(r.Addr, a) })
		return i
	}
	i := at(from)
	return m.Relocs[i:max(i, at(to))]
}
