package code

import (
	"debug/elf"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/profcheck/profcheck/elfscan/internal/module"
)

// libraryDirs is where the closure of a program is looked for; the real rules are package loader's.
var libraryDirs = []string{"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib"}

// closure opens a program of this machine and all libraries that it needs.
func closure(t testing.TB, program string) []*module.Module {
	t.Helper()
	if _, err := os.Stat(program); err != nil {
		t.Skipf("%v", err)
	}
	var mods []*module.Module
	seen := map[string]bool{}
	todo := []string{program}
	for len(todo) > 0 {
		path := todo[0]
		todo = todo[1:]
		m := open(t, path)
		mods = append(mods, m)
		for _, name := range slices.Concat(m.Needed, []string{m.Interp}) {
			if seen[filepath.Base(name)] || name == "" {
				continue
			}
			seen[filepath.Base(name)] = true
			for _, dir := range libraryDirs {
				p := filepath.Join(dir, filepath.Base(name))
				if _, err := os.Stat(p); err == nil {
					todo = append(todo, p)
					break
				}
			}
		}
	}
	return mods
}

func open(t testing.TB, path string) *module.Module {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m, err := module.Open(path, data)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// BenchmarkExtract reports MB/s of executable sections of redis-server and its libraries.
func BenchmarkExtract(b *testing.B) {
	mods := closure(b, "/usr/bin/redis-server")
	b.SetBytes(codeBytes(mods))
	b.ReportAllocs()
	for b.Loop() {
		for _, m := range mods {
			Extract(m)
		}
	}
	b.ReportMetric(float64(len(mods)), "modules")
}

// BenchmarkDecode decodes the facts of the same modules.
func BenchmarkDecode(b *testing.B) {
	mods := closure(b, "/usr/bin/redis-server")
	var encoded [][]byte
	size := 0
	for _, m := range mods {
		encoded = append(encoded, Encode(Extract(m)))
		size += len(encoded[len(encoded)-1])
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for _, e := range encoded {
			if _, err := Decode(e); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func codeBytes(mods []*module.Module) int64 {
	n := int64(0)
	for _, m := range mods {
		for _, s := range m.Sections {
			if s.Flags&elf.SHF_EXECINSTR != 0 {
				n += int64(s.Size)
			}
		}
	}
	return n
}
