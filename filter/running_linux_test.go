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
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// The child is this test binary again, under this name; the value says what it does.
const childVar = "PROFCHECK_FILTER_CHILD"

// cannotAsk is the child's exit code where filters cannot be loaded at all.
const cannotAsk = 3

func TestMain(m *testing.M) {
	switch os.Getenv(childVar) {
	case "":
		os.Exit(m.Run())
	case "judge":
		os.Exit(childJudge())
	case "diverged":
		os.Exit(childScenarios(true))
	case "alone":
		os.Exit(childScenarios(false))
	}
	os.Exit(1)
}

// runChild hands in to a child and returns what it answers.
func runChild(t *testing.T, what string, in []byte) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), childVar+"="+what)
	cmd.Stdin = bytes.NewReader(in)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if code := cmd.ProcessState.ExitCode(); code == cannotAsk && os.Getenv("CI") == "" {
		t.Skip("this process may not load filters: ", stderr.String())
	}
	if err != nil {
		t.Fatalf("child: %v: %s", err, stderr.String())
	}
	return out
}

// askKernel returns for each program the errno of loading it on top of the base, 0 where it would
// load. Nothing but the base is attached.
func askKernel(t *testing.T, base, programs []Program) []byte {
	t.Helper()
	in := binary.NativeEndian.AppendUint32(nil, uint32(len(base)))
	in = append(in, encodePrograms(base)...)
	out := runChild(t, "judge", append(in, encodePrograms(programs)...))
	if len(out) != len(programs) {
		t.Fatalf("child answered %d of %d programs", len(out), len(programs))
	}
	return out
}

// askLoader returns for each step of each scenario what the call returned: a negative errno, 0, or
// the number that the call gives. Each scenario has a thread of its own; diverged says that there is
// another thread that cannot be synchronised with it, and only then there may be several scenarios.
func askLoader(t *testing.T, scenarios [][]step, diverged bool) [][]int32 {
	t.Helper()
	what := "alone"
	if diverged {
		what = "diverged"
	}
	out := runChild(t, what, encodeScenarios(scenarios))
	answers := make([][]int32, len(scenarios))
	for i, s := range scenarios {
		for range s {
			if len(out) < 4 {
				t.Fatalf("child answered %d of %d scenarios", i, len(scenarios))
			}
			answers[i] = append(answers[i], int32(binary.NativeEndian.Uint32(out)))
			out = out[4:]
		}
	}
	return answers
}

// hasSysAdmin reports whether this process has CAP_SYS_ADMIN, which children inherit.
func hasSysAdmin(t *testing.T) bool {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "CapEff:\t")
	digits, _, _ := strings.Cut(rest, "\n")
	caps, err := strconv.ParseUint(digits, 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	return caps>>21&1 != 0
}

// hasNoNewPrivs reports whether this process has it set, which children inherit, too.
func hasNoNewPrivs(t *testing.T) bool {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(status), "\nNoNewPrivs:\t1\n")
}

const (
	sysSeccomp    = 317
	sysCapset     = 126
	setModeStrict = 0
	setModeFilter = 1
	prNoNewPrivs  = 38
	capVersion    = 0x20080522
)

type sockFprog struct {
	len    uint16
	filter unsafe.Pointer
}

// load is seccomp(SECCOMP_SET_MODE_FILTER, flags, program).
func load(n uint32, insns []byte, flags uint32) (uintptr, syscall.Errno) {
	// The byte behind the end keeps the pointer valid where there are no instructions.
	insns = append(insns, 0)
	prog := sockFprog{uint16(n), unsafe.Pointer(&insns[0])}
	r, _, errno := syscall.RawSyscall(sysSeccomp, setModeFilter, uintptr(flags), uintptr(unsafe.Pointer(&prog)))
	runtime.KeepAlive(insns)
	return r, errno
}

func noNewPrivs() syscall.Errno {
	_, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, prNoNewPrivs, 1, 0, 0, 0, 0)
	return errno
}

// diverge makes one thread take a filter that the others do not have.
func diverge() syscall.Errno {
	done := make(chan syscall.Errno)
	go func() {
		runtime.LockOSThread()
		errno := noNewPrivs()
		if errno == 0 {
			_, errno = load(1, Program{Return(Allow)}.Encode(binary.NativeEndian), 0)
		}
		done <- errno
		select {} // the thread stays, and nothing else runs on it
	}()
	return <-done
}

func complain(what string, errno syscall.Errno) int {
	os.Stderr.WriteString(what + ": " + errno.Error())
	return cannotAsk
}

// childJudge judges programs without attaching any. There is a thread with a filter that the others
// do not have, and so synchronising a further filter over all threads fails with ESRCH, but only
// after the loader has accepted it.
func childJudge() int {
	if errno := diverge(); errno != 0 {
		return complain("a diverging thread", errno)
	}
	runtime.LockOSThread()
	if errno := noNewPrivs(); errno != 0 {
		return complain("no_new_privs", errno)
	}
	in, err := io.ReadAll(os.Stdin)
	if err != nil {
		os.Stderr.WriteString(err.Error())
		return 1
	}
	var out []byte
	base := binary.NativeEndian.Uint32(in)
	for in = in[4:]; len(in) > 0; base-- {
		n := binary.NativeEndian.Uint32(in)
		size := n * InsnSize
		flags := uint32(FlagTSync | FlagTSyncESRCH)
		if int32(base) > 0 {
			flags = 0
		}
		_, errno := load(n, bytes.Clone(in[4:4+size]), flags)
		in = in[4+size:]
		switch {
		case flags == 0 && errno != 0:
			os.Stderr.WriteString("the base does not load: " + errno.Error())
			return 1
		case flags == 0:
			continue
		case errno == syscall.ESRCH:
			errno = 0
		case errno == 0:
			os.Stderr.WriteString("a program was attached: the diverging thread is gone")
			return 1
		}
		out = append(out, byte(errno))
	}
	os.Stdout.Write(out)
	return 0
}

// childScenarios goes through scenarios, each on a new thread that ends with it.
func childScenarios(diverged bool) int {
	if diverged {
		if errno := diverge(); errno != 0 {
			return complain("a diverging thread", errno)
		}
	}
	in, err := io.ReadAll(os.Stdin)
	if err != nil {
		os.Stderr.WriteString(err.Error())
		return 1
	}
	var out []byte
	for _, s := range decodeScenarios(in) {
		done := make(chan []int32)
		go func() {
			runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
			done <- play(s)
		}()
		for _, r := range <-done {
			out = binary.NativeEndian.AppendUint32(out, uint32(r))
		}
	}
	os.Stdout.Write(out)
	return 0
}

// play makes the calls of a scenario on this thread.
func play(s []step) []int32 {
	var results []int32
	listener := -1
	for _, st := range s {
		var r uintptr
		var errno syscall.Errno
		switch st.kind {
		case stepAttach:
			r, errno = load(uint32(len(st.p)), st.p.Encode(binary.NativeEndian), st.flags)
			if errno == 0 && st.flags&FlagNewListener != 0 {
				listener = int(r)
			}
		case stepNoNewPrivs:
			errno = noNewPrivs()
		case stepDropCaps:
			header, data := [2]uint32{capVersion, 0}, [6]uint32{}
			_, _, errno = syscall.RawSyscall(sysCapset, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&data)), 0)
		case stepStrict:
			_, _, errno = syscall.RawSyscall(sysSeccomp, setModeStrict, 0, 0)
		case stepClose:
			errno = syscall.EBADF
			if listener >= 0 {
				_, _, errno = syscall.RawSyscall(syscall.SYS_CLOSE, uintptr(listener), 0, 0)
			}
			listener = -1
		}
		if errno != 0 {
			results = append(results, -int32(errno))
		} else {
			results = append(results, int32(r))
		}
	}
	if listener >= 0 {
		syscall.RawSyscall(syscall.SYS_CLOSE, uintptr(listener), 0, 0)
	}
	return results
}
