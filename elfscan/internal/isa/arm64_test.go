package isa

import (
	"go/build"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var goBuild = regexp.MustCompile(`(?m)^//go:build `)

// leftOut lists the Go files of a directory that are left out somewhere without saying so: all but
// tests with a go:build line.
func leftOut(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	for _, arch := range []string{"amd64", "arm64", "s390x"} {
		ctx := build.Default
		ctx.GOARCH, ctx.GOOS, ctx.CgoEnabled = arch, "linux", false
		p, err := ctx.ImportDir(dir, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range p.IgnoredGoFiles {
			text, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(name, "_test.go") || !goBuild.Match(text) {
				out = append(out, arch+": "+name)
			}
		}
	}
	return out
}

// TestNoFileIsLeftOut guards against the trap of file names: x_arm64.go is a build constraint, and
// Go drops the file in silence on other machines.
func TestNoFileIsLeftOut(t *testing.T) {
	if out := leftOut(t, "."); out != nil {
		t.Errorf("left out: %v", out)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.go":          "package a\n",
		"b_arm64.go":    "package a\n",
		"c_test.go":     "//go:build arm64\n\npackage a\n",
		"amd64_test.go": "package a\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out := strings.Join(leftOut(t, dir), ", "); out != "amd64: b_arm64.go, s390x: b_arm64.go" {
		t.Errorf("in a directory with a trap: %q", out)
	}
}

// The conventions are facts of the kernel and of Go; a slip here would be silent everywhere else.
func TestARM64Conventions(t *testing.T) {
	m := ARM64
	switch {
	case m.Number != 8 || m.Args != [6]Reg{0, 1, 2, 3, 4, 5} || m.Result != 0:
		t.Error("syscall registers")
	case m.SP != 31 || m.LR != 30 || m.Regs != 32 || m.PtrSize != 8:
		t.Error("registers")
	case len(m.GoParams) != 16 || m.GoParams[15] != 15 || m.GoKept != 1<<31|1<<28:
		t.Error("Go's registers")
	case m.CallPush != 0 || m.StackArg != 8:
		t.Error("stack")
	}
}
