package elfscan

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
)

// FormatError says that a file is not an ELF binary that Scan can read: not ELF at all, cut short,
// contradicting itself, or for a machine without a decoder.
type FormatError struct {
	Path   string
	Reason string
}

func (e *FormatError) Error() string { return e.Path + ": " + e.Reason }

// ErrNotGo is wrapped in the error of Scan for an ELF file that holds no Go program.
var ErrNotGo = errors.New("not a Go program: C, C++ and Rust binaries are not read yet")

// image is the memory of a process right after the kernel and the loader have mapped the file:
// its segments with relative relocations applied, addressed by virtual address as linked.
type image struct {
	path    string
	machine elf.Machine
	order   binary.ByteOrder
	entry   uint64
	interp  string
	needed  []string // DT_NEEDED
	segs    []segment
	relocs  span   // the relocation table itself
	relro   []span // made read-only before the program starts, or never written: .data.rel.ro
	hints   []span // where section headers say that pclntab is
	headers uint64 // bytes at the file's beginning that the ELF, program and section headers take
	file    io.ReaderAt

	symbols     []symbol // ascending address; see loadSymbols
	symbolsRead bool
}

// segment is a PT_LOAD segment. Addresses at or above addr+len(data) and below addr+size read as
// zero.
type segment struct {
	addr, size uint64
	data       []byte
	fileOff    uint64
	exec       bool
	write      bool
}

type span struct{ addr, size uint64 }

type symbol struct{ addr, size uint64 }

// headerSpace returns where the headers at the beginning of a file end: Elf64_Ehdr, Elf64_Phdr, and
// Elf64_Shdr if it is there too, where Go's linker puts it.
func headerSpace(f *elf.File, r io.ReaderAt) uint64 {
	const elfHeader, progHeader, sectionHeader, page = 64, 56, 64, 4096
	end := elfHeader + progHeader*uint64(len(f.Progs))
	var shoff [8]byte
	if _, err := r.ReadAt(shoff[:], 40); err == nil {
		if at := f.ByteOrder.Uint64(shoff[:]); at < page {
			end = max(end, at+sectionHeader*uint64(len(f.Sections)))
		}
	}
	return end
}

// maxSegments bounds the program headers that are loaded; real files have fewer than twenty.
const maxSegments = 128

// openImage reads the loadable part of the ELF file r of the given size. Debug sections stay on
// disk. Memory is bounded by the file's own size, whatever its headers claim.
func openImage(path string, r io.ReaderAt, size int64) (*image, error) {
	if size == 0 {
		return nil, &FormatError{path, "the file is empty"}
	}
	var magic [4]byte
	if _, err := r.ReadAt(magic[:], 0); err != nil || string(magic[:]) != elf.ELFMAG {
		return nil, &FormatError{path, "not an ELF file"}
	}
	if err := checkSectionNames(path, r, size); err != nil {
		return nil, err
	}
	f, err := elf.NewFile(r)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, &FormatError{path, "truncated ELF file"}
	}
	if err != nil {
		return nil, &FormatError{path, "malformed ELF file: " + oneLine(err)}
	}
	defer f.Close()
	im := &image{path: path, machine: f.Machine, order: f.ByteOrder, entry: f.Entry, headers: headerSpace(f, r), file: r}
	if f.Type != elf.ET_EXEC && f.Type != elf.ET_DYN {
		return nil, &FormatError{path, fmt.Sprintf("not a program: ELF type %s", f.Type)}
	}
	if machines[f.Machine] == nil || f.Class != elf.ELFCLASS64 || f.Data != elf.ELFDATA2LSB {
		return nil, &FormatError{path, fmt.Sprintf("no decoder for its machine (%s, %s, %s): x86-64 and arm64 are read", machineName(f.Machine), f.Class, f.Data)}
	}
	if err := im.load(f, size); err != nil {
		return nil, err
	}
	im.readSections(f)
	if err := im.dynamic(f); err != nil {
		return nil, err
	}
	return im, nil
}

// maxSectionNames bounds the bytes of all section names together; real files have some kilobytes.
const maxSectionNames = 16 << 20

// checkSectionNames refuses a file in which many sections share one long name: debug/elf copies it
// for each of them.
func checkSectionNames(path string, r io.ReaderAt, size int64) error {
	var h [64]byte
	if n, _ := r.ReadAt(h[:], 0); n < len(h) {
		return nil // elf.NewFile says what is wrong
	}
	var order binary.ByteOrder = binary.LittleEndian
	if elf.Data(h[elf.EI_DATA]) == elf.ELFDATA2MSB {
		order = binary.BigEndian
	}
	wide := elf.Class(h[elf.EI_CLASS]) == elf.ELFCLASS64
	var offset, entry, count, names uint64
	if wide {
		offset, entry, count, names = order.Uint64(h[40:]), uint64(order.Uint16(h[58:])), uint64(order.Uint16(h[60:])), uint64(order.Uint16(h[62:]))
	} else {
		offset, entry, count, names = uint64(order.Uint32(h[32:])), uint64(order.Uint16(h[46:])), uint64(order.Uint16(h[48:])), uint64(order.Uint16(h[50:]))
	}
	sizeOf := func(index uint64) uint64 {
		var b [64]byte
		if at := offset + index*entry; at < uint64(size) {
			r.ReadAt(b[:], int64(at))
		}
		if wide {
			return order.Uint64(b[32:])
		}
		return uint64(order.Uint32(b[20:]))
	}
	if offset == 0 {
		return nil
	}
	if count == 0 { // more than fit: the first header says
		count = min(sizeOf(0), uint64(size))
	}
	if length := min(sizeOf(names), uint64(size)); length > 0 && count > maxSectionNames/length {
		return &FormatError{path, fmt.Sprintf("malformed ELF file: %d sections with up to %d bytes of names", count, length)}
	}
	return nil
}

// machineName is the name in ELF headers, or the number where debug/elf knows none.
func machineName(m elf.Machine) string {
	return strings.TrimPrefix(m.String(), "elf.")
}

func oneLine(err error) string {
	s := err.Error()
	for i := range s {
		if s[i] == '\n' {
			return s[:i]
		}
	}
	return s
}

func (im *image) load(f *elf.File, size int64) error {
	var total uint64
	for _, p := range f.Progs {
		switch p.Type {
		case elf.PT_GNU_RELRO:
			im.relro = append(im.relro, span{p.Vaddr, p.Memsz})
		case elf.PT_INTERP:
			if p.Filesz > 4096 {
				return &FormatError{im.path, "PT_INTERP longer than a path"}
			}
			b := make([]byte, p.Filesz)
			if _, err := p.ReadAt(b, 0); err != nil && err != io.EOF {
				return &FormatError{im.path, "PT_INTERP lies outside of the file"}
			}
			im.interp = cString(b)
		case elf.PT_LOAD:
			if len(im.segs) == maxSegments {
				return &FormatError{im.path, fmt.Sprintf("more than %d PT_LOAD segments", maxSegments)}
			}
			if p.Off > uint64(size) || p.Filesz > uint64(size)-p.Off {
				return &FormatError{im.path, fmt.Sprintf("truncated: the segment at %#x ends at offset %#x of a file of %#x bytes", p.Vaddr, p.Off+p.Filesz, size)}
			}
			if p.Memsz < p.Filesz || p.Vaddr+p.Memsz < p.Vaddr {
				return &FormatError{im.path, fmt.Sprintf("the segment at %#x contradicts itself", p.Vaddr)}
			}
			// Segments that share file bytes would multiply memory.
			if total += p.Filesz; total > 2*uint64(size) {
				return &FormatError{im.path, "segments overlap in the file"}
			}
			s := segment{addr: p.Vaddr, size: p.Memsz, fileOff: p.Off, exec: p.Flags&elf.PF_X != 0, write: p.Flags&elf.PF_W != 0}
			s.data = make([]byte, p.Filesz)
			if _, err := p.ReadAt(s.data, 0); err != nil && !(err == io.EOF && p.Filesz == 0) {
				return &FormatError{im.path, fmt.Sprintf("segment at %#x: %s", p.Vaddr, oneLine(err))}
			}
			im.segs = append(im.segs, s)
		}
	}
	if len(im.segs) == 0 {
		return &FormatError{im.path, "no loadable segment"}
	}
	sort.Slice(im.segs, func(i, j int) bool { return im.segs[i].addr < im.segs[j].addr })
	for i := 1; i < len(im.segs); i++ {
		if im.segs[i-1].addr+im.segs[i-1].size > im.segs[i].addr {
			return &FormatError{im.path, "segments overlap in memory"}
		}
	}
	return nil
}

// readSections takes what section headers offer. All of it is a hint: files work without.
func (im *image) readSections(f *elf.File) {
	for _, s := range f.Sections {
		switch s.Name {
		case ".gopclntab", ".data.rel.ro.gopclntab":
			im.hints = append(im.hints, span{s.Addr, s.Size})
		}
		// Go's linker writes these sections into PIE files, but no PT_GNU_RELRO.
		if strings.HasPrefix(s.Name, ".data.rel.ro") {
			im.relro = append(im.relro, span{s.Addr, s.Size})
		}
	}
}

// loadSymbols reads the sizes of data objects from the symbol table, the first time it is called.
// A file without symbols has none, which is not an error.
func (im *image) loadSymbols() {
	if im.symbolsRead {
		return
	}
	im.symbolsRead = true
	const entrySize = 24 // Elf64_Sym: name, info, other, shndx, value, size
	f, err := elf.NewFile(im.file)
	if err != nil {
		return
	}
	for _, sec := range f.Sections {
		if sec.Type != elf.SHT_SYMTAB || sec.Flags&elf.SHF_COMPRESSED != 0 {
			continue
		}
		table, err := sec.Data()
		if err != nil {
			break
		}
		for ; len(table) >= entrySize; table = table[entrySize:] {
			size := im.order.Uint64(table[16:])
			if elf.ST_TYPE(table[4]) == elf.STT_OBJECT && size > 0 {
				im.symbols = append(im.symbols, symbol{im.order.Uint64(table[8:]), size})
			}
		}
		break // a file has one; more could lie over the same bytes
	}
	sort.Slice(im.symbols, func(i, j int) bool { return im.symbols[i].addr < im.symbols[j].addr })
}

// symbolEnd returns where the variable that holds addr ends at the latest: at its own end if the
// symbol table names it, else where the next named one begins. It is false without symbols.
func (im *image) symbolEnd(addr uint64) (uint64, bool) {
	im.loadSymbols()
	i := sort.Search(len(im.symbols), func(i int) bool { return im.symbols[i].addr > addr })
	if i > 0 && addr-im.symbols[i-1].addr < im.symbols[i-1].size {
		return im.symbols[i-1].addr + im.symbols[i-1].size, true
	}
	if i < len(im.symbols) {
		return im.symbols[i].addr, true
	}
	return 0, false
}

// dynamic reads the dynamic section: the libraries that the loader adds, and the relative
// relocations, which it applies.
func (im *image) dynamic(f *elf.File) error {
	var dyn []byte
	for _, p := range f.Progs {
		if p.Type == elf.PT_DYNAMIC {
			dyn = im.bytes(p.Vaddr, p.Filesz)
		}
	}
	if dyn == nil {
		return nil
	}
	var strtab, rela, relasz uint64
	var needed []uint64
	for ; len(dyn) >= 16; dyn = dyn[16:] {
		tag, v := elf.DynTag(im.order.Uint64(dyn)), im.order.Uint64(dyn[8:])
		switch tag {
		case elf.DT_NULL:
			dyn = dyn[:16]
		case elf.DT_NEEDED:
			needed = append(needed, v)
		case elf.DT_STRTAB:
			strtab = v
		case elf.DT_RELA:
			rela = v
		case elf.DT_RELASZ:
			relasz = v
		}
	}
	for _, n := range needed {
		name := im.cstring(strtab + n)
		if name == "" {
			return &FormatError{im.path, "DT_NEEDED names nothing"}
		}
		im.needed = append(im.needed, name)
	}
	im.relocs = span{rela, relasz}
	im.relocate(rela, relasz)
	return nil
}

// relocate applies the R_*_RELATIVE entries of a RELA table: the word becomes the addend, since
// the image is kept at its linked address. The packed RELR form needs no work: its words hold their
// addends already.
func (im *image) relocate(addr, size uint64) {
	table := im.bytes(addr, size)
	var relative uint32
	switch im.machine {
	case elf.EM_X86_64:
		relative = uint32(elf.R_X86_64_RELATIVE)
	case elf.EM_AARCH64:
		relative = uint32(elf.R_AARCH64_RELATIVE)
	}
	for ; len(table) >= 24; table = table[24:] {
		if uint32(im.order.Uint64(table[8:])) == relative {
			if w := im.bytes(im.order.Uint64(table), 8); w != nil {
				copy(w, table[16:24])
			}
		}
	}
}

// segment returns the segment that holds addr, or nil.
func (im *image) segment(addr uint64) *segment {
	for i := range im.segs {
		if s := &im.segs[i]; addr-s.addr < s.size {
			return s
		}
	}
	return nil
}

// writable reports whether the program can write to addr while it runs.
func (im *image) writable(addr uint64) bool {
	s := im.segment(addr)
	if s == nil || !s.write {
		return false
	}
	for _, r := range im.relro {
		if addr-r.addr < r.size {
			return false
		}
	}
	return true
}

// bytes returns the n bytes at addr that the file backs, or nil if it does not back all of them.
func (im *image) bytes(addr, n uint64) []byte {
	s := im.segment(addr)
	if s == nil {
		return nil
	}
	off := addr - s.addr
	if off > uint64(len(s.data)) || n > uint64(len(s.data))-off {
		return nil
	}
	return s.data[off : off+n : off+n]
}

// word reads the pointer-sized word at addr. Memory that only exists zero-filled reads as 0.
func (im *image) word(addr uint64) (uint64, bool) {
	if b := im.bytes(addr, 8); b != nil {
		return im.order.Uint64(b), true
	}
	s := im.segment(addr)
	if s == nil || addr-s.addr < uint64(len(s.data)) || s.size-(addr-s.addr) < 8 {
		return 0, false
	}
	return 0, true
}

// cstring reads a string that ends in a zero byte, "" if there is none at addr.
func (im *image) cstring(addr uint64) string {
	s := im.segment(addr)
	if s == nil || addr-s.addr >= uint64(len(s.data)) {
		return ""
	}
	return cString(s.data[addr-s.addr:])
}

// maxName bounds names read from a file; Go's generic instantiations reach some kilobytes.
const maxName = 1 << 16

func cString(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
		if i == maxName {
			break
		}
	}
	return ""
}
