package module

import (
	"bytes"
	"debug/elf"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// samples returns the committed ELF files, which testdata/make.sh makes.
func samples(t testing.TB) []string {
	t.Helper()
	var files []string
	for _, machine := range []string{"amd64", "arm64"} {
		f, err := filepath.Glob(filepath.Join("testdata", "*."+machine))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f...)
	}
	if len(files) < 9 {
		t.Fatalf("%d files in testdata", len(files))
	}
	return files
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func open(t testing.TB, path string) *Module {
	t.Helper()
	m, err := Open(path, read(t, path))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestSamples compares the committed files with what readelf said about them.
func TestSamples(t *testing.T) {
	for _, path := range samples(t) {
		data := read(t, path)
		m := open(t, path)
		f, err := elf.NewFile(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		compareFacts(t, path, factsOf(m), parseReadelf(t, f, string(read(t, path+".readelf"))))
		for _, p := range m.Problems {
			t.Errorf("%s: %s", path, p)
		}
		compareStripped(t, m, data)
	}
}

// TestSampleKinds makes sure that the samples hold what they are there for.
func TestSampleKinds(t *testing.T) {
	kinds := map[RelocKind]int{}
	hidden, libraries, packed := 0, 0, 0
	for _, path := range samples(t) {
		m := open(t, path)
		for _, r := range m.Relocs {
			kinds[r.Kind]++
		}
		for _, s := range m.Symbols {
			if s.Hidden {
				hidden++
			}
			if s.Library == "libdemo.so.1" {
				libraries++
			}
		}
		if m.Section(".relr.dyn") != nil {
			packed++
		}
	}
	for k := RelocOther; k <= RelocTLSDesc; k++ {
		if kinds[k] == 0 {
			t.Errorf("no relocation of kind %d", k)
		}
	}
	if hidden == 0 || libraries == 0 || packed == 0 {
		t.Errorf("%d hidden symbols, %d from a library, %d files with RELR", hidden, libraries, packed)
	}
}

func TestMemory(t *testing.T) {
	m := open(t, "testdata/lib-relr.amd64")
	shared, ok := m.Lookup("shared", "LIB_1")
	if !ok {
		t.Fatal("shared@LIB_1 is not found")
	}
	at := m.Symbols[shared].Addr
	if b := m.Bytes(at, 4); len(b) != 4 || b[0] != 7 { // lib.c: int shared = 7
		t.Errorf("shared = %v", b)
	}
	if !m.Writable(at) || m.Executable(at) {
		t.Errorf("shared: writable %t, executable %t", m.Writable(at), m.Executable(at))
	}
	call, _ := m.Lookup("call", "LIB_1")
	if a := m.Symbols[call].Addr; m.Writable(a) || !m.Executable(a) {
		t.Errorf("call: writable %t, executable %t", m.Writable(a), m.Executable(a))
	}
	if len(m.Relro) != 1 || m.Writable(m.Relro[0].Addr) || m.Writable(m.InitArray.Addr) {
		t.Error("what PT_GNU_RELRO covers is writable")
	}
	// The beginning of a page whose rest is not covered stays writable: mprotect takes pages.
	partly := Module{Segments: m.Segments, Relro: []Span{{m.Relro[0].Addr, at&^(page-1) + 8 - m.Relro[0].Addr}}}
	if !partly.Writable(at&^(page-1)) || partly.Writable(at&^(page-1)-1) {
		t.Error("the last page of PT_GNU_RELRO is not cut off")
	}
	last := &m.Segments[len(m.Segments)-1]
	for _, c := range []struct {
		addr uint64
		ok   bool
	}{{last.Addr + last.Size - 8, true}, {last.Addr + last.Size - 7, false}, {last.Addr + last.Size, false}, {^uint64(0), false}, {^uint64(0) - 7, false}} {
		if _, ok := m.Word(c.addr); ok != c.ok {
			t.Errorf("Word(%#x) is %t", c.addr, ok)
		}
	}
	z := open(t, "testdata/static.amd64")
	bss := &z.Segments[len(z.Segments)-1]
	if w, ok := z.Word(bss.Addr + bss.Size - 8); w != 0 || !ok || z.Bytes(bss.Addr+bss.Size-8, 8) != nil {
		t.Errorf("the last word of .bss: %#x, %t", w, ok)
	}
	if s := m.CString(m.Segments[0].Addr + 1); s != "" && !strings.HasPrefix(s, "ELF") {
		t.Errorf("CString: %q", s)
	}
}

// TestLookup: the rules of ld.so, as lib.map has it.
func TestLookup(t *testing.T) {
	m := open(t, "testdata/lib-sysv.amd64")
	for _, c := range []struct{ name, version, want string }{
		{"twice", "LIB_1", "LIB_1"},
		{"twice", "LIB_2", "LIB_2"},
		{"twice", "LIB_3", ""},
		{"twice", "", "LIB_1"}, // a reference from before there were versions means the oldest
		{"since_two", "", "LIB_2"},
		{"since_two", "LIB_1", ""},
		{"elsewhere", "", ""}, // only referred to
		{"nothing", "", ""},
		{"", "", ""},
	} {
		i, ok := m.Lookup(c.name, c.version)
		if ok != (c.want != "") || ok && m.Symbols[i].Version != c.want {
			t.Errorf("Lookup(%q, %q) = %d, %t; want version %q", c.name, c.version, i, ok, c.want)
		}
	}
	if i, ok := m.LookupNewest("twice"); !ok || m.Symbols[i].Version != "LIB_2" {
		t.Errorf("LookupNewest(twice) = %d, %t", i, ok)
	}
}
