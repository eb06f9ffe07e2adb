package elfscan

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/finding"
)

// lacking skips a test that needs something of the machine, and fails it where everything is installed.
func lacking(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// gcc builds a file of C for this machine.
func gcc(t *testing.T, name, source string, flags ...string) string {
	t.Helper()
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		lacking(t, "needs a Linux machine of an architecture that is read")
	}
	if _, err := exec.LookPath("gcc"); err != nil {
		lacking(t, "needs gcc")
	}
	out := filepath.Join(t.TempDir(), name)
	cmd := exec.Command("gcc", append([]string{"-O1", "-w", "-x", "c", "-", "-x", "none", "-o", out}, flags...)...)
	cmd.Stdin = strings.NewReader("#define _GNU_SOURCE\n" + source)
	if msg, err := cmd.CombinedOutput(); err != nil {
		lacking(t, "gcc: "+string(msg))
	}
	return out
}

// gap returns the first gap of a kind whose detail has some words in it, nil if there is none.
func (r *Result) gap(kind GapKind, words string) *Gap {
	i := slices.IndexFunc(r.Gaps, func(g Gap) bool { return g.Kind == kind && strings.Contains(g.Detail, words) })
	if i < 0 {
		return nil
	}
	return &r.Gaps[i]
}

// A library that is given for a program is not judged as one that does nothing.
func TestLibraryForProgram(t *testing.T) {
	const source = `
#include <sys/mount.h>
static int inner(void) { return mount("a", "b", "c", 0, 0); }
int outer(void) { return inner(); }`
	library := gcc(t, "m.so", source, "-shared", "-fPIC")
	r, err := Scan(library)
	if err != nil {
		t.Fatal(err)
	}
	if n := r.need(t, "mount"); n == nil || n.Class != finding.Required || !r.Complete() || r.gap(GapLibrary, "a library") == nil {
		t.Errorf("complete is %v, %s, gaps %+v", r.Complete(), calls(r), r.Gaps)
	}
	if r.need(t, "set_tid_address") == nil {
		t.Error("the loader of the programs that load it does not count")
	}
	// One with another entry, which an older linker gives to all, is told by its needs or its name.
	for _, flag := range []string{"-Wl,-e,outer", "-Wl,-soname,m.so,-e,outer"} {
		r, err := Scan(gcc(t, "m.so", source, "-shared", "-fPIC", flag))
		if err != nil || r.gap(GapLibrary, "") == nil || r.need(t, "mount") == nil {
			t.Errorf("%s: %v, %+v", flag, err, r)
		}
	}
	// What only the program has that loads it was not seen.
	r, err = Scan(gcc(t, "m.so", "int host(void); int outer(void) { return host(); }", "-shared", "-fPIC"))
	if err != nil || r.Complete() || r.gap(GapMissing, "host") == nil {
		t.Errorf("a function of its program: %v, %+v", err, r)
	}
	// A library without any syscall is no puzzle.
	r, err = Scan(gcc(t, "m.so", "int outer(int a) { return a + 1; }", "-shared", "-fPIC", "-nostdlib"))
	if err != nil || !r.Complete() || len(r.Needs) > 0 {
		t.Errorf("arithmetic: %v, %+v", err, r)
	}
	for name, flags := range map[string][]string{"pie": {"-pie", "-fPIE"}, "static-pie": {"-static-pie", "-fPIE"}, "static": {"-static"}, "no pie": {"-no-pie"}, "exporting": {"-rdynamic"}} {
		r, err := Scan(gcc(t, "p", source+" int main(void) { return 0; }", flags...))
		if err != nil || r.gap(GapLibrary, "") != nil || r.need(t, "mount") != nil {
			t.Errorf("%s: %v, %+v", name, err, r.Gaps)
		}
	}
}

// A libc can be started, and is a library all the same.
func TestLibcForProgram(t *testing.T) {
	r, err := Scan(gcc(t, "p", "int main(void) { return 0; }"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range r.Modules[1:] {
		if !strings.HasPrefix(filepath.Base(m.Path), "libc.") {
			continue
		}
		r, err := Scan(m.Path)
		if err != nil || r.gap(GapLibrary, "") == nil || r.need(t, "mount") == nil {
			t.Errorf("%s: %v, %s", m.Path, err, calls(r))
		}
		return
	}
	lacking(t, "no libc for a library")
}

// What runs by itself has a name in paths even if the file has none for it.
func TestNamesOfStripped(t *testing.T) {
	const source = `
#include <sys/mount.h>
#include <sys/swap.h>
__attribute__((constructor)) static void c(void) { swapon("a", 0); }
__attribute__((destructor)) static void d(void) { swapoff("a"); }
int main(void) { return mount("a", "b", "c", 0, 0); }`
	r, err := Scan(gcc(t, "p", source, "-s"))
	if err != nil {
		t.Fatal(err)
	}
	for call, want := range map[string]string{"swapon": "constructor", "swapoff": "destructor", "mount": "_start"} {
		n := r.need(t, call)
		if n == nil || n.Sites[0].Path[0].Function != want {
			t.Errorf("%s: %+v", call, n)
		}
	}
}
