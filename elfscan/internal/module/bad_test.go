package module

import (
	"debug/elf"
	"errors"
	"slices"
	"strings"
	"testing"
)

// TestRefused: what no loader could map, or no decoder reads, is an error that says why.
func TestRefused(t *testing.T) {
	valid := read(t, "testdata/lib-relr.amd64")
	segment := programHeader(t, valid, elf.PT_LOAD, 1)
	change := func(f func(b []byte)) []byte {
		b := slices.Clone(valid)
		f(b)
		return b
	}
	put64 := func(at int, v uint64) []byte { return change(func(b []byte) { le.PutUint64(b[at:], v) }) }
	for _, c := range []struct {
		data   []byte
		reason string
	}{
		{nil, "the file is empty"},
		{[]byte("#!/bin/sh\n"), "not an ELF file"},
		{[]byte("\x7fEL"), "not an ELF file"},
		{valid[:18], "truncated ELF file"},
		{valid[:63], "truncated ELF file"},
		{valid[:100], "truncated: the program headers end at offset"},
		{valid[:len(valid)/2], "truncated: the segment at"},
		{change(func(b []byte) { b[elf.EI_CLASS] = byte(elf.ELFCLASS32) }), "x32 ABI"},
		{change(func(b []byte) { b[elf.EI_CLASS], b[18] = byte(elf.ELFCLASS32), byte(elf.EM_AARCH64) }), "64-bit files"},
		{change(func(b []byte) {
			b[elf.EI_DATA], b[16], b[17], b[18], b[19] = byte(elf.ELFDATA2MSB), 0, 3, 0, byte(elf.EM_AARCH64)
		}), "little-endian"},
		{change(func(b []byte) { le.PutUint16(b[18:], uint16(elf.EM_RISCV)) }), "no decoder for its machine (EM_RISCV"},
		{change(func(b []byte) { le.PutUint16(b[16:], uint16(elf.ET_REL)) }), "not a program or library: ELF type ET_REL"},
		{change(func(b []byte) { le.PutUint16(b[54:], 32) }), "program headers of 32 bytes"},
		{change(func(b []byte) { le.PutUint16(b[56:], 0) }), "no loadable segment"},
		{put64(segment+40, 1), "contradicts itself"},
		{put64(segment+16, ^uint64(0)-16), "contradicts itself"},
		{put64(segment+16, 16), "overlap in memory"},
		{put64(segment+16, 1<<40), "segments span"},
		{manySegments(valid), "more than 128 PT_LOAD segments"},
		{overlapping(valid), "segments overlap in the file"},
	} {
		m, err := Open("name", c.data)
		var format *FormatError
		if m != nil || !errors.As(err, &format) || format.Path != "name" || !strings.Contains(format.Reason, c.reason) {
			t.Errorf("%v, want %q", err, c.reason)
		}
	}
}

// programHeader returns the offset of the n-th program header of a type.
func programHeader(t testing.TB, data []byte, kind elf.ProgType, n int) int {
	t.Helper()
	for i := range int(le.Uint16(data[56:])) {
		at := int(le.Uint64(data[32:])) + i*progSize
		if elf.ProgType(le.Uint32(data[at:])) == kind {
			if n == 0 {
				return at
			}
			n--
		}
	}
	t.Fatalf("no program header %s", kind)
	return 0
}

// withSegments returns a file with program headers at its end, made by f.
func withSegments(data []byte, n int, f func(i int, h []byte)) []byte {
	b := slices.Clone(data)
	le.PutUint64(b[32:], uint64(len(b)))
	le.PutUint16(b[56:], uint16(n))
	for i := range n {
		var h [progSize]byte
		le.PutUint32(h[:], uint32(elf.PT_LOAD))
		f(i, h[:])
		b = append(b, h[:]...)
	}
	return b
}

func manySegments(data []byte) []byte {
	return withSegments(data, 129, func(i int, h []byte) {
		le.PutUint64(h[16:], uint64(i)<<12)
		le.PutUint64(h[40:], 1)
	})
}

func overlapping(data []byte) []byte {
	return withSegments(data, 8, func(i int, h []byte) {
		le.PutUint64(h[16:], uint64(i)<<20)
		le.PutUint64(h[32:], uint64(len(data)))
		le.PutUint64(h[40:], uint64(len(data)))
	})
}

// TestProblems: a table that lies is left out with a word about it, and everything else stays.
func TestProblems(t *testing.T) {
	valid := read(t, "testdata/lib-relr.amd64")
	whole := open(t, "testdata/lib-relr.amd64")
	for _, c := range []struct {
		tag     elf.DynTag
		value   uint64
		problem string
	}{
		{elf.DT_SYMTAB, 1 << 30, "DT_SYMTAB: 0x40000000 is not in a segment"},
		{elf.DT_STRTAB, 1 << 30, "DT_STRTAB"},
		{elf.DT_STRSZ, 1 << 30, "DT_STRTAB"},
		{elf.DT_STRSZ, 4, "DT_STRTAB"},
		{elf.DT_GNU_HASH, 1 << 30, "DT_GNU_HASH"},
		{elf.DT_VERSYM, 1 << 30, "DT_VERSYM"},
		{elf.DT_VERDEF, 1 << 30, "DT_VERDEF"},
		{elf.DT_RELA, 1 << 30, "DT_RELA"},
		{elf.DT_RELASZ, 1 << 30, "DT_RELA"},
		{elf.DT_JMPREL, 1 << 30, "DT_JMPREL"},
		{dtRelr, 1 << 30, "DT_RELR"},
		{elf.DT_INIT_ARRAY, 1 << 30, "DT_INIT_ARRAY"},
		{elf.DT_FINI_ARRAYSZ, 1 << 30, "DT_FINI_ARRAY"},
	} {
		m, err := Open("", withDynamic(t, valid, c.tag, c.value))
		if err != nil {
			t.Errorf("%s: %v", c.tag, err)
			continue
		}
		if !slices.ContainsFunc(m.Problems, func(p string) bool { return strings.Contains(p, c.problem) }) {
			t.Errorf("%s = %#x: problems %q, want %q", c.tag, c.value, m.Problems, c.problem)
		}
		if !slices.Equal(m.Frames, whole.Frames) {
			t.Errorf("%s = %#x: frames are gone too", c.tag, c.value)
		}
		check(t, m, valid)
	}
}

// withDynamic returns a copy of a file in which a dynamic entry has another value.
func withDynamic(t testing.TB, data []byte, tag elf.DynTag, value uint64) []byte {
	t.Helper()
	h := programHeader(t, data, elf.PT_DYNAMIC, 0)
	data = slices.Clone(data)
	for at := le.Uint64(data[h+8:]); ; at += dynSize {
		switch elf.DynTag(le.Uint64(data[at:])) {
		case tag:
			le.PutUint64(data[at+8:], value)
			return data
		case elf.DT_NULL:
			t.Fatalf("no %s", tag)
		}
	}
}

// TestPackedBound: a bitmap of 8 bytes stands for 63 relocations, of which a file can have as many
// as it has words.
func TestPackedBound(t *testing.T) {
	valid := read(t, "testdata/lib-relr.amd64")
	data := slices.Clone(valid)
	m := open(t, "testdata/lib-relr.amd64")
	text := m.Segments[0]
	table := text.Data[0x100:]
	fill := data[text.Offset+0x100:][:len(table)]
	for i := 0; i+8 <= len(fill); i += 8 {
		le.PutUint64(fill[i:], ^uint64(0))
	}
	// Only the header, the program headers and the dynamic section are needed.
	data = withDynamic(t, data, dtRelr, text.Addr+0x200)
	data = withDynamic(t, data, dtRelrSize, uint64(len(fill)-0x100)&^7)
	copy(data, valid[:0x200])
	m, err := Open("", data)
	if err != nil {
		t.Fatal(err)
	}
	check(t, m, data)
	if !slices.ContainsFunc(m.Problems, func(p string) bool { return strings.HasPrefix(p, "DT_RELR: ") }) {
		t.Errorf("problems: %q", m.Problems)
	}
}

// check verifies what every module promises, whatever its file holds.
func check(t testing.TB, m *Module, data []byte) {
	t.Helper()
	size := len(data)
	if n := len(m.Symbols); n > size/symbolSize {
		t.Errorf("%d symbols in %d bytes", n, size)
	}
	if n := len(m.Locals); n > size/symbolSize {
		t.Errorf("%d local symbols in %d bytes", n, size)
	}
	if n := len(m.Relocs); n > size/wordSize+size/relaSize+2*size/relSize {
		t.Errorf("%d relocations in %d bytes", n, size)
	}
	if n := len(m.Frames); n > size/4 {
		t.Errorf("%d frames in %d bytes", n, size)
	}
	for i, r := range m.Relocs {
		if i > 0 && r.Addr < m.Relocs[i-1].Addr {
			t.Fatalf("relocation %d at %#x is out of order", i, r.Addr)
		}
		if m.Segment(r.Addr) == nil {
			t.Fatalf("relocation at %#x, outside of all segments", r.Addr)
		}
		if r.Symbol > 0 && int(r.Symbol) >= len(m.Symbols) {
			t.Fatalf("relocation against symbol %d of %d", r.Symbol, len(m.Symbols))
		}
	}
	for i, f := range m.Frames {
		if i > 0 && (f.Start < m.Frames[i-1].Start || f == m.Frames[i-1]) {
			t.Fatalf("frame %d at %#x is out of order", i, f.Start)
		}
		if f.End <= f.Start || !m.Executable(f.Start) || !m.Executable(f.End-1) {
			t.Fatalf("frame %#x..%#x", f.Start, f.End)
		}
	}
	for _, s := range []Span{m.PreinitArray, m.InitArray, m.FiniArray} {
		if s.Size%wordSize != 0 || s.Size > 0 && !m.holds(s) {
			t.Errorf("array %#x+%#x", s.Addr, s.Size)
		}
	}
	for i := range m.Segments {
		if s := &m.Segments[i]; uint64(len(s.Data)) > s.Size || i > 0 && s.Addr < m.Segments[i-1].Addr+m.Segments[i-1].Size {
			t.Errorf("segment %#x+%#x", s.Addr, s.Size)
		}
	}
	if len(m.Problems) > maxProblems {
		t.Errorf("%d problems", len(m.Problems))
	}
	for _, p := range m.Problems {
		if p == "" || len(p) > 500 || strings.ContainsAny(p, "\n\x00\x1b") {
			t.Errorf("problem %q", p)
		}
	}
	exercise(t, m)
}

// exercise calls the methods.
func exercise(t testing.TB, m *Module) {
	for _, s := range m.Symbols[:min(len(m.Symbols), 50)] {
		m.Bytes(s.Addr, s.Size)
		m.CString(s.Addr)
		m.Word(s.Addr)
		m.Writable(s.Addr)
		if i, ok := m.Lookup(s.Name, s.Version); ok && m.Symbols[i].Name != s.Name {
			t.Errorf("Lookup(%q) is %q", s.Name, m.Symbols[i].Name)
		}
		m.LookupNewest(s.Name)
	}
}
