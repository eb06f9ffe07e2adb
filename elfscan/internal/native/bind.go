package native

import (
	"debug/elf"
	"slices"

	"github.com/profcheck/profcheck/elfscan/internal/loader"
	"github.com/profcheck/profcheck/elfscan/internal/module"
)

// symbolValue is what a symbol of a module is bound to.
type symbolValue struct {
	mod   int32 // -1: nothing
	ifunc bool
	sym   *module.Symbol
	addr  uint64 // global
}

// bind binds all symbols and applies all relocations.
func (s *space) bind(c *loader.Closure) {
	for _, m := range s.mods {
		s.relocate(m, c)
	}
	for _, m := range s.mods {
		s.copies(m, c)
	}
}

// symbol returns what symbol i of m is bound to, looked up once.
func (s *space) symbol(m *mapped, c *loader.Closure, i uint32) symbolValue {
	if m.bound == nil {
		m.bound = make([]symbolValue, len(m.Symbols))
	}
	if uint64(i) >= uint64(len(m.bound)) {
		return symbolValue{mod: -1}
	}
	v := &m.bound[i]
	if v.mod == 0 && v.sym == nil {
		*v = s.lookup(m, c, i)
	}
	return *v
}

func (s *space) value(mod int, sym *module.Symbol) symbolValue {
	if mod < 0 || mod >= len(s.mods) || sym == nil || sym.Type == elf.STT_TLS || sym.Absolute {
		return symbolValue{mod: -1, sym: sym}
	}
	return symbolValue{mod: int32(mod), sym: sym, addr: s.mods[mod].base + sym.Addr, ifunc: sym.Type == elf.STT_GNU_IFUNC}
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
			v := s.symbol(m, c, r.Symbol)
			if v.mod < 0 {
				continue
			}
			w.value, w.ifunc = v.addr+r.Addend, v.ifunc
			w.slot = r.Kind == module.RelocJumpSlot
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
// fixed address: aligned words that hold the start of a function or an address in a segment of data.
func (m *mapped) findPointers() {
	for i := range m.Segments {
		seg := &m.Segments[i]
		for a := (seg.Addr + 7) &^ 7; a-seg.Addr+8 <= uint64(len(seg.Data)); a += 8 {
			w, ok := m.rawWord(a)
			if !ok || w < 4096 || w >= m.end || seg.Exec && m.fn(a) >= 0 {
				continue
			}
			if f := m.fn(w); f >= 0 && m.facts.Funcs[f].Start != w || f < 0 && m.segment(w) == nil {
				continue
			}
			m.words = append(m.words, word{addr: a, value: m.base + w})
		}
	}
}

// copies gives the places of COPY relocations the words of the objects that are copied there.
func (s *space) copies(m *mapped, c *loader.Closure) {
	changed := false
	for i := range m.Relocs {
		r := &m.Relocs[i]
		if r.Kind != module.RelocCopy {
			continue
		}
		v := s.original(m, c, r.Symbol)
		if v.mod < 0 {
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

// lookup finds the definition that a symbol of m is bound to: the first one in the order in which
// the loader searches, unless the symbol is m's own and cannot be preempted.
func (s *space) lookup(m *mapped, c *loader.Closure, i uint32) symbolValue {
	sym := &m.Symbols[i]
	if sym.Defined && (sym.Bind == elf.STB_LOCAL || sym.Visibility != elf.STV_DEFAULT) {
		return s.value(m.index, sym)
	}
	return s.search(sym, func(int) bool { return true })
}

// original is lookup for a COPY relocation of m: m's own definition is the copy.
func (s *space) original(m *mapped, c *loader.Closure, i uint32) symbolValue {
	if uint64(i) >= uint64(len(m.Symbols)) {
		return symbolValue{mod: -1}
	}
	return s.search(&m.Symbols[i], func(mod int) bool { return mod != m.index })
}

func (s *space) search(sym *module.Symbol, in func(mod int) bool) symbolValue {
	for k, d := range s.mods {
		if !in(k) {
			continue
		}
		if j, ok := d.Lookup(sym.Name, sym.Version); ok {
			return s.value(k, &d.Symbols[j])
		}
	}
	return symbolValue{mod: -1, sym: sym}
}
