package catalog

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/elfscan"
)

// compile makes testdata/libc/tolerant.c with a compiler, and checks that it runs under a filter that
// denies nothing it needs.
func compile(t *testing.T, cc string, flags ...string) string {
	t.Helper()
	if _, err := exec.LookPath(cc); err != nil {
		absent(t, "no %s: %v", cc, err)
	}
	file := filepath.Join(t.TempDir(), "tolerant")
	args := append([]string{"-O1", "-pthread", "-o", file, "testdata/libc/tolerant.c"}, flags...)
	if out, err := exec.Command(cc, args...).CombinedOutput(); err != nil {
		absent(t, "%s: %v\n%s", cc, err, out)
	}
	if out, err := under(t, "vhangup", eperm, 0, file); err != nil {
		absent(t, "the program does not run under any filter here: %v %s", err, out)
	}
	return file
}

// part is what makes a C library make a call for itself.
type part struct{ call, words string }

var glibcParts = []part{
	{"clone3", "threads spawn"}, {"rseq", "threads"}, {"set_robust_list", "threads forks"}, {"statx", "status"},
	{"faccessat2", "effective"}, {"close_range", "close"}, {"getrandom", "chance threads"},
	{"madvise", "trim"}, {"mremap", "grow"}, {"mremap", "follow"}, {"prlimit64", "threads"}, {"access", "threads"},
}

var muslParts = []part{
	{"set_robust_list", "robust"}, {"prlimit64", "limits"}, {"faccessat2", "effective"}, {"sched_getaffinity", "processors"},
	{"membarrier", "threads"}, {"mremap", "grow"}, {"pipe2", "descriptors"}, {"dup3", "copies"},
	{"signalfd4", "signals"},
}

// Each entry on a C library: the scan recognises the caller, the program makes the call indeed (it
// dies of it), and does the same as ever with each errno that the entry names.
func TestLibcTolerates(t *testing.T) {
	t.Run("glibc", func(t *testing.T) { libcTolerates(t, compile(t, "gcc"), glibcTolerances, glibcParts) })
	t.Run("musl", func(t *testing.T) { libcTolerates(t, compile(t, "musl-gcc"), muslTolerances, muslParts) })
}

func libcTolerates(t *testing.T, program string, entries []Tolerance, parts []part) {
	scan, err := elfscan.Scan(program)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name == "faccessat" && runtime.GOARCH == "amd64" {
			continue // of ABIs without access
		}
		if !slices.ContainsFunc(parts, func(p part) bool { return p.call == e.Name }) {
			t.Errorf("nothing tries the entry on %s", e.Name)
		}
		if !recognised(scan, &e) {
			t.Errorf("%s: no place of it is the entry's", e.Name)
		}
		for _, p := range parts {
			if p.call == e.Name {
				t.Run(e.Name+" "+p.words, func(t *testing.T) { tolerates(t, program, &e, strings.Fields(p.words)) })
			}
		}
	}
}

func recognised(scan *elfscan.Result, e *Tolerance) bool {
	for _, n := range scan.Needs {
		if n.Name != e.Name {
			continue
		}
		for _, s := range n.Sites {
			if e.calls(s.Always) {
				return true
			}
		}
	}
	return false
}

func tolerates(t *testing.T, program string, e *Tolerance, words []string) {
	argv := append([]string{program}, words...)
	want, err := under(t, "vhangup", eperm, 0, argv...)
	if err != nil || want == "" {
		t.Fatalf("%v: %s", err, want)
	}
	if out, err := under(t, e.Name, kill, 0, argv...); err == nil && out == want {
		t.Errorf("the program does not make the call")
	}
	errnos := e.Errnos
	if errnos == nil {
		errnos = []int{eperm, 13, 22, enosys} // EACCES, EINVAL
	}
	for _, errno := range errnos {
		if out, err := under(t, e.Name, errno, 0, argv...); err != nil || out != want {
			t.Errorf("errno %d: %v\n%s\ninstead of\n%s", errno, err, out, want)
		}
	}
}

// The twin: errnos that the entries leave out do hurt.
func TestLibcMinds(t *testing.T) {
	for cc, cases := range map[string][]struct {
		call, words string
		errno       int
	}{
		"gcc": {
			{"clone3", "threads", eperm}, {"clone3", "spawn", eperm}, {"statx", "status", eperm}, {"faccessat2", "effective", eperm},
			{"getrandom", "chance", eperm}, {"prlimit64", "limits", enosys},
			{"mprotect", "threads", enosys},
		},
		"musl-gcc": {
			{"prlimit64", "limits", eperm}, {"faccessat2", "effective", eperm}, {"pipe2", "descriptors", eperm},
			{"dup3", "copies", eperm}, {"signalfd4", "signals", eperm},
		},
	} {
		t.Run(cc, func(t *testing.T) {
			program := compile(t, cc)
			for _, c := range cases {
				t.Run(fmt.Sprintf("%s/%d", c.call, c.errno), func(t *testing.T) {
					argv := append([]string{program}, strings.Fields(c.words)...)
					want, err := under(t, "vhangup", eperm, 0, argv...)
					if err != nil {
						t.Fatal(err)
					}
					if out, err := under(t, c.call, c.errno, 0, argv...); err == nil && out == want {
						t.Errorf("it works: %s", out)
					}
				})
			}
		})
	}
}

// The twin for the scan: what a program asks for by itself, through a wrapper or by number, stays its
// own, beside what the C library asks for.
func TestOwnCallsOfPrograms(t *testing.T) {
	const source = `#include <stdlib.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void) {
	char *b = malloc(8);
	return getrandom(b, 8, 0) + syscall(435, b, 8) + syscall(SYS_madvise, b, 8, 4) + posix_memalign((void *)&b, 64, 8) + system("");
}`
	for cc, tolerated := range map[string][]string{"gcc": {"clone3", "getrandom", "madvise"}, "musl-gcc": nil} {
		t.Run(cc, func(t *testing.T) {
			if _, err := exec.LookPath(cc); err != nil {
				absent(t, "no %s: %v", cc, err)
			}
			file := filepath.Join(t.TempDir(), "own")
			cmd := exec.Command(cc, "-x", "c", "-o", file, "-")
			cmd.Stdin = strings.NewReader(source)
			if out, err := cmd.CombinedOutput(); err != nil {
				absent(t, "%s: %v\n%s", cc, err, out)
			}
			scan, err := elfscan.Scan(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"clone3", "getrandom", "madvise"} {
				if cc == "musl-gcc" && name == "getrandom" {
					continue // a cancellation point, whose number scans of musl do not follow
				}
				own, libc := sites(scan, name)
				if own == 0 {
					t.Errorf("%s: the program's own call is taken for the C library's", name)
				}
				if want := slices.Contains(tolerated, name); want && libc == 0 {
					t.Errorf("%s: the C library's call is not known as such", name)
				}
			}
		})
	}
}

// sites counts the places of a call that may not fail with ENOSYS, and those that may.
func sites(scan *elfscan.Result, name string) (minds, tolerates int) {
	for _, n := range scan.Needs {
		if n.Name != name {
			continue
		}
		for _, s := range n.Sites {
			if Tolerated(name, enosys, s.Always) == nil {
				minds++
			} else {
				tolerates++
			}
		}
	}
	return minds, tolerates
}
