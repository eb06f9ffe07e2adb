package module

import (
	"bytes"
	"debug/elf"
	"errors"
	"strings"
	"testing"
)

// openHostile opens anything: either it is refused with a reason, or the module keeps its promises.
func openHostile(t *testing.T, data []byte) *Module {
	m, err := Open("fuzz", data)
	if err != nil {
		var format *FormatError
		if !errors.As(err, &format) || format.Reason == "" || strings.ContainsAny(format.Reason, "\n\x00\x1b") {
			t.Errorf("error %v", err)
		}
		return nil
	}
	check(t, m, data)
	return m
}

func FuzzOpen(f *testing.F) {
	for _, path := range samples(f) {
		data := read(f, path)
		f.Add(data)
		f.Add(withoutSections(data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m := openHostile(t, data)
		program, err := OpenProgram("fuzz", bytes.NewReader(data), int64(len(data)))
		if err == nil && (m == nil || len(program.Segments) != len(m.Segments)) {
			t.Error("OpenProgram takes what Open refuses")
		}
	})
}

// fuzzPart fuzzes the bytes of a file that part finds: its addresses and size.
func fuzzPart(f *testing.F, path string, part func(m *Module) Span) {
	valid := read(f, path)
	m := open(f, path)
	s := part(m)
	original := m.Bytes(s.Addr, s.Size)
	if len(original) == 0 {
		f.Fatalf("%s has no such part at %#x+%#x", path, s.Addr, s.Size)
	}
	offset := int(s.Addr - m.Segment(s.Addr).Addr + m.Segment(s.Addr).Offset)
	f.Add(original)
	f.Fuzz(func(t *testing.T, b []byte) {
		data := append([]byte(nil), valid...)
		copy(data[offset:offset+len(original)], b)
		m := openHostile(t, data)
		if m == nil {
			t.Error("refused for a malformed part")
		}
	})
}

// sectionSpan returns where a section is.
func sectionSpan(names ...string) func(m *Module) Span {
	return func(m *Module) Span {
		var all Span
		for _, name := range names {
			if s := m.Section(name); s != nil {
				if all.Size == 0 {
					all.Addr = s.Addr
				}
				all.Size = s.Addr + s.Size - all.Addr
			}
		}
		return all
	}
}

func FuzzDynamic(f *testing.F) { fuzzPart(f, "testdata/lib-relr.amd64", sectionSpan(".dynamic")) }

func FuzzRelocs(f *testing.F) {
	fuzzPart(f, "testdata/lib-relr.amd64", sectionSpan(".rela.dyn", ".rela.plt", ".relr.dyn"))
}

func FuzzFrames(f *testing.F) {
	fuzzPart(f, "testdata/lib-relr.amd64", sectionSpan(".eh_frame_hdr", ".eh_frame"))
}

func FuzzFramesOfAllForms(f *testing.F) {
	fuzzPart(f, "testdata/frames.amd64", sectionSpan(".eh_frame"))
}

func FuzzVersions(f *testing.F) {
	fuzzPart(f, "testdata/use.amd64", sectionSpan(".gnu.hash", ".dynsym", ".dynstr", ".gnu.version", ".gnu.version_r"))
}

func FuzzVersionDefinitions(f *testing.F) {
	fuzzPart(f, "testdata/lib-sysv.amd64", sectionSpan(".hash", ".dynsym", ".dynstr", ".gnu.version", ".gnu.version_d"))
}

// FuzzRelr decodes packed relocations of any form, and compares with the definition in the generic
// ABI: an address, then bitmaps of the words that follow.
func FuzzRelr(f *testing.F) {
	path := "testdata/lib-relr.amd64"
	m := open(f, path)
	s := m.Section(".relr.dyn")
	f.Add(m.Bytes(s.Addr, s.Size))
	f.Fuzz(func(t *testing.T, table []byte) {
		if len(table) > 1<<16 {
			return
		}
		const size = 1 << 20
		r := &reader{Module: &Module{Machine: elf.EM_X86_64, Segments: m.Segments, file: &file{size: size}}}
		r.addPacked(table, r.countPacked(table))
		var want []uint64
		where := uint64(0)
		for b := table; len(b) >= 8; b = b[8:] {
			entry := le.Uint64(b)
			if entry&1 == 0 {
				want, where = append(want, entry), entry+8
				continue
			}
			for i := range uint64(63) {
				if entry>>(i+1)&1 != 0 {
					want = append(want, where+8*i)
				}
			}
			where += 63 * 8
		}
		i := 0
		for _, addr := range want[:min(len(want), size/wordSize)] {
			if m.Segment(addr) == nil {
				continue
			}
			if i >= len(r.Relocs) || r.Relocs[i].Addr != addr || r.Relocs[i].Kind != RelocRelative {
				t.Fatalf("relocation %d: %#x is missing", i, addr)
			}
			if word, _ := m.Word(addr); word != r.Relocs[i].Addend {
				t.Fatalf("relocation at %#x: addend %#x", addr, r.Relocs[i].Addend)
			}
			i++
		}
		if i != len(r.Relocs) {
			t.Fatalf("%d relocations, want %d", len(r.Relocs), i)
		}
	})
}
