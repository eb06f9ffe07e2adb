package module

import (
	"cmp"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"slices"
)

// FormatError says that a file is no ELF file that a loader could map, or one for a machine that is
// not read.
type FormatError struct {
	Path   string
	Reason string
}

func (e *FormatError) Error() string { return e.Path + ": " + e.Reason }

// Sizes of the structures of ELF64 files.
const (
	headerSize  = 64 // Elf64_Ehdr
	progSize    = 56 // Elf64_Phdr
	sectionSize = 64 // Elf64_Shdr
	symbolSize  = 24 // Elf64_Sym
	dynSize     = 16 // Elf64_Dyn
	relaSize    = 24 // Elf64_Rela
	relSize     = 16 // Elf64_Rel
	wordSize    = 8
)

const (
	// maxSegments bounds the PT_LOAD headers; real files have fewer than twenty.
	maxSegments = 128
	// maxSpan bounds the addresses between the first and the last segment: modules of one process
	// are analysed side by side, this far apart.
	maxSpan = 1 << 40
	// maxInterp is PATH_MAX, the kernel's own bound.
	maxInterp = 4096
	// page is the smallest page size of the machines that are read.
	page = 4096
)

var le = binary.LittleEndian

// reader is a module while it is read.
type reader struct {
	*Module
	data  []byte // the whole file
	dyn   dynamic
	notes []fileSpan // PT_NOTE
	frame uint64     // address of the frame header, PT_GNU_EH_FRAME

	hasDynamic, hasFrame bool
	dynamicAt            Span

	table []rawSection // all section headers, allocated or not; nil if there are none to believe
}

// fileSpan is a range of bytes in the file.
type fileSpan struct{ offset, size, align uint64 }

// Open reads the ELF file whose bytes are data; path is only for messages. Segments alias data,
// which must not change afterwards. The error is a *FormatError.
func Open(path string, data []byte) (*Module, error) {
	r := &reader{Module: &Module{Path: path}, data: data}
	if err := r.header(); err != nil {
		return nil, err
	}
	if err := r.programs(); err != nil {
		return nil, err
	}
	r.sections()
	r.identity()
	r.dynamicSection()
	r.relocations() // before the symbols: they tell which there are at least
	r.symbols()
	r.localSymbols()
	r.frames()
	return r.Module, nil
}

// refuse is the error of a file that is not usable at all.
func (r *reader) refuse(format string, args ...any) error {
	return &FormatError{r.Path, fmt.Sprintf(format, args...)}
}

// maxProblems bounds the list of what is malformed; real files have nothing.
const maxProblems = 32

// problem notes what was malformed, in one line.
func (r *reader) problem(format string, args ...any) {
	if len(r.Problems) < maxProblems {
		r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
	}
}

// at returns n bytes at an offset of the file, or nil if they are not all there.
func (r *reader) at(offset, n uint64) []byte {
	size := uint64(len(r.data))
	if offset > size || n > size-offset {
		return nil
	}
	return r.data[offset : offset+n : offset+n]
}

// header checks the ELF header.
func (r *reader) header() error {
	switch d := r.data; {
	case len(d) == 0:
		return r.refuse("the file is empty")
	case len(d) < len(elf.ELFMAG) || string(d[:len(elf.ELFMAG)]) != elf.ELFMAG:
		return r.refuse("not an ELF file")
	case len(d) < elf.EI_NIDENT+4:
		return r.refuse("truncated ELF header")
	}
	class, order := elf.Class(r.data[elf.EI_CLASS]), elf.Data(r.data[elf.EI_DATA])
	var bytes binary.ByteOrder = le
	if order == elf.ELFDATA2MSB {
		bytes = binary.BigEndian
	}
	r.Type, r.Machine = elf.Type(bytes.Uint16(r.data[16:])), elf.Machine(bytes.Uint16(r.data[18:]))
	switch {
	case r.Machine != elf.EM_X86_64 && r.Machine != elf.EM_AARCH64:
		return r.refuse("no decoder for its machine (%s, %s, %s): x86-64 and arm64 are read", r.Machine, class, order)
	case r.Machine == elf.EM_X86_64 && class == elf.ELFCLASS32:
		return r.refuse("no decoder for the x32 ABI (%s, %s): 64-bit x86-64 and arm64 are read", r.Machine, class)
	case class != elf.ELFCLASS64:
		return r.refuse("no decoder for 32-bit files of its machine (%s, %s)", r.Machine, class)
	case order != elf.ELFDATA2LSB:
		return r.refuse("no decoder for its byte order (%s, %s): little-endian files are read", r.Machine, order)
	case len(r.data) < headerSize:
		return r.refuse("truncated ELF header")
	case r.Type != elf.ET_EXEC && r.Type != elf.ET_DYN:
		return r.refuse("neither program nor shared object: ELF type %s", r.Type)
	}
	r.Entry = le.Uint64(r.data[24:])
	return nil
}

// programs reads the program headers.
func (r *reader) programs() error {
	offset, entry, count := le.Uint64(r.data[32:]), uint64(le.Uint16(r.data[54:])), uint64(le.Uint16(r.data[56:]))
	if count > 0 && entry != progSize {
		return r.refuse("program headers of %d bytes instead of %d", entry, progSize)
	}
	table := r.at(offset, count*progSize)
	if table == nil {
		return r.refuse("truncated: the program headers end at offset %#x of a file of %#x bytes", offset+count*progSize, len(r.data))
	}
	for ; len(table) > 0; table = table[progSize:] {
		if err := r.program(table); err != nil {
			return err
		}
	}
	return r.checkSegments()
}

// program reads one program header.
func (r *reader) program(h []byte) error {
	kind, flags := elf.ProgType(le.Uint32(h)), elf.ProgFlag(le.Uint32(h[4:]))
	offset, addr := le.Uint64(h[8:]), le.Uint64(h[16:])
	inFile, inMemory, align := le.Uint64(h[32:]), le.Uint64(h[40:]), le.Uint64(h[48:])
	switch kind {
	case elf.PT_LOAD:
		data := r.at(offset, inFile)
		switch {
		case len(r.Segments) == maxSegments:
			return r.refuse("more than %d PT_LOAD segments", maxSegments)
		case data == nil:
			return r.refuse("truncated: the segment at %#x ends at offset %#x of a file of %#x bytes", addr, offset+inFile, len(r.data))
		case inMemory < inFile || addr+inMemory < addr:
			return r.refuse("the segment at %#x contradicts itself", addr)
		}
		r.Segments = append(r.Segments, Segment{
			Addr: addr, Size: inMemory, Data: data, Offset: offset,
			Exec: flags&elf.PF_X != 0, Write: flags&elf.PF_W != 0,
		})
	case elf.PT_INTERP:
		b := r.at(offset, inFile)
		if b == nil || inFile > maxInterp {
			return r.refuse("PT_INTERP holds no path")
		}
		if r.Interp == "" { // of several, the kernel takes the first one
			r.Interp = zeroTerminated(b)
		}
	case elf.PT_GNU_RELRO:
		r.Relro = []Span{{addr, inMemory}} // of several, loaders protect the last one
	case elf.PT_TLS:
		r.TLS = Span{addr, inFile}
	case elf.PT_DYNAMIC:
		r.hasDynamic, r.dynamicAt = true, Span{addr, inFile}
	case elf.PT_GNU_EH_FRAME:
		r.hasFrame, r.frame = true, addr
	case elf.PT_NOTE:
		r.notes = append(r.notes, fileSpan{offset, inFile, align})
	}
	return nil
}

// checkSegments sorts the segments and refuses those that no loader could map.
func (r *reader) checkSegments() error {
	segments := r.Segments
	if len(segments) == 0 {
		return r.refuse("no loadable segment")
	}
	slices.SortStableFunc(segments, func(a, b Segment) int { return cmp.Compare(a.Addr, b.Addr) })
	total := uint64(0)
	for i, s := range segments {
		// Segments that share bytes of the file would multiply the work.
		if total += uint64(len(s.Data)); total > 2*uint64(len(r.data)) {
			return r.refuse("segments overlap in the file")
		}
		if i > 0 && segments[i-1].Addr+segments[i-1].Size > s.Addr {
			return r.refuse("segments overlap in memory at %#x", s.Addr)
		}
	}
	last := &segments[len(segments)-1]
	if last.Addr+last.Size-segments[0].Addr >= maxSpan {
		return r.refuse("segments span %#x to %#x, more than is analysed", segments[0].Addr, last.Addr+last.Size)
	}
	return nil
}
