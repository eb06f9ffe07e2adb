//go:build linux && (arm || arm64 || mips64le || mipsle || ppc64le || s390x)

package main

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

const (
	setModeFilter   = 1
	flagTSYNC       = 1
	flagTSYNCErrno  = 16
	prSetSeccomp    = 22
	prSetNoNewPrivs = 38
)

// The main goroutine keeps to the main thread and so filters off it: where that thread dies, the
// kernel takes the process for dead.
func init() { runtime.LockOSThread() }

// work does the groups from one on, and within that what has no answer yet.
func work(workFile, answerFile, from string) error {
	runtime.GOMAXPROCS(4)  // so that a dead thread keeps nobody waiting
	debug.SetGCPercent(-1) // the collector would wait for threads that are dead
	w, err := readWork(workFile)
	if err != nil {
		return err
	}
	a, err := openAnswers(answerFile, w.slots)
	if err != nil {
		return err
	}
	start, err := strconv.Atoi(from)
	if err != nil {
		return err
	}
	if err := catchSigsys(); err != nil {
		return err
	}
	for i := range w.groups {
		if i < uint32(start) {
			w.skip()
			continue
		}
		g := w.next()
		a.setGroup(i)
		switch g.kind {
		case underFilters:
			err = g.underFilters(a)
		case verdicts:
			err = g.verdicts(a)
		case strictMode:
			err = g.strict(a)
		default:
			err = errors.New("unknown kind")
		}
		if err != nil {
			return fmt.Errorf("group %d: %w", i, err)
		}
	}
	return nil
}

// attach is seccomp(SECCOMP_SET_MODE_FILTER, flags, program).
func attach(p *program) syscall.Errno {
	insns := append(p.insns[:len(p.insns):len(p.insns)], 0) // not empty, so that there is an address
	prog := struct {
		n      uint16
		filter *byte
	}{uint16(len(p.insns) / 8), &insns[0]}
	_, _, errno := syscall.RawSyscall(sysSeccomp, setModeFilter, uintptr(p.flags), uintptr(unsafe.Pointer(&prog)))
	runtime.KeepAlive(insns)
	return errno
}

// underFilters gives the group's calls to a thread, and those after one that killed it to the next.
func (g *group) underFilters(a answers) error {
	first := g.slot + uint32(len(g.programs))
	end := first + uint32(len(g.calls))
	for tries := 0; ; tries++ {
		next := first
		for next < end && a.get(next) != none {
			next++
		}
		if next == end && (tries > 0 || len(g.calls) > 0) {
			return nil
		}
		a.setCurrent(none)
		if died := g.thread(a, next-first); died {
			i := a.current()
			if i == none {
				return errors.New("a thread died before its first call")
			}
			a.set(i, outcome(diedThread, 0))
		}
	}
}

// thread makes the calls from one on, and reports whether it died in one.
func (g *group) thread(a answers, from uint32) (died bool) {
	var tid atomic.Int64
	done := make(chan struct{})
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		tid.Store(int64(syscall.Gettid()))
		for i := range g.programs {
			a.set1(g.slot+uint32(i), outcome(returned, uint32(attach(&g.programs[i]))))
		}
		first := g.slot + uint32(len(g.programs))
		for i := from; i < uint32(len(g.calls)); i++ {
			a.setCurrent(first + i)
			a.set(first+i, g.calls[i].make(a, first+uint32(len(g.calls))))
		}
		a.setCurrent(none)
		close(done)
	}()
	pid := syscall.Getpid()
	for wait := time.Millisecond; ; wait = min(2*wait, 4*time.Millisecond) {
		select {
		case <-done:
			return false
		case <-time.After(wait):
		}
		if id := tid.Load(); id != 0 && syscall.Tgkill(pid, int(id), 0) == syscall.ESRCH {
			return a.current() != none
		}
	}
}

// make makes the call. The runtime is told of it (Syscall6, not RawSyscall6), because the thread may
// not come back. archSlot takes the architecture that a SIGSYS tells.
func (c *call) make(a answers, archSlot uint32) uint32 {
	words := siginfoWords()
	words[0] = 0
	x := &c.args
	r, _, errno := syscall.Syscall6(uintptr(c.nr), uintptr(x[0]), uintptr(x[1]), uintptr(x[2]), uintptr(x[3]), uintptr(x[4]), uintptr(x[5]))
	if words[0] != 0 {
		si := signalInfo()
		a.set1(archSlot, si.arch)
		v := si.errno & 0xffff
		if si.syscall == uint32(c.nr) {
			v |= trappedNr
		}
		return outcome(trapped, v)
	}
	return outcome(returned, seenErrno(r, errno))
}

// seenErrno undoes what some of the ports make of a result: they take -4095 for no error.
func seenErrno(r uintptr, errno syscall.Errno) uint32 {
	if errno == 0 && -r <= 4095 {
		return uint32(-r)
	}
	return uint32(errno)
}

var diverging bool

// verdicts asks for each program whether it would load, without attaching one: a thread with a
// filter of its own makes synchronising a further one over all threads fail with ESRCH, but only
// after the loader has accepted it.
func (g *group) verdicts(a answers) error {
	if !diverging {
		ready := make(chan syscall.Errno)
		go func() {
			runtime.LockOSThread()
			ready <- attach(&program{insns: returnAllow()})
			select {} // the thread stays, and nothing else runs on it
		}()
		if errno := <-ready; errno != 0 {
			return fmt.Errorf("a diverging thread: %w", errno)
		}
		diverging = true
	}
	for i := range g.programs {
		p := g.programs[i]
		p.flags = flagTSYNC | flagTSYNCErrno
		switch errno := attach(&p); errno {
		case 0:
			return errors.New("a program was attached")
		case syscall.ESRCH:
			a.set(g.slot+uint32(i), outcome(returned, 0))
		default:
			a.set(g.slot+uint32(i), outcome(returned, uint32(errno)))
		}
	}
	return nil
}

// strict makes each call in a child in strict mode. The child uses nothing of the runtime: it shares
// the answers and makes raw calls.
func (g *group) strict(a answers) error {
	for i := range g.calls {
		slot := g.slot + uint32(i)
		if a.get(slot) != none {
			continue
		}
		c := &g.calls[i]
		a.setCurrent(slot)
		pid, errno := fork()
		if errno != 0 {
			return fmt.Errorf("fork: %w", errno)
		}
		if pid == 0 {
			strictChild(a, slot, c)
		}
		var status syscall.WaitStatus
		if _, err := syscall.Wait4(int(pid), &status, 0, nil); err != nil {
			return err
		}
		switch {
		case a.get(slot) != none:
		case status.Signaled():
			a.set(slot, outcome(diedProcess, uint32(status.Signal())))
		default:
			a.set(slot, outcome(exited, uint32(status.ExitStatus())))
		}
	}
	return nil
}

// strictChild must not grow its stack: the check for that may find that the thread shall make room for
// another goroutine, and there is none in the child.
//
//go:nosplit
func strictChild(a answers, slot uint32, c *call) {
	// The runtime's handlers make calls that strict mode does not allow: back to the defaults.
	var blank [40]byte
	for sig := syscall.SIGHUP; sig < 32; sig++ {
		syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&blank)), 0, sigsetSize, 0, 0)
	}
	_, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, prSetSeccomp, 1, 0, 0, 0, 0)
	if errno != 0 {
		a.set(slot, outcome(broken, uint32(errno)))
	} else {
		r, errno := strictCall(c)
		a.set(slot, outcome(returned, seenErrno(r, errno)))
	}
	for {
		syscall.RawSyscall(syscall.SYS_EXIT, 0, 0, 0)
	}
}

//go:nosplit
func fork() (pid uintptr, errno syscall.Errno) {
	if runtime.GOARCH == "s390x" { // the stack comes first there
		pid, _, errno = syscall.RawSyscall6(syscall.SYS_CLONE, 0, uintptr(syscall.SIGCHLD), 0, 0, 0, 0)
		return pid, errno
	}
	pid, _, errno = syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0)
	return pid, errno
}
