package catalog

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/elfscan"
	"github.com/profcheck/profcheck/syscalls"
)

// fallingBack are programs that make clone3 through libraries.
var fallingBack = map[string]struct{ compiler, source string }{
	"system": {"gcc", `#include <stdlib.h>
#include <stdio.h>
int main(void) { printf("%d\n", system("true")); return 0; }`},
	"popen": {"gcc", `#include <stdio.h>
int main(void) { char b[9] = ""; FILE *f = popen("echo read", "r"); if (!f || !fgets(b, 9, f)) return 1; fputs(b, stdout); return pclose(f); }`},
	"pthread": {"gcc", `#include <pthread.h>
#include <stdio.h>
static void *run(void *p) { puts("runs"); return p; }
int main(void) { pthread_t t; return pthread_create(&t, 0, run, 0) || pthread_join(t, 0); }`},
	"thread": {"g++", `#include <thread>
#include <cstdio>
int main() { std::thread t([] { puts("runs"); }); t.join(); }`},
}

// Programs without names whose libraries make clone3 do the same under a kernel that has it and under a
// filter that gives ENOSYS. Killed for it they are not the same.
func TestStrippedFallBack(t *testing.T) {
	for name, p := range fallingBack {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "p")
			lang := map[string]string{"gcc": "c", "g++": "c++"}[p.compiler]
			cmd := exec.Command(p.compiler, "-x", lang, "-static", "-s", "-pthread", "-o", file, "-")
			cmd.Stdin = strings.NewReader(p.source)
			if out, err := cmd.CombinedOutput(); err != nil {
				absent(t, "%s: %v\n%s", p.compiler, err, out)
			}
			fallsBack(t, "clone3", file)
		})
	}
}

// Each entry, with a program that makes the call and was stripped; the twin is EPERM, which only a few
// fall back for.
func TestFallbacks(t *testing.T) {
	words := map[string]string{"clone3": "threads spawn", "faccessat2": "effective", "statx": "status", "rseq": "threads"}
	file := compile(t, "gcc", "-static", "-s")
	for _, f := range Fallbacks() {
		t.Run(f.Name, func(t *testing.T) {
			oldest, err := syscalls.ParseKernel(f.Oldest)
			first, ok := syscalls.FirstKernel(f.Name)
			if err != nil || !ok || !oldest.Less(first) || f.Who == "" || f.Instead == "" || f.Source == "" {
				t.Errorf("%+v: not newer than kernels in use, or incomplete", f)
			}
			if FallbackOf(f.Name, enosys) == nil || FallbackOf(f.Name, eperm) != nil || FallbackOf(f.Name, 0) != nil {
				t.Error("not found by its answer alone")
			}
			fallsBack(t, f.Name, append([]string{file}, strings.Fields(words[f.Name])...)...)
		})
	}
	if FallbackOf("openat2", enosys) != nil || FallbackOf("close_range", enosys) != nil {
		t.Error("a call that programs make themselves counts as the library's")
	}
}

func fallsBack(t *testing.T, call string, argv ...string) {
	t.Helper()
	want, err := under(t, "vhangup", eperm, 0, argv...)
	if err != nil || want == "" {
		t.Fatalf("%v %s", err, want)
	}
	if got, err := under(t, call, enosys, 0, argv...); err != nil || got != want {
		t.Errorf("%s with ENOSYS: %v %q, want %q", call, err, got, want)
	}
	if got, err := under(t, call, kill, 0, argv...); err == nil && got == want {
		t.Errorf("the program does not make %s", call)
	}
	scan, err := elfscan.Scan(argv[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range scan.Needs {
		if n.Name != call {
			continue
		}
		for _, s := range n.Sites {
			if last := s.Path[len(s.Path)-1].Function; !strings.HasPrefix(last, "sub_") {
				t.Errorf("%s is made in %s", call, last)
			}
		}
		return
	}
	t.Errorf("the scan of %s has no %s", argv[0], call)
}

// ripgrep, where it is installed, has a clone3 of Rust's standard library and runs without it.
func TestRustFallsBack(t *testing.T) {
	rg, err := exec.LookPath("rg")
	if err != nil {
		absent(t, "no program in Rust: %v", err)
	}
	file := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(file, []byte("a needle\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	argv := []string{rg, "--pre", "cat", "needle", file}
	if out, err := under(t, "clone3", enosys, 0, argv...); err != nil || !strings.Contains(out, "needle") {
		t.Errorf("%v %s", err, out)
	}
	if out, err := under(t, "clone3", eperm, 0, argv...); err == nil && strings.Contains(out, "needle") {
		t.Errorf("the twin, with EPERM, works: %s", out)
	}
}
