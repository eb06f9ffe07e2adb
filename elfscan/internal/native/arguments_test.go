package native

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/elfscan/internal/loader"
)

const tasks = `
#include <pthread.h>
#include <spawn.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/wait.h>
extern char **environ;
static void *run(void *p) { return p; }
int main(void) {
	pthread_t t;
	pid_t pid;
	char *argv[] = {"/bin/true", 0};
	pthread_create(&t, 0, run, 0);
	pthread_join(t, 0);
	if (!posix_spawn(&pid, argv[0], 0, 0, argv, environ)) waitpid(pid, 0, 0);
	if (!(pid = fork())) _exit(0);
	waitpid(pid, 0, 0);
	return 0;
}`

// ownClone calls clone with flags that it gets to know while it runs.
const ownClone = `
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
static char stack[65536];
static int run(void *p) { return 0; }
int main(int c, char **v) { return clone(run, stack + 65536, strtoul(c > 1 ? v[1] : "0x4000", 0, 0) | SIGCHLD, 0) < 0 || wait(0) < 0; }`

// shared is the beginning of programs that pass the flags of unshare in a struct of their frame.
const shared = `
#include <sched.h>
#include <stdlib.h>
struct args { long flags, more; struct args *self; long last; };
static struct args *known;
volatile int n;
#define OUT __attribute__((noinline, noclone))
OUT static int enter(struct args *a) { n++; return unshare(a->flags | a->more); }
`

// throughFrame are such programs, and the flags that they use; none where the scan must not know them.
var throughFrame = map[string]struct {
	source string
	flags  []uint64
}{
	"plain": {shared + `int main(void) { struct args a = {0x200, 0x400}; return enter(&a) > 0; }`, []uint64{0x600}},
	"two callers": {shared + `OUT static int other(long f) { struct args a = {0x400, f}; return enter(&a); }
int main(void) { struct args a = {0x200, 0x400}; return enter(&a) + other(0x40000) > 0; }`, []uint64{0x600, 0x40400}},
	"another level": {shared + `OUT static int level(struct args *a) { n++; return enter(a) + n; }
int main(void) { struct args a = {0x200, 0x400}; return level(&a) > 9; }`, []uint64{0x600}},
	"written on the way": {shared + `OUT static int level(struct args *a) { if (n < 9) a->more = atoi("262144"); return enter(a) + n; }
int main(void) { struct args a = {0x200, 0x400}; return level(&a) > 9; }`, nil},
	"written by a callee": {shared + `OUT static void change(struct args *a) { a->flags = atoi("512"); }
OUT static int level(struct args *a) { change(a); return unshare(a->flags | a->more); }
int main(void) { struct args a = {0x400, 0x400}; return level(&a) > 9; }`, nil},
	"kept before": {shared + `OUT static void keep(struct args *a) { known = a; }
OUT static void change(void) { known->flags = atoi("262144"); }
OUT static int level(struct args *a) { change(); return unshare(a->flags | a->more); }
int main(void) { struct args a; keep(&a); a.flags = 0x200; a.more = 0x400; return level(&a) > 9; }`, nil},
	"points to itself": {shared + `OUT static void change(struct args *a) { a->flags = atoi("262144"); }
OUT static int level(struct args *a) { change(a->self); return unshare(a->flags | a->more); }
int main(void) { struct args a = {0x200, 0x400, &a}; return level(&a) > 9; }`, nil},
	"through another pointer": {shared + `OUT static int level(struct args *a, long *p) { *p = atoi("262144"); return unshare(a->flags | a->more); }
int main(void) { struct args a = {0x200, 0x400}; return level(&a, &a.flags) > 9; }`, nil},
	"one part unknown": {shared + `int main(int c, char **v) { struct args a = {0x200, atoi(c > 1 ? v[1] : "1024")}; return enter(&a) > 0; }`, nil},
}

// flagsOf matches the flags of a call as strace prints them, raw.
var flagsOf = regexp.MustCompile(`\b(?:clone\(.*flags=|unshare\()([0-9a-fx|]+)`)

// tracedFlags returns the flags of clone and unshare that strace sees, with a kernel that has no clone3.
func tracedFlags(t *testing.T, path string) []uint64 {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		lack(t, "needs strace")
	}
	log := filepath.Join(t.TempDir(), "log")
	_ = exec.Command(strace, "-f", "-qq", "-X", "raw", "-e", "trace=clone,clone3,unshare", "-e", "inject=clone3:error=ENOSYS", "-e", "inject=unshare:error=EPERM", "-o", log, path).Run()
	b, err := os.ReadFile(log)
	if err != nil {
		lack(t, "strace: "+err.Error())
	}
	var out []uint64
	for _, m := range flagsOf.FindAllStringSubmatch(string(b), -1) {
		flags := uint64(0)
		for part := range strings.SplitSeq(m[1], "|") {
			v, err := strconv.ParseUint(part, 0, 64)
			if err != nil {
				t.Fatalf("%s: %v", m[0], err)
			}
			flags |= v
		}
		out = append(out, flags)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// foundFlags returns what the scan knows of the first argument of a syscall at all places together.
func foundFlags(t *testing.T, r *Result, name string) Values {
	t.Helper()
	n := needOf(r, name)
	if n == nil {
		t.Fatalf("%s is not found", name)
	}
	var all []uint64
	for _, s := range n.Sites {
		if !s.Args[0].Known {
			return Values{}
		}
		all = append(all, s.Args[0].Consts...)
	}
	slices.Sort(all)
	return Values{Known: true, Consts: slices.Compact(all)}
}

// TestCloneFlags: glibc passes the flags of clone in a struct, in two parts.
func TestCloneFlags(t *testing.T) {
	for _, flags := range [][]string{{"-pthread"}, {"-pthread", "-static"}} {
		path := compile(t, tasks, flags...)
		r, c := analyse(t, path, Options{})
		if !slices.Contains(flags, "-static") && !glibc(c) {
			lack(t, "needs glibc")
		}
		found, traced := foundFlags(t, r, "clone"), tracedFlags(t, path)
		if len(traced) < 3 {
			lack(t, "strace says too little")
		}
		if !found.Known || !slices.Equal(found.Consts, traced) {
			t.Errorf("%v: found %v, strace saw %v", flags, found, traced)
		}
		path = compile(t, ownClone, flags...)
		r, _ = analyse(t, path, Options{})
		if found := foundFlags(t, r, "clone"); found.Known {
			t.Errorf("%v: flags that are read from a string are taken for %v, strace saw %v", flags, found, tracedFlags(t, path))
		}
	}
}

// TestCloneFlagsARM64: the values are those that qemu prints, CLONE_VM|CLONE_FS|CLONE_FILES|
// CLONE_SIGHAND|CLONE_THREAD|CLONE_SYSVSEM|CLONE_SETTLS|CLONE_PARENT_SETTID|CLONE_CHILD_CLEARTID for a
// thread, CLONE_VM|CLONE_VFORK|SIGCHLD for a process that is spawned, and CLONE_CHILD_CLEARTID|
// CLONE_CHILD_SETTID|SIGCHLD for one that is forked.
func TestCloneFlagsARM64(t *testing.T) {
	gcc, err := exec.LookPath("aarch64-linux-gnu-gcc")
	if err != nil {
		lack(t, "needs aarch64-linux-gnu-gcc")
	}
	root := crossRoot(t)
	file := filepath.Join(root, "p.c")
	if err := os.WriteFile(file, []byte("#define _GNU_SOURCE\n"+tasks), 0o600); err != nil {
		t.Fatal(err)
	}
	if msg, err := exec.Command(gcc, "-O1", "-w", "-pthread", "-o", filepath.Join(root, "p"), file).CombinedOutput(); err != nil {
		lack(t, "gcc: "+string(msg))
	}
	lr, err := loader.NewRoot(root)
	if err != nil {
		t.Fatal(err)
	}
	c, err := lr.Load("/p")
	if err != nil {
		t.Fatal(err)
	}
	want := []uint64{0x4111, 0x3d0f00, 0x1200011}
	if found := foundFlags(t, Analyse(c, facts, Options{}), "clone"); !found.Known || !slices.Equal(found.Consts, want) {
		t.Errorf("found %v", found)
	}
}

func TestThroughFrame(t *testing.T) {
	for name, p := range throughFrame {
		t.Run(name, func(t *testing.T) {
			path := compile(t, p.source)
			r, _ := analyse(t, path, Options{})
			found, traced := foundFlags(t, r, "unshare"), tracedFlags(t, path)
			if len(traced) == 0 {
				lack(t, "strace says too little")
			}
			if found.Known != (p.flags != nil) || found.Known && !slices.Equal(found.Consts, p.flags) {
				t.Errorf("found %v, want %v", found, p.flags)
			}
			for _, f := range traced {
				if found.Known && !slices.Contains(found.Consts, f) {
					t.Errorf("found %v, strace saw %v", found, traced)
				}
			}
		})
	}
}
