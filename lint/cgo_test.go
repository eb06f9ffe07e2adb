package lint

import (
	"strings"
	"testing"

	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/syscalls"
)

// What a C library of a Go program does can be avoided in a way that nothing else can: the remedy
// says so for such calls, and for no others.
func TestRemedyForCgo(t *testing.T) {
	const hint = "CGO_ENABLED=0"
	frame := func(module string) finding.Path {
		return finding.Path{{Function: "main"}, {Function: "f", Module: module}}
	}
	for _, c := range []struct {
		name, kind string
		path       finding.Path
		want       bool
	}{
		{"a C library of a Go program", "go", frame("libc.so.6"), true},
		{"the loader of a Go program", "go", frame("ld-linux-x86-64.so.2"), false},
		{"a Go function", "go", frame(""), false},
		{"a C program", "elf", frame("libc.so.6"), false},
		{"no path", "go", nil, false},
	} {
		p, err := profile.Parse("p.json", []byte(`{"defaultAction": "SCMP_ACT_ERRNO"}`))
		if err != nil {
			t.Fatal(err)
		}
		abi := syscalls.ByName("x86_64")
		nr, _ := abi.Number("openat")
		u := Usage{Program: "app", Kind: c.kind, Arch: abi, Complete: true, Needs: []Need{{Nr: nr, Name: "openat", Class: finding.Required, Path: c.path}}}
		target := p.DefaultTarget(abi)
		target.Runtime = profile.RuntimeKernel
		if got := remedy(t, Input{Profile: p, Target: target, Usage: []Usage{u}}, "PC613"); strings.Contains(got, hint) != c.want {
			t.Errorf("%s: remedy %q", c.name, got)
		}
		u.Complete, u.Missing = false, []string{"libc.so.6 was not found"}
		got := remedy(t, Input{Profile: p, Target: target, Usage: []Usage{u}}, "PC615")
		if strings.Contains(got, hint) != (c.kind == "go") || !strings.Contains(got, "--root") {
			t.Errorf("%s: a library is missing: remedy %q", c.name, got)
		}
		u.Missing, u.Unresolved = nil, []string{"f"}
		if got := remedy(t, Input{Profile: p, Target: target, Usage: []Usage{u}}, "PC615"); strings.Contains(got, hint) || strings.Contains(got, "--root") {
			t.Errorf("%s: no library is missing: remedy %q", c.name, got)
		}
	}
}

// remedy returns what the first finding of a check tells to do.
func remedy(t *testing.T, in Input, check string) string {
	t.Helper()
	r, err := Run(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Findings {
		if f.Check == check {
			return f.Remedy
		}
	}
	t.Fatalf("no finding of %s", check)
	return ""
}
