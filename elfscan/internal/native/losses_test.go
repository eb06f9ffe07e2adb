package native

import (
	"runtime"
	"slices"
	"testing"

	"github.com/profcheck/profcheck/finding"
)

// raw is a syscall whose number lies behind a pointer, in functions that compilers leave alone.
const raw = `

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define ALONE __attribute__((noinline, noclone, noipa))
struct req { long nr, more; };
static long enter(long nr) { long r; __asm__ volatile("syscall" : "=a"(r) : "0"(nr) : "rcx", "r11", "memory"); return r; }
ALONE static long call(struct req *r) { return enter(r->nr); }
`

// hidden are programs that make getppid, number 110, which they write over getpid, number 39, by another
// way than the pointer that the number is read through.
var hidden = []struct{ name, source string }{
	{"global", `
static struct req *also;
ALONE static long run(struct req *r) { also->nr = atol("110"); return call(r); }
int main(void) { struct req r = {39}; also = &r; return run(&r) < 0; }`},
	{"stack argument", `
ALONE static long run(long a, long b, long c, long d, long e, struct req *r, struct req *s) { s->nr = atol("110"); return call(r) + a + b + c + d + e; }
int main(void) { struct req r = {39}; return run(1, 2, 3, 4, 5, &r, &r) < 0; }`},
	{"from above", `
ALONE static long run(struct req *r, struct req *end) { end[-1].nr = atol("110"); return call(r); }
int main(void) { struct req r = {39}; return run(&r, &r + 1) < 0; }`},
	{"struct", `
struct box { struct req *r; };
ALONE static void fill(struct box *b) { b->r->nr = atol("110"); }
ALONE static long run(struct req *r) { struct box b = {r}; fill(&b); return call(r); }
int main(void) { struct req r = {39}; return run(&r) < 0; }`},
	{"result", `
ALONE static struct req *same(struct req *r) { return r; }
ALONE static long run(struct req *r) { same(r)->nr = atol("110"); return call(r); }
int main(void) { struct req r = {39}; return run(&r) < 0; }`},
	{"variadic", `
ALONE static long run(struct req *r) { sscanf("110", "%ld", &r->nr); return call(r); }
int main(void) { struct req r = {39}; return run(&r) < 0; }`},
	{"index", `
int main(int n, char **v) { struct req r[2] = {{39}, {39}}; r[n].nr = atol("110"); return call(&r[1]) < 0; }`},
	{"chosen at start", `
ALONE static long run(struct req *r, int c, size_t n) { memset(r, c, n); return call(r); }
int main(int n, char **v) { struct req r = {39}; return run(&r, atoi("110"), n) < 0; }`},
	{"setjmp", `
static jmp_buf back;
ALONE static void fail(void) { longjmp(back, 1); }
int main(void) { volatile long nr = 39; if (!setjmp(back)) { nr = 110; fail(); } return enter(nr) < 0; }`},
	{"vfork", `
#include <unistd.h>
int main(void) { volatile long nr = 39; if (vfork() == 0) { nr = 110; _exit(0); } return enter(nr) < 0; }`},
	{"sigsetjmp", `
static sigjmp_buf back;
ALONE static void fail(void) { siglongjmp(back, 1); }
int main(void) { volatile long nr = 39; if (!sigsetjmp(back, 1)) { nr = 110; fail(); } return enter(nr) < 0; }`},
}

// optimised are the ways to compile them.
var optimised = [][]string{{"-O0"}, {"-O1"}, {"-O2"}, {"-O2", "-s"}, {"-Os", "-static"}, {"-O1", "-static", "-s"}}

// TestHiddenWrites holds scans of such programs against strace: the number is found, or it is said that it
// is not known.
func TestHiddenWrites(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the programs are for x86-64")
	}
	for _, h := range hidden {
		t.Run(h.name, func(t *testing.T) {
			made := 0
			for _, flags := range optimised {
				path := compile(t, raw+h.source, flags...)
				if !slices.Contains(traced(t, nil, path), "getppid") {
					continue // the compiler saw through it
				}
				made++
				res, _ := analyse(t, path, Options{})
				if needOf(res, "getppid") == nil && len(res.Unresolved) == 0 {
					t.Errorf("%v: getppid is neither found nor is a number unknown", flags)
				}
			}
			if made == 0 {
				t.Error("no program makes the call")
			}
		})
	}
}

// TestVisibleWrites is its twin: the same number without another writer is known, and alone.
func TestVisibleWrites(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the programs are for x86-64")
	}
	for _, flags := range optimised {
		path := compile(t, raw+`
ALONE static long by(long nr) { long copy = nr; return enter(copy); }
int main(void) { return by(39) < 0; }`, flags...)
		res, _ := analyse(t, path, Options{})
		if needOf(res, "getpid") == nil || needOf(res, "getppid") != nil || len(res.Unresolved) != 0 {
			t.Errorf("%v: getpid is not known, or not alone", flags)
		}
	}
}

// unconditional are programs that make calls in ways that look like those of a libc on some condition.
var unconditional = []struct {
	name, source string
	flags        []string
	calls        []string
}{
	{"timer thread", `
#include <signal.h>
#include <time.h>
#include <unistd.h>
static void tick(union sigval v) { (void)v; }
int main(void) {
	timer_t t; struct sigevent e = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = tick};
	struct itimerspec s = {.it_value = {0, 1000}};
	if (timer_create(CLOCK_MONOTONIC, &e, &t)) return 1;
	timer_settime(t, 0, &s, 0); usleep(30000); return timer_delete(t);
}`, nil, []string{"rt_sigtimedwait"}},
	{"endless loop with an abort", `
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
static void stop(int s) { (void)s; _exit(0); }
__attribute__((noinline)) static void serve(int fd) { for (;;) { struct pollfd p = {fd, POLLIN, 0}; if (poll(&p, 1, 10) < -1) abort(); } }
int main(void) { int fd = eventfd(0, 0); signal(SIGALRM, stop); alarm(1); serve(fd); return 0; }`, []string{"-static"}, []string{"poll", "eventfd2", "alarm"}},
	{"signals of its own", `
#include <signal.h>
static void nothing(int s) { (void)s; }
int main(void) { signal(SIGFPE, nothing); signal(SIGABRT, nothing); return raise(SIGFPE) | raise(SIGABRT); }`, []string{"-static"}, []string{"tgkill"}},
	{"huge pages of its own", `

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
int main(void) {
	open("/sys/kernel/mm/transparent_hugepage/enabled", O_RDONLY);
	madvise(mmap(0, 4 << 20, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 4 << 20, MADV_HUGEPAGE);
	return sched_yield();
}`, []string{"-static"}, []string{"madvise", "sched_yield"}},
	{"a path that it splits", `
#include <string.h>
#include <unistd.h>
int main(void) { char b[4096], *s; return !getcwd(b, sizeof b) || !strtok_r(b, ":", &s); }`, []string{"-static"}, []string{"getcwd"}},
	{"a function like OpenSSL's", `
#include <sys/ipc.h>
#include <sys/shm.h>
int RAND_poll(void) { return 1; }
__attribute__((noinline)) static int work(void) { return shmctl(shmget(IPC_PRIVATE, 4096, 0600), IPC_RMID, 0); }
int main(void) { return RAND_poll() < work(); }`, nil, []string{"shmget", "shmctl"}},
	{"a message of musl's", `
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(void) { void *h = dlopen(getenv("LIB") ? getenv("LIB") : "", RTLD_NOW); if (!h) puts("Dynamic loading not supported"); return getppid() < 0; }`, []string{"-static"}, []string{"getppid"}},
	{"the large model at a fixed address", `
#include <unistd.h>
int main(void) { return getppid() < 0; }`, []string{"-mcmodel=large", "-no-pie"}, []string{"getppid"}},
	{"attributes of a running thread", `

#include <pthread.h>
static void *nothing(void *x) { return x; }
int main(void) {
	pthread_attr_t a; pthread_t t;
	if (pthread_getattr_np(pthread_self(), &a) || pthread_attr_setstacksize(&a, 1 << 20)) return 1;
	void *where; size_t size; pthread_attr_init(&a); pthread_create(&t, &a, nothing, 0);
	pthread_getattr_np(t, &a); pthread_join(t, 0); pthread_attr_getstack(&a, &where, &size); pthread_attr_setstacksize(&a, 1 << 20);
	return pthread_create(&t, &a, nothing, 0) || pthread_join(t, 0);
}`, []string{"-pthread"}, []string{"sched_setaffinity"}},
	{"an exit of its own", `
static long enter(long n, long a) { long r; __asm__ volatile("syscall" : "=a"(r) : "0"(n), "D"(a) : "rcx", "r11", "memory"); return r; }
__attribute__((noinline)) void _exit(int s) { if (s < 256) enter(60, s); enter(231, s); for (;;); }
void _start(void) { _exit(0); }`, []string{"-static", "-nostdlib"}, []string{"exit"}},
}

// TestUnconditional: what strace sees of them is not conditional. That the conditions exist is
// TestConditions' business.
func TestUnconditional(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the programs are for x86-64")
	}
	for _, u := range unconditional {
		t.Run(u.name, func(t *testing.T) {
			path := compile(t, u.source, append([]string{"-O2", "-w"}, u.flags...)...)
			seen := traced(t, nil, path)
			res, _ := analyse(t, path, Options{})
			for _, name := range u.calls {
				if !slices.Contains(seen, name) {
					t.Errorf("strace does not see %s", name)
				}
				if n := needOf(res, name); n == nil || n.Class == finding.Conditional {
					t.Errorf("%s: %+v, want a need without a condition", name, n)
				}
			}
		})
	}
}
