package module

import (
	"cmp"
	"debug/elf"
	"slices"
)

// symbols reads the dynamic symbol table, and drops relocations against symbols that it lacks.
func (r *reader) symbols() {
	d := &r.dyn
	if d.symtab != 0 {
		table := r.tail(d.symtab)
		if table == nil {
			r.problem("DT_SYMTAB: %#x is not in a segment", d.symtab)
		}
		count := r.symbolCount()
		if room := uint64(len(table) / symbolSize); count > room {
			if table != nil {
				r.problem("DT_SYMTAB: %d symbols at %#x, room for %d", count, d.symtab, room)
			}
			count = room
		}
		r.readSymbols(table[:count*symbolSize])
	}
	r.dropRelocs()
}

func (r *reader) readSymbols(table []byte) {
	d := &r.dyn
	count := uint64(len(table) / symbolSize)
	r.Symbols = make([]Symbol, count)
	versions := r.versions()
	if d.versym != 0 {
		if r.versym = r.Bytes(d.versym, 2*count); r.versym == nil {
			r.problem("DT_VERSYM: versions of %d symbols at %#x are not in a segment", count, d.versym)
		}
	}
	unknown := 0
	for i := range r.Symbols {
		s := &r.Symbols[i]
		s.read(table[i*symbolSize:], &d.text)
		if r.versym == nil {
			continue
		}
		v := le.Uint16(r.versym[2*i:])
		index := int(v & versionIndex)
		if index <= versionGlobal {
			continue
		}
		if index >= len(versions) || versions[index].name == "" {
			unknown++
			continue
		}
		s.Version, s.Library = versions[index].name, versions[index].library
		s.Hidden = s.Defined && v&versionHidden != 0
	}
	if unknown > 0 {
		r.problem("DT_VERSYM: %d symbols of versions that nothing defines", unknown)
	}
	if d.text.bad > 0 {
		r.problem("DT_STRTAB: %d names of symbols are missing", d.text.bad)
	}
}

// read decodes an Elf64_Sym.
func (s *Symbol) read(b []byte, text *stringTable) {
	section := elf.SectionIndex(le.Uint16(b[6:]))
	*s = Symbol{
		Name: text.at(uint64(le.Uint32(b))), Addr: le.Uint64(b[8:]), Size: le.Uint64(b[16:]),
		Type: elf.ST_TYPE(b[4]), Bind: elf.ST_BIND(b[4]), Visibility: elf.ST_VISIBILITY(b[5]),
		Defined: section != elf.SHN_UNDEF, Absolute: section == elf.SHN_ABS,
	}
}

// symbolCount returns how many dynamic symbols there are. The dynamic section does not say: the
// hash tables do, as far as the symbols can be looked up, and relocations name the others.
func (r *reader) symbolCount() uint64 {
	d := &r.dyn
	count := uint64(0)
	for i := range r.Relocs {
		count = max(count, uint64(r.Relocs[i].Symbol)+1)
	}
	if d.hash != 0 {
		if h := r.Bytes(d.hash, 8); h != nil { // the counts of buckets and of chain entries
			return max(count, uint64(le.Uint32(h[4:])))
		}
		r.problem("DT_HASH: %#x is not in a segment", d.hash)
	}
	if d.gnuHash != 0 {
		// Its symbols are the table's last ones, if it has any.
		if n := r.gnuHashCount(); n > 0 {
			return max(count, n)
		}
	}
	for i := range r.Sections {
		if s := &r.Sections[i]; s.Type == elf.SHT_DYNSYM && s.Addr == d.symtab {
			count = max(count, s.Size/symbolSize)
		}
	}
	return count
}

// gnuHashCount returns the index behind the last symbol of the GNU hash table, 0 if it has none.
// Chains end with an odd word, and lie behind the bloom filter and the buckets.
func (r *reader) gnuHashCount() uint64 {
	table := r.tail(r.dyn.gnuHash)
	if len(table) < 16 {
		r.problem("DT_GNU_HASH: %#x is not in a segment", r.dyn.gnuHash)
		return 0
	}
	buckets, first, bloom := uint64(le.Uint32(table)), uint64(le.Uint32(table[4:])), uint64(le.Uint32(table[8:]))
	start := 16 + wordSize*bloom
	if start+4*buckets > uint64(len(table)) {
		r.problem("DT_GNU_HASH: %d buckets at %#x, more than the segment holds", buckets, r.dyn.gnuHash)
		return 0
	}
	last := uint64(0)
	for b := table[start : start+4*buckets]; len(b) > 0; b = b[4:] {
		last = max(last, uint64(le.Uint32(b)))
	}
	if last == 0 {
		return 0
	}
	if last < first {
		r.problem("DT_GNU_HASH: bucket for symbol %d, the first one being %d", last, first)
		return 0
	}
	chain := table[start+4*buckets:]
	for i := 4 * (last - first); i+4 <= uint64(len(chain)); i += 4 {
		if le.Uint32(chain[i:])&1 != 0 {
			return first + i/4 + 1
		}
	}
	r.problem("DT_GNU_HASH: the chain of symbol %d has no end", last)
	return 0
}

// dropRelocs drops relocations against symbols that do not exist.
func (r *reader) dropRelocs() {
	count := uint32(max(len(r.Symbols), 1)) // index 0 is no symbol
	kept := r.Relocs[:0]
	for _, reloc := range r.Relocs {
		if reloc.Symbol >= count {
			if reloc.Kind != RelocRelative && reloc.Kind != RelocIRelative {
				continue
			}
			reloc.Symbol = 0 // unused
		}
		kept = append(kept, reloc)
	}
	if n := len(r.Relocs) - len(kept); n > 0 {
		r.problem("relocations: %d against symbols that do not exist", n)
	}
	r.Relocs = kept
}

// Objects returns where the data objects of the full symbol table are, in order of address, nil if
// the file has none. It reads the table anew.
func (m *Module) Objects() []Span {
	for i := range m.table {
		s := &m.table[i]
		if s.kind != elf.SHT_SYMTAB {
			continue
		}
		var objects []Span
		for b := m.content(s); len(b) >= symbolSize; b = b[symbolSize:] {
			if size := le.Uint64(b[16:]); elf.ST_TYPE(b[4]) == elf.STT_OBJECT && size > 0 {
				objects = append(objects, Span{le.Uint64(b[8:]), size})
			}
		}
		slices.SortFunc(objects, func(a, b Span) int { return cmp.Compare(a.Addr, b.Addr) })
		return objects // a file has one; more could lie over the same bytes
	}
	return nil
}

// localSymbols reads functions and objects of the full symbol table, which only section headers
// find.
func (r *reader) localSymbols() {
	for i := range r.table {
		s := &r.table[i]
		if s.kind != elf.SHT_SYMTAB {
			continue
		}
		table := r.content(s)
		if table == nil || uint64(s.link) >= uint64(len(r.table)) {
			r.problem("symbol table: %#x bytes at offset %#x are not in the file", s.size, s.offset)
			return
		}
		r.readLocals(table, newStringTable(r.content(&r.table[s.link]), int(r.file.size)))
		return // a file has one; more could lie over the same bytes
	}
}

func (r *reader) readLocals(table []byte, text stringTable) {
	wanted := func(b []byte) bool {
		if elf.SectionIndex(le.Uint16(b[6:])) == elf.SHN_UNDEF {
			return false
		}
		switch elf.ST_TYPE(b[4]) {
		case elf.STT_FUNC, elf.STT_OBJECT, elf.STT_GNU_IFUNC:
			return true
		}
		return false
	}
	table = table[:len(table)/symbolSize*symbolSize]
	count := 0
	for b := table; len(b) > 0; b = b[symbolSize:] {
		if wanted(b) {
			count++
		}
	}
	r.Locals = make([]Symbol, 0, count)
	for b := table; len(b) > 0; b = b[symbolSize:] {
		if wanted(b) {
			var s Symbol
			s.read(b, &text)
			r.Locals = append(r.Locals, s)
		}
	}
	if text.bad > 0 {
		r.problem("symbol table: %d names are missing", text.bad)
	}
}
