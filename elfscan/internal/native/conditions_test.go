package native

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/elfscan/internal/loader"
	"github.com/profcheck/profcheck/finding"
)

// lack skips a test that needs something of the machine, and fails it where everything is installed.
func lack(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// compile builds a C program for this machine.
func compile(t *testing.T, source string, flags ...string) string {
	t.Helper()
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		lack(t, "needs a Linux machine of an architecture that is read")
	}
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		lack(t, "needs gcc")
	}
	dir := t.TempDir()
	file, out := filepath.Join(dir, "p.c"), filepath.Join(dir, "p")
	if err := os.WriteFile(file, []byte("#define _GNU_SOURCE\n"+source), 0o600); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"-O1", "-w", "-o", out, file}, flags...)
	if msg, err := exec.Command(gcc, args...).CombinedOutput(); err != nil {
		lack(t, "gcc: "+string(msg))
	}
	return out
}

// analyse analyses a program of this machine.
func analyse(t *testing.T, path string, o Options) (*Result, *loader.Closure) {
	t.Helper()
	root, err := loader.NewRoot("")
	if err != nil {
		t.Fatal(err)
	}
	c, err := root.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return Analyse(c, facts, o), c
}

// traced returns the syscalls that strace sees a program make, its own exec left out.
func traced(t *testing.T, env []string, path string) []string {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		lack(t, "needs strace")
	}
	log := filepath.Join(t.TempDir(), "log")
	cmd := exec.Command(strace, "-f", "-qq", "-o", log, path)
	cmd.Env = append(os.Environ(), env...)
	_ = cmd.Run() // the program may abort
	b, err := os.ReadFile(log)
	if err != nil {
		lack(t, "strace: "+err.Error())
	}
	var names []string
	for i, line := range strings.Split(string(b), "\n") {
		_, call, _ := strings.Cut(line, " ")
		name, _, ok := strings.Cut(strings.TrimSpace(call), "(")
		if ok && i > 0 && !strings.ContainsAny(name, " <+-") && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		lack(t, "strace saw nothing: "+string(b))
	}
	return names
}

// trigger is a program in which a condition holds, or that says of itself that it may.
type trigger struct {
	name   string
	text   string // of the condition
	calls  []string
	source string
	static bool     // the program itself shows that the condition can hold: the calls are required then
	env    []string // makes it hold
	flags  []string
}

var triggers = []trigger{
	{name: "ceiling", text: "priority ceiling", calls: []string{"sched_setscheduler", "sched_getparam"}, static: true, flags: []string{"-pthread"}, source: `
#include <pthread.h>
int main(void) {
	pthread_mutexattr_t a; pthread_mutex_t m;
	pthread_mutexattr_init(&a);
	pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_PROTECT);
	pthread_mutexattr_setprioceiling(&a, 10);
	pthread_mutex_init(&m, &a);
	pthread_mutex_lock(&m);
	pthread_mutex_unlock(&m);
	return 0;
}`},
	{name: "abort", text: "the program aborts", calls: []string{"tgkill", "gettid"}, source: `
#include <stdlib.h>
int main(void) { abort(); }`},
	{name: "profile", text: "LD_PROFILE", calls: []string{"setitimer"}, env: []string{"LD_PROFILE=libc.so.6", "LD_PROFILE_OUTPUT=/tmp"}, source: "int main(void) { return 0; }"},
	{name: "debug", text: "the loader prints", calls: []string{"writev", "getpid"}, env: []string{"LD_DEBUG=libs"}, source: "int main(void) { return 0; }"},
	{name: "relative", text: "a relative path", calls: []string{"getcwd"}, env: []string{"LD_PRELOAD=LIBC"}, source: "int main(void) { return 0; }"},
	{name: "exit", text: "pthread_exit", calls: []string{"exit"}, static: true, flags: []string{"-pthread"}, source: `
#include <pthread.h>
#include <unistd.h>
static void *later(void *x) { usleep(100000); return 0; }
int main(void) { pthread_t t; pthread_create(&t, 0, later, 0); pthread_exit(0); }`},
	{name: "affinity", text: "pthread_attr_setaffinity_np", calls: []string{"sched_setaffinity"}, static: true, flags: []string{"-pthread"}, source: `
#include <pthread.h>
#include <sched.h>
static void *nothing(void *x) { return 0; }
int main(void) {
	pthread_attr_t a; cpu_set_t set; pthread_t t;
	CPU_ZERO(&set); CPU_SET(0, &set);
	pthread_attr_init(&a);
	pthread_attr_setaffinity_np(&a, sizeof set, &set);
	if (pthread_create(&t, &a, nothing, 0)) return 1;
	return pthread_join(t, 0);
}`},
	{name: "session", text: "posix_spawnattr_setflags", calls: []string{"setsid"}, static: true, source: `
#include <spawn.h>
#include <sys/wait.h>
extern char **environ;
int main(void) {
	posix_spawnattr_t a; pid_t p; char *argv[] = {"true", 0};
	posix_spawnattr_init(&a);
	posix_spawnattr_setflags(&a, POSIX_SPAWN_SETSID);
	posix_spawn(&p, "/bin/true", 0, &a, argv, environ);
	return waitpid(p, 0, 0) < 0;
}`},
	{name: "tilde", text: "GLOB_TILDE", calls: []string{"socket"}, static: true, source: `
#include <glob.h>
int main(void) { glob_t g; return glob("~nobody/x", GLOB_TILDE, 0, &g) == 0; }`},
}

// plain are programs in which the conditions of the same names do not hold, although what they cut is
// reached.
var plain = map[string]trigger{
	"affinity": {flags: []string{"-pthread"}, source: `
#include <pthread.h>
static void *nothing(void *x) { return 0; }
int main(void) { pthread_t t; return pthread_create(&t, 0, nothing, 0) || pthread_join(t, 0); }`},
	"session": {source: `
#include <spawn.h>
#include <sys/wait.h>
extern char **environ;
int main(void) {
	pid_t p; char *argv[] = {"true", 0};
	posix_spawn(&p, "/bin/true", 0, 0, argv, environ);
	return waitpid(p, 0, 0) < 0;
}`},
	"tilde": {source: `
#include <glob.h>
int main(void) { glob_t g; return glob("/x*", 0, 0, &g) == 0; }`},
}

// TestConditions holds each condition against strace: the calls are conditional where it does not
// hold and strace does not see them, and where it does strace sees them, which shows that the
// condition names what makes them.
func TestConditions(t *testing.T) {
	for _, tr := range triggers {
		t.Run(tr.name, func(t *testing.T) {
			other, ok := plain[tr.name]
			if !ok {
				other.source = "int main(void) { return 0; }"
			}
			calm := compile(t, other.source, other.flags...)
			res, c := analyse(t, calm, Options{})
			if !glibc(c) {
				lack(t, "needs glibc")
			}
			seen := traced(t, nil, calm)
			for _, name := range tr.calls {
				n := needOf(res, name)
				if n == nil {
					t.Errorf("without: %s is not needed at all", name)
				} else if n.Class != finding.Conditional || !strings.Contains(n.Condition, tr.text) {
					t.Errorf("without: %s is %s %q, want conditional on %q", name, n.Class, n.Condition, tr.text)
				}
				if slices.Contains(seen, name) {
					t.Errorf("without: strace sees %s", name)
				}
			}
			path := compile(t, tr.source, tr.flags...)
			res, _ = analyse(t, path, Options{})
			seen = traced(t, environment(t, tr.env, c), path)
			for _, name := range tr.calls {
				n := needOf(res, name)
				if !slices.Contains(seen, name) {
					t.Errorf("with: strace does not see %s: %v", name, seen)
				}
				switch {
				case n == nil:
					t.Errorf("with: %s is not needed at all", name)
				case tr.static && n.Class == finding.Conditional:
					t.Errorf("with: %s is conditional on %q", name, n.Condition)
				}
			}
		})
	}
}

// environment puts the libc's path, relative to where the tests run, in place of LIBC.
func environment(t *testing.T, env []string, c *loader.Closure) []string {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range env {
		for _, l := range c.Modules {
			if rel, err := filepath.Rel(here, l.Path); err == nil && l.Soname == "libc.so.6" {
				e = strings.ReplaceAll(e, "LIBC", rel)
			}
		}
		out = append(out, e)
	}
	return out
}

func needOf(r *Result, name string) *Need {
	i := slices.IndexFunc(r.Needs, func(n Need) bool { return n.Name == name })
	if i < 0 {
		return nil
	}
	return &r.Needs[i]
}

func glibc(c *loader.Closure) bool {
	return slices.ContainsFunc(c.Modules, func(l *loader.Loaded) bool { return l.Soname == "libc.so.6" })
}

// TestTraced: what strace sees small programs do is needed, unconditionally but for aborts and what
// the environment asks the loader for.
func TestTraced(t *testing.T) {
	for name, sources := range map[string]trigger{
		"empty":   {source: "int main(void) { return 0; }"},
		"static":  {source: "int main(void) { return 0; }", flags: []string{"-static"}},
		"threads": plain["affinity"],
		"spawn":   plain["session"],
		"stdio":   {source: "#include <stdio.h>\nint main(void) { FILE *f = fopen(\"/etc/passwd\", \"r\"); char b[9]; fgets(b, 9, f); puts(b); return fclose(f); }"},
		"setuid":  {source: "#include <unistd.h>\n#include <pthread.h>\nstatic void *n(void *x) { pause(); return 0; }\nint main(void) { pthread_t t; pthread_create(&t, 0, n, 0); return setuid(getuid()); }", flags: []string{"-pthread"}},
		"syscall": {source: "#include <unistd.h>\n#include <sys/syscall.h>\nstatic long w(long n) { return syscall(n, 0, 0); }\nint main(int c, char **v) { return w(c > 1 ? SYS_getppid : SYS_getpgid) < 0; }"},
	} {
		t.Run(name, func(t *testing.T) {
			path := compile(t, sources.source, sources.flags...)
			res, _ := analyse(t, path, Options{})
			for _, call := range traced(t, nil, path) {
				switch n := needOf(res, call); {
				case n == nil:
					t.Errorf("%s is made and not found", call)
				case n.Class == finding.Conditional:
					t.Errorf("%s is made and conditional: %s", call, n.Condition)
				}
			}
			for _, u := range res.Unresolved {
				t.Errorf("unresolved: %s", u.Reason)
			}
		})
	}
}

// TestOff: each of the sharper analyses only takes calls away.
func TestOff(t *testing.T) {
	path := compile(t, triggers[0].source, "-pthread")
	with, _ := analyse(t, path, Options{})
	for _, off := range []Analyses{LoadWords, SplitData, SplitTables, Conditions, LoadWords | SplitData | SplitTables | Conditions} {
		without, _ := analyse(t, path, Options{Off: off})
		if without.Reached < with.Reached {
			t.Errorf("off %b: %d functions reached, %d with", off, without.Reached, with.Reached)
		}
		for _, n := range with.Needs {
			if needOf(without, n.Name) == nil {
				t.Errorf("off %b: %s is found only with it", off, n.Name)
			}
		}
	}
	all, _ := analyse(t, path, Options{Conservative: true})
	for _, n := range with.Needs {
		if needOf(all, n.Name) == nil {
			t.Errorf("conservative: %s is missing", n.Name)
		}
	}
}
