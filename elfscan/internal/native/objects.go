package native

import (
	"cmp"
	"debug/elf"
	"slices"

	"github.com/profcheck/profcheck/elfscan/internal/module"
)

// objectAlign is the alignment, in bytes, of objects that are at least as long. GCC gives it to
// aggregates on x86-64 (gcc/config/i386/i386.cc ix86_data_alignment); other compilers may give less,
// which merges objects and loses nothing. Elsewhere alignment tells nothing.
const objectAlign = 32

// beginnings leaves those of the places where objects may begin at which one surely does. A place
// that was found because something holds or forms its address can lie inside of an object, too:
// code that walks a table from its second element on, a list node in a struct, from which
// container_of finds the functions before it. What it cuts off would be lost where the object is
// reached by its beginning, and the other way round. Certain are symbols and sections. On x86-64 so
// is an address that is a multiple of objectAlign, unless the pointers behind it lie as those
// between the place before and it, as they do in a table. What then remains to chance is the address
// of a member at a multiple of objectAlign in a struct that other code knows by another address.
func (m *mapped) beginnings(places []uint64) []uint64 {
	certain := map[uint64]bool{}
	for _, syms := range [][]module.Symbol{m.Symbols, m.Locals} {
		for i := range syms {
			if syms[i].Defined {
				certain[syms[i].Addr] = true
			}
		}
	}
	for i := range m.Segments {
		certain[m.Segments[i].Addr] = true
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
			certain[a] = true
		}
	}
	for _, sp := range m.got {
		for a := sp.Addr; a-sp.Addr < sp.Size; a += 8 {
			certain[a] = true
		}
	}
	constants := m.glibcConstants()
	var out []uint64
	for i, a := range places {
		if certain[a] || a-constants.Addr < constants.Size && a%8 == 0 || m.Machine == elf.EM_X86_64 && a%objectAlign == 0 && !m.goesOn(places, i) {
			out = append(out, a)
		}
	}
	return out
}

// glibcConstants returns the constants of glibc that hold pointers, on arm64. There is nothing that
// tells where its objects begin, and all of them together, with the operations of Sun RPC, would be
// reached by every program through the locale. Code that needs a function from there forms an address
// of each part that holds one: TestConstantsOfGlibc compares that for all of the library.
func (m *mapped) glibcConstants() module.Section {
	if m.Machine == elf.EM_AARCH64 && m.Soname == "libc.so.6" {
		for _, sec := range m.Sections {
			if sec.Name == ".data.rel.ro" {
				return sec
			}
		}
	}
	return module.Section{}
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
