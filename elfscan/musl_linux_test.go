package elfscan

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// cancellable makes calls that end a thread which is cancelled. In musl these go through one function
// that gets the number from its callers; in libc.so it has no symbol, and its neighbours have none.
const cancellable = `
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
int main(void) {
	char b[16];
	struct timespec t = {0, 1000};
	int fd = open("/dev/null", O_RDWR);
	read(fd, b, sizeof b);
	write(fd, b, 1);
	getrandom(b, sizeof b, 0);
	nanosleep(&t, 0);
	accept(fd, 0, 0);
	fsync(fd);
	return close(fd);
}`

// muslGCC builds a file of C and one of assembler with musl.
func muslGCC(t *testing.T, c, assembler string, flags ...string) string {
	t.Helper()
	compiler, err := exec.LookPath("musl-gcc")
	if err != nil || runtime.GOARCH != "amd64" {
		lacking(t, "needs musl-gcc on amd64")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"p.c": c, "q.s": assembler + "\n.section .note.GNU-stack,\"\",@progbits\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(compiler, append([]string{"-O1", "-w", "-o", "p", "p.c", "q.s"}, flags...)...)
	cmd.Dir = dir
	if msg, err := cmd.CombinedOutput(); err != nil {
		lacking(t, "musl-gcc: "+string(msg))
	}
	return filepath.Join(dir, "p")
}

// tracedCall matches a call as strace prints it.
var tracedCall = regexp.MustCompile(`(?m)^(?:\d+ +)?([a-z_0-9]+)\(`)

// TestMusl: all that strace sees is found, every number is known, no thread is created, and what
// follows memset is not taken for it.
func TestMusl(t *testing.T) {
	for name, flags := range map[string][]string{"dynamic": nil, "static": {"-static"}} {
		t.Run(name, func(t *testing.T) {
			program := muslGCC(t, cancellable, "", flags...)
			strace, err := exec.LookPath("strace")
			if err != nil {
				lacking(t, "needs strace")
			}
			log := filepath.Join(t.TempDir(), "log")
			_ = exec.Command(strace, "-qq", "-o", log, program).Run()
			text, err := os.ReadFile(log)
			if err != nil {
				lacking(t, "strace: "+err.Error())
			}
			r, err := Scan(program)
			if err != nil {
				t.Fatal(err)
			}
			for _, u := range r.Unresolved {
				t.Errorf("unresolved: %s at %+v", u.Reason, u.Path)
			}
			made := tracedCall.FindAllStringSubmatch(string(text), -1)
			for _, call := range made {
				if call[1] != "execve" && r.need(t, call[1]) == nil {
					t.Errorf("%s is made and not found", call[1])
				}
			}
			if len(made) < 8 || !slices.ContainsFunc(made, func(c []string) bool { return c[1] == "nanosleep" }) {
				lacking(t, "strace says too little")
			}
			for _, n := range r.Needs {
				if way := n.Sites[0].Path; len(way) > 0 && way[len(way)-1].Function == "memset" {
					t.Errorf("memset makes %s", n.Name)
				}
			}
			for _, absent := range []string{"clone", "clone3", "fork", "vfork", "execve"} {
				if n := r.need(t, absent); n != nil {
					t.Errorf("%s is found at %+v", absent, n.Sites[0].Path)
				}
			}
		})
	}
}

// assembled is what surrounds such a function in musl's libc.so, all by the name of the first: a
// symbol without a size, a way out of a thread, and code that is never used.
const assembled = `
	.globl first, leave, start, call
	.hidden leave, start, call
	.type first, @function
first:
	mov %rdi, %rax
	ret
leave:
	mov $11, %eax
	syscall
	mov $60, %eax
	syscall
start:
	mov $56, %eax
	syscall
	ret
call:
	mov %rdi, %rax
	mov %rsi, %rdi
	syscall
	ret
`

// TestLabelsInAssembler: numbers resolve through the callers of code without a name, and one that a
// program reads from its arguments does not.
func TestLabelsInAssembler(t *testing.T) {
	const source = `
long first(long), call(long, long);
void leave(void);
static int never;
int main(int c, char **v) {
	if (c > 9) leave();
	return first(c) + call(NUMBER, 0);
}
long other(void) { return call(111, 0); }
void unused(void) { extern void start(void); start(); }`
	for number, resolved := range map[string]bool{"110": true, "v[1][0]": false} {
		program := muslGCC(t, strings.Replace(source, "NUMBER", number, 1), assembled, "-static", "-s")
		r, err := Scan(program)
		if err != nil {
			t.Fatal(err)
		}
		if r.need(t, "clone") != nil {
			t.Error("exit goes on to clone")
		}
		if r.need(t, "munmap") == nil {
			t.Error("munmap is not found")
		}
		if got := len(r.Unresolved) == 0; got != resolved {
			t.Errorf("%s: unresolved %+v", number, r.Unresolved)
		}
		if resolved && (r.need(t, "getppid") == nil || r.need(t, "getpgrp") != nil) {
			t.Errorf("calls are %s", calls(r))
		}
	}
}

// What musl has for dlopen in a static program only says that it cannot.
func TestMuslStaticLoads(t *testing.T) {
	const source = "#include <dlfcn.h>\nint main(int c, char **a) { return ((int (*)(void))dlsym(dlopen(a[1], RTLD_NOW), a[2]))(); }"
	for name, want := range map[string]bool{"-static": false, "-static -s": false, "-s": true} {
		r, err := Scan(muslGCC(t, source, "", strings.Fields(name)...))
		if err != nil {
			t.Fatal(err)
		}
		if g := r.gap(GapDlopen, bothByName); g != nil != want {
			t.Errorf("%s: gaps %+v", name, r.Gaps)
		}
	}
}
