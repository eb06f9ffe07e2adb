package witness

import (
	"go/version"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/finding"
)

// The conditions of the scanner's table, as it words them. Each has a pair here; one that has none
// fails every test that meets it.
const (
	condProfiler = "a CPU profile is started"
	condPidfd    = "the program starts, finds or signals a process"
	condAuxv     = "the kernel passes no auxiliary vector and /proc/self/auxv cannot be opened"
	condAttr     = "a process is started with fields of syscall.SysProcAttr set"
	condMremap   = "golang.org/x/sys/unix.Mremap is called"
	condDupfd    = "fcntl knows no F_DUPFD_CLOEXEC (Linux before 2.6.24, or denied)"
	condRestart  = "a stop signal, a debugger or the freezer interrupts a timed wait"
)

// allConditions are those above.
var allConditions = []string{condProfiler, condPidfd, condAuxv, condAttr, condMremap, condDupfd, condRestart}

// underStrace is the condition that strace itself meets: it is a debugger.
const underStrace = condRestart

// pair is a condition of the scanner's table with a program that meets it and one that does not.
type pair struct {
	name      string
	condition string   // as the scanner words it
	trigger   program  // meets the condition
	twin      program  // does not
	calls     []string // that the trigger makes and the twin neither makes nor needs
	ifRun     []string // likewise, where the machine lets the trigger do it (its status is 0)
	since     string   // the first release that has the calls, "" for all
}

// folder is a program of one file in testdata.
func folder(elem ...string) program {
	return program{
		Name: strings.Join(elem, "-"),
		Dir:  filepath.Join(append([]string{"testdata"}, elem...)...),
	}
}

// pairs returns a pair for each condition that a program meets by what it is; those that it meets
// by what happens to it are TestNoAuxv's and TestCircumstances'.
func pairs(t testing.TB) []pair {
	list := []pair{
		{
			name: "cpuprofile", condition: condProfiler,
			trigger: folder("conditions", "cpuprofile", "trigger"), twin: folder("conditions", "cpuprofile", "twin"),
			calls: []string{"timer_create", "timer_settime", "timer_delete"},
		},
		{
			name: "pidfd", condition: condPidfd,
			trigger: folder("conditions", "pidfd", "trigger"), twin: folder("conditions", "pidfd", "twin"),
			calls: []string{"pidfd_open", "pidfd_send_signal", "waitid"}, since: "go1.23",
		},
		{
			name: "allthreads", condition: "",
			trigger: folder("conditions", "allthreads", "trigger"), twin: folder("conditions", "allthreads", "twin"),
			calls: []string{"setgid", "umask"},
		},
	}
	mremap := pair{
		name: "mremap", condition: condMremap,
		trigger: folder("conditions", "mremap", "trigger"), twin: folder("conditions", "mremap", "twin"),
		calls: []string{"mremap"},
	}
	mremap.trigger.Requires, mremap.twin.Requires = xSys, xSys
	return append(append(list, mremap), attrPairs(t)...)
}

// xSys is a release of golang.org/x/sys that all toolchains here can build.
const xSys = "golang.org/x/sys@v0.30.0"

// attrPairs returns one pair for each attribute of a child that makes a call of its own, all with
// the same twin, which starts a child without attributes.
func attrPairs(t testing.TB) []pair {
	attrs := []struct {
		name, field  string
		calls, ifRun []string
	}{
		{"setsid", "Setsid: true", []string{"setsid"}, nil},
		{"setpgid", "Setpgid: true", []string{"setpgid"}, nil},
		{"chroot", `Chroot: "/"`, []string{"chroot"}, nil},
		{"groups", "Credential: &syscall.Credential{}", []string{"setgroups"}, []string{"setgid", "setuid"}},
		{"ids", "Credential: &syscall.Credential{Uid: uint32(os.Getuid()), Gid: uint32(os.Getgid()), NoSetGroups: true}",
			[]string{"setgid", "setuid"}, nil},
		{"caps", "AmbientCaps: []uintptr{0}", []string{"capset"}, nil},
		{"unshare", "Unshareflags: syscall.CLONE_NEWNS", []string{"unshare"}, []string{"mount"}},
		{"deathsig", "Pdeathsig: syscall.SIGKILL", []string{"getppid"}, nil},
		{"ptrace", "Ptrace: true", []string{"ptrace"}, nil},
		{"cgroup", "UseCgroupFD: true, CgroupFD: -1", []string{"clone3"}, nil},
		{"terminal", "Noctty: true", []string{"ioctl"}, nil},
	}
	trigger := folder("conditions", "attr", "trigger")
	source := sources(t, trigger)["main.go"]
	const field = "Setsid: true"
	if strings.Count(source, field) != 1 {
		t.Fatalf("%s: %q is not there once", trigger.Dir, field)
	}
	var list []pair
	for _, a := range attrs {
		list = append(list, pair{
			name: "attr-" + a.name, condition: condAttr,
			trigger: program{Name: "attr-" + a.name, Files: map[string]string{"main.go": strings.Replace(source, field, a.field, 1)}},
			twin:    folder("conditions", "attr", "twin"),
			calls:   a.calls, ifRun: a.ifRun,
		})
	}
	return list
}

// once is the workload of running a program without arguments. Its status is stored: some triggers
// do what only root may do, and the call is made and refused without.
func once(status *int) work {
	return func(t testing.TB, run runner, bin string) error {
		cmd := run(bin)
		err := cmd.Run()
		if _, ok := err.(*exec.ExitError); err != nil && !ok {
			return err
		}
		*status = cmd.ProcessState.ExitCode()
		return nil
	}
}

// TestConditions runs each pair under strace and asks of the scan that the trigger's calls are
// needs that nothing excuses, and the twin's are conditional or not needs at all.
func TestConditions(t *testing.T) {
	eachRelease(t, func(t *testing.T, release string) {
		for _, p := range pairs(t) {
			if p.since != "" && version.Compare(release, p.since) < 0 {
				continue
			}
			p.trigger.Toolchain, p.twin.Toolchain = release, release
			t.Run(p.name, func(t *testing.T) {
				needLinux(t)
				calls := checkTrigger(t, p)
				checkTwin(t, p, calls)
			})
		}
	})
}

// checkTrigger holds the scan of the program that meets the condition to its trace, and returns
// the calls that came of the condition.
func checkTrigger(t *testing.T, p pair) []string {
	t.Helper()
	var status int
	bin := build(t, p.trigger)
	tr := watch(t, "amd64", once(&status), bin)
	calls := slices.Clone(p.calls)
	if status == 0 {
		calls = append(calls, p.ifRun...)
	}
	for _, name := range calls {
		if tr[name] == 0 {
			t.Errorf("the trigger did not call %s (status %d): %s", name, status, strings.Join(tr.names(), " "))
		}
	}
	if miss := missed(scan(t, bin), tr, p.condition, underStrace); len(miss) > 0 {
		t.Errorf("trigger: traced but not in the scan: %s", strings.Join(miss, ", "))
	}
	return append(calls, p.ifRun...)
}

// checkTwin holds the scan of the program that does not meet the condition to its trace.
func checkTwin(t *testing.T, p pair, calls []string) {
	t.Helper()
	var status int
	bin := build(t, p.twin)
	tr := watch(t, "amd64", once(&status), bin)
	if status != 0 {
		t.Errorf("twin: status %d", status)
	}
	res := scan(t, bin)
	if miss := missed(res, tr, underStrace); len(miss) > 0 {
		t.Errorf("twin: traced but not in the scan: %s", strings.Join(miss, ", "))
	}
	byName := needs(res)
	for _, name := range calls {
		if tr[name] > 0 {
			t.Errorf("the twin called %s", name)
		}
		if n := byName[name]; n != nil && (n.Class != finding.Conditional || n.Condition != p.condition) {
			t.Errorf("twin: %s is %s %q, want conditional %q or no need", name, n.Class, n.Condition, p.condition)
		}
	}
}

// TestRare traces programs that go where common ones do not: files, sockets, threads, a crash that
// dumps all stacks, wrappers that are the program's own.
func TestRare(t *testing.T) {
	rare := []struct {
		name  string
		env   string
		calls []string // without which the program was not what it should be
	}{
		{"files", "", []string{"copy_file_range", "fchownat", "truncate", "flock", "utimensat"}},
		{"network", "", []string{"splice", "sendmsg", "recvfrom", "writev", "shutdown"}},
		{"threads", "", []string{"exit", "kill", "dup3", "waitid", "execve"}},
		{"crash", "GOTRACEBACK=crash", []string{"kill", "tgkill"}},
		{"wrappers", "", []string{"getppid", "geteuid", "getpgid", "getegid", "personality"}},
	}
	eachRelease(t, func(t *testing.T, release string) {
		for _, r := range rare {
			t.Run(r.name, func(t *testing.T) {
				needLinux(t)
				p := folder("rare", r.name)
				p.Toolchain = release
				bin := build(t, p)
				tr := watch(t, "amd64", func(t testing.TB, run runner, bin string) error {
					cmd := run(bin)
					cmd.Env = append(cmd.Environ(), r.env)
					_, err := cmd.CombinedOutput()
					if _, ok := err.(*exec.ExitError); ok {
						err = nil // a crash has a status
					}
					return err
				}, bin)
				for _, name := range r.calls {
					if tr[name] == 0 {
						t.Errorf("the program did not call %s: %s", name, strings.Join(tr.names(), " "))
					}
				}
				if miss := missed(scan(t, bin), tr, underStrace); len(miss) > 0 {
					t.Errorf("traced but not in the scan: %s", strings.Join(miss, ", "))
				}
			})
		}
	})
}

// TestRareBranches asks for the call of a branch that the traced run did not take.
func TestRareBranches(t *testing.T) {
	res := scan(t, build(t, folder("rare", "wrappers")))
	if n := needs(res)["getsid"]; n == nil || n.Class != finding.Required {
		t.Errorf("getsid: %v, want a required need", n)
	}
	if n := needs(res)["getpriority"]; n != nil {
		t.Errorf("getpriority is nowhere in the program: %v", n)
	}
}
