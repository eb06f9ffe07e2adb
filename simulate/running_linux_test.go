//go:build linux && amd64

package simulate

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/gob"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/profcheck/profcheck/filter"
)

// The child is this test binary again, under this name.
const childVar = "PROFCHECK_SIMULATE_CHILD"

// cannotAsk is the child's exit code where filters cannot be loaded at all.
const cannotAsk = 3

// init keeps the child's main goroutine on the main thread, and so filters off it: where that thread
// dies, the kernel takes the process for dead.
func init() {
	if os.Getenv(childVar) != "" {
		runtime.LockOSThread()
	}
}

func TestMain(m *testing.M) {
	switch os.Getenv(childVar) {
	case "":
		os.Exit(m.Run())
	case "trials":
		os.Exit(childTrials())
	case "action":
		os.Exit(childAction())
	}
}

// startChild runs the child with its work on stdin.
func startChild(t *testing.T, mode string, work any) (out []byte, stderr string, err error) {
	var in, errs bytes.Buffer
	if err := gob.NewEncoder(&in).Encode(work); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), childVar+"="+mode)
	cmd.Stdin, cmd.Stderr = &in, &errs
	out, err = cmd.Output()
	if cmd.ProcessState.ExitCode() == cannotAsk && os.Getenv("CI") == "" {
		t.Skip("this process may not load filters: ", errs.String())
	}
	return out, errs.String(), err
}

// askKernel makes the calls of each trial under its filter.
func askKernel(t *testing.T, list []trial) [][]int {
	out, stderr, err := startChild(t, "trials", list)
	if err != nil {
		t.Fatalf("child: %v: %s", err, stderr)
	}
	var seen [][]int
	if err := gob.NewDecoder(bytes.NewReader(out)).Decode(&seen); err != nil {
		t.Fatal(err)
	}
	return seen
}

type sockFprog struct {
	len    uint16
	filter unsafe.Pointer
}

// attach puts the filter on the calling thread.
func attach(p filter.Program) error {
	const sysSeccomp, setModeFilter, prNoNewPrivs = 317, 1, 38
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, prNoNewPrivs, 1, 0, 0, 0, 0); errno != 0 {
		return fmt.Errorf("no_new_privs: %w", errno)
	}
	insns := p.Encode(binary.NativeEndian)
	prog := sockFprog{uint16(len(p)), unsafe.Pointer(&insns[0])}
	_, _, errno := syscall.RawSyscall(sysSeccomp, setModeFilter, 0, uintptr(unsafe.Pointer(&prog)))
	runtime.KeepAlive(insns)
	if errno != 0 {
		return fmt.Errorf("seccomp: %w", errno)
	}
	return nil
}

// childTrials gives each trial a thread of its own, which ends with it.
func childTrials() int {
	var list []trial
	if err := gob.NewDecoder(os.Stdin).Decode(&list); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	seen := make([][]int, len(list))
	for i, tr := range list {
		var err error
		if seen[i], err = tryCalls(tr); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return cannotAsk
		}
	}
	if err := gob.NewEncoder(os.Stdout).Encode(seen); err != nil {
		return 1
	}
	return 0
}

// tryCalls makes the calls of one trial. A thread that is killed leaves its call with the value
// killed, which it has from the start, and all that come after it too. Nothing but its results tells
// what it did before, so they are atomic.
func tryCalls(tr trial) ([]int, error) {
	results := make([]atomic.Int32, len(tr.Calls))
	for i := range results {
		results[i].Store(killed)
	}
	read := func() []int {
		seen := make([]int, len(results))
		for i := range results {
			seen[i] = int(results[i].Load())
		}
		return seen
	}
	var tid atomic.Int64
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if err := attach(tr.P); err != nil {
			done <- err
			return
		}
		tid.Store(int64(syscall.Gettid()))
		for i, d := range tr.Calls {
			a := d.Args
			// Not RawSyscall6: the runtime must know that the thread may stay away.
			r, _, errno := syscall.Syscall6(uintptr(uint32(d.Nr)), uintptr(a[0]), uintptr(a[1]), uintptr(a[2]), uintptr(a[3]), uintptr(a[4]), uintptr(a[5]))
			results[i].Store(int32(seenErrno(r, errno)))
		}
		done <- nil
	}()
	for {
		select {
		case err := <-done:
			return read(), err
		case <-time.After(time.Millisecond):
		}
		if id := tid.Load(); id != 0 {
			if _, err := os.Stat(fmt.Sprintf("/proc/self/task/%d", id)); err != nil {
				select {
				case err := <-done: // it came to its end in between
					return read(), err
				default:
					return read(), nil
				}
			}
		}
	}
}

// seenErrno undoes what package syscall makes of a result: it takes -4095 for no error.
func seenErrno(r uintptr, errno syscall.Errno) int {
	if errno != 0 {
		return int(errno)
	}
	return -int(r)
}

// TestActionsRunningKernel checks what Action.Effect and Run promise of whole actions: each in a
// child of its own, which loads one filter and makes one call that no kernel has.
func TestActionsRunningKernel(t *testing.T) {
	for _, tt := range []struct {
		a    filter.Action
		want string
	}{
		{filter.Allow, "errno 38"}, // no such call
		{filter.Log, "errno 38"},
		{filter.Trace | 5, "errno 38"}, // no tracer
		{filter.UserNotif, "errno 38"}, // no listener
		{filter.ErrnoAction(1), "errno 1"},
		{filter.ErrnoAction(0), "errno 0"},
		{filter.ErrnoAction(4096), "errno 4095"},
		{filter.ErrnoAction(0xffff), "errno 4095"},
		{filter.Trap | 3, "SIGSYS"}, // which ends a Go program
		{filter.KillProcess, "SIGSYS"},
		{0x00040000, "SIGSYS"}, // unknown
		{0x7ffd0000, "SIGSYS"},
	} {
		out, stderr, err := startChild(t, "action", tt.a)
		got := string(out)
		if err != nil {
			got = fmt.Sprint(err)
			if strings.Contains(err.Error(), "bad system call") || strings.Contains(stderr, "SIGSYS") {
				got = "SIGSYS"
			}
		}
		if got != tt.want {
			t.Errorf("%v: %s, want %s", tt.a, got, tt.want)
		}
		if effect := tt.a.Effect(); effect.Base() == filter.Errno != (tt.want != "SIGSYS" && tt.want != "errno 38") ||
			effect.Base() == filter.Errno && got != fmt.Sprintf("errno %d", effect.Errno()) ||
			effect.Base() == filter.KillProcess && got != "SIGSYS" {
			t.Errorf("%v: the kernel gave %s, Effect says %v", tt.a, got, effect)
		}
	}
}

func childAction() int {
	var a filter.Action
	if err := gob.NewDecoder(os.Stdin).Decode(&a); err != nil {
		return 1
	}
	err := attach(filter.Program{
		filter.Load(filter.OffsetNr),
		filter.Jump(filter.OpJeqK, 700, 1, 0),
		filter.Return(filter.Allow),
		filter.Return(a),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return cannotAsk
	}
	r, _, errno := syscall.Syscall(700, 0, 0, 0)
	fmt.Printf("errno %d", seenErrno(r, errno))
	return 0
}
