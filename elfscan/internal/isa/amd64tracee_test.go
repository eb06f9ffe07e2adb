//go:build linux && amd64

package isa

import (
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"unsafe"
)

// The processor as a witness: a process that does nothing itself is stepped through one
// instruction at a time with ptrace.

const (
	traceeBase = 0x10000000
	traceeSize = 0x20000
	// where FS and GS lead: their memory lies behind the data, in the same distance
	segmentOffset = dataSize
	codeAt        = traceeBase + 0x1000
	dataAt        = traceeBase + 0x8000
	dataSize      = 0x8000
)

// tracee is the stopped process.
type tracee struct {
	pid    int
	mem    *os.File
	data   []byte // what its data holds
	after  []byte
	fpregs [512]byte
}

// step is the outcome of one instruction.
type step struct {
	signal syscall.Signal // 0: executed
	regs   syscall.PtraceRegs
}

// startTracee starts the process and stops it before its first instruction.
func startTracee(t *testing.T) *tracee {
	t.Helper()
	runtime.LockOSThread() // ptrace speaks to the thread that started the process
	path := filepath.Join(t.TempDir(), "tracee")
	if err := os.WriteFile(path, traceeELF(), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path)
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		skipOrFail(t, "cannot trace a process: "+err.Error())
	}
	p := &tracee{pid: cmd.Process.Pid, data: make([]byte, dataSize), after: make([]byte, dataSize)}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		runtime.UnlockOSThread()
	})
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(p.pid, &status, 0, nil); err != nil || !status.Stopped() {
		t.Fatalf("wait: %v, status %#x", err, status)
	}
	var err error
	if p.mem, err = os.OpenFile("/proc/"+itoa(p.pid)+"/mem", os.O_RDWR, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.mem.Close() })
	if err := p.ptrace(syscall.PTRACE_GETFPREGS, unsafe.Pointer(&p.fpregs)); err != nil {
		t.Fatal(err)
	}
	return p
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

// traceeELF is a program of one segment that may be read, written and executed.
func traceeELF() []byte {
	le := binary.LittleEndian
	b := make([]byte, 0x78, 0x80)
	copy(b, "\x7fELF\x02\x01\x01")
	le.PutUint16(b[16:], 2)  // ET_EXEC
	le.PutUint16(b[18:], 62) // EM_X86_64
	le.PutUint32(b[20:], 1)
	le.PutUint64(b[24:], traceeBase+0x78) // entry
	le.PutUint64(b[32:], 64)              // program headers
	le.PutUint16(b[52:], 64)
	le.PutUint16(b[54:], 56)
	le.PutUint16(b[56:], 1)
	ph := b[64:]
	le.PutUint32(ph, 1)     // PT_LOAD
	le.PutUint32(ph[4:], 7) // RWX
	le.PutUint64(ph[16:], traceeBase)
	le.PutUint64(ph[24:], traceeBase)
	le.PutUint64(ph[32:], 0x7a)
	le.PutUint64(ph[40:], traceeSize)
	le.PutUint64(ph[48:], 0x1000)
	return append(b, 0xeb, 0xfe) // jumps to itself
}

func (p *tracee) ptrace(request uintptr, data unsafe.Pointer) error {
	_, _, errno := syscall.RawSyscall6(syscall.SYS_PTRACE, request, uintptr(p.pid), 0, uintptr(data), 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// fill sets the process's data.
func (p *tracee) fill(data []byte) error {
	copy(p.data, data)
	_, err := p.mem.WriteAt(p.data, dataAt)
	return err
}

var (
	errRunaway = errors.New("instruction does not end")
	errTracee  = errors.New("the traced process is lost")
)

// run executes the instruction at the start of code with the given registers. Repeated string
// instructions stop after each round; they are continued. p.after is the data afterwards.
func (p *tracee) run(code []byte, regs syscall.PtraceRegs) (step, error) {
	regs.Rip, regs.Orig_rax = codeAt, ^uint64(0)
	if _, err := p.mem.WriteAt(code, codeAt); err != nil {
		return step{}, err
	}
	if err := p.ptrace(syscall.PTRACE_SETFPREGS, unsafe.Pointer(&p.fpregs)); err != nil {
		return step{}, err
	}
	if err := syscall.PtraceSetRegs(p.pid, &regs); err != nil {
		return step{}, err
	}
	var s step
	for round := 0; ; round++ {
		if err := syscall.PtraceSingleStep(p.pid); err != nil {
			return s, err
		}
		var status syscall.WaitStatus
		if _, err := syscall.Wait4(p.pid, &status, 0, nil); err != nil {
			return s, err
		}
		if !status.Stopped() {
			return s, errors.New("the traced process ended")
		}
		if err := syscall.PtraceGetRegs(p.pid, &s.regs); err != nil {
			return s, err
		}
		if sig := status.StopSignal(); sig != syscall.SIGTRAP {
			s.signal = sig
		}
		if s.signal != 0 || s.regs.Rip != codeAt {
			break
		}
		if round == 64 {
			return s, errRunaway
		}
	}
	_, err := p.mem.ReadAt(p.after, dataAt)
	return s, err
}

// general returns the general registers in the order of their numbers.
func general(r *syscall.PtraceRegs) [16]*uint64 {
	return [16]*uint64{&r.Rax, &r.Rcx, &r.Rdx, &r.Rbx, &r.Rsp, &r.Rbp, &r.Rsi, &r.Rdi,
		&r.R8, &r.R9, &r.R10, &r.R11, &r.R12, &r.R13, &r.R14, &r.R15}
}
