package symbolize

import (
	"bytes"
	"compress/zlib"
	"debug/elf"
	"os"
	"testing"

	"github.com/profcheck/profcheck/elfscan/internal/module"
)

// wrap makes an object of sections of DWARF.
func wrap(sections map[string][]byte, flags elf.SectionFlag) []byte {
	names, data := []byte("\x00.shstrtab\x00"), make([]byte, headerBytes)
	copy(data, "\x7fELF\x02\x01\x01")
	table := make([]byte, 2*headerBytes) // the empty one, and the names
	for name, body := range sections {
		var h [headerBytes]byte
		le.PutUint32(h[0:], uint32(len(names)))
		le.PutUint32(h[4:], uint32(elf.SHT_PROGBITS))
		le.PutUint64(h[8:], uint64(flags))
		le.PutUint64(h[0x18:], uint64(len(data)))
		le.PutUint64(h[0x20:], uint64(len(body)))
		names, data, table = append(names, name+"\x00"...), append(data, body...), append(table, h[:]...)
	}
	le.PutUint32(table[headerBytes:], 1)
	le.PutUint32(table[headerBytes+4:], uint32(elf.SHT_STRTAB))
	le.PutUint64(table[headerBytes+0x18:], uint64(len(data)))
	le.PutUint64(table[headerBytes+0x20:], uint64(len(names)))
	data = append(data, names...)
	le.PutUint64(data[0x28:], uint64(len(data)))
	le.PutUint16(data[0x3a:], headerBytes)
	le.PutUint16(data[0x3c:], uint16(len(table)/headerBytes))
	le.PutUint16(data[0x3e:], 1)
	return append(data, table...)
}

func anyCode(uint64) bool { return true }

func TestWrap(t *testing.T) {
	o := parseObject(wrap(map[string][]byte{".debug_line": []byte("abc"), ".debug_str": []byte("def")}, 0))
	if string(o.debug("line")) != "abc" || string(o.debug("str")) != "def" || o.debug("info") != nil {
		t.Errorf("%+v", o.sections)
	}
}

// A small section that inflates to more than is allowed, and one whose size is a lie.
func TestInflate(t *testing.T) {
	compressed := func(body []byte, size uint64) []byte {
		var out bytes.Buffer
		w := zlib.NewWriter(&out)
		_, _ = w.Write(body) // to memory
		w.Close()
		head := make([]byte, 24)
		le.PutUint32(head, uint32(elf.COMPRESS_ZLIB))
		le.PutUint64(head[8:], size)
		return append(head, out.Bytes()...)
	}
	open := func(body []byte) *object {
		return parseObject(wrap(map[string][]byte{".debug_line": body}, elf.SHF_COMPRESSED))
	}
	good := bytes.Repeat([]byte("line"), 1000)
	if got := open(compressed(good, 4000)).debug("line"); !bytes.Equal(got, good) {
		t.Errorf("%d bytes", len(got))
	}
	for name, body := range map[string][]byte{
		"longer than there is": compressed(good, 4001),
		"absurd":               compressed(good, 1<<63), "cut": compressed(good, 4000)[:40], "no header": {1, 0, 0}, "nothing": {},
		"other method": append([]byte{2}, compressed(good, 4000)[1:]...),
	} {
		if got := open(body).debug("line"); got != nil {
			t.Errorf("%s: %d bytes", name, len(got))
		}
	}
	// The bound is one for all sections together, and it is that of the doc comment.
	o := open(compressed(good, 4000))
	if want := 64<<20 + 8*int64(len(o.data)); o.inflated != want {
		t.Errorf("bound %d, want %d", o.inflated, want)
	}
	o.inflated = 7999
	if o.debug("line") == nil || o.debug("line") != nil {
		t.Error("the bound does not add up")
	}

	// Files that share what is spare have it once.
	spare := NewSpare()
	big := make([]byte, 40<<20)
	one, two := open(compressed(big, 40<<20)).share(spare), open(compressed(big, 40<<20)).share(spare)
	if one.debug("line") == nil || two.debug("line") != nil {
		t.Error("the spare bytes are not shared")
	}
	if got := open(compressed(good, 4000)).share(spare).debug("line"); !bytes.Equal(got, good) {
		t.Errorf("what is left: %d bytes", len(got))
	}
}

// Many units that all refer to the same long table: work stays linear in the size.
func TestSharedTables(t *testing.T) {
	unit := func(version byte, abbrev uint32) []byte {
		u := []byte{0, 0, 0, 0, version, 0, 0, 0, 0, 0, 8, 1, 0, 0, 0, 0}
		le.PutUint32(u, uint32(len(u)-4))
		le.PutUint32(u[6:], abbrev)
		return u
	}
	var shapes []byte
	for range 1 << 18 { // shapes that are not the one
		shapes = append(shapes, 2, 0x11, 0, 0, 0)
	}
	var info []byte
	for i := range 1 << 15 {
		info = append(info, unit(4, uint32(5*i))...)
	}
	o := parseObject(wrap(map[string][]byte{".debug_info": info, ".debug_abbrev": shapes}, 0))
	if d := newDwarf(o, anyCode); d.work > 0 {
		t.Errorf("%d steps are left: nothing was counted", d.work)
	}

	// The same with ranges: a long list of entries that only set the base.
	shape := []byte{1, 0x11, 0, 0x55, 0x17, 0, 0, 0} // DW_AT_ranges, DW_FORM_sec_offset
	ranges := bytes.Repeat(append(bytes.Repeat([]byte{0xff}, 8), make([]byte, 8)...), 1<<16)
	info = nil
	for range 1 << 15 {
		info = append(info, unit(4, 0)...)
	}
	o = parseObject(wrap(map[string][]byte{".debug_info": info, ".debug_abbrev": shape, ".debug_ranges": ranges}, 0))
	if d := newDwarf(o, anyCode); d.work > 0 {
		t.Errorf("%d steps are left: nothing was counted", d.work)
	}
}

// Damage never panics, whatever it makes of the lines: each byte of the sections changed.
func TestDamage(t *testing.T) {
	for _, name := range []string{"c5.so", "c4.so", "rust-v0.so"} {
		data := testFile(t, name)
		m, err := module.Open(name, data)
		if err != nil {
			t.Fatal(err)
		}
		first := uint64(len(data))
		for _, s := range parseObject(data).sections {
			if len(s.name) > 6 && s.name[:6] == ".debug" {
				first = min(first, s.offset)
			}
		}
		for i := first; i < uint64(len(data)); i += 3 {
			bad := bytes.Clone(data)
			bad[i] ^= byte(1 << (i % 8))
			ask(New(m, Source{Data: bad}))
		}
	}
}

// ask asks for everything.
func ask(s *Symbolizer) {
	for _, seg := range s.module.Segments {
		if !seg.Exec {
			continue
		}
		for _, addr := range []uint64{seg.Addr, seg.Addr + seg.Size/2, 0x290, 0x2b4, 0x2e0, 0x1330, 0x13b4} {
			s.Frames(addr)
		}
	}
}

func FuzzName(f *testing.F) {
	for _, seed := range []string{"write@@GLIBC_2.2.5", "_ZNSt6vectorIiSaIiEE9push_backEOi", "_RINvNtC3std3mem8align_ofjE",
		"_ZN7mycrate3foo3bar17h0123456789abcdefE", "_ZZN3foo3barEvENKUlvE_clEv", "_GLOBAL__sub_I_main"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, symbol string) {
		if got := Name(symbol); len(got) > maxName*3+len("…") { // a character that is replaced may be shorter than the mark
			t.Errorf("%d bytes: %q", len(got), got)
		}
	})
}

// FuzzDebug takes a file for the debug file of a small module.
func FuzzDebug(f *testing.F) {
	for _, name := range []string{"c2.so", "c4.so", "c5.so", "cc.so", "rust-v0.so", "split.debug"} {
		f.Add(testFile(f, name))
	}
	data, err := os.ReadFile("testdata/split.so")
	if err != nil {
		f.Fatal(err)
	}
	m, err := module.Open("split.so", data)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, debug []byte) {
		ask(New(m, Source{Data: debug}))
		parseObject(debug).symtab()
		parseObject(debug).buildID()
		parseObject(debug).debugLink()
	})
}

func BenchmarkLibc(b *testing.B) {
	m, _ := openFile(b, libc)
	data, err := os.ReadFile(libc)
	if err != nil {
		b.Fatal(err)
	}
	addrs := someCode(m, 300)
	source := Source{Data: data, Path: libc, Open: os.ReadFile}
	if New(m, source).debugFile() == nil {
		b.Skip("no debug file of libc")
	}
	b.Run("first name", func(b *testing.B) {
		for b.Loop() {
			New(m, source).Function(addrs[0])
		}
	})
	b.Run("first line", func(b *testing.B) {
		for b.Loop() {
			New(m, source).Line(addrs[0])
		}
	})
	b.Run("300 frames", func(b *testing.B) {
		for b.Loop() {
			s := New(m, source)
			for _, a := range addrs {
				s.Frames(a)
			}
		}
	})
	b.Run("without debug file", func(b *testing.B) {
		for b.Loop() {
			s := New(m, Source{Data: data})
			for _, a := range addrs {
				s.Frames(a)
			}
		}
	})
}
