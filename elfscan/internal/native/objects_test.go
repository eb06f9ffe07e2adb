package native

import (
	"cmp"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/elfscan/internal/code"
	"github.com/profcheck/profcheck/elfscan/internal/loader"
	"github.com/profcheck/profcheck/elfscan/internal/module"
)

// TestConstantsOfGlibc: no function of glibc loses a function that its data leads to where the
// library is cut without proof (see glibcCut). All files of the static library are linked into one
// program, whose symbols tell where objects begin and end.
func TestConstantsOfGlibc(t *testing.T) {
	for _, machine := range []struct {
		gcc, library string
		inner, ways  int // at least so many cuts inside of objects, and functions that data leads to
	}{
		{"gcc", "", 5, 100},
		{"aarch64-linux-gnu-gcc", filepath.Join(crossLibs, "libc.a"), 5, 100},
	} {
		t.Run(machine.gcc, func(t *testing.T) {
			m := wholeGlibc(t, machine.gcc, machine.library)
			whole := division{m: m}
			for _, s := range slices.Concat(m.Symbols, m.Locals) {
				if s.Type == elf.STT_OBJECT && s.Defined && s.Size > 0 {
					whole.pieces = append(whole.pieces, module.Span{Addr: s.Addr, Size: s.Size})
				}
			}
			slices.SortFunc(whole.pieces, func(a, b module.Span) int { return cmp.Or(cmp.Compare(a.Addr, b.Addr), cmp.Compare(a.Size, b.Size)) })
			m.Soname, m.Symbols, m.Locals = "libc.so.6", nil, nil // as in the library that programs load
			last := m.Segments[len(m.Segments)-1]
			in := mapped{Loaded: &loader.Loaded{Module: m}, facts: code.Extract(m), end: last.Addr + last.Size}
			in.indexObjects(0)
			cut, inner := whole.cut(in.objs)
			ways, lost := whole.compare(&cut, in.facts)
			t.Logf("%d cuts inside of objects, %d ways", inner, ways)
			for _, l := range lost {
				t.Errorf("function %#x does not lead to %#x", l[0], l[1])
			}
			var everywhere []uint64
			for a := m.Segments[0].Addr &^ 7; a < in.end; a += 8 {
				everywhere = append(everywhere, a)
			}
			cut, _ = whole.cut(everywhere)
			if _, lost := whole.compare(&cut, in.facts); len(lost) == 0 {
				t.Error("cut at each word, nothing is lost either")
			}
			if inner < machine.inner || ways < machine.ways {
				t.Errorf("only %d cuts inside of objects, and %d functions that data leads to", inner, ways)
			}
		})
	}
}

// compare holds what functions reach through the objects of d against what they reach when these
// are cut. It returns how many ways there are, and which are lost: from where to where.
func (d *division) compare(cut *division, facts *code.Facts) (ways int, lost [][2]uint64) {
	for _, f := range facts.Funcs {
		want, got := map[uint64]bool{}, map[uint64]bool{}
		refs := facts.Refs[f.First : f.First+f.N]
		formed := func(a uint64) bool {
			return slices.ContainsFunc(refs, func(r code.Ref) bool { return r.Kind == code.Addr && r.Target == a })
		}
		for _, r := range refs {
			// setlocale reads table[i-1] of what follows the other object.
			if r.Kind == code.Addr && !(formed(r.Target+8) && d.begins(r.Target+8)) {
				d.follow(r.Target, want, map[uint64]bool{})
				cut.follow(r.Target, got, map[uint64]bool{})
			}
		}
		ways += len(want)
		for to := range want {
			if !got[to] {
				lost = append(lost, [2]uint64{f.Start, to})
			}
		}
	}
	return ways, lost
}

// TestConstantsApart: a program for arm64 that prints a line has nothing of Sun RPC, whose operations
// lie beside the locale. One that looks up a name has sockets.
func TestConstantsApart(t *testing.T) {
	gcc, err := exec.LookPath("aarch64-linux-gnu-gcc")
	if err != nil {
		lack(t, "needs aarch64-linux-gnu-gcc")
	}
	for source, want := range map[string]bool{
		"#include <stdio.h>\nint main(void) { return puts(\"line\"); }":                      false,
		"#include <netdb.h>\nint main(int c, char **v) { return gethostbyname(v[0]) != 0; }": true,
	} {
		root := crossRoot(t)
		file := filepath.Join(root, "p.c")
		if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
		if msg, err := exec.Command(gcc, "-O1", "-w", "-o", filepath.Join(root, "p"), file).CombinedOutput(); err != nil {
			lack(t, "gcc: "+string(msg))
		}
		r, err := loader.NewRoot(root)
		if err != nil {
			t.Fatal(err)
		}
		c, err := r.Load("/p")
		if err != nil {
			t.Fatal(err)
		}
		if n := needOf(Analyse(c, facts, Options{}), "socket"); (n != nil) != want {
			t.Errorf("%s: socket is needed: %v", source, n != nil)
		}
	}
}

// wholeGlibc is a program that consists of all files of the C library.
func wholeGlibc(t *testing.T, compiler, library string) *module.Module {
	t.Helper()
	gcc, err := exec.LookPath(compiler)
	if err != nil {
		lack(t, "needs "+compiler)
	}
	if library == "" {
		out, err := exec.Command(gcc, "-print-file-name=libc.a").Output()
		if library = strings.TrimSpace(string(out)); err != nil || !filepath.IsAbs(library) {
			lack(t, "needs libc.a")
		}
	}
	dir := t.TempDir()
	source, program := filepath.Join(dir, "p.c"), filepath.Join(dir, "p")
	if err := os.WriteFile(source, []byte("int main(void) { return 0; }"), 0o600); err != nil {
		t.Fatal(err)
	}
	if msg, err := exec.Command(gcc, "-static-pie", "-fPIE", "-w", "-o", program, source, "-Wl,-z,muldefs", "-Wl,--whole-archive", library, "-Wl,--no-whole-archive").CombinedOutput(); err != nil {
		lack(t, "gcc: "+string(msg))
	}
	data, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	m, err := module.Open(program, data)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// division is data as objects, in ascending order.
type division struct {
	m      *module.Module
	pieces []module.Span
}

// cut cuts the objects at some places. inner is how many of these lie inside of objects.
func (d *division) cut(places []uint64) (out division, inner int) {
	out.m = d.m
	for _, p := range d.pieces {
		i, _ := slices.BinarySearch(places, p.Addr+1)
		for ; i < len(places) && places[i]-p.Addr < p.Size; i++ {
			a := places[i]
			out.pieces = append(out.pieces, module.Span{Addr: p.Addr, Size: a - p.Addr})
			p.Addr, p.Size = a, p.Addr+p.Size-a
			inner++
		}
		out.pieces = append(out.pieces, p)
	}
	slices.SortFunc(out.pieces, func(a, b module.Span) int { return cmp.Or(cmp.Compare(a.Addr, b.Addr), cmp.Compare(a.Size, b.Size)) })
	return out, inner
}

// follow collects in to the functions that the object at addr leads to, through other objects too.
func (d *division) follow(addr uint64, to, seen map[uint64]bool) {
	i, _ := slices.BinarySearchFunc(d.pieces, addr+1, func(p module.Span, a uint64) int { return cmp.Compare(p.Addr, a) })
	if i == 0 || addr-d.pieces[i-1].Addr >= d.pieces[i-1].Size || seen[d.pieces[i-1].Addr] {
		return
	}
	p := d.pieces[i-1]
	seen[p.Addr] = true
	k, _ := slices.BinarySearchFunc(d.m.Relocs, p.Addr, func(r module.Reloc, a uint64) int { return cmp.Compare(r.Addr, a) })
	for ; k < len(d.m.Relocs) && d.m.Relocs[k].Addr-p.Addr < p.Size; k++ {
		if r := d.m.Relocs[k]; d.code(r.Addend) {
			to[r.Addend] = true
		} else {
			d.follow(r.Addend, to, seen)
		}
	}
}

// begins reports whether an object begins at addr.
func (d *division) begins(addr uint64) bool {
	return slices.ContainsFunc(d.pieces, func(p module.Span) bool { return p.Addr == addr })
}

// code reports whether addr is in a section of code; the segment holds strings as well.
func (d *division) code(addr uint64) bool {
	return slices.ContainsFunc(d.m.Sections, func(s module.Section) bool {
		return s.Flags&elf.SHF_EXECINSTR != 0 && addr-s.Addr < s.Size
	})
}
