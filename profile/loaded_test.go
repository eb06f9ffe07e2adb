//go:build linux

package profile

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// ptraceGetFilter is PTRACE_SECCOMP_GET_FILTER (include/uapi/linux/ptrace.h).
const ptraceGetFilter = 0x420c

// loadedFilters reads the filters that a process has, the newest first, through ptrace.
func loadedFilters(t *testing.T, pid int) (list []filter.Program) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := syscall.PtraceAttach(pid); err != nil {
		absent(t, "ptrace: %v", err)
	}
	defer func() {
		if err := syscall.PtraceDetach(pid); err != nil {
			t.Errorf("detach: %v", err)
		}
	}()
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(pid, &status, syscall.WALL, nil); err != nil {
		t.Fatal(err)
	}
	for i := uintptr(0); ; i++ {
		n, _, errno := syscall.Syscall6(syscall.SYS_PTRACE, ptraceGetFilter, uintptr(pid), i, 0, 0, 0)
		switch errno {
		case 0:
		case syscall.ENOENT:
			return list
		default:
			absent(t, "PTRACE_SECCOMP_GET_FILTER: %v", errno)
		}
		p := make(filter.Program, n)
		if unsafe.Sizeof(p[0]) != 8 {
			t.Fatal("an instruction is not struct sock_filter")
		}
		if _, _, errno := syscall.Syscall6(syscall.SYS_PTRACE, ptraceGetFilter, uintptr(pid), i, uintptr(unsafe.Pointer(&p[0])), 0, 0); errno != 0 {
			t.Fatalf("PTRACE_SECCOMP_GET_FILTER: %v", errno)
		}
		list = append(list, p)
	}
}

// A creator makes a container that waits to be started with its filter loaded: without
// noNewPrivileges the runtimes load it before they wait.
type creator struct {
	dir     string
	command func(ctx context.Context, args ...string) *exec.Cmd
}

// loaded returns the filter that a container waits with.
func (c *creator) loaded(t *testing.T, section string, name string) filter.Program {
	t.Helper()
	text, err := json.Marshal(containerConfig(filepath.Join(c.dir, "rootfs"), json.RawMessage(section), false))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.dir, "config.json"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	said, err := os.Create(filepath.Join(c.dir, "said"))
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	run := func(args ...string) error {
		cmd := c.command(ctx, args...)
		cmd.Stdout, cmd.Stderr = said, said
		return cmd.Run()
	}
	defer func() {
		if err := run("delete", "--force", name); err != nil {
			t.Errorf("delete: %v", err)
		}
	}()
	pidFile := filepath.Join(c.dir, "pid")
	if err := run("create", "--pid-file", pidFile, "--bundle", c.dir, name); err != nil {
		out, _ := os.ReadFile(said.Name())
		t.Fatalf("create: %v %s", err, out)
	}
	pid := 0
	if data, err := os.ReadFile(pidFile); err != nil {
		t.Fatal(err)
	} else if _, err := fmt.Sscan(string(data), &pid); err != nil {
		t.Fatal(err)
	}
	list := loadedFilters(t, pid)
	if len(list) != 1 {
		t.Fatalf("%d filters loaded, want one", len(list))
	}
	return list[0]
}

// loadedSections are things that runtimes read differently, for containers that do get to wait.
func loadedSections(t *testing.T, calls []StartCall) map[string]string {
	t.Helper()
	var names []string
	for _, c := range calls {
		names = append(names, c.Name)
		names = append(names, c.Fallback...)
	}
	more := []string{
		"exit_group", "readv", "mmap", "munmap", "mprotect", "brk", "gettid", "epoll_pwait", "epoll_wait", "nanosleep",
		"madvise", "ppoll", "poll", "lseek", "clone", "socket", "sendmsg", "sigaltstack", "rt_sigprocmask", "rt_sigaction",
		"umask", "dup", "dup3", "eventfd2", "pipe2", "epoll_create1", "sched_yield", "clone3", "ioctl", "setsid", "keyctl", "sendto",
		"sethostname", "readlinkat", "faccessat", "getuid", "geteuid", "getgid", "getegid", "setresuid", "setresgid", "select", "pselect6",
	}
	allowed, err := json.Marshal(append(names, more...))
	if err != nil {
		t.Fatal(err)
	}
	section := func(head, rules string) string {
		return `{"defaultAction":"SCMP_ACT_ERRNO",` + head + `"syscalls":[{"names":` + string(allowed) + `,"action":"SCMP_ACT_ALLOW"}` + rules + `]}`
	}
	return map[string]string{
		"plain":           section("", ""),
		"x86 only":        section(`"architectures":["SCMP_ARCH_X86"],`, ""),
		"three ABIs":      section(`"architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86","SCMP_ARCH_X32"],`, ""),
		"errno default":   section(`"defaultErrnoRet":22,`, ""),
		"same as default": section("", `,{"names":["mseal","setxattr"],"action":"SCMP_ACT_ERRNO"}`),
		"index twice":     section("", `,{"names":["personality"],"action":"SCMP_ACT_LOG","args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"},{"index":0,"value":5,"op":"SCMP_CMP_EQ"},{"index":1,"value":3,"op":"SCMP_CMP_EQ"}]}`),
		"kill":            section("", `,{"names":["personality"],"action":"SCMP_ACT_KILL"},{"names":["syslog"],"action":"SCMP_ACT_KILL_PROCESS"},{"names":["acct"],"action":"SCMP_ACT_TRAP"}`),
		"allow all":       `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["personality"],"action":"SCMP_ACT_ERRNO","errnoRet":7}]}`,
	}
}

// provenLoaded checks a filter that a runtime has loaded.
func provenLoaded(t *testing.T, what string, r *Resolved, p filter.Program, newer missing) {
	t.Helper()
	d := differenceOf(t, r, p, sameOrder(r.Arches[0]))
	for _, c := range d.Changes {
		if leave(r, newer, c) == "" {
			t.Errorf("%s: %v", what, c)
		}
	}
	for _, u := range d.Unknown {
		t.Errorf("%s: %v", what, u)
	}
}

func testLoaded(t *testing.T, c *creator, target Target) {
	newer := newerThanLibseccomp(t)
	host := target.ABI
	n := 0
	name := func() string { n++; return fmt.Sprintf("profcheck-loaded-%d-%d", os.Getpid(), n) }
	for what, section := range loadedSections(t, StartCalls(target)) {
		p, err := ParseAs("p.json", []byte(section), OCI)
		if err != nil {
			t.Fatal(err)
		}
		r, err := p.Resolve(target)
		if err != nil {
			t.Fatal(err)
		}
		theirs := c.loaded(t, section, name())
		provenLoaded(t, what, r, theirs, newer)
		// The twin: what another runtime would have loaded is another filter.
		if what == "three ABIs" {
			other := target
			other.Version = ""
			other.Runtime = map[string]string{RuntimeRunc: RuntimeCrun, RuntimeCrun: RuntimeRunc}[target.Runtime]
			if r, err = p.Resolve(other); err != nil {
				t.Fatal(err)
			}
			if d := differenceOf(t, r, theirs, []*syscalls.Arch{host}); len(d.Changes) == 0 {
				t.Errorf("%s's filter passes for that of %s", target.Runtime, other.Runtime)
			}
		}
	}
	for what, caps := range capSets {
		p, err := Open("docker-default")
		if err != nil {
			t.Fatal(err)
		}
		docker := target
		docker.Runtime, docker.Caps = "docker/"+target.Runtime, caps
		r, err := p.Resolve(docker)
		if err != nil {
			t.Fatal(err)
		}
		provenLoaded(t, "docker-default "+what, r, c.loaded(t, section(t, r), name()), newer)
	}
}

// The filters that runc has really loaded, its stub included, are proven to be what we resolve.
func TestRuncLoads(t *testing.T) {
	b := newBundle(t)
	if runtime.GOARCH != "amd64" {
		absent(t, "the sections are for an amd64 host")
	}
	c := &creator{dir: b.dir, command: func(ctx context.Context, args ...string) *exec.Cmd {
		return exec.CommandContext(ctx, "runc", slices.Concat([]string{"--root", filepath.Join(b.dir, "state")}, args)...)
	}}
	testLoaded(t, c, runcTarget(t, false))
}

// So are crun's.
func TestCrunLoads(t *testing.T) {
	b := newCrunner(t)
	if runtime.GOARCH != "amd64" {
		absent(t, "the sections are for an amd64 host")
	}
	testLoaded(t, &creator{dir: b.dir, command: b.command}, Target{Runtime: RuntimeCrun, Version: strings.TrimSpace(b.version), ABI: arch(t, runtime.GOARCH)})
}
