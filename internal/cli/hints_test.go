package cli

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/profcheck/profcheck/elfscan"
	"github.com/profcheck/profcheck/syscalls"
)

// What a note tells the user to give must work when it is given.
func TestHints(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("programs of a root are files with the bit for execution")
	}
	dir := t.TempDir()
	for _, name := range []string{"usr/sbin/gpm", "usr/bin/git", "usr/bin/man", "opt/my prog", "lib/x.so"} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("x"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	r := &elfscan.Result{Path: "/usr/bin/git", Root: dir}
	for _, c := range []struct {
		kind                elfscan.GapKind
		names, give, absent []string
	}{
		{elfscan.GapExec, nil, nil, nil},
		{elfscan.GapExec, []string{"/usr/sbin/gpm -v"}, []string{"/usr/sbin/gpm"}, nil},
		{elfscan.GapExec, []string{"gpm -v", "gpm"}, []string{"gpm"}, nil},
		{elfscan.GapExec, []string{"git", "/usr/bin/git", "git gc"}, nil, nil},
		{elfscan.GapExec, []string{"emacsclient", "man"}, []string{"man"}, []string{"emacsclient"}},
		{elfscan.GapExec, []string{"/opt/my prog"}, []string{"/opt/my prog"}, nil},
		{elfscan.GapExec, []string{"/opt/%s -x", " "}, nil, []string{"/opt/%s", " "}},
		{elfscan.GapDlopen, []string{"/lib/x.so", "y.so", "/lib/y.so"}, []string{"/lib/x.so"}, nil},
		{elfscan.GapMissing, []string{"/lib/x.so"}, nil, nil},
	} {
		got := gapsDoc(r, []elfscan.Gap{{Kind: c.kind, Names: c.names}})[0]
		if !slices.Equal(got.Give, c.give) || !slices.Equal(got.Absent, c.absent) {
			t.Errorf("%s %q: give %q, absent %q", c.kind, c.names, got.Give, got.Absent)
		}
	}
}

func TestNameOf(t *testing.T) {
	for _, c := range []struct {
		arch string
		nr   int32
		want string
	}{
		{"x86_64", 39, "getpid"}, {"x86_64", 0x40000000 + 39, "getpid (x32)"}, {"x32", 0x40000000 + 39, "getpid"},
		{"x86_64", 0x40000000 + 5000, ""}, {"aarch64", 0x40000000 + 39, ""},
	} {
		if got := nameOf(syscalls.ByName(c.arch), c.nr); got != c.want {
			t.Errorf("%s %#x: %q, want %q", c.arch, c.nr, got, c.want)
		}
	}
}
