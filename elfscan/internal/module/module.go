// Package module answers: what is in this ELF file, as the dynamic loader sees it?
//
// Open reads one executable or shared object: its segments, the dynamic section with everything
// that it points to (libraries, symbols with their versions, relocations), frame descriptions, and
// what section headers add where they exist. Addresses are virtual addresses as linked. Nothing in
// a file is trusted: tables that lie give fewer entries and a Problem, never a panic, and memory is
// bounded by the file's size.
package module

import "debug/elf"

// Module is one ELF file.
type Module struct {
	Path    string // for messages
	Machine elf.Machine
	Type    elf.Type // ET_EXEC or ET_DYN
	Entry   uint64
	Interp  string   // PT_INTERP, "" if none
	Soname  string   // DT_SONAME
	Needed  []string // DT_NEEDED, in order
	Filters []string // DT_AUXILIARY and DT_FILTER: libraries whose symbols come before its own
	Rpath   []string // DT_RPATH split at colons, as written; ignored by the loader if Runpath is there
	Runpath []string // DT_RUNPATH likewise
	Flags1  uint64   // DT_FLAGS_1: DF_1_NODEFLIB, DF_1_PIE and others
	BindNow bool     // DT_BIND_NOW, DF_BIND_NOW or DF_1_NOW

	ExecStack bool // PT_GNU_STACK asks for an executable stack

	Segments []Segment // PT_LOAD, ascending address
	Relro    []Span    // PT_GNU_RELRO
	TLS      Span      // PT_TLS: the initial image, file-backed part
	Sections []Section // hints: a file works without
	BuildID  string    // hex of the NT_GNU_BUILD_ID note, "" if none
	Debug    string    // file name in .gnu_debuglink, "" if none

	Symbols []Symbol // .dynsym with index 0, so that Reloc.Symbol indexes it
	Locals  []Symbol // functions and objects of .symtab, nil if stripped
	Relocs  []Reloc  // RELA, JMPREL, REL and RELR together, ascending Addr, which a segment holds
	Frames  []Frame  // FDEs of .eh_frame, ascending Start

	Init, Fini                         uint64 // DT_INIT, DT_FINI; 0 if none
	PreinitArray, InitArray, FiniArray Span   // words of these hold function addresses after relocation

	Problems []string // one line each: what was malformed and therefore left out

	Headers uint64 // bytes at the beginning of the file that the ELF, program and section headers take
	Rela    Span   // the table at DT_RELA

	file   *file
	table  []rawSection // all section headers, allocated or not
	versym []byte       // a little-endian half word for each entry of Symbols, nil if unversioned
	names  nameIndex
}

// Library reports whether the file is made to be loaded by a program rather than to be one. The kernel
// would start any file, so what tells is that it has no interpreter to load what it needs, or a name
// for others to ask for it by. The dynamic loader itself and the libc of glibc are libraries that can
// be started as well.
func (m *Module) Library() bool {
	switch {
	case m.Type != elf.ET_DYN || m.Flags1&uint64(elf.DF_1_PIE) != 0:
		return false
	case m.Soname != "":
		return true
	}
	return m.Interp == "" && (m.Entry == 0 || len(m.Needed) > 0)
}

// Span is a range of addresses.
type Span struct{ Addr, Size uint64 }

// Segment is a PT_LOAD segment. Addresses at or above Addr+len(Data) and below Addr+Size read as
// zero.
type Segment struct {
	Addr, Size  uint64
	Data        []byte
	Offset      uint64 // in the file
	Exec, Write bool
}

// Section is one section header of an allocated section.
type Section struct {
	Name             string
	Type             elf.SectionType
	Flags            elf.SectionFlag
	Addr, Size       uint64
	EntrySize, Align uint64
}

// Symbol is an entry of a symbol table.
type Symbol struct {
	Name       string
	Addr, Size uint64
	Type       elf.SymType
	Bind       elf.SymBind
	Visibility elf.SymVis
	Defined    bool   // has a section: SHN_UNDEF is false
	Absolute   bool   // SHN_ABS
	Version    string // "" if unversioned
	Hidden     bool   // a definition that only binds to references of its very version (name@VER, not name@@VER)
	Library    string // for references: the soname that the version is required from, "" if unversioned
}

// RelocKind says what the loader writes to a place.
type RelocKind uint8

// The kinds of relocation, the same for all machines.
const (
	RelocOther     RelocKind = iota // of no interest: offsets into thread-local storage and the like
	RelocRelative                   // base + Addend
	RelocSymbol                     // symbol + Addend: R_X86_64_64, GLOB_DAT, R_AARCH64_ABS64
	RelocJumpSlot                   // likewise, by the procedure linkage table
	RelocCopy                       // the symbol's bytes are copied here
	RelocIRelative                  // the result of calling base + Addend
	RelocTLSDesc                    // a resolver of the loader and an argument
)

// Reloc is one dynamic relocation.
type Reloc struct {
	Addr   uint64
	Addend uint64
	Symbol uint32 // index in Symbols, 0 if none
	Kind   RelocKind
}

// Frame is a frame description entry: the code from Start to End is unwound by it.
type Frame struct{ Start, End uint64 }
