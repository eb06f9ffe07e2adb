package native

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/profcheck/profcheck/elfscan/internal/code"
	"github.com/profcheck/profcheck/elfscan/internal/loader"
	"github.com/profcheck/profcheck/elfscan/internal/module"
)

// small are the programs of testdata, with what they load: no file of this machine.
func small(t testing.TB) (program, interp, library []byte) {
	t.Helper()
	root := filepath.Join("..", "..", "..", "testdata", "native", "root")
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	return read("bin/greet"), read("lib/ld-tiny.so.1"), read("lib/libsay.so.1")
}

// FuzzAnalyse feeds bytes of files to the analysis: whatever they say, it ends.
func FuzzAnalyse(f *testing.F) {
	program, interp, library := small(f)
	f.Add(program, library)
	f.Add(interp, library)
	f.Add(library, program)
	f.Fuzz(func(t *testing.T, a, b []byte) {
		c := &loader.Closure{}
		for i, data := range [][]byte{a, b, interp} {
			m, err := module.Open("file", data)
			if err != nil {
				continue
			}
			c.Modules = append(c.Modules, &loader.Loaded{Module: m, Path: "/file", Interp: i == 2, VariantOf: -1, Opened: i == 1})
		}
		Analyse(c, func(l *loader.Loaded) *code.Facts { return code.Extract(l.Module) }, Options{})
		Analyse(c, func(l *loader.Loaded) *code.Facts { return code.Extract(l.Module) }, Options{Off: ^Analyses(0), Conservative: true})
	})
}
