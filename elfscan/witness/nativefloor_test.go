package witness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/elfscan"
)

const (
	emptyC  = "int main(void) { return 0; }\n"
	helloCC = "#include <iostream>\n#include <thread>\nint main() { std::thread t([] { std::cout << \"hello\" << std::endl; }); t.join(); }\n"
	forkC   = "#include <unistd.h>\n#include <sys/wait.h>\nint main(void) { if (fork() == 0) _exit(0); return wait(0) < 0; }\n"
)

// A floor is a program that does next to nothing: what a scan reports of it is what every program
// with that libc has.
type floor struct {
	name   string
	source string
	argv   []string // compiler with options
	limit  int      // most calls that are not conditional, 0: not judged
}

var floors = []floor{
	{"glibc, dynamic", emptyC, []string{"gcc", "-O2"}, 47},
	{"glibc, dynamic, no PIE", emptyC, []string{"gcc", "-O2", "-no-pie"}, 47},
	{"glibc, static", emptyC, []string{"gcc", "-O2", "-static"}, 0},
	{"glibc, static PIE", emptyC, []string{"gcc", "-O2", "-static-pie"}, 0},
	{"glibc, dynamic, stripped", emptyC, []string{"gcc", "-O2", "-s"}, 47},
	{"glibc, dynamic, fork and wait", forkC, []string{"gcc", "-O2"}, 0},
	{"musl, static", emptyC, []string{"musl-gcc", "-O2", "-static"}, 8},
	{"musl, dynamic", emptyC, []string{"musl-gcc", "-O2"}, 0},
	{"C++ with a thread, dynamic", helloCC, []string{"g++", "-O2", "-pthread"}, 0},
	{"C++ with a thread, static", helloCC, []string{"g++", "-O2", "-pthread", "-static"}, 0},
}

// compile builds a program from one source.
func compile(t testing.TB, source string, argv ...string) string {
	t.Helper()
	needLinux(t)
	needTool(t, argv[0])
	dir, name := t.TempDir(), "main.c"
	if strings.Contains(argv[0], "g++") {
		name = "main.cc"
	}
	bin := filepath.Join(dir, "program")
	args := append(argv[1:len(argv):len(argv)], "-o", bin, writeFile(t, dir, name, source))
	if out, err := exec.Command(argv[0], args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(argv, " "), err, out)
	}
	return bin
}

// TestNativeFloor builds programs that do nothing, and holds their scans to what strace sees now.
func TestNativeFloor(t *testing.T) {
	shareScans(t)
	lines := []string{
		"| program | traced | not conditional | of them start-up | conditional | missed | unresolved |",
		"|---|---|---|---|---|---|---|",
	}
	for _, f := range floors {
		t.Run(f.name, func(t *testing.T) {
			bin := compile(t, f.source, f.argv...)
			cmd, read := strace(t, bin)
			if out, err := finish(cmd, 0); err != nil {
				t.Fatalf("%v %s", err, out)
			}
			lines = append(lines, f.judge(t, scanNative(t, "", bin), read()))
		})
	}
	for _, arch := range []string{"", "-static"} {
		name := "glibc, arm64, dynamic"
		if arch != "" {
			name = "glibc, arm64, static"
		}
		t.Run(name, func(t *testing.T) {
			bin := compile(t, emptyC, strings.Fields("aarch64-linux-gnu-gcc -O2 "+arch)...)
			lines = append(lines, floorARM64(t, name, bin))
		})
	}
	table(t, "floors", lines)
}

// judge holds a scan to a trace and returns the table's line.
func (f floor) judge(t *testing.T, res *elfscan.Result, tr trace) string {
	t.Helper()
	miss, sure := missed(res, tr), certain(res)
	if len(miss) > 0 {
		t.Errorf("traced but not in the scan: %v", miss)
	}
	if f.limit > 0 && len(sure) > f.limit {
		t.Errorf("%d calls are not conditional, at most %d: %v", len(sure), f.limit, sure)
	}
	startup := 0
	for _, n := range res.Needs {
		if n.Class == "startup" {
			startup++
		}
	}
	judgeUnresolved(t, res)
	return fmt.Sprintf("| %s | %d | %d | %d | %d | %d | %d |", f.name, len(tr), len(sure), startup, len(res.Needs)-len(sure), len(miss), len(res.Unresolved))
}

// floorARM64 traces with qemu, in a root of the program and the cross compiler's C library.
func floorARM64(t *testing.T, name, bin string) string {
	t.Helper()
	root := t.TempDir()
	for from, to := range map[string]string{
		bin: "program",
		"/usr/aarch64-linux-gnu/lib/ld-linux-aarch64.so.1": "lib/ld-linux-aarch64.so.1",
		"/usr/aarch64-linux-gnu/lib/libc.so.6":             "lib/libc.so.6",
	} {
		data, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, to)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, to), data, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	q := &qemuRoot{t: t, root: root}
	if out, err := finish(q.run("/program"), 0); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	tr, _ := q.read()
	return floor{name: name}.judge(t, scanNative(t, root, "/program"), tr)
}
