package native

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/elfscan/internal/loader"
)

// tableProgram is a program whose wrappers take the number and are called through pointers. They
// enter the kernel themselves, so that the numbers are those of the program alone.
type tableProgram struct {
	name   string
	source string
	calls  []string // made through the wrappers; nil if they are not to be told
	flags  []string
}

// wrappers are what tableProgram starts from: ask makes a call without arguments.
const wrappers = `
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#ifdef __x86_64__
static __attribute__((noinline,noclone)) long ask(long nr, long a) { long r; __asm__ volatile("syscall" : "=a"(r) : "0"(nr), "D"(a) : "rcx", "r11", "memory"); return r; }
static __attribute__((noinline,noclone)) long ask2(long nr, long a) { long r; __asm__ volatile("syscall; nop" : "=a"(r) : "0"(nr), "D"(a) : "rcx", "r11", "memory"); return r; }
#else
static __attribute__((noinline,noclone)) long ask(long nr, long a) { register long x8 __asm__("x8") = nr; register long x0 __asm__("x0") = a; __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8) : "memory"); return x0; }
static __attribute__((noinline,noclone)) long ask2(long nr, long a) { register long x8 __asm__("x8") = nr; register long x0 __asm__("x0") = a; __asm__ volatile("svc 0; nop" : "+r"(x0) : "r"(x8) : "memory"); return x0; }
#endif
#define hidden static __attribute__((noinline,noclone))
#define keep(p) __asm__ volatile("" : : "r"(p) : "memory")
struct caller { long (*one)(long, long); long (*two)(long, long); };
static struct caller many = { ask, ask2 };
static struct caller single = { ask2, ask };
`

var tablePrograms = []tableProgram{
	{name: "passed", calls: []string{"setuid", "setgid", "getppid"}, source: `
hidden long uid(struct caller *c, long u) { return c->one(SYS_setuid, u) < 0 ? c->two(SYS_setgid, u) : 0; }
hidden long both(struct caller *c, long u) { puts("x"); return uid(c, u) + c->two(SYS_getppid, 0); }
int main(int n, char **v) { return both(n > 1 ? &many : &single, n) == 5; }`},
	{name: "member", calls: []string{"getppid", "setgid"}, source: `
hidden long by(long (**f)(long, long)) { return f[0](SYS_getppid, 0); }
hidden long by1(struct caller *c) { return c->one(SYS_setgid, 1); }
int main(int n, char **v) { return by(&many.two) + by1(&many); }`},
	{name: "variable", calls: []string{"getppid", "setsid"}, source: `
static long (*volatile current)(long, long);
hidden void choose(void) { current = ask; }
hidden void other(void) { current = ask2; }
int main(int n, char **v) { choose(); if (n > 1) other(); current(SYS_getppid, 0); return current(SYS_setsid, 0) == 3; }`},
	{name: "argument", calls: []string{"setsid"}, source: `
hidden long with(long (*f)(long, long), long a) { puts("x"); return f(SYS_setsid, a); }
int main(int n, char **v) { return with(n > 1 ? ask : ask2, n); }`},
	{name: "through", calls: []string{"setsid", "getppid"}, source: `
hidden long deep(struct caller *c, long nr) { puts("y"); return c->two(nr, 0); }
hidden long with(struct caller *c, long nr) { puts("x"); return deep(c, nr) + 1; }
int main(int n, char **v) { return with(&many, SYS_setsid) + with(&single, SYS_getppid); }`},
	{name: "overwritten", calls: []string{"setsid", "getppid"}, source: `
hidden void set(long (*f)(long, long)) { if (f) many.one = f; }
int main(int n, char **v) { set((long (*)(long, long))atol(v[0])); return many.one(SYS_setsid, 0) + many.two(SYS_getppid, 0); }`},
	{name: "uncalled", calls: []string{}, source: `
hidden int idle(struct caller *c) { keep(c); return 1; }
int main(int n, char **v) { return idle(&many) + idle(&single); }`},

	// The table goes where it is not followed.
	{name: "stored", source: `
static struct caller *list[8];
hidden void add(struct caller *c, int i) { list[i] = c; }
hidden long call(int i, long nr) { return list[i]->one(nr, 0); }
int main(int n, char **v) { add(&many, n & 7); return many.one(SYS_setsid, 0) + call(n & 7, atol(v[0])); }`},
	{name: "returned", source: `
hidden struct caller *get(int n) { puts("x"); return n > 1 ? &many : &single; }
int main(int n, char **v) { return many.two(SYS_setsid, 0) + get(n)->one(atol(v[0]), 0); }`},
	{name: "left in a register", flags: []string{"-fipa-ra"}, source: `
static int counter; static struct caller *kept;
hidden void tick(void) { counter++; }
hidden void put(struct caller *c) { tick(); kept = c; }
int main(int n, char **v) { put(&many); keep(&kept); return kept->one(atol(v[0]), 0) + many.one(SYS_setsid, 0); }`},
	{name: "copied", source: `
int main(int n, char **v) { struct caller *c = malloc(sizeof *c); *c = many; keep(c); return c->one(atol(v[0]), 0) + many.one(SYS_setsid, 0); }`},
	{name: "memcpy", source: `
int main(int n, char **v) { struct caller *c = malloc(sizeof *c * n); keep(c); memcpy(c, &many, sizeof *c * n); keep(c); return c->one(atol(v[0]), 0) + many.one(SYS_setsid, 0); }`},
	{name: "indexed", source: `
static long (*table[4])(long, long) = { ask, ask2, ask, ask2 };
int main(int n, char **v) { return table[n & 3](atol(v[0]), 0) + table[0](SYS_setsid, 0); }`},
	{name: "behind", source: `
struct holder { long x; struct caller *c; };
hidden void put(struct holder *h) { h->c = &many; }
int main(int n, char **v) { struct holder *h = malloc(sizeof *h); put(h); keep(h); return h->c->one(atol(v[0]), 0) + many.one(SYS_setsid, 0); }`},
	{name: "frame", source: `
hidden long use(struct caller **c, long nr) { keep(c); return (*c)->one(nr, 0); }
int main(int n, char **v) { struct caller *c = &many; keep(&c); return use(&c, atol(v[0])) + many.one(SYS_setsid, 0); }`},
	{name: "callback", source: `
int main(int n, char **v) { qsort(v, n, sizeof *v, (int (*)(const void *, const void *))ask); return many.one(SYS_setsid, 0); }`},
	{name: "vector", source: `
static struct caller copy;
int main(int n, char **v) { copy = many; keep(&copy); return copy.one(atol(v[0]), 0) + many.one(SYS_setsid, 0); }`, flags: []string{"-O2"}},
	{name: "exchanged", source: `
int main(int n, char **v) { long (*f)(long, long) = __atomic_exchange_n(&many.one, 0, 5); return f(atol(v[0]), 0); }`},
	{name: "hidden in xor", source: `
static unsigned long secret;
hidden void hide(unsigned long k) { secret = (unsigned long)&many ^ k; }
hidden long find(unsigned long k, long nr) { return ((struct caller *)(secret ^ k))->one(nr, 0); }
int main(int n, char **v) { hide(n); return find(n, atol(v[0])) + many.one(SYS_setsid, 0); }`},
	{name: "exported", flags: []string{"-rdynamic"}, source: `
struct caller *open_to_all = &many;
int main(int n, char **v) { keep(&open_to_all); return open_to_all->one(atol(v[0]), 0) + many.one(SYS_setsid, 0); }`},
}

// TestTables holds functions that are called through tables against what was written in C. What the
// program calls beside is what one without wrappers does.
func TestTables(t *testing.T) {
	for _, tp := range tablePrograms {
		for _, opt := range []string{"-O1", "-O2", "-Os", "-O0"} {
			t.Run(tp.name+" "+opt, func(t *testing.T) {
				path := compile(t, wrappers+tp.source, append([]string{opt}, tp.flags...)...)
				known, unresolved := throughWrappers(t, path, Options{})
				if tp.calls == nil {
					if !unresolved {
						t.Errorf("all numbers are said to be known: %v", known)
					}
					return
				}
				if opt == "-O0" {
					return // all goes through the frame, and nothing is claimed of it
				}
				slices.Sort(tp.calls)
				if unresolved || !slices.Equal(known, tp.calls) {
					t.Errorf("numbers %v, unresolved %v; want %v", known, unresolved, tp.calls)
				}
				if _, unresolved := throughWrappers(t, path, Options{Off: Tables}); !unresolved && tp.name != "argument" {
					t.Error("without the analysis, too")
				}
			})
		}
	}
}

// throughWrappers returns the names of the calls that the program's own instructions make, and
// whether there are others.
func throughWrappers(t *testing.T, path string, o Options) (names []string, unresolved bool) {
	t.Helper()
	res, _ := analyse(t, path, o)
	return ofProgram(res)
}

func ofProgram(res *Result) (names []string, unresolved bool) {
	for _, n := range res.Needs {
		if slices.ContainsFunc(n.Sites, func(s Site) bool { return s.Path[len(s.Path)-1].Module == 0 }) {
			names = append(names, n.Name)
		}
	}
	slices.Sort(names)
	for _, u := range res.Unresolved {
		unresolved = unresolved || u.Path[len(u.Path)-1].Module == 0
	}
	return names, unresolved
}

// TestTablesARM64 does so for arm64, where the analysis may give up on what it follows on x86-64.
func TestTablesARM64(t *testing.T) {
	gcc, err := exec.LookPath("aarch64-linux-gnu-gcc")
	if err != nil {
		lack(t, "needs aarch64-linux-gnu-gcc")
	}
	for _, tp := range tablePrograms {
		for _, opt := range []string{"-O1", "-O2", "-O0"} {
			t.Run(tp.name+" "+opt, func(t *testing.T) {
				root := crossRoot(t)
				file := filepath.Join(root, "p.c")
				if err := os.WriteFile(file, []byte("#define _GNU_SOURCE\n"+wrappers+tp.source), 0o600); err != nil {
					t.Fatal(err)
				}
				if msg, err := exec.Command(gcc, append([]string{opt, "-w", "-o", filepath.Join(root, "p"), file}, tp.flags...)...).CombinedOutput(); err != nil {
					lack(t, "gcc: "+string(msg))
				}
				r, err := loader.NewRoot(root)
				if err != nil {
					t.Fatal(err)
				}
				c, err := r.Load("/p")
				if err != nil {
					t.Fatal(err)
				}
				switch known, unresolved := ofProgram(Analyse(c, facts, Options{})); {
				case tp.calls == nil && !unresolved:
					t.Errorf("all numbers are said to be known: %v", known)
				case tp.calls != nil && !unresolved && !slices.Equal(known, slices.Sorted(slices.Values(tp.calls))):
					t.Errorf("numbers %v; want %v", known, tp.calls)
				}
			})
		}
	}
}

// TestTablesTraced runs the programs whose numbers are known, and a negative one each with an
// argument: strace must not see a call that is not there.
func TestTablesTraced(t *testing.T) {
	for _, tp := range tablePrograms {
		if tp.calls == nil || tp.name == "overwritten" {
			continue
		}
		path := compile(t, wrappers+tp.source, "-O2")
		res, _ := analyse(t, path, Options{})
		for _, name := range traced(t, nil, path) {
			if !slices.ContainsFunc(res.Needs, func(n Need) bool { return n.Name == name }) {
				t.Errorf("%s: strace saw %s", tp.name, name)
			}
		}
	}
}

// TestLibcap holds the calls of libcap's functions that go through its table of wrappers against
// its sources (libcap/cap_proc.c), if a program that uses them can be linked.
func TestLibcap(t *testing.T) {
	if out, err := exec.Command("gcc", "-print-file-name=libcap.so.2").Output(); err != nil || !strings.Contains(string(out), "/") {
		lack(t, "needs gcc and libcap")
	}
	const declared = `
extern int cap_setuid(int), cap_setgroups(int, unsigned long, const int *), cap_set_proc(void *), cap_drop_bound(int), cap_reset_ambient(void), cap_set_secbits(unsigned), cap_prctlw(long, long, long, long, long, long);
int main(int n, char **v) { `
	all := map[string]string{
		"cap_setuid(n);": "capset prctl setuid", "cap_setgroups(n, 0, 0);": "capset setgid setgroups", "cap_set_proc(0);": "capset",
		"cap_drop_bound(n);": "prctl", "cap_reset_ambient();": "prctl", "cap_set_secbits(n);": "prctl", "cap_prctlw(n, 1, 2, 3, 4, 5);": "prctl",
	}
	for call, want := range all {
		path := compile(t, declared+call+"}", "-Wl,--no-as-needed", "-l:libcap.so.2")
		res, c := analyse(t, path, Options{})
		if len(res.Unresolved) > 0 {
			t.Errorf("%s unresolved: %s: %s", call, res.Unresolved[0].Reason, pathString(c.Modules, res.Unresolved[0].Path))
		}
		for _, name := range strings.Fields(want) {
			if !slices.ContainsFunc(res.Needs, func(n Need) bool {
				return n.Name == name && slices.ContainsFunc(n.Sites, func(s Site) bool {
					return slices.ContainsFunc(s.Always, func(a string) bool { return strings.HasPrefix(a, "syscall@") })
				})
			}) {
				t.Errorf("%s: no %s through syscall", call, name)
			}
		}
	}
}
