package elfscan

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Memory that a program makes executable by itself holds code that no scan sees; what the libc and the
// loader map is looked at.
func TestMakesCode(t *testing.T) {
	const writer = "#include <sys/mman.h>\nvoid *volatile v;\n"
	for name, c := range map[string]struct {
		source string
		flags  []string
		want   string
	}{
		"nothing":        {"#include <stdio.h>\nint main(void) { puts(\"x\"); return 0; }", nil, ""},
		"static":         {"#include <stdio.h>\nint main(void) { puts(\"x\"); return 0; }", []string{"-static"}, ""},
		"data":           {writer + "int main(void) { v = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); return 0; }", nil, ""},
		"mmap":           {writer + "int main(void) { v = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); return 0; }", nil, makesCode},
		"mmap in static": {writer + "int main(void) { v = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); return 0; }", []string{"-static"}, makesCode},
		"mprotect":       {writer + "int main(void) { return mprotect(v, 4096, PROT_READ | PROT_EXEC); }", nil, makesCode},
		"unknown":        {writer + "int main(int c, char **a) { return mprotect(v, 4096, c); }", nil, mayMakeCode},
		"wrapper":        {writer + "__attribute__((noinline)) static int w(int p) { return mprotect(v, 4096, p); }\nint main(int c, char **a) { return c > 1 ? w(PROT_READ) : w(PROT_NONE); }", nil, ""},
		"not called":     {writer + "int unused(void) { return mprotect(v, 4096, PROT_EXEC); }\nint main(void) { return 0; }", nil, ""},
		"attached":       {"#include <sys/shm.h>\nint main(void) { return shmat(0, 0, SHM_EXEC) == 0; }", nil, makesCode},
		"attached data":  {"#include <sys/shm.h>\nint main(void) { return shmat(0, 0, SHM_RDONLY) == 0; }", nil, ""},
		"personality":    {"#include <sys/personality.h>\nint main(void) { return personality(READ_IMPLIES_EXEC) < 0; }", nil, makesCode},
		"asked for":      {"#include <sys/personality.h>\nint main(void) { return personality(0xffffffff) < 0; }", nil, ""},
		"by number":      {"#include <unistd.h>\n#include <sys/syscall.h>\nint main(void) { return syscall(SYS_mprotect, 0, 4096, 5); }", nil, makesCode},
	} {
		r, err := Scan(gcc(t, "p", c.source, c.flags...))
		if err != nil {
			t.Fatal(err)
		}
		codeGap(t, name, r, c.want)
	}
}

// What is on a stack runs as code in programs that ask for that.
func TestExecutableStack(t *testing.T) {
	const source = "int main(void) { return 0; }"
	for flag, want := range map[string]bool{"-Wl,-z,execstack": true, "-Wl,-z,noexecstack": false} {
		r, err := Scan(gcc(t, "p", source, flag))
		if err != nil {
			t.Fatal(err)
		}
		g := r.gap(GapCode, "")
		if got := g != nil && strings.Contains(g.Detail, "executable stack"); got != want {
			t.Errorf("%s: gap %+v, want one: %v", flag, g, want)
		}
	}
}

// Symbols that a filter library may replace were not looked for there.
func TestFilterLibrary(t *testing.T) {
	lib := gcc(t, "libplain.so", "int value(void) { return 1; }", "-shared", "-fPIC", "-Wl,-soname,libplain.so", "-Wl,-f,libother.so")
	for _, with := range []bool{false, true} {
		flags := []string{"-Wl,--allow-shlib-undefined"}
		if with {
			flags = append(flags, "-Wl,--no-as-needed", lib, "-Wl,-rpath,"+filepath.Dir(lib))
		}
		r, err := Scan(gcc(t, "p", "int main(void) { return 0; }", flags...))
		if err != nil {
			t.Fatal(err)
		}
		if told := slices.ContainsFunc(r.Gaps, func(g Gap) bool { return g.Kind == GapMissing && slices.Contains(g.Names, "libother.so") }); told != with {
			t.Errorf("with the library: %v, gaps %+v", with, r.Gaps)
		}
	}
}

// A Go program's runtime makes none.
func TestGoMakesCode(t *testing.T) {
	codeGap(t, "hello", scan(t, build(t, helloSource, "amd64")), "")
	const mapping = `package main

import (
	"os"
	"syscall"
)

var memory = make([]byte, 4096)

func main() {
	prot := syscall.PROT_READ
	if len(os.Args) > 1 {
		prot = PROT
	}
	println(syscall.Mprotect(memory, prot))
}
`
	for prot, want := range map[string]string{"syscall.PROT_WRITE": "", "syscall.PROT_EXEC": makesCode, "len(os.Args)": mayMakeCode} {
		codeGap(t, prot, scan(t, build(t, source(strings.Replace(mapping, "PROT\n", prot+"\n", 1)), "amd64")), want)
	}
}

func codeGap(t *testing.T, name string, r *Result, want string) {
	t.Helper()
	got := ""
	if g := r.gap(GapCode, ""); g != nil {
		if got = g.Detail; len(g.Path) < 2 {
			t.Errorf("%s: the path is %v", name, g.Path)
		}
	}
	if got != want {
		t.Errorf("%s: %q, want %q", name, got, want)
	}
}
