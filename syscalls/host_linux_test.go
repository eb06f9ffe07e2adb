package syscalls

import (
	"os"
	"runtime"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// TestHost asks the running kernel: the table's number of getpid gives the process ID, and a number
// that the table does not know gives ENOSYS.
func TestHost(t *testing.T) {
	a, err := Lookup(runtime.GOARCH)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]uintptr{"read": unix.SYS_READ, "openat": unix.SYS_OPENAT, "clone": unix.SYS_CLONE,
		"seccomp": unix.SYS_SECCOMP, "rt_sigreturn": unix.SYS_RT_SIGRETURN, "futex_waitv": unix.SYS_FUTEX_WAITV} {
		if nr, ok := a.Number(name); !ok || uintptr(nr) != want {
			t.Errorf("%s: %d, %v, want %d", name, nr, ok, want)
		}
	}
	getpid, ok := a.Number("getpid")
	if !ok {
		t.Fatal("no getpid")
	}
	if pid, _, errno := unix.RawSyscall(uintptr(getpid), 0, 0, 0); errno != 0 || int(pid) != os.Getpid() {
		t.Errorf("call %d gives %d, %v, want %d", getpid, pid, errno, os.Getpid())
	}
	list := a.Syscalls()
	beyond := list[len(list)-1].Nr + 500
	if _, _, errno := unix.RawSyscall(uintptr(beyond), 0, 0, 0); errno != unix.ENOSYS {
		t.Errorf("call %d gives %v, want ENOSYS", beyond, errno)
	}
}

// The running kernel answers ENOSYS to what was removed before it; the twin are calls that are old, or
// about to go, and still there: they find fault with their arguments.
func TestRemovedFromHost(t *testing.T) {
	a, err := Lookup(runtime.GOARCH)
	if err != nil {
		t.Fatal(err)
	}
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		t.Fatal(err)
	}
	running, err := ParseKernel(unix.ByteSliceToString(name.Release[:]))
	if err != nil {
		t.Skip(err)
	}
	tried := 0
	for _, s := range a.Syscalls() {
		gone, ok := RemovedIn(s.Name)
		if ok && !running.Less(gone) {
			tried++
			if _, _, errno := unix.RawSyscall6(uintptr(s.Nr), 0, 0, 0, 0, 0, 0); errno != unix.ENOSYS {
				t.Errorf("%s gives %v, want ENOSYS", s.Name, errno)
			}
		}
		if slices.Contains([]string{"ustat", "sysfs", "remap_file_pages", "quotactl", "personality"}, s.Name) {
			if _, _, errno := unix.RawSyscall6(uintptr(s.Nr), ^uintptr(0), 0, 0, 0, 0, 0); ok || errno == unix.ENOSYS {
				t.Errorf("%s gives %v, and is removed: %v", s.Name, errno, ok)
			}
		}
	}
	if tried == 0 && a.Name == "x86_64" {
		t.Errorf("nothing was removed before Linux %s", running)
	}
}
