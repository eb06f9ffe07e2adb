package module

import (
	"debug/elf"
	"encoding/hex"
	"fmt"
)

// rawSection is a section header as written.
type rawSection struct {
	name                 uint32
	kind                 elf.SectionType
	link                 uint32
	flags                elf.SectionFlag
	addr, offset, size   uint64
	entrySize, alignment uint64
}

// maxSectionNames bounds the bytes of all section names together; real files have some kilobytes.
const maxSectionNames = 1 << 20

// sections reads the section headers. A file works without; the error says what is wrong with them.
func (r *reader) sections() error {
	offset, entry, count, names := le.Uint64(r.head[40:]), uint64(le.Uint16(r.head[58:])), uint64(le.Uint16(r.head[60:])), uint32(le.Uint16(r.head[62:]))
	if offset == 0 {
		return nil
	}
	first := r.file.at(offset, sectionSize)
	if first == nil || entry != sectionSize {
		return fmt.Errorf("section headers: none at offset %#x of a file of %#x bytes", offset, r.file.size)
	}
	if count == 0 { // more than the field can hold: the first header says
		count = le.Uint64(first[32:])
	}
	if names == uint32(elf.SHN_XINDEX) {
		names = le.Uint32(first[40:])
	}
	if count > r.file.size/sectionSize || count*sectionSize > r.file.size-offset {
		return fmt.Errorf("section headers: %d at offset %#x of a file of %#x bytes", count, offset, r.file.size)
	}
	table := r.file.at(offset, count*sectionSize)
	if table == nil && count > 0 {
		return fmt.Errorf("section headers: those at offset %#x cannot be read", offset)
	}
	if offset < page { // where Go's linker puts them, in memory
		r.Headers = max(r.Headers, offset+uint64(len(table)))
	}
	r.table = make([]rawSection, 0, count)
	for ; len(table) > 0; table = table[sectionSize:] {
		r.table = append(r.table, rawSection{
			name: le.Uint32(table), kind: elf.SectionType(le.Uint32(table[4:])), link: le.Uint32(table[40:]),
			flags: elf.SectionFlag(le.Uint64(table[8:])),
			addr:  le.Uint64(table[16:]), offset: le.Uint64(table[24:]), size: le.Uint64(table[32:]),
			entrySize: le.Uint64(table[56:]), alignment: le.Uint64(table[48:]),
		})
	}
	r.nameSections(names)
	return nil
}

// nameSections fills Sections, and takes what some sections outside of memory hold.
func (r *reader) nameSections(names uint32) {
	var text stringTable
	if uint64(names) < uint64(len(r.table)) {
		text = newStringTable(r.content(&r.table[names]), 0)
		text.budget = maxSectionNames
	}
	outside, linked := 0, false
	for i := range r.table {
		s := &r.table[i]
		name := text.at(uint64(s.name))
		if s.flags&elf.SHF_ALLOC == 0 {
			if name == ".gnu_debuglink" && !linked {
				linked = true
				r.Debug = zeroTerminated(r.file.at(s.offset, min(s.size, maxInterp)))
			}
			continue
		}
		// Thread-local zeros take no addresses; everything else is in a segment.
		if s.size > 0 && !(s.kind == elf.SHT_NOBITS && s.flags&elf.SHF_TLS != 0) && !r.holds(Span{s.addr, s.size}) {
			outside++
			continue
		}
		r.Sections = append(r.Sections, Section{name, s.kind, s.flags, s.addr, s.size, s.entrySize, s.alignment})
	}
	if outside > 0 {
		r.problem("section headers: %d sections are not in memory that a segment maps", outside)
	}
	if text.bad > 0 {
		r.problem("section headers: %d names are missing", text.bad)
	}
}

// content returns a section's bytes in the file, nil if they are not there.
func (m *Module) content(s *rawSection) []byte {
	if s.kind == elf.SHT_NOBITS || s.flags&elf.SHF_COMPRESSED != 0 {
		return nil
	}
	return m.file.at(s.offset, s.size)
}

// Section returns the allocated section of a name, or nil.
func (m *Module) Section(name string) *Section {
	for i := range m.Sections {
		if m.Sections[i].Name == name {
			return &m.Sections[i]
		}
	}
	return nil
}

const (
	buildIDNote = 3  // NT_GNU_BUILD_ID
	maxBuildID  = 64 // bytes; hashes have 8 to 32
)

// identity reads the build identifier from the notes.
func (r *reader) identity() {
	for i := range r.table {
		if s := &r.table[i]; s.kind == elf.SHT_NOTE {
			r.notes = append(r.notes, fileSpan{s.offset, s.size, s.alignment})
		}
	}
	budget := 2 * r.file.size // headers can share the same notes, but real ones do so once
	for _, n := range r.notes {
		b := r.file.at(n.offset, n.size)
		if uint64(len(b)) > budget {
			return
		}
		budget -= uint64(len(b))
		if r.BuildID = buildID(b, n.align); r.BuildID != "" {
			return
		}
	}
}

// buildID looks through the notes in b. Notes are padded to 4 bytes, or to 8 where the alignment
// says so.
func buildID(b []byte, alignment uint64) string {
	const noteHeader = 12 // Elf64_Nhdr: size of the name, size of the content, type
	pad := uint64(3)
	if alignment == 8 {
		pad = 7
	}
	for len(b) >= noteHeader {
		nameSize, size, kind := uint64(le.Uint32(b)), uint64(le.Uint32(b[4:])), le.Uint32(b[8:])
		start := (noteHeader + nameSize + pad) &^ pad
		end := start + size
		if end > uint64(len(b)) {
			return ""
		}
		if kind == buildIDNote && nameSize == 4 && string(b[noteHeader:noteHeader+4]) == "GNU\x00" && size <= maxBuildID {
			return hex.EncodeToString(b[start:end])
		}
		b = b[min((end+pad)&^pad, uint64(len(b))):]
	}
	return ""
}
