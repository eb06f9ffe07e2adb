//go:build linux && amd64

package filter

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// The child is this test binary again, under this name.
const childVar = "PROFCHECK_FILTER_CHILD"

// cannotAsk is the child's exit code where filters cannot be loaded at all.
const cannotAsk = 3

func TestMain(m *testing.M) {
	if os.Getenv(childVar) != "" {
		os.Exit(child())
	}
	os.Exit(m.Run())
}

// askKernel returns for each program the errno of loading it, 0 where it would load.
func askKernel(t *testing.T, programs []Program) []byte {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), childVar+"=1")
	cmd.Stdin = bytes.NewReader(encodePrograms(programs))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if code := cmd.ProcessState.ExitCode(); code == cannotAsk && os.Getenv("CI") == "" {
		t.Skip("this process may not load filters: ", stderr.String())
	}
	if err != nil {
		t.Fatalf("child: %v: %s", err, stderr.String())
	}
	if len(out) != len(programs) {
		t.Fatalf("child answered %d of %d programs", len(out), len(programs))
	}
	return out
}

const (
	sysSeccomp    = 317
	setModeFilter = 1
	flagTsync     = 1
	flagESRCH     = 16
	prNoNewPrivs  = 38
)

type sockFprog struct {
	len    uint16
	filter unsafe.Pointer
}

// load is seccomp(SECCOMP_SET_MODE_FILTER, flags, program).
func load(n uint32, insns []byte, flags uintptr) syscall.Errno {
	// The byte behind the end keeps the pointer valid where there are no instructions.
	insns = append(insns, 0)
	prog := sockFprog{uint16(n), unsafe.Pointer(&insns[0])}
	_, _, errno := syscall.RawSyscall(sysSeccomp, setModeFilter, flags, uintptr(unsafe.Pointer(&prog)))
	runtime.KeepAlive(insns)
	return errno
}

// child judges programs without attaching any. One thread takes a filter that the others do not
// have, and so synchronising a further filter over all threads fails with ESRCH, but only after the
// loader has accepted it.
func child() int {
	done := make(chan syscall.Errno)
	go func() {
		runtime.LockOSThread()
		_, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, prNoNewPrivs, 1, 0, 0, 0, 0)
		if errno == 0 {
			errno = load(1, Program{Return(Allow)}.Encode(binary.NativeEndian), 0)
		}
		done <- errno
		select {} // the thread stays, and nothing else runs on it
	}()
	if errno := <-done; errno != 0 {
		os.Stderr.WriteString("setting up a diverging thread: " + errno.Error())
		return cannotAsk
	}
	runtime.LockOSThread()
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, prNoNewPrivs, 1, 0, 0, 0, 0); errno != 0 {
		os.Stderr.WriteString("no_new_privs: " + errno.Error())
		return cannotAsk
	}
	in, err := io.ReadAll(os.Stdin)
	if err != nil {
		os.Stderr.WriteString(err.Error())
		return 1
	}
	var out []byte
	for len(in) > 0 {
		n := binary.NativeEndian.Uint32(in)
		size := n * InsnSize
		errno := load(n, bytes.Clone(in[4:4+size]), flagTsync|flagESRCH)
		if errno == syscall.ESRCH {
			errno = 0
		} else if errno == 0 {
			os.Stderr.WriteString("a program was attached: the diverging thread is gone")
			return 1
		}
		out = append(out, byte(errno))
		in = in[4+size:]
	}
	os.Stdout.Write(out)
	return 0
}
