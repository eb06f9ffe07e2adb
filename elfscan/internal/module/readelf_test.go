package module

import (
	"debug/elf"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// readelfFlags make readelf print everything that facts are read from.
var readelfFlags = []string{"-W", "-l", "-d", "-n", "-V", "-s", "-r", "--debug-dump=frames"}

// facts are what readelf and Open both say about a file, in readelf's words and in order.
type facts struct {
	Interp, Soname, BuildID            string
	Needed, Runpath, Rpath             []string
	Flags                              []string // of DT_FLAGS and DT_FLAGS_1, those that Module has
	Loads, Relro, TLS                  []string
	Init, Fini                         uint64
	PreinitArray, InitArray, FiniArray Span
	Symbols, Locals, Relocs, Frames    []string
}

// readelfParser reads the output of readelf.
type readelfParser struct {
	facts
	part      string
	libraries map[string]string // by index of the version
	library   string
	file      *elf.File // for the addends of RELR, which readelf does not print
}

// parseReadelf returns the facts in the output of readelf with readelfFlags.
func parseReadelf(t testing.TB, file *elf.File, out string) *facts {
	t.Helper()
	p := readelfParser{libraries: map[string]string{}, file: file}
	// Symbols refer to version indices that readelf prints later.
	var symbols []string
	for line := range strings.Lines(out) {
		line = strings.TrimRight(line, "\n")
		if p.part == "symbols" && strings.Contains(line, ": ") && !strings.Contains(line, "Num:") {
			symbols = append(symbols, line)
			continue
		}
		if err := p.line(line); err != nil {
			t.Fatalf("readelf line %q: %v", line, err)
		}
	}
	for _, line := range symbols {
		if err := p.symbol(line); err != nil {
			t.Fatalf("readelf line %q: %v", line, err)
		}
	}
	slices.Sort(p.Relocs)
	slices.Sort(p.Frames)
	p.Frames = slices.Compact(p.Frames)
	return &p.facts
}

func (p *readelfParser) line(line string) error {
	f := strings.Fields(line)
	if part, ok := partOf(line); ok {
		p.part = part
		return nil
	}
	switch {
	case len(f) == 0:
	case strings.Contains(line, "[Requesting program interpreter: "):
		_, name, _ := strings.Cut(line, "interpreter: ")
		p.Interp = strings.TrimSuffix(name, "]")
	case strings.Contains(line, "Build ID: "):
		p.BuildID = f[len(f)-1]
	case p.part == "programs":
		return p.program(f)
	case p.part == "dynamic" && strings.HasPrefix(f[0], "0x"):
		return p.dynamic(line, f)
	case p.part == "locals" && strings.Contains(line, ": "):
		return p.local(symbolFields(line))
	case p.part == "needs":
		p.need(f)
	case p.part == "relocs" && len(f[0]) == 16:
		return p.reloc(line, f)
	case p.part == "relr" && len(f) == 1 && len(f[0]) == 16:
		addr, err := strconv.ParseUint(f[0], 16, 64)
		p.Relocs = append(p.Relocs, relocFact(addr, RelocRelative, 0, wordOf(p.file, addr)))
		return err
	case p.part == "frames" && len(f) == 6 && f[3] == "FDE":
		start, end, _ := strings.Cut(strings.TrimPrefix(f[5], "pc="), "..")
		if start != end {
			p.Frames = append(p.Frames, start+".."+end)
		}
	}
	return nil
}

// partOf recognises the headings in readelf's output.
func partOf(line string) (part string, ok bool) {
	for _, h := range []struct{ text, part string }{
		{"Program Headers:", "programs"}, {" Section to Segment mapping:", ""},
		{"Dynamic section at ", "dynamic"}, {"Relocation section '.relr", "relr"}, {"Relocation section ", "relocs"},
		{"Symbol table '.dynsym'", "symbols"}, {"Symbol table", "locals"}, {"Version needs section", "needs"}, {"Version ", ""},
		{"Histogram", ""}, {"Displaying notes", "notes"}, {"Contents of the .eh_frame section", "frames"}, {"Contents of", ""},
	} {
		if strings.HasPrefix(line, h.text) {
			return h.part, true
		}
	}
	return "", false
}

func (p *readelfParser) program(f []string) error {
	if len(f) < 6 || !strings.HasPrefix(f[1], "0x") {
		return nil
	}
	var n [5]uint64 // offset, virtual and physical address, sizes in file and in memory
	for i := range n {
		var err error
		if n[i], err = strconv.ParseUint(f[i+1], 0, 64); err != nil {
			return err
		}
	}
	flags := strings.Join(f[6:len(f)-1], "")
	switch f[0] {
	case "LOAD":
		p.Loads = append(p.Loads, loadFact(n[0], n[1], n[3], n[4], strings.Contains(flags, "W"), strings.Contains(flags, "E")))
	case "GNU_RELRO":
		p.Relro = append(p.Relro, fmt.Sprintf("%#x+%#x", n[1], n[4]))
	case "TLS":
		p.TLS = append(p.TLS, fmt.Sprintf("%#x+%#x", n[1], n[3]))
	}
	return nil
}

func loadFact(offset, addr, inFile, inMemory uint64, write, exec bool) string {
	return fmt.Sprintf("%#x+%#x at %#x+%#x write=%t exec=%t", addr, inMemory, offset, inFile, write, exec)
}

func (p *readelfParser) dynamic(line string, f []string) error {
	name := line[strings.Index(line, "[")+1:]
	name = strings.TrimSuffix(name, "]")
	number := func() uint64 {
		n, _ := strconv.ParseUint(f[2], 0, 64)
		return n
	}
	switch f[1] {
	case "(NEEDED)":
		p.Needed = append(p.Needed, name)
	case "(SONAME)":
		p.Soname = name
	case "(RPATH)":
		p.Rpath = strings.Split(name, ":")
	case "(RUNPATH)":
		p.Runpath = strings.Split(name, ":")
	case "(FLAGS)", "(FLAGS_1)", "(BIND_NOW)":
		for _, flag := range f[1:] {
			switch flag {
			case "NOW", "BIND_NOW", "(BIND_NOW)":
				p.Flags = append(p.Flags, "now")
			case "PIE", "NODEFLIB", "NODELETE", "INITFIRST":
				p.Flags = append(p.Flags, flag)
			}
		}
		slices.Sort(p.Flags)
		p.Flags = slices.Compact(p.Flags)
	case "(INIT)":
		p.Init = number()
	case "(FINI)":
		p.Fini = number()
	case "(PREINIT_ARRAY)":
		p.PreinitArray.Addr = number()
	case "(PREINIT_ARRAYSZ)":
		p.PreinitArray.Size = number()
	case "(INIT_ARRAY)":
		p.InitArray.Addr = number()
	case "(INIT_ARRAYSZ)":
		p.InitArray.Size = number()
	case "(FINI_ARRAY)":
		p.FiniArray.Addr = number()
	case "(FINI_ARRAYSZ)":
		p.FiniArray.Size = number()
	}
	return nil
}

// need reads a line of "Version needs": a file or a version required from it.
func (p *readelfParser) need(f []string) {
	for i := range f[:len(f)-1] {
		switch f[i] {
		case "File:":
			p.library = f[i+1]
		case "Version:":
			p.libraries[f[i+1]] = p.library
		}
	}
}

// symbolFields splits a line about a symbol. Without ELFOSABI_GNU in the header, readelf does not
// name what GNU added: the type IFUNC and the binding UNIQUE.
func symbolFields(line string) []string {
	f := strings.Fields(line)
	for i, name := range map[int]string{3: "IFUNC", 4: "UNIQUE"} {
		if len(f) > i+3 && f[i] == "<OS" && f[i+2] == "10" {
			f = slices.Replace(f, i, i+3, name)
		}
	}
	return f
}

// symbol reads a line like
//
//	6: 0000000000000000     0 FUNC    GLOBAL DEFAULT  UND puts@GLIBC_2.2.5 (2)
func (p *readelfParser) symbol(line string) error {
	if _, others, ok := strings.Cut(line, "["); ok && strings.HasPrefix(others, "VARIANT_PCS]") {
		line = strings.Replace(line, "[VARIANT_PCS]", "", 1)
	}
	f := symbolFields(line)
	if len(f) < 7 {
		return fmt.Errorf("%d fields", len(f))
	}
	addr, err := strconv.ParseUint(f[1], 16, 64)
	if err != nil {
		return err
	}
	size, err := strconv.ParseUint(f[2], 0, 64)
	if err != nil {
		return err
	}
	name, library := "", ""
	if len(f) > 7 && f[3] != "SECTION" { // those have no name: readelf prints the section's
		name = f[7]
	}
	if len(f) > 8 {
		library = p.libraries[strings.Trim(f[8], "()")]
	}
	p.Symbols = append(p.Symbols, fmt.Sprintf("%s %#x+%#x %s %s %s %s %s", f[0], addr, size, f[3], f[4], f[5], defined(f[6]), strings.TrimSpace(name+" "+library)))
	return nil
}

// local reads a line of the full symbol table.
func (p *readelfParser) local(f []string) error {
	if f[0] == "Num:" || len(f) < 8 || f[6] == "UND" || !slices.Contains([]string{"FUNC", "OBJECT", "IFUNC"}, f[3]) {
		return nil
	}
	addr, err := strconv.ParseUint(f[1], 16, 64)
	if err != nil {
		return err
	}
	size, err := strconv.ParseUint(f[2], 0, 64)
	p.Locals = append(p.Locals, fmt.Sprintf("%#x+%#x %s %s", addr, size, f[3], f[len(f)-1]))
	return err
}

// defined reduces a section index to what Symbol keeps of it.
func defined(section string) string {
	switch section {
	case "UND", "ABS":
		return section
	}
	return "DEF"
}

// reloc reads a line like
//
//	00000000001f  0000000700000007 R_X86_64_JUMP_SLOT  0000000000000000 memcpy@GLIBC_2.14 + 0
func (p *readelfParser) reloc(line string, f []string) error {
	addr, err := strconv.ParseUint(f[0], 16, 64)
	if err != nil {
		return err
	}
	info, err := strconv.ParseUint(f[1], 16, 64)
	if err != nil {
		return err
	}
	if f[2] == "R_X86_64_NONE" || f[2] == "R_AARCH64_NONE" {
		return nil
	}
	text, negative := "0", false
	switch {
	case len(f) > 3 && (f[len(f)-2] == "+" || f[len(f)-2] == "-"):
		text, negative = f[len(f)-1], f[len(f)-2] == "-"
	case len(f) == 4:
		text, negative = strings.TrimPrefix(f[3], "-"), strings.HasPrefix(f[3], "-")
	}
	addend, err := strconv.ParseUint(strings.TrimSuffix(text, "()"), 16, 64)
	if negative {
		addend = -addend
	}
	p.Relocs = append(p.Relocs, relocFact(addr, kindOf(f[2]), info>>32, addend))
	return err
}

// kindOf says what the loader does for a type, by the names in the psABI documents.
func kindOf(name string) RelocKind {
	_, name, _ = strings.Cut(strings.TrimPrefix(name, "R_"), "_") // X86_64_ has two parts
	name = strings.TrimPrefix(name, "64_")
	switch name {
	case "RELATIVE", "RELATIVE64":
		return RelocRelative
	case "64", "ABS64", "GLOB_DAT":
		return RelocSymbol
	case "JUMP_SLOT":
		return RelocJumpSlot
	case "COPY":
		return RelocCopy
	case "IRELATIVE":
		return RelocIRelative
	case "TLSDESC":
		return RelocTLSDesc
	}
	return RelocOther
}

func relocFact(addr uint64, kind RelocKind, symbol, addend uint64) string {
	return fmt.Sprintf("%016x kind %d symbol %d addend %#x", addr, kind, symbol, addend)
}

// wordOf reads the word at an address through debug/elf.
func wordOf(f *elf.File, addr uint64) uint64 {
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD && addr-p.Vaddr < p.Filesz {
			var b [8]byte
			p.ReadAt(b[:], int64(addr-p.Vaddr))
			return le.Uint64(b[:])
		}
	}
	return 0
}
