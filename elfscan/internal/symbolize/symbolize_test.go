package symbolize

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/elfscan/internal/module"
)

// read opens a file of testdata; files are what the root holds besides.
func read(t testing.TB, name string, files map[string][]byte) *Symbolizer {
	t.Helper()
	data := testFile(t, name)
	m, err := module.Open(name, data)
	if err != nil {
		t.Fatal(err)
	}
	return New(m, Source{Data: data, Path: "/opt/lib/" + name, Open: func(path string) ([]byte, error) {
		if data, ok := files[path]; ok {
			return data, nil
		}
		return nil, os.ErrNotExist
	}})
}

func testFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// parameters are what our names leave out of those that addr2line writes.
var parameters = regexp.MustCompile(`\(.*\)( const)?$`)

// recorded is what addr2line -f -i -C said when the files were made.
type recorded struct {
	addr   uint64
	frames []Frame
}

func readRecorded(t *testing.T, name string) (all []recorded) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(string(testFile(t, name))), "\n")
	for i := 0; i < len(lines); i++ {
		if addr, err := strconv.ParseUint(lines[i], 0, 64); err == nil {
			all = append(all, recorded{addr: addr})
			continue
		}
		last := &all[len(all)-1]
		colon := strings.LastIndexByte(lines[i+1], ':')
		f := Frame{Function: parameters.ReplaceAllString(lines[i], ""), File: lines[i+1][:colon]}
		f.Line, _ = strconv.Atoi(lines[i+1][colon+1:]) // "?" is 0
		if f.Line == 0 {
			f.File = ""
		}
		last.frames = append(last.frames, f)
		i++
	}
	return all
}

// Every fourth address of the binaries, which are of DWARF 2, 4 and 5, compressed in two ways and not.
func TestRecorded(t *testing.T) {
	for _, name := range []string{"c2.so", "c4.so", "c5.so", "cc.so", "rust-legacy.so", "rust-v0.so"} {
		t.Run(name, func(t *testing.T) {
			s := read(t, name, nil)
			deepest := 0
			for _, want := range readRecorded(t, name+".addr2line") {
				got := s.Frames(want.addr)
				deepest = max(deepest, len(got))
				if name == "c2.so" && len(want.frames) > 2 {
					// DWARF 2 cannot say where code in several pieces is, and addr2line guesses.
					want.frames = append(want.frames[:1], want.frames[len(want.frames)-1])
				}
				if name == "c2.so" && len(got) > 2 {
					got = append(got[:1], got[len(got)-1])
				}
				if len(got) != len(want.frames) {
					t.Errorf("%#x: %v, addr2line says %v", want.addr, got, want.frames)
					continue
				}
				for i, w := range want.frames {
					if got[i].File != w.File || got[i].Line != w.Line {
						t.Errorf("%#x, frame %d: %v, addr2line says %v", want.addr, i, got[i], w)
					}
					padding := i == 0 && got[i].Function == fmt.Sprintf("sub_%x", want.addr) && !covered(s.module, want.addr)
					if !sameName(got[i].Function, w.Function) && !padding {
						t.Errorf("%#x, frame %d: %q, addr2line says %q", want.addr, i, got[i].Function, w.Function)
					}
				}
				file, line := s.Line(want.addr)
				if file != want.frames[0].File || line != want.frames[0].Line {
					t.Errorf("%#x: Line is %s:%d", want.addr, file, line)
				}
			}
			if deepest < 2 {
				t.Error("no inlined call")
			}
		})
	}
}

// covered reports whether a symbol says that it holds an address: addr2line takes what is between two
// for the first.
func covered(m *module.Module, addr uint64) bool {
	for _, s := range append(m.Symbols, m.Locals...) {
		if s.Addr <= addr && addr < s.Addr+s.Size {
			return true
		}
	}
	return false
}

// sameName compares names, where ours is the short form of long ones.
func sameName(got, want string) bool {
	if want == "__GI___libc_close" { // it names one of several symbols
		return got == "close"
	}
	return got == want || len(want) > maxName && got != "" && !strings.HasPrefix(got, "sub_")
}

func TestFunctions(t *testing.T) {
	for _, c := range []struct {
		file string
		want map[uint64]string
	}{
		{"c5.so", map[uint64]string{0x28f: "sub_28f", 0x290: "local", 0x2a0: "local", 0x2b0: "close", 0x2d1: "entry", 0x1f50: "sub_1f50", 0: "sub_0", 1 << 63: "sub_8000000000000000"}},
		{"cc.so", map[uint64]string{0x330: "total", 0x390: "net::Buffer<long, 8>::Buffer", 0x3c0: "net::Buffer<long, 8>::sum", 0x3e0: "net::Buffer<long, 8>::operator[]"}},
		{"rust-v0.so", map[uint64]string{0x1320: "<names::net::Buffer<u64> as names::net::Sum>::sum", 0x13b0: "total"}},
		{"rust-legacy.so", map[uint64]string{0x1320: "<names::net::Buffer<u64> as names::net::Sum>::sum"}},
		// Without .symtab exported functions have names.
		{"split.so", map[uint64]string{0x290: "sub_290", 0x2b0: "close", 0x2d1: "entry"}},
	} {
		s := read(t, c.file, nil)
		for addr, want := range c.want {
			if got := s.Function(addr); got != want {
				t.Errorf("%s: %#x is %q, want %q", c.file, addr, got, want)
			}
		}
	}
}

// A debug file is used where it is looked for, and only if it is the one.
func TestSeparateFiles(t *testing.T) {
	debug := testFile(t, "split.debug")
	id := read(t, "split.so", nil).module.BuildID
	byID := "/usr/lib/debug/.build-id/" + id[:2] + "/" + id[2:] + ".debug"
	changed := bytes.Clone(debug)
	changed[len(changed)-1] ^= 1
	other := testFile(t, "c4.so")
	for _, c := range []struct {
		name  string
		files map[string][]byte
		want  bool
	}{
		{"none", nil, false},
		{"build id", map[string][]byte{byID: debug}, true},
		{"build id of another file", map[string][]byte{byID: other}, false},
		{"no ELF file", map[string][]byte{byID: []byte("hello")}, false},
		{"empty file", map[string][]byte{byID: {}}, false},
		{"beside", map[string][]byte{"/opt/lib/split.debug": debug}, true},
		{"in .debug", map[string][]byte{"/opt/lib/.debug/split.debug": debug}, true},
		{"global", map[string][]byte{"/usr/lib/debug/opt/lib/split.debug": debug}, true},
		{"first one wrong", map[string][]byte{byID: other, "/opt/lib/split.debug": debug}, true},
		{"link with another checksum", map[string][]byte{"/opt/lib/split.debug": changed}, false},
		{"link to another file", map[string][]byte{"/opt/lib/split.debug": other}, false},
		{"elsewhere", map[string][]byte{"/opt/split.debug": debug}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := read(t, "split.so", c.files)
			name := "sub_290"
			if c.want {
				name = "local"
			}
			if got := s.Function(0x290); got != name {
				t.Errorf("Function: %q, want %q", got, name)
			}
			if _, got := s.Line(0x294); (got != 0) != c.want {
				t.Errorf("Line: %d, want one: %v", got, c.want)
			}
		})
	}
}

// Where files are looked for: never out of the two places, whatever the module says.
func TestSearchedPaths(t *testing.T) {
	data := testFile(t, "split.so")
	for _, c := range []struct{ from, to string }{
		{"split.debug\x00", "../../passwd"}, {"split.debug\x00", "/etc/passwd\x00"}, {"split.debug\x00", "..\x00.debug\x00\x00\x00"},
	} {
		bad := bytes.Replace(data, []byte(c.from), []byte(c.to), 1)
		m, err := module.Open("split.so", bad)
		if err != nil {
			t.Fatal(err)
		}
		m.BuildID = "../../../etc"
		s := New(m, Source{Data: bad, Path: "/opt/lib/split.so", Open: func(path string) ([]byte, error) {
			t.Errorf("%q: asked for %s", c.to, path)
			return nil, errors.New("no")
		}})
		s.Frames(0x290)
	}
}

// Symbols of C libraries come in bundles.
// TestLabels has symbols without a size, as assemblers make them, and code behind that has no symbol.
func TestLabels(t *testing.T) {
	m := &module.Module{
		Segments: []module.Segment{{Addr: 0x1000, Size: 0x100, Data: make([]byte, 0x100), Exec: true}},
		Symbols: []module.Symbol{
			{Name: "memset", Addr: 0x1010, Type: elf.STT_FUNC, Defined: true},
			{Name: "inner", Addr: 0x1050, Type: elf.STT_FUNC, Defined: true},
		},
	}
	type span struct{ start, end uint64 }
	bounds := func(addr uint64) (start, end uint64, ok bool) {
		for _, f := range []span{{0x1000, 0x1010}, {0x1010, 0x1020}, {0x1020, 0x1030}, {0x1040, 0x1060}} {
			if addr >= f.start && addr < f.end {
				return f.start, f.end, true
			}
		}
		return 0, 0, false
	}
	for _, c := range []struct {
		addr           uint64
		without, bound string
	}{
		{0x1004, "sub_1004", "sub_1000"},
		{0x1010, "memset", "memset"},
		{0x101f, "memset", "memset"},
		{0x1024, "memset", "sub_1020"}, // another function
		{0x1038, "memset", "sub_1038"}, // code of no function
		{0x1044, "memset", "sub_1040"},
		{0x1054, "inner", "inner"}, // a label in the middle of a function
		{0x1070, "inner", "sub_1070"},
	} {
		if got := New(m, Source{}).Function(c.addr); got != c.without {
			t.Errorf("%#x is %s, want %s", c.addr, got, c.without)
		}
		if got := New(m, Source{Bounds: bounds}).Function(c.addr); got != c.bound {
			t.Errorf("with bounds %#x is %s, want %s", c.addr, got, c.bound)
		}
	}
}

func TestBestSymbol(t *testing.T) {
	m := &module.Module{Segments: []module.Segment{{Addr: 0x1000, Size: 0x1000, Exec: true}, {Addr: 0x2000, Size: 0x1000}}}
	function := func(name string, addr, size uint64, local bool) candidate {
		return candidate{addr: addr, size: size, name: name, function: true, local: local}
	}
	table := nameTable(m, []candidate{
		function("__GI___libc_write", 0x1000, 16, true), function("__write", 0x1000, 16, false),
		function("write", 0x1000, 16, false), function("__libc_write", 0x1000, 16, false),
		function("helper", 0x1100, 16, true), function("_helper", 0x1100, 16, false),
		function("outer", 0x1200, 0x100, false), function("inner", 0x1210, 16, true),
		{addr: 0x1280, name: "label"}, {addr: 0x1400, name: "start"}, {addr: 0x1410, name: "next"},
		function("wraps", 0x1800, 1<<63, false), function("wraps2", 0x1900, ^uint64(0), false),
	})
	for addr, want := range map[uint64]string{
		0x1000: "write", 0x100f: "write", 0x1010: "", 0xfff: "", 0x1100: "_helper", 0x1200: "outer", 0x1210: "inner",
		0x1220: "outer", 0x1280: "outer", 0x1300: "", 0x140f: "start", 0x1410: "next", 0x17ff: "next", 0x1880: "wraps", 0x1fff: "wraps2",
	} {
		if got, _ := find(table, addr); got.name != want {
			t.Errorf("%#x: %q, want %q", addr, got.name, want)
		}
	}
}

func TestName(t *testing.T) {
	// The Rust names are those of the specification of v0 (RFC 2603) and of the compiler's book.
	for symbol, want := range map[string]string{
		"write":                                 "write",
		"write@@GLIBC_2.2.5":                    "write",
		"memcpy@GLIBC_2.2.5":                    "memcpy",
		"@":                                     "@",
		"":                                      "",
		"do_it.constprop.0":                     "do_it",
		"do_it.part.0.isra.3":                   "do_it",
		"do_it.cold":                            "do_it",
		"main.init.0":                           "main.init.0",
		"_ZN3foo3barEi":                         "foo::bar",
		"_ZN3foo3barEi.cold":                    "foo::bar",
		"_ZNK3foo3barILi3EEEv":                  "foo::bar<3>",
		"_ZdlPv":                                "operator delete",
		"_ZZN3foo3barEvENKUlvE_clEv":            "foo::bar()::{lambda()#1}::operator()",
		"_RNvCs15kBYyAo9fc_7mycrate7example":    "mycrate::example",
		"_RNvNtCs1234_7mycrate3foo3bar":         "mycrate::foo::bar",
		"_RINvNtC3std3mem8align_ofjEC8foocrate": "std::mem::align_of::<usize>",
		"_RNCNvC7mycrate7example0":              "mycrate::example::{closure#0}",
		"_ZN7mycrate3foo3bar17h0123456789abcdefE":          "mycrate::foo::bar",
		"_ZN7mycrate3foo3bar17h0123456789abcdefE.llvm.123": "mycrate::foo::bar",
		"_Z":                           "_Z",
		"_R":                           "_R",
		"_ZN":                          "_ZN",
		"a\nb\x1b[31mc\x00\xff":        "a?b?[31mc??",
		strings.Repeat("a", 200):       strings.Repeat("a", 100) + "…",
		strings.Repeat("é", 200):       strings.Repeat("é", 50) + "…",
		"a" + strings.Repeat("é", 200): "a" + strings.Repeat("é", 49) + "…",
	} {
		if got := Name(symbol); got != want {
			t.Errorf("Name(%q) = %q, want %q", symbol, got, want)
		}
	}
	long := "_ZN3net6BufferI" + strings.Repeat("NS_6BufferI", 30) + "i" + strings.Repeat("EE", 30) + "E3sumEv"
	if got := Name(long); got != "net::Buffer::sum" {
		t.Errorf("a long template: %q", got)
	}
}

// Symbols whose substitutions double, so that what they stand for is exponential in their length.
func TestNameBombs(t *testing.T) {
	var pairs, nested strings.Builder
	pairs.WriteString("_Z1fISt4pairIiiE")
	for i := range 60 {
		seq := strings.ToUpper(strconv.FormatInt(int64(i), 36))
		fmt.Fprintf(&pairs, "S_IS%s_S%s_E", seq, seq)
	}
	pairs.WriteString("EvT_")
	nested.WriteString("_Z1f" + strings.Repeat("I", 2000) + "i" + strings.Repeat("E", 2000) + "v")
	for _, symbol := range []string{
		pairs.String(), nested.String(), "_Z" + strings.Repeat("P", 4000) + "i", "_Z1fv" + strings.Repeat("PFv", 1000) + strings.Repeat("E", 1000),
		"_R" + strings.Repeat("I", 2000), "_RNv" + strings.Repeat("B_", 1000), "_RIC1a" + strings.Repeat("TB4_B4_E", 300) + "E",
		"_Z1f" + strings.Repeat("DpT_", 500), "_ZN" + strings.Repeat("1aI", 600) + strings.Repeat("E", 600),
	} {
		if got := Name(symbol); len(got) > maxName+len("…") {
			t.Errorf("%.40s..: %d bytes", symbol, len(got))
		}
	}
}
