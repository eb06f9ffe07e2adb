package loader

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// A library that needs another one a thousand times over ends in one line.
func TestThousandsOfLibraries(t *testing.T) {
	w := newWorkshop(t)
	w.lib("/x/lib9999.so", "int b(){return 1;}", "")
	w.lib("/x/lib8888.so", "int b(); int a(){return b();}", "@/x/lib9999.so -nostdlib -Wl,-rpath,/x -Wl,--disable-new-dtags")
	w.gcc("/prog", "int a(); int main(){return a();}", "@/x/lib8888.so -Wl,-rpath,/x -Wl,--disable-new-dtags")
	const n = maxModules + 200
	for i := range n {
		this, next := fmt.Sprintf("lib%04d.so", i), fmt.Sprintf("lib%04d.so", i+1)
		w.copy("/x/lib8888.so", "/x/"+this, func(b []byte) {
			copy(b, bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("lib8888.so"), []byte(this)), []byte("lib9999.so"), []byte(next)))
		})
	}
	w.copy("/x/lib8888.so", "/x/lib8888.so", func(b []byte) { copy(b, bytes.ReplaceAll(b, []byte("lib9999.so"), []byte("lib0000.so"))) })
	c := load(t, w.root(), "/prog")
	if len(c.Modules) > maxModules+1 || len(c.Missing) != 1 || !strings.Contains(c.Missing[0].Reason, "more than 1000 libraries") {
		t.Errorf("%d modules, missing %.300v", len(c.Modules), c.Missing)
	}
}

func TestUnusableFiles(t *testing.T) {
	w := newWorkshop(t)
	w.write("/empty", nil)
	w.write("/text", []byte("hello\n"))
	w.link("/loop", "/loop")
	r := w.root()
	for _, at := range []string{"/empty", "/text", "/loop", "/none", "/usr", ""} {
		if c, err := r.Load(at); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, %v", at, c, err)
		}
	}
	w.gcc("/prog", "int main(){return 0;}", "-Wl,-dynamic-linker,/usr/lib/none.so")
	c := load(t, r, "/prog")
	if len(c.Missing) != 1 || c.Missing[0].Name != "/usr/lib/none.so" || c.Missing[0].By != "/prog" {
		t.Errorf("an interpreter that is not there: %+v", c.Missing)
	}
	w.write("/usr/lib/none.so", []byte("#!/bin/sh\n"))
	if c := load(t, r, "/prog"); len(c.Missing) != 1 || c.Missing[0].Reason != "file too short" {
		t.Errorf("an interpreter that is none: %+v", c.Missing)
	}
	if _, err := r.ReadFile("/usr"); err == nil {
		t.Error("a directory is read as a file")
	}
}
