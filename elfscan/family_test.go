package elfscan

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/finding"
)

// What a server's configuration names counts on that condition, until it is given as a plugin; its other
// modules are listed as what it can be told to load.
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
	if got := lists(Options{Root: root}); slices.Contains(got, extra) || !slices.Contains(got, other) {
		t.Errorf("lists %s", strings.Join(got, " "))
	}
	cached := filepath.Join(t.TempDir(), "cache")
	mkdir := func(o Options) *Need {
		t.Helper()
		r, err := o.Scan("lighttpd")
		if err != nil {
			t.Fatal(err)
		}
		return r.need(t, "mkdir")
	}
	for range 2 {
		n := mkdir(Options{Root: root, CacheDir: cached})
		if n == nil || n.Class != finding.Conditional || n.Condition != "mod_extra.so is loaded (server.modules of /etc/lighttpd/lighttpd.conf)" {
			t.Errorf("what the configuration names: %+v", n)
		}
	}
	if n := mkdir(Options{Root: root, Plugins: []string{extra}}); n == nil || n.Class != finding.Required {
		t.Errorf("with %s: %+v", extra, n)
	}
	if got := lists(Options{Root: root, Plugins: []string{extra}}); slices.Contains(got, extra) || !slices.Contains(got, other) {
		t.Errorf("with %s: lists %s", extra, strings.Join(got, " "))
	}
	// The configuration is read again each time.
	write("etc/lighttpd/lighttpd.conf", []byte("server.modules = ( )\n"))
	if n := mkdir(Options{Root: root, CacheDir: cached}); n != nil {
		t.Errorf("a configuration that names nothing: %+v", n)
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
