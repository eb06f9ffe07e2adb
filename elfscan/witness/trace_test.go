package witness

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"
)

// trace is the set of names of the syscalls that were seen, with how often.
type trace map[string]int

// names returns the trace's names in order.
func (tr trace) names() []string {
	names := make([]string, 0, len(tr))
	for name := range tr {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// add adds another trace of the same image.
func (tr trace) add(other trace) {
	for name, n := range other {
		tr[name] += n
	}
}

// straceCall is the start of a call in a line of strace -f: "1234  openat(AT_FDCWD, ...". Lines of
// signals, of exits and of resumed calls start otherwise. Numbers that strace does not know are
// shown as syscall_0x1c3, which no table names, so that they show up as missing.
var straceCall = regexp.MustCompile(`(?m)^(?:\d+ +)?([a-z_][a-z0-9_]*)\(`)

// qemuCall is a call in the log of qemu -strace, where a call of one thread may stand in the line
// of another one's that has not returned.
var qemuCall = regexp.MustCompile(`\b\d+ ([a-z_][a-z0-9_]*)\(`)

// parse reads a trace's text. Nothing is said of which process made a call: the traced programs
// start only themselves.
func parse(call *regexp.Regexp, text []byte) trace {
	tr := trace{}
	for _, m := range call.FindAllSubmatch(text, -1) {
		tr[string(m[1])]++
	}
	return tr
}

// strace returns a command that runs argv under strace -f, and the function that reads the trace
// once the command has ended.
func strace(t testing.TB, argv ...string) (*exec.Cmd, func() trace) {
	t.Helper()
	return straceWith(t, nil, argv...)
}

// straceWith is strace with more options of it.
func straceWith(t testing.TB, options []string, argv ...string) (*exec.Cmd, func() trace) {
	t.Helper()
	needLinux(t)
	out := filepath.Join(t.TempDir(), "strace")
	args := slices.Concat([]string{"-f", "-qq", "-o", out}, options, []string{"--"}, argv)
	cmd := exec.Command(needTool(t, "strace"), args...)
	return cmd, func() trace {
		text, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		tr := parse(straceCall, text)
		if tr["execve"] == 0 {
			t.Fatalf("strace %s: no execve in the trace:\n%s", strings.Join(argv, " "), text)
		}
		// The first execve is the tracer's own, which starts the image.
		if tr["execve"]--; tr["execve"] == 0 {
			delete(tr, "execve")
		}
		return tr
	}
}

// qemu is strace for a binary of another architecture, which qemu runs and traces.
func qemu(t testing.TB, arch string, argv ...string) (*exec.Cmd, func() trace) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "strace")
	cmd := exec.Command(needTool(t, "qemu-"+arch+"-static"), append([]string{"-strace", "-D", out}, argv...)...)
	return cmd, func() trace {
		text, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		return parse(qemuCall, text)
	}
}

// TestParse holds the readers to lines as strace 6.1 and qemu 7.2 print them.
func TestParse(t *testing.T) {
	text := `2522  execve("/bin/hello", ["hello"], 0x7ffe /* 35 vars */) = 0
2522  arch_prctl(ARCH_SET_FS, 0x5851a8) = 0
2522  futex(0x58, FUTEX_WAIT_PRIVATE, 0, NULL <unfinished ...>
2523  nanosleep({tv_sec=0, tv_nsec=20000},  <unfinished ...>
2522  <... futex resumed>)              = 0
2523  --- SIGURG {si_signo=SIGURG, si_code=SI_TKILL, si_pid=1, si_uid=0} ---
2523  rt_sigreturn({mask=[]})           = 202
2523  syscall_0x1f0(0, 0, 0, 0, 0, 0)   = -1 ENOSYS (Function not implemented)
2523  write(1, "getuid()\n2 getgid()\n", 21) = 21
2523  +++ exited with 0 +++
write(2, "one process", 11) = 11
`
	want := "arch_prctl execve futex nanosleep rt_sigreturn syscall_0x1f0 write"
	tr := parse(straceCall, []byte(text))
	if got := strings.Join(tr.names(), " "); got != want {
		t.Errorf("strace: got  %s\nwant %s", got, want)
	}
	if tr["write"] != 2 {
		t.Errorf("strace: %d calls of write, want 2", tr["write"])
	}
	text = `2509 sched_getaffinity(0,8192,365080602568,0,365080611473,0) = 32
2509 futex(0x5a,FUTEX_PRIVATE_FLAG|FUTEX_WAIT,0,NULL,NULL,0)2511 write(1,0x4000,6) = 6
 = 0
--- SIGURG {si_signo=SIGURG, si_code=SI_TKILL} ---
2509 clock_gettime(CLOCK_MONOTONIC,0x00000055008006c0) = 0 ({tv_sec = 1200,tv_nsec = 543568110})
`
	want = "clock_gettime futex sched_getaffinity write"
	if got := strings.Join(parse(qemuCall, []byte(text)).names(), " "); got != want {
		t.Errorf("qemu: got  %s\nwant %s", got, want)
	}
}
