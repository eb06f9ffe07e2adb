package elfscan

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A server's modules are listed as what it may load, until they are given as plugins.
func TestFamilyGaps(t *testing.T) {
	root := t.TempDir()
	if err := os.CopyFS(root, os.DirFS(smallRoot)); err != nil {
		t.Fatal(err)
	}
	write := func(name string, data []byte) {
		t.Helper()
		file := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, data, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	read := func(name string) []byte {
		t.Helper()
		data, err := os.ReadFile(filepath.Join(smallRoot, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	// What counts is the program's name and where its configuration is.
	write("usr/sbin/lighttpd", read("bin/greet"))
	write("usr/lib/lighttpd/mod_extra.so", read("lib/greet/extra.so"))
	write("usr/lib/lighttpd/mod_other.so", read("lib/greet/extra.so"))
	write("etc/lighttpd/lighttpd.conf", []byte("server.modules = ( \"mod_extra\" )\n"))
	const extra, other = "/usr/lib/lighttpd/mod_extra.so", "/usr/lib/lighttpd/mod_other.so"
	lists := func(o Options) (out []string) {
		t.Helper()
		r, err := o.Scan("lighttpd")
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range r.Gaps {
			if g.Kind == GapDlopen {
				out = append(out, g.Names...)
			}
		}
		if !r.Complete() {
			t.Errorf("incomplete: %+v", r.Gaps)
		}
		return out
	}
	if got := lists(Options{Root: root}); !slices.Contains(got, extra) || !slices.Contains(got, other) {
		t.Errorf("lists %s", strings.Join(got, " "))
	}
	if got := lists(Options{Root: root, Plugins: []string{extra}}); slices.Contains(got, extra) || !slices.Contains(got, other) {
		t.Errorf("with %s: lists %s", extra, strings.Join(got, " "))
	}
	r, err := Options{Root: root}.Scan("/bin/greet")
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range r.Gaps {
		if len(g.Names) > 0 && g.Kind == GapDlopen {
			t.Errorf("another program: lists %v", g.Names)
		}
	}
}
