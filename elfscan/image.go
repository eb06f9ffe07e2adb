package elfscan

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"

	"github.com/profcheck/profcheck/elfscan/internal/module"
)

// FormatError says that a file is not an ELF binary that Scan can read: not ELF at all, cut short,
// contradicting itself, or for a machine without a decoder.
type FormatError struct {
	Path   string
	Reason string
}

func (e *FormatError) Error() string { return e.Path + ": " + e.Reason }

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
	file    *module.Module

	symbols     []module.Span // ascending address; see loadSymbols
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

// openImage reads the loadable part of the ELF file r of the given size. Debug sections stay on
// disk. Memory is bounded by the file's own size, whatever its headers claim.
func openImage(path string, r io.ReaderAt, size int64) (*image, error) {
	if err := checkSectionNames(path, r, size); err != nil {
		return nil, err
	}
	m, err := module.OpenProgram(path, r, size)
	if err != nil {
		return nil, formatError(err)
	}
	im := &image{
		path: path, machine: m.Machine, order: binary.LittleEndian, entry: m.Entry, interp: m.Interp, needed: m.Needed,
		relocs: span{m.Rela.Addr, m.Rela.Size}, headers: m.Headers, file: m,
	}
	for _, s := range m.Segments {
		im.segs = append(im.segs, segment{addr: s.Addr, size: s.Size, data: s.Data, fileOff: s.Offset, exec: s.Exec, write: s.Write})
	}
	for _, s := range m.Relro {
		im.relro = append(im.relro, span{s.Addr, s.Size})
	}
	im.readSections(m.Sections)
	im.relocate(m.Rela.Addr, m.Rela.Size)
	return im, nil
}

// formatError makes the reader's error this package's own.
func formatError(err error) error {
	var format *module.FormatError
	if errors.As(err, &format) {
		return &FormatError{format.Path, format.Reason}
	}
	return err
}

// maxSectionNames bounds the bytes of all section names together; real files have some kilobytes.
const maxSectionNames = 16 << 20

// checkSectionNames refuses a file in which many sections share one long name: debug/elf, through
// which debug/buildinfo reads the file, copies it for each of them.
func checkSectionNames(path string, r io.ReaderAt, size int64) error {
	var h [64]byte
	if n, _ := r.ReadAt(h[:], 0); n < len(h) {
		return nil // openImage says what is wrong
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

// readSections takes what section headers offer. All of it is a hint: files work without.
func (im *image) readSections(sections []module.Section) {
	for _, s := range sections {
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
	if !im.symbolsRead {
		im.symbolsRead, im.symbols = true, im.file.Objects()
	}
}

// symbolEnd returns where the variable that holds addr ends at the latest: at its own end if the
// symbol table names it, else where the next named one begins. It is false without symbols.
func (im *image) symbolEnd(addr uint64) (uint64, bool) {
	im.loadSymbols()
	i := sort.Search(len(im.symbols), func(i int) bool { return im.symbols[i].Addr > addr })
	if i > 0 && addr-im.symbols[i-1].Addr < im.symbols[i-1].Size {
		return im.symbols[i-1].Addr + im.symbols[i-1].Size, true
	}
	if i < len(im.symbols) {
		return im.symbols[i].Addr, true
	}
	return 0, false
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
