package elfscan

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// patch returns a copy of b with v, as many bytes as given, at each offset.
func patch(b []byte, v any, offs ...uint64) []byte {
	b = bytes.Clone(b)
	for _, off := range offs {
		var buf bytes.Buffer
		if err := binary.Write(&buf, binary.LittleEndian, v); err != nil {
			panic(err)
		}
		copy(b[off:], buf.Bytes())
	}
	return b
}

// program headers of the file b, by type: offsets of the headers in it.
func headers(t testing.TB, b []byte, typ elf.ProgType) []uint64 {
	var out []uint64
	n := binary.LittleEndian.Uint16(b[56:])
	for i := range uint64(n) {
		off := binary.LittleEndian.Uint64(b[32:]) + 56*i
		if elf.ProgType(binary.LittleEndian.Uint32(b[off:])) == typ {
			out = append(out, off)
		}
	}
	if len(out) == 0 {
		t.Fatalf("no %s", typ)
	}
	return out
}

// tablePlace is the offset of pclntab in the file b.
func tablePlace(t testing.TB, b []byte) uint64 {
	f, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if s := f.Section(".gopclntab"); s != nil {
		return s.Offset
	}
	t.Fatal("no .gopclntab")
	return 0
}

// checkRefused scans b and requires one clear line as the error, and bounded memory.
func checkRefused(t *testing.T, b []byte, want string) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	res, err := ScanReader("some/file", bytes.NewReader(b), int64(len(b)))
	runtime.ReadMemStats(&after)
	if err == nil {
		t.Fatalf("accepted, with %d needs", len(res.Needs))
	}
	var fe *FormatError
	if !errors.As(err, &fe) {
		t.Errorf("error of type %T", err)
	}
	if msg := err.Error(); !strings.HasPrefix(msg, "some/file: ") || strings.Contains(msg, "\n") || !strings.Contains(msg, want) {
		t.Errorf("error %q, want one line with %q", msg, want)
	}
	if grown, limit := after.TotalAlloc-before.TotalAlloc, uint64(64<<20+8*len(b)); grown > limit {
		t.Errorf("%d bytes allocated for a file of %d", grown, len(b))
	}
}

func TestBadInput(t *testing.T) {
	good, err := os.ReadFile(build(t, helloSource, "amd64"))
	if err != nil {
		t.Fatal(err)
	}
	pie, err := os.ReadFile(build(t, helloSource, "amd64", "-buildmode=pie"))
	if err != nil {
		t.Fatal(err)
	}
	loads := headers(t, good, elf.PT_LOAD)
	table := tablePlace(t, good)
	const offset, vaddr, filesz, memsz = 8, 16, 32, 40 // in Elf64_Phdr
	word := func(off uint64) uint64 { return binary.LittleEndian.Uint64(good[off:]) }
	small := good[:1<<10]
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "the file is empty"},
		{"one byte", good[:1], "not an ELF file"},
		{"text", []byte("#!/bin/sh\necho\n"), "not an ELF file"},
		{"magic alone", good[:4], "ELF file"},
		{"header alone", good[:64], ""},
		{"32-bit", patch(good, byte(1), 4), ""},
		{"big-endian", patch(good, byte(2), 5), ""},
		{"unknown class", patch(good, byte(9), 4), "malformed"},
		{"unknown machine", patch(good, uint16(0xf00d), 18), "no decoder"},
		{"riscv", patch(good, uint16(elf.EM_RISCV), 18), "EM_RISCV"},
		{"relocatable", patch(good, uint16(elf.ET_REL), 16), "not a program"},
		{"core", patch(good, uint16(elf.ET_CORE), 16), "not a program"},
		{"no program headers", patch(good, uint16(0), 56), "no loadable segment"},
		{"no section headers that exist", patch(good, uint64(1)<<40, 40), ""},
		{"many program headers", patch(good, uint16(0xffff), 56), ""},
		{"many section headers", patch(good, uint16(0xffff), 60), ""},
		{"program headers outside", patch(good, uint64(1)<<50, 32), ""},
		{"gigabytes in the file", patch(small, uint64(1)<<32, loads[0]+filesz, loads[0]+memsz), ""},
		{"segment outside", patch(good, uint64(len(good)+1), loads[0]+offset), "truncated"},
		{"file size above memory size", patch(good, uint64(16), loads[0]+memsz), "contradicts itself"},
		{"address wraps", patch(good, ^uint64(0)-100, loads[0]+vaddr), ""},
		{"overlap in memory", patch(good, word(loads[0]+vaddr), loads[1]+vaddr), "overlap"},
		{"overlap in the file", patch(good, uint64(0), loads[0]+offset, loads[1]+offset, loads[2]+offset), ""},
		{"no functions", patch(good, uint64(0), table+8), "pclntab"},
		{"more functions than table", patch(good, uint64(1)<<40, table+8), "pclntab"},
		{"offsets of the table", patch(good, ^uint64(0), table+8*5), "pclntab"},
		{"pointer size", patch(good, byte(4), table+7), "pclntab"},
		{"older table", patch(good, uint32(0xfffffffa), table), "1.16 or 1.17"},
		{"table of zeros", patch(good, make([]byte, 4096), table), "pclntab"},
		{"function offsets", patch(good, bytes.Repeat([]byte{0xff}, 4096), table+binary.LittleEndian.Uint64(good[table+8*8:])), "pclntab"},
		{"interpreter", patch(pie, uint64(1)<<30, headers(t, pie, elf.PT_INTERP)[0]+filesz), "PT_INTERP"},
	} {
		t.Run(c.name, func(t *testing.T) { checkRefused(t, c.data, c.want) })
	}
	t.Run("truncated", func(t *testing.T) {
		end := word(loads[len(loads)-1]+offset) + word(loads[len(loads)-1]+filesz)
		for n := uint64(5); n < end; n = n*5/4 + 1 {
			checkRefused(t, good[:n], "")
		}
	})
	t.Run("as it is", func(t *testing.T) {
		if _, err := ScanReader("some/file", bytes.NewReader(good), int64(len(good))); err != nil {
			t.Error(err)
		}
	})
}

// A table of inlined calls that points at itself must not hang the reader.
func TestLoopingInlineTree(t *testing.T) {
	b, err := os.ReadFile(build(t, helloSource, "amd64"))
	if err != nil {
		t.Fatal(err)
	}
	im, tab := tableOf(t, b)
	seg := im.segment(tab.module.gofunc)
	place := tab.module.gofunc - seg.addr + seg.fileOff
	for off := place; off+16 < seg.fileOff+uint64(len(seg.data)) && off < place+1<<16; off += 4 {
		binary.LittleEndian.PutUint32(b[off:], 0)
	}
	_, tab = tableOf(t, b)
	for f := range tab.funcs {
		for _, at := range []uint64{tab.funcs[f].entry, tab.funcs[f].end - 1} {
			if n := len(tab.frames(f, at)); n > 65 {
				t.Fatalf("%d frames", n)
			}
		}
	}
}

func tableOf(t testing.TB, b []byte) (*image, *pclntab) {
	t.Helper()
	im, err := openImage("program", bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	tab := findPclntab(im)
	if tab == nil {
		t.Fatal("no function table")
	}
	return im, tab
}

func TestBadPath(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ path, want string }{
		{dir, "is a directory"},
		{filepath.Join(dir, "none"), "no such file"},
		{os.DevNull, "not a regular file"},
		{filepath.Join(dir, strings.Repeat("x", 5000)), "name too long"},
		{"bad_test.go", "not an ELF file"},
	} {
		res, err := Scan(c.path)
		if err == nil || res != nil || !strings.Contains(err.Error(), c.want) || strings.Count(err.Error(), c.path) != 1 {
			t.Errorf("%s: %v, want %q", c.path, err, c.want)
		}
	}
}

// failingReader is a file that cannot be read behind a given offset.
type failingReader struct {
	*bytes.Reader
	limit int64
}

func (r failingReader) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > r.limit {
		return 0, errors.New("input/output error")
	}
	return r.Reader.ReadAt(p, off)
}

func TestUnreadable(t *testing.T) {
	b, err := os.ReadFile(build(t, helloSource, "amd64"))
	if err != nil {
		t.Fatal(err)
	}
	for limit := int64(0); limit < int64(len(b))/2; limit = limit*4 + 64 {
		if _, err := ScanReader("file", failingReader{bytes.NewReader(b), limit}, int64(len(b))); err == nil {
			t.Errorf("read %d bytes of %d and said nothing", limit, len(b))
		}
	}
}

// A Go program for another system makes that system's calls.
func TestForeignSystem(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(helloSource), 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-o", "program", "main.go")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=freebsd", "GOARCH=amd64", "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	var fe *FormatError
	if _, err := Scan(filepath.Join(dir, "program")); !errors.As(err, &fe) || !strings.Contains(err.Error(), "freebsd") {
		t.Errorf("%v, want an error that names the system", err)
	}
}

// Many sections that share one long name would each get a copy of it.
func TestSectionNames(t *testing.T) {
	const sections, names = 4000, 1 << 20
	b := make([]byte, 64+64*sections+names)
	copy(b, "\x7fELF\x02\x01\x01")
	le := binary.LittleEndian
	le.PutUint16(b[16:], 2)  // ET_EXEC
	le.PutUint16(b[18:], 62) // x86-64
	le.PutUint32(b[20:], 1)
	le.PutUint64(b[40:], 64) // section headers
	le.PutUint16(b[52:], 64)
	le.PutUint16(b[54:], 56)
	le.PutUint16(b[58:], 64)
	le.PutUint16(b[60:], sections)
	le.PutUint16(b[62:], 1) // the section with the names
	h := b[64+64:]
	le.PutUint32(h[4:], 3) // SHT_STRTAB
	le.PutUint64(h[24:], 64+64*sections)
	le.PutUint64(h[32:], names)
	for i := 64 + 64*sections; i < len(b)-1; i++ {
		b[i] = 'x'
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := ScanReader("file", bytes.NewReader(b), int64(len(b)))
	runtime.ReadMemStats(&after)
	if err == nil || !strings.Contains(err.Error(), "sections") {
		t.Errorf("%v, want an error about the sections", err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
		t.Errorf("%d bytes allocated for a file of %d", used, len(b))
	}
}
