package catalog

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// The environment of a test binary that is to install a filter and become another program.
const denyEnv = "PROFCHECK_TEST_DENY" // "NUMBER ERRNO MASK"

// kill stands for an errno where the call is to kill the process.
const kill = 0xffff

func TestMain(m *testing.M) {
	if deny := os.Getenv(denyEnv); deny != "" {
		fmt.Fprintln(os.Stderr, become(deny, os.Args[1:]))
		os.Exit(125)
	}
	os.Exit(m.Run())
}

// become executes a program under a filter that answers one call with an errno, if its first
// argument has one of the bits of the mask; a mask of 0 stands for always. It returns only if that
// fails.
func become(deny string, argv []string) error {
	var nr, mask uint32
	var errno uint16
	if _, err := fmt.Sscan(deny, &nr, &errno, &mask); err != nil {
		return err
	}
	action := filter.ErrnoAction(errno)
	if errno == kill {
		action = filter.KillProcess
	}
	order := syscalls.ByName(native()).Order()
	bits := filter.Jump(filter.OpJsetK, mask, 0, 1)
	if mask == 0 {
		bits = filter.Jump(filter.OpJgeK, 0, 0, 1) // always
	}
	p := filter.Program{
		filter.Load(0), // the number
		filter.Jump(filter.OpJeqK, nr, 0, 3),
		filter.Load(filter.ArgLow(0, order)),
		bits,
		filter.Return(action),
		filter.Return(filter.Allow),
	}
	if err := p.Verify(); err != nil {
		return err
	}
	code := p.Encode(order)
	prog := struct {
		len  uint16
		code *byte
	}{uint16(len(p)), &code[0]}
	runtime.LockOSThread()
	const setNoNewPrivs, setSeccomp, modeFilter = 38, 22, 2
	if _, _, e := syscall.RawSyscall6(syscall.SYS_PRCTL, setNoNewPrivs, 1, 0, 0, 0, 0); e != 0 {
		return e
	}
	if _, _, e := syscall.RawSyscall6(syscall.SYS_PRCTL, setSeccomp, modeFilter, uintptr(unsafe.Pointer(&prog)), 0, 0, 0); e != 0 {
		return e
	}
	return syscall.Exec(argv[0], argv, []string{"PATH=" + os.Getenv("PATH")})
}

func native() string {
	for _, a := range syscalls.Arches() {
		if a.GOARCH == runtime.GOARCH {
			return a.Name
		}
	}
	return ""
}

// under runs a program while one call fails, see become, and returns what it prints or why it fails.
func under(t *testing.T, name string, errno int, mask uint32, argv ...string) (string, error) {
	t.Helper()
	nr, ok := syscalls.ByName(native()).Number(name)
	if !ok {
		t.Skipf("%s has no call %s", native(), name)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, argv...)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d %d %d", denyEnv, nr, errno, mask))
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// build makes the program that needs the calls; with position-independent code the loader runs, too.
func build(t *testing.T, mode string) string {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		absent(t, "no toolchain to build the program with: %v", err)
	}
	file := filepath.Join(t.TempDir(), "tolerant")
	cmd := exec.Command("go", "build", "-buildmode="+mode, "-o", file, "./testdata/tolerant")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return file
}

// absent skips the test for a reason that must not hold where everything is meant to be tested.
func absent(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// masks singles out the calls of an entry where the program makes others by the same number: those
// of os.checkPidfd with P_PIDFD, 3, where others have P_PID, 1, and with CLONE_PIDFD.
func masks(e Tolerance) uint32 {
	switch {
	case e.Name == "clone":
		return 0x1000
	case e.Name == "waitid" && e.Errnos == nil:
		return 2
	}
	return 0
}

// Each entry on Go, with each errno that it names, against a program of the toolchain at hand and a
// filter of the running kernel.
func TestToleratedInFact(t *testing.T) {
	program := build(t, "exe")
	if out, err := under(t, "vhangup", eperm, 0, program, t.TempDir()); err != nil || out != "ok" {
		absent(t, "the program does not run under any filter here: %v %s", err, out)
	}
	for _, e := range goTolerances {
		if e.Name == "capget" {
			continue // asked for by users other than root
		}
		errnos := e.Errnos
		if errnos == nil {
			errnos = []int{eperm, enosys}
		}
		for _, errno := range errnos {
			t.Run(fmt.Sprintf("%s/%d/%#x", e.Name, errno, masks(e)), func(t *testing.T) {
				if out, err := under(t, e.Name, errno, masks(e), program, t.TempDir()); err != nil || out != "ok" {
					t.Errorf("%v: %s", err, out)
				}
			})
		}
	}
}

// The twin: calls and errnos that no entry names do hurt.
func TestNotTolerated(t *testing.T) {
	program := build(t, "exe")
	for _, c := range []struct {
		name  string
		errno int
	}{
		{"waitid", eperm}, {"getrandom", eperm}, {"copy_file_range", 9}, {"faccessat2", 9},
		{"clone", eperm}, {"fcntl", eperm}, {"sigaltstack", eperm}, {"timer_settime", eperm}, {"eventfd2", enosys},
	} {
		if e := Tolerated(c.name, c.errno, []string{"main.main"}); e != nil {
			t.Errorf("%s is tolerated for anybody", c.name)
		}
		t.Run(fmt.Sprintf("%s/%d", c.name, c.errno), func(t *testing.T) {
			if out, err := under(t, c.name, c.errno, 0, program, t.TempDir()); err == nil {
				t.Errorf("it works: %s", out)
			}
		})
	}
}

// What glibc's loader tolerates, shown with a program that it loads.
func TestLoaderTolerates(t *testing.T) {
	program := build(t, "pie")
	if out, err := under(t, "vhangup", eperm, 0, program, t.TempDir()); err != nil || out != "ok" {
		absent(t, "a program with a loader does not run here: %v %s", err, out)
	}
	for _, e := range glibcTolerances {
		if e.Functions[0] != glibcLoader {
			continue
		}
		for _, errno := range []int{eperm, enosys} {
			t.Run(fmt.Sprintf("%s/%d/%#x", e.Name, errno, masks(e)), func(t *testing.T) {
				if out, err := under(t, e.Name, errno, masks(e), program, t.TempDir()); err != nil || out != "ok" {
					t.Errorf("%v: %s", err, out)
				}
			})
		}
	}
}
