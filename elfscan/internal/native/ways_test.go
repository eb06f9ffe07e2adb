package native

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// way is a program whose way to some calls leads through data or an address in an uncommon shape.
type way struct {
	name   string
	source string
	flags  []string // each is a build: options, separated by blanks; musl first if they begin with it
	calls  []string // needed, and strace sees them
	not    []string // not needed: what a rule that is too wide would give
}

// TestWays holds what such programs need against what strace sees them do.
func TestWays(t *testing.T) {
	for _, w := range ways {
		for _, flags := range w.flags {
			t.Run(w.name+" "+flags, func(t *testing.T) {
				path := build(t, w.source, flags)
				res, _ := analyse(t, path, Options{})
				for _, name := range w.calls {
					if needOf(res, name) == nil {
						t.Errorf("%s is not needed", name)
					}
				}
				for _, name := range w.not {
					if needOf(res, name) != nil {
						t.Errorf("%s is needed", name)
					}
				}
				seen := strings.Join(traced(t, nil, path), " ") + " "
				for _, name := range w.calls {
					if !strings.Contains(" "+seen, " "+name+" ") {
						t.Errorf("strace does not see %s: %s", name, seen)
					}
				}
			})
		}
	}
}

// build compiles a program with GCC, or with musl's wrapper around it.
func build(t *testing.T, source, flags string) string {
	t.Helper()
	args := strings.Fields(flags)
	if len(args) == 0 || args[0] != "musl" {
		return compile(t, source, args...)
	}
	if _, err := exec.LookPath("musl-gcc"); err != nil {
		lack(t, "needs musl-gcc")
	}
	wrapper, err := exec.Command("musl-gcc", "-###", "-E", "-").CombinedOutput()
	specs := ""
	for _, word := range strings.Fields(string(wrapper)) {
		if strings.HasSuffix(word, "musl-gcc.specs") {
			specs = word
		}
	}
	if specs == "" {
		lack(t, fmt.Sprintf("musl-gcc: no specs: %v %s", err, wrapper))
	}
	return compile(t, source, append([]string{"-specs", specs}, args[1:]...)...)
}

var ways = []way{
	// Code that does not run forms the address of a member at a multiple of 32.
	{name: "member", flags: []string{"-O0", "-O2", "-O2 -s", "-O2 -s -no-pie", "-O2 -static -s"}, calls: []string{"getppid"}, source: `
#include <unistd.h>
#include <sched.h>
struct ops { void (*f[4])(void); };
struct dev { long id[4]; struct ops o; long more[4]; };
static void op(void) { sched_yield(); }
static void cl(void) { getppid(); }
struct dev __attribute__((aligned(32))) d1 = { {1}, {{op, cl}}, {2} };
struct ops *unused(void) { return &d1.o; }
__attribute__((noinline)) void run(struct dev *d, int c) { d->o.f[c & 1](); d->o.f[(c + 1) & 1](); }
int main(int c, char **v) { run(&d1, c); return 0; }`},
	// A list node from which container_of finds the struct, and code that knows it by its beginning.
	{name: "node", flags: []string{"-O0", "-O2", "-O2 -s"}, calls: []string{"getppid", "getpgid"}, source: `
#include <unistd.h>
#include <stddef.h>
struct list { struct list *n, *p; };
struct driver { const char *name; int (*probe)(void); long pad[6]; struct list l; int (*ioctl)(void); };
static int ask(void) { return getppid() & 0; }
static int group(void) { return getpgid(0) & 0; }
static struct list all = { &all, &all };
struct driver __attribute__((aligned(32))) drv = { "d", ask, {0}, {0, 0}, group }, other __attribute__((aligned(32))) = { "e", ask, {0}, {0, 0}, group };
void __attribute__((noinline)) enter(struct list *l) { l->p = all.p; l->n = &all; all.p->n = l; all.p = l; }
void leave(void) { enter(&other.l); }
static struct driver *volatile cur = &other;
int main(int c, char **v) {
	enter(&drv.l);
	struct driver *d = (struct driver *)((char *)all.n - offsetof(struct driver, l));
	return d->probe() + cur->ioctl();
}`},
	{name: "tail of a table", flags: []string{"-O0", "-O2", "-O2 -s", "musl -O2 -s -static"}, calls: []string{"getppid"}, source: `
#include <unistd.h>
#include <stdlib.h>
typedef int (*fn)(void);
static int a(void) { return 1; }
static int b(void) { return getppid() & 0; }
fn tab[6] = {a, a, a, a, a, b};
fn *extra(void) { return tab + 4; }
__attribute__((noinline)) int run(unsigned i) { return tab[i](); }
int main(int c, char **v) { return run(atoi("5")); }`},
	// Two objects that the symbols tell apart.
	{name: "neighbours", flags: []string{"-O0", "-O2"}, not: []string{"getppid"}, calls: []string{"getpgid"}, source: `
#include <unistd.h>
#include <stdlib.h>
typedef int (*fn)(void);
static int a(void) { return getpgid(0) & 0; }
static int b(void) { return getppid() & 0; }
fn tab[6] = {a, a, a, a, a, a};
long between[4] = {1, 2, 3, 4};
fn others[6] = {b, b, b, b, b, b};
long *behind[6] = {between}; // the end of all data is formed by the code that GCC puts in each program
fn *extra(void) { return others; }
__attribute__((noinline)) int run(unsigned i) { return tab[i](); }
int main(int c, char **v) { return run(atoi("5")) + between[c] & 0; }`},
	// A displacement that lies before or behind its table, at a fixed address.
	{name: "letters", flags: []string{"-O2 -fno-pie -no-pie", "-Os -fno-pie -no-pie -s", "musl -O2 -fno-pie -no-pie -static"}, calls: []string{"getppid"}, source: `
#include <unistd.h>
#include <stdlib.h>
static void nop(void) {}
static void ask(void) { getppid(); }
static long limits[400] = {1, 2, 3, 4};
static void (*const handlers[26])(void) = {[0 ... 25] = nop, ['p' - 'a'] = ask};
__attribute__((noinline)) void run(long c) { handlers[c - 'a'](); }
int main(int c, char **v) { limits[c] = c; run(*(c > 5 ? v[1] : "p")); return limits[c + 1] & 0; }`},
	{name: "negative index", flags: []string{"-O2 -fno-pie -no-pie", "-O1 -fno-pie -no-pie -s"}, calls: []string{"getppid"}, source: `
#include <unistd.h>
#include <stdlib.h>
typedef void (*fn)(void);
static void a(void) { getppid(); }
static void b(void) {}
static fn tab[8] = {b, b, a, b, b, b, b, b};
static long next[8] = {1, 2, 3};
__attribute__((noinline)) static void run(long i) { tab[8 + i](); }
int main(int c, char **v) { run(-atoi("6")); return next[c] & 0; }`},
	{name: "far bias", flags: []string{"-O2 -fno-pie -no-pie", "-O2 -fno-pie -no-pie -s", "musl -O2 -fno-pie -no-pie -static"}, calls: []string{"getppid"}, source: `
#include <unistd.h>
#include <stdlib.h>
static void nop(void) {}
static void ask(void) { getppid(); }
static long other[4] = {1, 2, 3, 4};
static struct { void (*f)(void); long k[3]; } recs[16] = {[0 ... 15] = {nop, {1}}, [5] = {ask}};
__attribute__((noinline)) void run(long i) { recs[i - 1000].f(); }
int main(int c, char **v) { run(atoi("1005")); return other[c] & 0; }`},
	{name: "function less one", flags: []string{"-O2 -fno-pie -no-pie"}, calls: []string{"getppid"}, source: `
#include <unistd.h>
static __attribute__((noinline)) long pad(long x) { return x * 3 + 1; }
static __attribute__((noinline)) long ask(void) { return getppid(); }
int main(int c, char **v) { volatile int one = c; pad(one); return ((long (*)(void))((char *)ask + (one - 1)))() < 0; }`},
	// Indexed reads that can fetch no pointer, and jump tables.
	{name: "small elements", flags: []string{"-O2 -fno-pie -no-pie"}, calls: []string{"getpgid"}, not: []string{"getppid"}, source: `
#include <unistd.h>
#include <stdlib.h>
static void ask(void) { getppid(); }
void (*const handlers[6])(void) = {ask, ask, ask, ask, ask, ask};
static int small[40] = {1, 2, 3};
static char text[40] = "text";
__attribute__((noinline)) int see(long i) { return small[i - 20] + text[i - 10]; }
__attribute__((noinline)) int choose(int i) {
	switch (i) {
	case 0: return getpgid(0);
	case 1: return 7;
	case 2: return see(99);
	case 3: return see(3);
	case 4: return see(4) + 1;
	case 5: return see(20) * 3;
	}
	return 0;
}
int main(int c, char **v) { small[c] = 1; text[c] = 'c'; return choose(atoi(v[0])) & see(21) & 0; }`},
	{name: "end of a constant table", flags: []string{"-Os", "-Os -s", "-Os -fno-pie -no-pie", "-O0 -s"}, calls: []string{"getppid", "getpgid"}, source: `
#include <unistd.h>
typedef void (*fn)(void);
static void a(void) { getppid(); }
static void b(void) { getpgid(0); }
static const fn tab[8] = {0, 0, a, b, a, b, a, b};
static const long next[8] = {1, 2, 3};
__attribute__((noinline)) static void run(void) { for (const fn *p = tab + 8; *--p;) (*p)(); }
__attribute__((noinline)) static long see(int i) { return next[i]; }
int main(int c, char **v) { run(); return see(c) & 0; }`},
	{name: "end of a table with a symbol", flags: []string{"-Os", "-Os -s", "-Os -fno-pie -no-pie", "-O0 -s"}, calls: []string{"getppid", "getpgid"}, source: `
#include <unistd.h>
typedef void (*fn)(void);
static void a(void) { getppid(); }
static void b(void) { getpgid(0); }
fn tab[8] = {0, 0, a, b, a, b, a, b};
long next[8] = {1, 2, 3};
__attribute__((noinline)) static void run(void) { for (const fn *p = tab + 8; *--p;) (*p)(); }
__attribute__((noinline)) static long see(int i) { return next[i]; }
int main(int c, char **v) { run(); return see(c) & 0; }`},
	{name: "end in data", flags: []string{"-O2", "-O2 -s", "-O2 -s -no-pie"}, calls: []string{"getppid"}, source: `
#include <unistd.h>
typedef void (*fn)(void);
static void a(void) { getppid(); }
fn tab[8] = {0, a, a, a, a, a, a, a};
long next[8] = {1, 2, 3};
fn *volatile last = tab + 8;
long *more[4] = {next};
int main(int c, char **v) { fn *p = last; while (*--p) (*p)(); return next[c] & 0; }`},
	// Pointers that are not aligned, at a fixed address.
	{name: "packed", flags: []string{"-O2 -no-pie", "-O2 -static -s -no-pie", "musl -O2 -static -s -no-pie"}, calls: []string{"getppid", "getpgid"}, source: `
#include <unistd.h>
struct __attribute__((packed)) ent { char tag; void (*f)(void); };
static void op(void) { getpgid(0); }
static void cl(void) { getppid(); }
struct ent tab[] = {{1, op}, {2, cl}};
int main(int c, char **v) { for (int i = 0; i < 2; i++) tab[(i + c) & 1].f(); return 0; }`},
	// A second entry of a function, which a word of data leads to.
	{name: "second entry", flags: []string{"-O2 -fno-pie -no-pie", "-O2 -fno-pie -no-pie -s", "-O2"}, calls: []string{"getppid"}, source: `
#include <unistd.h>
void two(void), mid(void);
__asm__(".text\n.globl two\n.type two,@function\ntwo: .cfi_startproc\n nop\n nop\n.globl mid\nmid: mov $110,%eax\n syscall\n ret\n.cfi_endproc\n.size two,.-two");
void (*tab[])(void) = {(void (*)(void))sleep, mid, mid};
int main(int c, char **v) { tab[c](); return 0; }`},
	// Words that lead into a function but make up its jump table.
	{name: "cases", flags: []string{"-O2 -fno-pie -no-pie -fno-ipa-cp -fno-inline", "-O2 -fno-pie -no-pie -s -fno-inline"}, calls: []string{"getpgid"}, not: []string{"getppid"}, source: `
#include <unistd.h>
#include <stdlib.h>
static int twice(int i) { return i * 2; }
int never(int i) {
	switch (i) {
	case 0: return getppid();
	case 1: return 7;
	case 2: return twice(99);
	case 3: return twice(3) - 1;
	case 4: return twice(4) + 1;
	case 5: return twice(20) * 3;
	}
	return 0;
}
static const char *const texts[] = {"one", "two", "three"};
int main(int c, char **v) { write(-1, texts[c], 3); getpgid(0); return twice(c) & 0; }`},
	// Tables of distances: from the table, from each word, and one of which only a word is read.
	{name: "distances", flags: []string{"-O0", "-O2", "-O2 -s", "-O2 -s -fno-pie -no-pie", "musl -O2 -static -s"}, calls: []string{"getppid", "getpgid", "getsid"}, source: `
#include <unistd.h>
void one(void) { getppid(); }
void two(void) { getpgid(0); }
void three(void) { getsid(0); }
__asm__(".section .rodata\n.p2align 2\nfrom_table: .long one-from_table, 0\nfrom_word: .long 0, two-.\nsingle: .long 7, three-single\n.previous");
extern const int from_table[] __attribute__((visibility("hidden"))), from_word[] __attribute__((visibility("hidden"))), single[] __attribute__((visibility("hidden")));
int main(int c, char **v) {
	((void (*)(void))((char *)from_table + from_table[c - 1]))();
	((void (*)(void))((char *)&from_word[c] + from_word[c]))();
	((void (*)(void))((char *)single + *(volatile const int *)&single[1]))();
	return 0;
}`},
	// Distances that lead into a function, and the tables for unwinding.
	{name: "numbers", flags: []string{"-O2", "-O2 -s"}, calls: []string{"getpgid"}, not: []string{"getppid"}, source: `
#include <unistd.h>
void one(void) { getppid(); }
__asm__(".section .rodata\n.p2align 2\nnumbers: .long one-numbers+1, 0x1000, -0x1000\n.previous");
extern const int numbers[] __attribute__((visibility("hidden")));
int main(int c, char **v) { getpgid(0); return numbers[c] & 0; }`},
	// The large code model, where all distances are of 64 bits.
	{name: "large model", flags: []string{"-O2 -mcmodel=large -fpie -pie", "-O0 -mcmodel=large -fpie -pie", "-O2 -s -mcmodel=large -fpie -pie", "-O2 -mcmodel=large -fno-pie -no-pie",
		"-O2 -s -mcmodel=large -fpie -pie -fno-asynchronous-unwind-tables -fno-unwind-tables"}, calls: []string{"getppid", "sched_yield", "timerfd_create"}, not: []string{"getsid"}, source: `
#include <unistd.h>
#include <sched.h>
#include <sys/timerfd.h>
static void __attribute__((noinline)) op(void) { sched_yield(); }
static void cl(void) { getppid(); }
void (*big[20000])(void) = {[19000] = cl};
void never(void) { getsid(0); }
int main(int c, char **v) { op(); big[18999 + c](); timerfd_create(1, 0); return 0; }`},
	// The medium one forms the address of the global offset table, and so means all of it.
	{name: "medium model", flags: []string{"-O2 -mcmodel=medium -fpie -pie", "-O2 -s -mcmodel=medium -fpie -pie"}, calls: []string{"getppid", "sched_yield", "timerfd_create"}, source: `
#include <unistd.h>
#include <sched.h>
#include <sys/timerfd.h>
static void __attribute__((noinline)) op(void) { sched_yield(); }
static void cl(void) { getppid(); }
void (*big[20000])(void) = {[19000] = cl};
void never(void) { getsid(0); }
int main(int c, char **v) { op(); big[18999 + c](); timerfd_create(1, 0); return 0; }`},
}
