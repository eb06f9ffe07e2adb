//go:build linux

package witness

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"unsafe"

	seccomp "github.com/elastic/go-seccomp-bpf"
)

// launchEnv holds the names that the filter allows, as JSON, where this test binary is started to
// launch a program under a filter.
const launchEnv = "PROFCHECK_WITNESS_ALLOW"

// launchFailed is the status of a launcher that did not get as far as the program.
const launchFailed = 125

func TestMain(m *testing.M) {
	if allow := os.Getenv(launchEnv); allow != "" {
		os.Unsetenv(launchEnv)
		fmt.Fprintln(os.Stderr, "launch:", launch(allow, os.Args[1:]))
		os.Exit(launchFailed)
	}
	os.Exit(m.Run())
}

// launch loads a filter that kills the process at every call but the allowed ones, and executes
// argv. The execve itself comes after the filter and is allowed for the three pointers that it is
// made with and no others. The filter is of this thread only, which is the one that stays.
func launch(allow string, argv []string) error {
	var names []string
	if err := json.Unmarshal([]byte(allow), &names); err != nil {
		return err
	}
	path, err := syscall.BytePtrFromString(argv[0])
	if err != nil {
		return err
	}
	args, err := syscall.SlicePtrFromStrings(argv)
	if err != nil {
		return err
	}
	env, err := syscall.SlicePtrFromStrings(os.Environ())
	if err != nil {
		return err
	}
	call := [3]uintptr{uintptr(unsafe.Pointer(path)), uintptr(unsafe.Pointer(&args[0])), uintptr(unsafe.Pointer(&env[0]))}
	group := seccomp.SyscallGroup{Action: seccomp.ActionAllow, Names: names}
	if !slices.Contains(names, "execve") {
		var same seccomp.ArgumentConditions
		for i, p := range call {
			same = append(same, seccomp.Condition{Argument: uint32(i), Operation: seccomp.Equal, Value: uint64(p)})
		}
		group.NamesWithCondtions = []seccomp.NameWithConditions{{Name: "execve", Conditions: same}}
	}
	filter := seccomp.Filter{
		NoNewPrivs: true,
		Policy:     seccomp.Policy{DefaultAction: seccomp.ActionKillProcess, Syscalls: []seccomp.SyscallGroup{group}},
	}
	runtime.LockOSThread()
	if err := seccomp.LoadFilter(filter); err != nil {
		return err
	}
	_, _, errno := syscall.RawSyscall(syscall.SYS_EXECVE, call[0], call[1], call[2])
	runtime.KeepAlive(path)
	runtime.KeepAlive(args)
	runtime.KeepAlive(env)
	return errno
}

// filtered returns the runner that runs programs under a filter of these names.
func filtered(t testing.TB, names []string) runner {
	t.Helper()
	needLinux(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	allow, err := json.Marshal(names)
	if err != nil {
		t.Fatal(err)
	}
	return func(argv ...string) *exec.Cmd {
		cmd := exec.Command(self, argv...)
		cmd.Env = append(os.Environ(), launchEnv+"="+string(allow))
		return cmd
	}
}

// enforced is one program whose not conditional needs are enforced.
type enforced struct {
	program
	work work
	drop string // a call that the workload cannot do without
}

// enforcedPrograms are the ten of the issue, and the walker as garble builds it.
func enforcedPrograms() []enforced {
	garbled := own("walk", "walk-garbled", "amd64")
	garbled.Garble = true
	return []enforced{
		{own("hello", "hello", "amd64"), helloWork, "mmap"},
		{own("hellow", "hellow", "amd64"), helloWork, "write"},
		{own("hellop", "hellop", "amd64"), helloWork, "sched_getaffinity"},
		{own("hello", "hello-pie", "amd64", pie...), helloWork, "set_tid_address"},
		{own("walk", "walk", "amd64"), walkWork, "getdents64"},
		{own("httpd", "httpd", "amd64"), httpdWork, "epoll_pwait"},
		{own("httpd", "httpd-stripped", "amd64", stripped...), httpdWork, "accept4"},
		{*truthProgram("fzf"), fzfWork, "futex"},
		{*truthProgram("node_exporter"), nodeExporterWork, "getdents64"},
		{*truthProgram("caddy"), caddyWork, "openat"},
		{garbled, walkWork, "renameat"},
	}
}

// TestEnforce runs each program's workload under a filter that knows its not conditional needs and
// nothing else. A denied call kills the process, so that no program can make light of it. The twin
// lacks one call and must be killed.
func TestEnforce(t *testing.T) {
	for _, p := range enforcedPrograms() {
		t.Run(p.Name, func(t *testing.T) {
			needLinux(t)
			bin := build(t, p.program)
			names := certain(scan(t, bin))
			if err := p.work(t, filtered(t, names), bin); err != nil {
				t.Errorf("under a filter of %d names: %v", len(names), err)
				tr := watch(t, "amd64", p.work, bin)
				t.Errorf("beyond them strace sees %v", slices.DeleteFunc(tr.names(), func(name string) bool { return slices.Contains(names, name) }))
			}
			expectKilled(t, p, bin, names)
		})
	}
}

// expectKilled runs the workload without one call that it needs.
func expectKilled(t *testing.T, p enforced, bin string, names []string) {
	t.Helper()
	less := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == p.drop })
	if len(less) == len(names) {
		t.Errorf("%s is not among the needs: %v", p.drop, names)
		return
	}
	err := p.work(t, filtered(t, less), bin)
	var end *endError
	if !errors.As(err, &end) || !end.denied() {
		t.Errorf("without %s: %v, want a process killed by the filter", p.drop, err)
	}
}

// TestLaunch holds the launcher itself to what it promises.
func TestLaunch(t *testing.T) {
	run := filtered(t, []string{"exit", "exit_group"})
	cmd := run("/does/not/exist")
	if err := cmd.Run(); err == nil {
		t.Errorf("a program that does not exist was run: %v", cmd.ProcessState)
	}
	if _, err := finish(filtered(t, []string{"no_such_call"})(os.Args[0]), launchFailed); err != nil {
		t.Errorf("unknown name: %v", err)
	}
	bin := build(t, own("hello", "hello", "amd64"))
	_, err := finish(run(bin), 0)
	var end *endError
	if !errors.As(err, &end) || !end.denied() {
		t.Errorf("hello without needs: %v, want killed by the filter", err)
	}
}
