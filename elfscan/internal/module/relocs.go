package module

import (
	"debug/elf"
	"fmt"
	"math/bits"
)

// relocations reads all tables of relocations.
func (r *reader) relocations() {
	d := &r.dyn
	if !r.hasDynamic {
		r.staticRelocations()
		return
	}
	// Some linkers count the entries of the procedure linkage table among the others too.
	plt := d.plt
	for _, s := range []Span{d.rela, d.rel} {
		if plt.Size > 0 && plt.Addr-s.Addr < s.Size && plt.Size <= s.Size-(plt.Addr-s.Addr) {
			plt = Span{}
		}
	}
	rela, rel, relr := r.relocTable("DT_RELA", d.rela, relaSize), r.relocTable("DT_REL", d.rel, relSize), r.relocTable("DT_RELR", d.relr, wordSize)
	pltSize := uint64(relaSize)
	if d.pltIsRel {
		pltSize = relSize
	}
	jump := r.relocTable("DT_JMPREL", plt, pltSize)
	packed := r.countPacked(relr)
	r.Relocs = make([]Reloc, 0, len(rela)/relaSize+len(rel)/relSize+len(jump)/int(pltSize)+packed)
	r.addPacked(relr, packed)
	r.addRelocs("DT_RELA", rela, relaSize)
	r.addRelocs("DT_REL", rel, relSize)
	r.addRelocs("DT_JMPREL", jump, pltSize)
	sortRelocs(r.Relocs)
}

// staticRelocations reads the relocations of a program without dynamic section: those that call
// the resolvers of indirect functions. The start-up code of the C library finds them between two
// symbols; only section headers show them.
func (r *reader) staticRelocations() {
	for i := range r.Sections {
		s := &r.Sections[i]
		if s.Type == elf.SHT_RELA {
			name := fmt.Sprintf("section at %#x", s.Addr)
			r.addRelocs(name, r.relocTable(name, Span{s.Addr, s.Size}, relaSize), relaSize)
		}
		if len(r.Relocs) > int(r.file.size)/relSize {
			r.problem("section at %#x: more relocations than the file has room for", s.Addr)
			break
		}
	}
	sortRelocs(r.Relocs)
}

// relocTable returns the bytes of a table of whole entries.
func (r *reader) relocTable(name string, s Span, entry uint64) []byte {
	if s.Size == 0 {
		return nil
	}
	b := r.Bytes(s.Addr, s.Size)
	if b == nil {
		r.problem("%s: %#x bytes at %#x are not in a segment", name, s.Size, s.Addr)
		return nil
	}
	return b[:uint64(len(b))/entry*entry]
}

// addRelocs appends the entries of a table with (RELA) or without (REL) addends.
func (r *reader) addRelocs(name string, table []byte, entry uint64) {
	kinds := relocKinds(r.Machine)
	outside := 0
	var seg *Segment
	for ; uint64(len(table)) >= entry; table = table[entry:] {
		addr, info := le.Uint64(table), le.Uint64(table[8:])
		kind, none := kinds(uint32(info))
		if none {
			continue
		}
		if seg == nil || addr-seg.Addr >= seg.Size {
			if seg = r.Segment(addr); seg == nil {
				outside++
				continue
			}
		}
		reloc := Reloc{Addr: addr, Symbol: uint32(info >> 32), Kind: kind}
		if entry == relaSize {
			reloc.Addend = le.Uint64(table[16:])
		} else if kind != RelocJumpSlot && kind != RelocCopy {
			// Slots of the procedure linkage table hold the stub that binds them, no addend.
			reloc.Addend, _ = r.Word(addr)
		}
		r.Relocs = append(r.Relocs, reloc)
	}
	if outside > 0 {
		r.problem("%s: %d relocations outside of all segments", name, outside)
	}
}

// countPacked returns how many relocations a RELR table makes at most, bounded by the words that
// the file has: each relocates another one.
func (r *reader) countPacked(table []byte) int {
	n := 0
	for b := table; len(b) >= wordSize; b = b[wordSize:] {
		if w := le.Uint64(b); w&1 == 0 {
			n++
		} else {
			n += bits.OnesCount64(w) - 1
		}
	}
	if limit := int(r.file.size) / wordSize; n > limit {
		r.problem("DT_RELR: %d relocations are more than the file has words", n)
		return limit
	}
	return n
}

// addPacked appends at most limit entries of a RELR table: an even word is an address to relocate;
// an odd one is a bitmap of which of the next 63 words are.
func (r *reader) addPacked(table []byte, limit int) {
	outside := 0
	var seg *Segment
	add := func(addr uint64) {
		if limit--; limit < 0 {
			return
		}
		if seg == nil || addr-seg.Addr >= seg.Size {
			if seg = r.Segment(addr); seg == nil {
				outside++
				return
			}
		}
		var addend uint64
		if off := addr - seg.Addr; off+wordSize <= uint64(len(seg.Data)) {
			addend = le.Uint64(seg.Data[off:])
		} else {
			addend, _ = r.Word(addr)
		}
		r.Relocs = append(r.Relocs, Reloc{Addr: addr, Addend: addend, Kind: RelocRelative})
	}
	next := uint64(0)
	for ; len(table) >= wordSize && limit > 0; table = table[wordSize:] {
		w := le.Uint64(table)
		if w&1 == 0 {
			add(w)
			next = w + wordSize
			continue
		}
		for b := w >> 1; b != 0; b &= b - 1 {
			add(next + wordSize*uint64(bits.TrailingZeros64(b)))
		}
		next += 63 * wordSize
	}
	if outside > 0 {
		r.problem("DT_RELR: %d relocations outside of all segments", outside)
	}
}

// relocKinds returns the translation of a machine's relocation types; none is true for the type
// that does nothing.
func relocKinds(m elf.Machine) func(t uint32) (kind RelocKind, none bool) {
	if m == elf.EM_AARCH64 {
		return relocARM64
	}
	return relocAMD64
}

func relocAMD64(t uint32) (RelocKind, bool) {
	switch elf.R_X86_64(t) {
	case elf.R_X86_64_NONE:
		return RelocOther, true
	case elf.R_X86_64_RELATIVE, elf.R_X86_64_RELATIVE64:
		return RelocRelative, false
	case elf.R_X86_64_64, elf.R_X86_64_GLOB_DAT:
		return RelocSymbol, false
	case elf.R_X86_64_JMP_SLOT:
		return RelocJumpSlot, false
	case elf.R_X86_64_COPY:
		return RelocCopy, false
	case elf.R_X86_64_IRELATIVE:
		return RelocIRelative, false
	case elf.R_X86_64_TLSDESC:
		return RelocTLSDesc, false
	}
	return RelocOther, false
}

func relocARM64(t uint32) (RelocKind, bool) {
	const noneOfOldABI = 256 // R_AARCH64_NONE before its number became 0
	switch elf.R_AARCH64(t) {
	case elf.R_AARCH64_NONE, noneOfOldABI:
		return RelocOther, true
	case elf.R_AARCH64_RELATIVE:
		return RelocRelative, false
	case elf.R_AARCH64_ABS64, elf.R_AARCH64_GLOB_DAT:
		return RelocSymbol, false
	case elf.R_AARCH64_JUMP_SLOT:
		return RelocJumpSlot, false
	case elf.R_AARCH64_COPY:
		return RelocCopy, false
	case elf.R_AARCH64_IRELATIVE:
		return RelocIRelative, false
	case elf.R_AARCH64_TLSDESC:
		return RelocTLSDesc, false
	}
	return RelocOther, false
}

// sortRelocs sorts by address and keeps the order of equal ones, of which the loader's last write
// counts. Tables consist of a few ascending runs, so those are merged.
func sortRelocs(a []Reloc) {
	var ends []int
	for i := 1; i < len(a); i++ {
		if a[i].Addr < a[i-1].Addr {
			ends = append(ends, i)
		}
	}
	if len(ends) == 0 {
		return
	}
	ends = append(ends, len(a))
	from, to := a, make([]Reloc, len(a))
	for len(ends) > 1 {
		start, kept := 0, ends[:0]
		for i := 0; i < len(ends); i += 2 {
			if i+1 == len(ends) {
				copy(to[start:ends[i]], from[start:ends[i]])
				kept = append(kept, ends[i])
				break
			}
			end := ends[i+1]
			mergeRelocs(to[start:end], from[start:ends[i]], from[ends[i]:end])
			start, kept = end, append(kept, end)
		}
		ends = kept
		from, to = to, from
	}
	if &from[0] != &a[0] {
		copy(a, from)
	}
}

func mergeRelocs(to, a, b []Reloc) {
	for i := range to {
		if len(b) == 0 || len(a) > 0 && a[0].Addr <= b[0].Addr {
			to[i], a = a[0], a[1:]
		} else {
			to[i], b = b[0], b[1:]
		}
	}
}
