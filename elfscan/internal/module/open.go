package module

import (
	"cmp"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
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
	head  []byte // the ELF header
	dyn   dynamic
	notes []fileSpan // PT_NOTE
	frame uint64     // address of the frame header, PT_GNU_EH_FRAME
	total uint64     // bytes of all segments in the file

	hasInterp, hasDynamic, hasFrame bool
	dynamicAt                       Span
}

// fileSpan is a range of bytes in the file.
type fileSpan struct{ offset, size, align uint64 }

// Open reads the ELF file whose bytes are data; path is only for messages. Segments alias data,
// which must not change afterwards. The error is a *FormatError.
func Open(path string, data []byte) (*Module, error) {
	r := &reader{Module: &Module{Path: path, file: &file{data: data, size: uint64(len(data))}}}
	if err := r.open(); err != nil {
		return nil, err
	}
	if err := r.sections(); err != nil {
		r.problem("%s", err.Error())
	}
	r.identity()
	r.dynamicSection()
	r.relocations() // before the symbols: they tell which there are at least
	r.symbols()
	r.localSymbols()
	r.frames()
	return r.Module, nil
}

// OpenProgram reads of a file only what the loader maps, and what section headers and the dynamic
// section say directly: no symbols, relocations, frames or identifiers. Segments are copies that
// may be written to. Section headers and a dynamic section that are malformed are errors here: such
// a file has been cut short. The error is a *FormatError.
func OpenProgram(path string, from io.ReaderAt, size int64) (*Module, error) {
	r := &reader{Module: &Module{Path: path, file: &file{from: from, size: uint64(max(size, 0))}}}
	err := r.open()
	if err == nil {
		if err = r.sections(); err != nil {
			err = r.refuse("truncated: %s", err.Error())
		}
	}
	if failure := r.file.err; failure != nil && failure != io.EOF && failure != io.ErrUnexpectedEOF {
		first, _, _ := strings.Cut(failure.Error(), "\n")
		return nil, r.refuse("%s", first)
	}
	if err != nil {
		return nil, err
	}
	known := len(r.Problems)
	r.dynamicSection()
	if len(r.Problems) > known {
		return nil, r.refuse("malformed ELF file: %s", r.Problems[known])
	}
	return r.Module, nil
}

// open reads the header and the segments.
func (r *reader) open() error {
	if err := r.header(); err != nil {
		return err
	}
	if err := r.programs(); err != nil {
		return err
	}
	return r.checkSegments()
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

// header checks the ELF header.
func (r *reader) header() error {
	r.head = r.file.at(0, min(r.file.size, headerSize))
	switch h := r.head; {
	case r.file.size == 0:
		return r.refuse("the file is empty")
	case len(h) < len(elf.ELFMAG) || string(h[:len(elf.ELFMAG)]) != elf.ELFMAG:
		return r.refuse("not an ELF file")
	case len(h) < elf.EI_NIDENT+4:
		return r.refuse("truncated ELF file")
	}
	if err := r.checkMachine(); err != nil {
		return err
	}
	r.Entry = le.Uint64(r.head[24:])
	return nil
}

// checkMachine refuses files for machines, word sizes and byte orders that are not read, and what
// is neither program nor library.
func (r *reader) checkMachine() error {
	class, data := elf.Class(r.head[elf.EI_CLASS]), elf.Data(r.head[elf.EI_DATA])
	var order binary.ByteOrder = le
	if data == elf.ELFDATA2MSB {
		order = binary.BigEndian
	}
	r.Type, r.Machine = elf.Type(order.Uint16(r.head[16:])), elf.Machine(order.Uint16(r.head[18:]))
	machine := strings.TrimPrefix(r.Machine.String(), "elf.") // a number where debug/elf has no name
	switch {
	case class != elf.ELFCLASS32 && class != elf.ELFCLASS64:
		return r.refuse("malformed ELF header: class %d", class)
	case data != elf.ELFDATA2LSB && data != elf.ELFDATA2MSB:
		return r.refuse("malformed ELF header: byte order %d", data)
	case r.Type != elf.ET_EXEC && r.Type != elf.ET_DYN:
		return r.refuse("not a program or library: ELF type %s", strings.TrimPrefix(r.Type.String(), "elf."))
	case r.Machine != elf.EM_X86_64 && r.Machine != elf.EM_AARCH64:
		return r.refuse("no decoder for its machine (%s, %s, %s): x86-64 and arm64 are read", machine, class, data)
	case r.Machine == elf.EM_X86_64 && class == elf.ELFCLASS32:
		return r.refuse("no decoder for the x32 ABI (%s, %s): 64-bit x86-64 and arm64 are read", machine, class)
	case class != elf.ELFCLASS64:
		return r.refuse("no decoder for its machine (%s, %s): its 64-bit files are read", machine, class)
	case data != elf.ELFDATA2LSB:
		return r.refuse("no decoder for its machine (%s, %s): little-endian files are read", machine, data)
	case len(r.head) < headerSize:
		return r.refuse("truncated ELF file")
	}
	return nil
}

// programs reads the program headers.
func (r *reader) programs() error {
	offset, entry, count := le.Uint64(r.head[32:]), uint64(le.Uint16(r.head[54:])), uint64(le.Uint16(r.head[56:]))
	if count > 0 && entry != progSize {
		return r.refuse("program headers of %d bytes instead of %d", entry, progSize)
	}
	table := r.file.at(offset, count*progSize)
	if table == nil {
		return r.refuse("truncated: the program headers end at offset %#x of a file of %#x bytes", offset+count*progSize, r.file.size)
	}
	r.Headers = headerSize + uint64(len(table))
	for ; len(table) > 0; table = table[progSize:] {
		if err := r.program(table); err != nil {
			return err
		}
	}
	return nil
}

// program reads one program header.
func (r *reader) program(h []byte) error {
	kind, flags := elf.ProgType(le.Uint32(h)), elf.ProgFlag(le.Uint32(h[4:]))
	offset, addr := le.Uint64(h[8:]), le.Uint64(h[16:])
	inFile, inMemory, align := le.Uint64(h[32:]), le.Uint64(h[40:]), le.Uint64(h[48:])
	switch kind {
	case elf.PT_LOAD:
		return r.load(flags, offset, addr, inFile, inMemory)
	case elf.PT_INTERP:
		if r.hasInterp { // of several, the kernel takes the first one
			break
		}
		b := r.file.at(offset, min(inFile, maxInterp+1))
		if b == nil || inFile > maxInterp {
			return r.refuse("PT_INTERP holds no path")
		}
		r.hasInterp, r.Interp = true, zeroTerminated(b)
	case elf.PT_GNU_RELRO:
		r.Relro = []Span{{addr, inMemory}} // of several, loaders protect the last one
	case elf.PT_GNU_STACK:
		r.ExecStack = flags&elf.PF_X != 0
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

// load adds a segment.
func (r *reader) load(flags elf.ProgFlag, offset, addr, inFile, inMemory uint64) error {
	if len(r.Segments) == maxSegments {
		return r.refuse("more than %d PT_LOAD segments", maxSegments)
	}
	if offset > r.file.size || inFile > r.file.size-offset {
		return r.refuse("truncated: the segment at %#x ends at offset %#x of a file of %#x bytes", addr, offset+inFile, r.file.size)
	}
	if inMemory < inFile || addr+inMemory < addr {
		return r.refuse("the segment at %#x contradicts itself", addr)
	}
	// Segments that share bytes of the file would multiply memory and work.
	if r.total += inFile; r.total > 2*r.file.size {
		return r.refuse("segments overlap in the file")
	}
	data := r.file.at(offset, inFile)
	if data == nil {
		return r.refuse("truncated: the segment at %#x cannot be read", addr)
	}
	r.Segments = append(r.Segments, Segment{
		Addr: addr, Size: inMemory, Data: data, Offset: offset,
		Exec: flags&elf.PF_X != 0, Write: flags&elf.PF_W != 0,
	})
	return nil
}

// checkSegments sorts the segments and refuses those that no loader could map.
func (r *reader) checkSegments() error {
	segments := r.Segments
	if len(segments) == 0 {
		return r.refuse("no loadable segment")
	}
	slices.SortStableFunc(segments, func(a, b Segment) int { return cmp.Compare(a.Addr, b.Addr) })
	for i, s := range segments {
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
