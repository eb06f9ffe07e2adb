package witness

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/syscalls"
)

// TestNativeLive runs the workloads under strace and holds the scans, with what the programs were
// once seen to open given as plugins, to what they do now.
func TestNativeLive(t *testing.T) {
	shareScans(t)
	for _, p := range nativeTruths(t, "amd64") {
		w := nativeWorks[p.Name]
		if w == nil {
			continue
		}
		t.Run(p.Name, func(t *testing.T) {
			needPackage(t, p)
			var reads []func() trace
			run := func(argv ...string) *exec.Cmd {
				cmd, read := strace(t, argv...)
				cmd.Env = nativeEnv
				reads = append(reads, read)
				return cmd
			}
			if err := w(t, run, p.command()); err != nil {
				t.Fatal(err)
			}
			tr := trace{}
			for _, read := range reads {
				tr.add(read())
			}
			res := scanNative(t, "", p.Path)
			if plugins := p.plugins(t, "", res); len(plugins) > 0 {
				res = scanNative(t, "", p.Path, plugins...)
			}
			if miss := missed(res, tr, p.held(res, conditionStopped)...); len(miss) > 0 {
				t.Errorf("traced but not in the scan: %v", miss)
			}
			t.Logf("%s: %d calls", p.Name, len(tr))
		})
	}
}

// conditionStopped is that of restart_syscall, which a tracer can bring about.
const conditionStopped = "a stop signal, a debugger or the freezer interrupts a timed wait"

// arm64Live are traced by every run of the tests, with calls without which the workload was not
// what it should be: they keep the recorder and the traces honest.
var arm64Live = map[string][]string{
	"bash":         {"clone", "dup3", "wait4", "rt_sigreturn", "rseq"},
	"memcached":    {"accept4", "epoll_pwait", "eventfd2", "setuid"},
	"redis-server": {"epoll_pwait", "clone", "fdatasync", "renameat", "listen"},
	"sqlite3":      {"pwrite64", "fdatasync", "unlinkat"},
}

// TestNativeLiveARM64 runs programs for arm64 now and holds their scans to what qemu sees.
func TestNativeLiveARM64(t *testing.T) {
	root, _ := debRoot(t, "arm64", arm64Packages...)
	shareScans(t)
	for _, p := range arm64Programs {
		sure := arm64Live[p.Name]
		if sure == nil {
			continue
		}
		t.Run(p.Name, func(t *testing.T) {
			q := &qemuRoot{t: t, root: root}
			if err := nativeWorks[p.Name](t, q.run, p.command()); err != nil {
				t.Fatal(err)
			}
			tr, opened := q.read()
			for _, name := range append([]string{"mmap", "write", "exit_group"}, sure...) {
				if tr[name] == 0 {
					t.Errorf("the workload did not call %s: %v", name, tr.names())
				}
			}
			if !slices.Contains(opened, "libc.so.6") {
				t.Errorf("opened %v, no C library", opened)
			}
			p.Opened = opened
			res := scanNative(t, root, p.Path)
			if miss := missed(res, tr, p.held(res)...); len(miss) > 0 {
				t.Errorf("traced but not in the scan: %v", miss)
			}
			var fresh []string
			for _, name := range tr.names() {
				if !slices.Contains(recorded("arm64", p.Name).Syscalls, name) {
					fresh = append(fresh, name)
				}
			}
			t.Logf("%s: %d calls, not in the recorded trace: %v", p.Name, len(tr), fresh)
		})
	}
}

// TestParseQemuNumbers is about calls that qemu only has the number of.
func TestParseQemuNumbers(t *testing.T) {
	text := `4950 set_robust_list(365118116096,24) = -1 errno=38 (Function not implemented)
4950 Unknown syscall 293
4950 futex(0x5a,FUTEX_WAIT,0,NULL,NULL,0)4951 Unknown syscall 435
 = 0
`
	got := parseQemu(t, syscalls.ByName("aarch64"), []byte(text)).names()
	if want := "clone3 futex rseq set_robust_list"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}
