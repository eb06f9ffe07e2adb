package cli

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/profcheck/profcheck/elfscan"
	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/profile"
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

// A program that starts itself alone needs no note: what was scanned is all.
func TestStartsItself(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("programs of a root are files with the bit for execution")
	}
	dir := t.TempDir()
	for _, name := range []string{"sh", "cat"} {
		if err := os.MkdirAll(filepath.Join(dir, "usr", "bin"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "usr", "bin", name), []byte("x"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	r := &elfscan.Result{Path: "/s.sh", Script: []string{"/s.sh"}, Root: dir, Modules: []elfscan.Module{{Path: "/usr/bin/sh"}}}
	for _, c := range []struct {
		kind  elfscan.GapKind
		names []string
		want  int // notes
	}{
		{elfscan.GapExec, []string{"/usr/bin/sh"}, 0},
		{elfscan.GapExec, []string{"sh -c x", "sh"}, 0},
		{elfscan.GapExec, []string{"sh", "cat"}, 1},
		{elfscan.GapExec, []string{"cat"}, 1},
		{elfscan.GapExec, []string{"nosuch"}, 1},
		{elfscan.GapExec, nil, 1},
		{elfscan.GapDlopen, []string{"/usr/bin/sh"}, 1},
	} {
		r.Gaps = []elfscan.Gap{{Kind: c.kind, Names: c.names}}
		if notes, strict := len(gapsDoc(r, r.Gaps)), len(strictGaps(r)); notes != c.want || strict != c.want {
			t.Errorf("%s %q: %d notes, %d for --strict, want %d", c.kind, c.names, notes, strict, c.want)
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

// Of two places that make a call, why begins with the one that a finding would be about.
func TestGravestFirst(t *testing.T) {
	arch := syscalls.ByName("x86_64")
	site := func(function string, family uint64) elfscan.Site {
		return elfscan.Site{
			Class: finding.Required, Path: finding.Path{{Function: function}},
			Args: [6]elfscan.Values{{Known: true, Consts: []uint64{family}}},
		}
	}
	for name, want := range map[string]string{"docker-default": "vsock", "testdata/off.json": "inet"} {
		p, err := profile.Parse(name, []byte(`{"defaultAction": "SCMP_ACT_ALLOW"}`))
		if name == "docker-default" {
			p, err = profile.Open(name)
		}
		if err != nil {
			t.Fatal(err)
		}
		n := elfscan.Need{Nr: 41, Name: "socket", Class: finding.Required, Sites: []elfscan.Site{site("inet", 2), site("vsock", 40), site("unix", 1)}}
		if err := new(options).gravestFirst(&elfscan.Result{Path: "p", Kind: "elf", Arch: arch}, &n, p); err != nil {
			t.Fatal(err)
		}
		if got := n.Sites[0].Path[0].Function; got != want || len(n.Sites) != 3 {
			t.Errorf("%s: %d sites, %s first, want %s", name, len(n.Sites), got, want)
		}
	}
}
