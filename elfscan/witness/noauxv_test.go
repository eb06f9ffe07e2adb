//go:build linux

package witness

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"unsafe"

	"github.com/profcheck/profcheck/syscalls"
)

// The requests and the structure of ptrace(2) that package syscall does not name, from
// include/uapi/linux/ptrace.h.
const (
	ptraceGetSyscallInfo = 0x420e
	syscallInfoEntry     = 1 // ptrace_syscall_info.op at the entry of a syscall
	optionExitKill       = 0x100000
	optionSysgood        = 0x1
	waitOwnThread        = 0x20000000 // __WNOTHREAD: not the processes that other threads started
)

// syscallInfo is struct ptrace_syscall_info as a syscall entry fills it.
type syscallInfo struct {
	Op    uint8
	_     [3]byte
	Arch  uint32
	IP    uint64
	SP    uint64
	Nr    uint64
	Args  [6]uint64
	Spare [2]uint64
}

// auxvPath is the file in which the Go runtime looks for an auxiliary vector that it was not given.
const auxvPath = "/proc/self/auxv"

// traceNoAuxv runs a static program as if the kernel had given it no auxiliary vector: the vector
// on its stack is cut to nothing before the first instruction, and the file that holds a copy is
// not found. The calls of all its threads are recorded, and how often the file was asked for.
func traceNoAuxv(t testing.TB, bin string) (calls trace, hidden int) {
	t.Helper()
	needLinux(t)
	runtime.LockOSThread() // a tracee belongs to the thread that started it
	defer runtime.UnlockOSThread()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	cmd := exec.Command(bin)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = null, null, null
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := cmd.Start(); err != nil {
		skip(t, "ptrace: %v", err)
	}
	pid := cmd.Process.Pid
	defer syscall.Kill(pid, syscall.SIGKILL)
	var ws syscall.WaitStatus
	if _, err := syscall.Wait4(pid, &ws, 0, nil); err != nil || !ws.Stopped() {
		t.Fatalf("wait for the exec stop: %v, status %#x", err, uint32(ws))
	}
	if err := wipeAuxv(pid); err != nil {
		t.Fatal(err)
	}
	options := syscall.PTRACE_O_TRACECLONE | optionExitKill | optionSysgood
	if err := syscall.PtraceSetOptions(pid, options); err != nil {
		t.Fatalf("ptrace options: %v", err)
	}
	calls, hidden, status, err := follow(pid)
	if err != nil {
		t.Fatal(err)
	}
	if status.Signaled() || status.ExitStatus() != 0 {
		t.Fatalf("%s without auxv: status %#x; calls %v", bin, uint32(status), calls.names())
	}
	return calls, hidden
}

// wipeAuxv makes the auxiliary vector of a process that has just executed empty. The stack pointer
// points at argc; argv and a zero, envp and a zero, and the vector follow it.
func wipeAuxv(pid int) error {
	var info syscallInfo
	if err := getSyscallInfo(pid, &info); err != nil {
		return err
	}
	at := uintptr(info.SP)
	argc, err := peek(pid, at)
	if err != nil {
		return err
	}
	at += 8 * uintptr(argc+2)
	for {
		word, err := peek(pid, at)
		if err != nil {
			return err
		}
		at += 8
		if word == 0 {
			break
		}
	}
	first, err := peek(pid, at)
	if err != nil || first == 0 {
		return fmt.Errorf("no auxiliary vector at %#x to wipe: %v", at, err)
	}
	_, err = syscall.PtracePokeData(pid, at, make([]byte, 8)) // AT_NULL
	return err
}

// follow lets all threads run to their end, from syscall to syscall, and returns what they called
// how often the auxiliary vector's file was hidden, and how the process ended.
func follow(pid int) (calls trace, hidden int, status syscall.WaitStatus, err error) {
	arch := syscalls.ByName("x86_64")
	calls = trace{}
	if err := syscall.PtraceSyscall(pid, 0); err != nil {
		return nil, 0, 0, err
	}
	for {
		var ws syscall.WaitStatus
		tid, err := syscall.Wait4(-1, &ws, syscall.WALL|waitOwnThread, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return nil, 0, 0, fmt.Errorf("wait: %w", err)
		}
		if ws.Exited() || ws.Signaled() {
			if tid == pid {
				return calls, hidden, ws, nil
			}
			continue
		}
		signal := 0
		switch stop := ws.StopSignal(); {
		case stop == syscall.SIGTRAP|0x80:
			hid, err := note(tid, arch, calls)
			if err != nil {
				return nil, 0, 0, err
			}
			if hid {
				hidden++
			}
		case stop == syscall.SIGTRAP, stop == syscall.SIGSTOP: // an event, a new thread's first stop
		default:
			signal = int(stop)
		}
		if err := syscall.PtraceSyscall(tid, signal); err != nil && err != syscall.ESRCH {
			return nil, 0, 0, fmt.Errorf("ptrace syscall: %w", err)
		}
	}
}

// note records a syscall at its entry, and spoils the path of an openat of auxvPath.
func note(tid int, arch *syscalls.Arch, calls trace) (hidden bool, err error) {
	var info syscallInfo
	if err := getSyscallInfo(tid, &info); err == syscall.ESRCH || info.Op != syscallInfoEntry {
		return false, nil
	} else if err != nil {
		return false, err
	}
	name, ok := arch.NameOf(int32(info.Nr))
	if !ok {
		name = fmt.Sprintf("syscall_%#x", info.Nr)
	}
	calls[name]++
	if name != "openat" && name != "open" {
		return false, nil
	}
	at := uintptr(info.Args[0])
	if name == "openat" {
		at = uintptr(info.Args[1])
	}
	path := make([]byte, len(auxvPath))
	if n, err := syscall.PtracePeekData(tid, at, path); err != nil || n != len(path) || string(path) != auxvPath {
		return false, nil // another file, or a path that ends where memory does
	}
	_, err = syscall.PtracePokeData(tid, at, []byte("/nowhere"))
	return err == nil, err
}

// getSyscallInfo is ptrace's PTRACE_GET_SYSCALL_INFO (Linux 5.3).
func getSyscallInfo(tid int, info *syscallInfo) error {
	_, _, errno := syscall.Syscall6(syscall.SYS_PTRACE, ptraceGetSyscallInfo, uintptr(tid),
		unsafe.Sizeof(*info), uintptr(unsafe.Pointer(info)), 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// peek reads one word of a stopped process.
func peek(pid int, at uintptr) (uint64, error) {
	var word [8]byte
	if _, err := syscall.PtracePeekData(pid, at, word[:]); err != nil {
		return 0, fmt.Errorf("peek %#x: %w", at, err)
	}
	return binary.NativeEndian.Uint64(word[:]), nil
}
