package native

import (
	"debug/elf"
	"encoding/binary"
	"slices"

	"github.com/profcheck/profcheck/elfscan/internal/code"
	"github.com/profcheck/profcheck/elfscan/internal/loader"
	"github.com/profcheck/profcheck/elfscan/internal/module"
)

// symbolValue is what a reference to a symbol is bound to.
type symbolValue struct {
	mod   int32 // -1: nothing, 0 without sym: not looked up yet
	ifunc bool
	sym   *module.Symbol
	addr  uint64 // global
}

// bindings are what the symbols of a module are bound to: for words that hold
// addresses, for calls, and for copies.
type bindings [3][]symbolValue

// bind binds all symbols and applies all relocations.
func (s *space) bind(c *loader.Closure) {
	for _, m := range s.mods {
		s.relocate(m, c)
	}
	for _, m := range s.mods {
		s.copies(m, c)
	}
}

// symbol returns what symbol i of m is bound to by a relocation of a kind, looked up once.
func (s *space) symbol(m *mapped, c *loader.Closure, kind module.RelocKind, i uint32) symbolValue {
	if uint64(i) >= uint64(len(m.Symbols)) {
		return symbolValue{mod: -1}
	}
	by := &m.bound[0]
	switch kind {
	case module.RelocJumpSlot:
		by = &m.bound[1]
	case module.RelocCopy:
		by = &m.bound[2]
	}
	if *by == nil {
		*by = make([]symbolValue, len(m.Symbols))
	}
	v := &(*by)[i]
	if v.mod == 0 && v.sym == nil {
		*v = s.lookup(m, c, kind, i)
	}
	return *v
}

func (s *space) lookup(m *mapped, c *loader.Closure, kind module.RelocKind, i uint32) symbolValue {
	sym := &m.Symbols[i]
	mod, def, ok := c.LookupReloc(kind, sym, m.index)
	if !ok || mod < 0 || mod >= len(s.mods) || def == nil || def.Type == elf.STT_TLS || def.Absolute {
		return symbolValue{mod: -1, sym: sym}
	}
	return symbolValue{mod: int32(mod), sym: def, addr: s.mods[mod].base + def.Addr, ifunc: def.Type == elf.STT_GNU_IFUNC}
}

// each calls f for all that the symbols of m are bound to.
func (b *bindings) each(f func(symbolValue)) {
	for _, vs := range b {
		for _, v := range vs {
			if v.sym != nil && v.mod >= 0 {
				f(v)
			}
		}
	}
}

func (s *space) relocate(m *mapped, c *loader.Closure) {
	relative := false
	m.words = make([]word, 0, len(m.Relocs))
	for i := range m.Relocs {
		r := &m.Relocs[i]
		w := word{addr: r.Addr}
		switch r.Kind {
		case module.RelocRelative:
			relative = true
			w.value = m.base + r.Addend
		case module.RelocIRelative:
			w.value, w.ifunc = m.base+r.Addend, true
		case module.RelocSymbol, module.RelocJumpSlot:
			v := s.symbol(m, c, r.Kind, r.Symbol)
			if v.mod < 0 {
				continue
			}
			w.value, w.ifunc = v.addr+r.Addend, v.ifunc
			w.slot = r.Kind == module.RelocJumpSlot
			for _, o := range c.Others(int(v.mod), v.sym) {
				m.words = append(m.words, word{addr: r.Addr, value: s.mods[o.Module].base + o.Symbol.Addr + r.Addend, ifunc: true})
				w.ifunc = true
			}
		default:
			continue
		}
		m.words = append(m.words, w)
	}
	if m.Type == elf.ET_EXEC && !relative {
		m.fixed = true
		m.findPointers()
	}
	m.sortWords()
}

func (m *mapped) sortWords() {
	slices.SortStableFunc(m.words, func(a, b word) int {
		switch {
		case a.addr < b.addr:
			return -1
		case a.addr > b.addr:
			return 1
		}
		return 0
	})
}

// findPointers takes for pointers what looks like one in the data of a program that was linked to a
// fixed address: words that hold an address in a function or in a segment of data. They may lie
// anywhere, in packed structs, but what overlaps with an aligned pointer is none unless it leads to
// where a function begins. A pointer into a function is a second entry of it, or a label: only those
// in jump tables are left out, which the function that has the table follows by itself.
func (m *mapped) findPointers() {
	tables := m.jumpTables()
	for i := range m.Segments {
		seg := &m.Segments[i]
		aligned := uint64(0) // the end of the last aligned pointer
		own := -1            // whose jump table goes on here
		for off := 0; off+8 <= len(seg.Data); off++ {
			a, w := seg.Addr+uint64(off), binary.LittleEndian.Uint64(seg.Data[off:])
			if a%8 == 0 && own >= 0 && !m.entryOf(own, a, w) {
				own = -1
			}
			if w < 4096 || w >= m.end || seg.Exec && m.fn(a) >= 0 {
				continue
			}
			if f, ok := tables[a]; ok {
				own = f
			}
			f := m.fn(w)
			starts := f >= 0 && m.facts.Funcs[f].Start == w
			switch {
			case f < 0 && m.segment(w) == nil, !starts && f >= 0 && own >= 0 && a%8 == 0:
				continue
			case a%8 == 0:
				aligned = a + 8
			case !starts && (a < aligned || f >= 0 || m.pointsAt(seg.Data, off+8-int(a%8), seg.Addr)):
				continue
			}
			m.words = append(m.words, word{addr: a, value: m.base + w})
		}
	}
}

// pointsAt reports whether the word at an offset, which is aligned, can be a pointer.
func (m *mapped) pointsAt(data []byte, off int, base uint64) bool {
	if off+8 > len(data) {
		return false
	}
	w := binary.LittleEndian.Uint64(data[off:])
	return w >= 4096 && w < m.end && m.segment(w) != nil
}

// jumpTables returns the functions by the addresses of their jump tables.
func (m *mapped) jumpTables() map[uint64]int {
	tables := map[uint64]int{}
	for i := range m.facts.Funcs {
		f := &m.facts.Funcs[i]
		for _, r := range m.facts.Refs[f.First : f.First+f.N] {
			if r.Kind == code.Table {
				tables[r.Target] = i
			}
		}
	}
	return tables
}

// entryOf reports whether the word w at addr can be a further entry of a jump table of function f: it
// leads into the function, or elsewhere, to a cold part of it, if no other object begins here.
func (m *mapped) entryOf(f int, addr, w uint64) bool {
	to := m.fn(w)
	if to < 0 || to == f {
		return to >= 0
	}
	_, begins := slices.BinarySearch(m.facts.Objects, addr)
	return !begins
}

// copies gives the places of COPY relocations the words of the objects that are copied there.
func (s *space) copies(m *mapped, c *loader.Closure) {
	changed := false
	for i := range m.Relocs {
		r := &m.Relocs[i]
		if r.Kind != module.RelocCopy {
			continue
		}
		v := s.symbol(m, c, r.Kind, r.Symbol)
		if v.mod < 0 || int(v.mod) == m.index || v.sym == nil {
			continue
		}
		from := s.mods[v.mod]
		for _, w := range from.wordsIn(v.sym.Addr, v.sym.Addr+max(v.sym.Size, m.Symbols[r.Symbol].Size)) {
			w.addr += r.Addr - v.sym.Addr
			w.slot = false
			m.words = append(m.words, w)
			changed = true
		}
	}
	if changed {
		m.sortWords()
	}
}
