//go:build linux && (arm || arm64 || mips64le || mipsle || ppc64le || s390x)

package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"syscall"
	"unsafe"
)

// A script is calls that a program of a few instructions makes one by one. It serves the ABIs that Go
// has no port for. Program and guest share the file /script, which the program has as descriptor 3
// and maps at scriptBase; it begins with the calls, which end in exit, and goes on with what they
// point to.
//
// A call is ten 64-bit numbers in the machine's order: number, six arguments, and, when it is made,
// the result, the error flag, and 1.
const (
	scriptBase = 0x20000000
	scriptSize = 0x800000
	stepWords  = 10
	stepDone   = 9
)

// Numbers of MIPS n32, the only ABI that has scripts so far.
const (
	scriptPrctl   = 6153
	scriptExit    = 6058
	scriptSeccomp = 6316
)

type script struct {
	program string
	file    *os.File
	words   []uint64
	bytes   []byte
	free    int // where data go
	steps   int
}

func openScript(program string) (*script, error) {
	f, err := os.OpenFile("/script", os.O_CREATE|os.O_RDWR|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Truncate(scriptSize); err != nil {
		return nil, err
	}
	m, err := syscall.Mmap(int(f.Fd()), 0, scriptSize, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	return &script{program: program, file: f, bytes: m, words: unsafe.Slice((*uint64)(unsafe.Pointer(&m[0])), scriptSize/8)}, nil
}

// begin forgets all steps; there will be n.
func (s *script) begin(n int) {
	s.steps, s.free = 0, 8*stepWords*(n+1)
}

func (s *script) step(nr uint64, args ...uint64) {
	w := s.words[s.steps*stepWords:][:stepWords]
	clear(w)
	w[0] = nr
	copy(w[1:7], args)
	s.steps++
}

// attach adds a step that loads a filter.
func (s *script) attach(flags uint64, p *program) error {
	at := (s.free + 7) &^ 7
	s.free = at + 8 + len(p.insns)
	if s.free > len(s.bytes) {
		return errors.New("the script is full")
	}
	binary.NativeEndian.PutUint16(s.bytes[at:], uint16(len(p.insns)/8))
	binary.NativeEndian.PutUint32(s.bytes[at+4:], uint32(scriptBase+at+8))
	copy(s.bytes[at+8:], p.insns)
	s.step(scriptSeccomp, setModeFilter, flags, uint64(scriptBase+at))
	return nil
}

// run runs the steps, and returns how many were made and how the process ended.
func (s *script) run() (made int, status syscall.WaitStatus, err error) {
	s.step(scriptExit)
	p, err := os.StartProcess(s.program, []string{s.program}, &os.ProcAttr{Files: []*os.File{os.Stdin, os.Stdout, os.Stderr, s.file}})
	if err != nil {
		return 0, 0, err
	}
	state, err := p.Wait()
	if err != nil {
		return 0, 0, err
	}
	for made < s.steps && s.words[made*stepWords+stepDone] == 1 {
		made++
	}
	return made, state.Sys().(syscall.WaitStatus), nil
}

// result is what became of a step that was made.
func (s *script) result(step int) uint32 {
	w := s.words[step*stepWords:]
	if w[8] != 0 {
		return outcome(returned, uint32(w[7]))
	}
	return outcome(returned, 0)
}

// runScripts does a job by scripts.
func runScripts(program string, w *workload, a answers) error {
	s, err := openScript(program)
	if err != nil {
		return err
	}
	for i := range w.groups {
		g := w.next()
		switch g.kind {
		case underFilters:
			err = s.underFilters(g, a)
		case verdicts:
			err = s.verdicts(g, a)
		case strictMode:
			err = s.strict(g, a)
		}
		if err != nil {
			return fmt.Errorf("group %d: %w", i, err)
		}
	}
	return nil
}

// underFilters starts a new process after each call that kills one.
func (s *script) underFilters(g *group, a answers) error {
	first := g.slot + uint32(len(g.programs))
	for next := 0; next < len(g.calls); {
		s.begin(len(g.programs) + len(g.calls))
		for i := range g.programs {
			if err := s.attach(uint64(g.programs[i].flags), &g.programs[i]); err != nil {
				return err
			}
		}
		for _, c := range g.calls[next:] {
			s.step(c.nr, c.args[:]...)
		}
		made, status, err := s.run()
		if err != nil {
			return err
		}
		if made < len(g.programs) {
			return fmt.Errorf("%#x after %d steps", status, made)
		}
		for i := range g.programs {
			a.set1(g.slot+uint32(i), s.result(i))
		}
		for step := len(g.programs); step < made; step++ {
			a.set(first+uint32(next), s.result(step))
			next++
		}
		if next < len(g.calls) {
			if !status.Signaled() {
				return fmt.Errorf("%#x after %d steps", status, made)
			}
			a.set(first+uint32(next), outcome(diedProcess, uint32(status.Signal())))
			next++
		}
	}
	return nil
}

// verdicts asks whether programs would load. The process has a filter with a listener, so that a
// second one with a listener fails with EBUSY, but only after the loader has accepted it.
func (s *script) verdicts(g *group, a answers) error {
	const newListener, batch = 8, 1000
	for from := 0; from < len(g.programs); from += batch {
		list := g.programs[from:min(from+batch, len(g.programs))]
		s.begin(len(list) + 1)
		err := s.attach(newListener, &program{insns: returnAllow()})
		for i := range list {
			err = errors.Join(err, s.attach(newListener, &list[i]))
		}
		if err != nil {
			return err
		}
		made, status, err := s.run()
		if err != nil || made <= len(list) {
			return fmt.Errorf("%w, %#x after %d steps", err, status, made)
		}
		for i := range list {
			v := s.result(i + 1)
			switch v {
			case outcome(returned, uint32(syscall.EBUSY)):
				v = outcome(returned, 0)
			case outcome(returned, 0):
				return errors.New("a program was attached")
			}
			a.set(g.slot+uint32(from+i), v)
		}
	}
	return nil
}

func (s *script) strict(g *group, a answers) error {
	for i, c := range g.calls {
		s.begin(2)
		s.step(scriptPrctl, prSetSeccomp, 1)
		s.step(c.nr, c.args[:]...)
		made, status, err := s.run()
		if err != nil {
			return err
		}
		var v uint32
		switch {
		case made == 0 || s.result(0) != 0:
			return fmt.Errorf("no strict mode: %#x", status)
		case made > 1:
			v = s.result(1)
		case status.Signaled():
			v = outcome(diedProcess, uint32(status.Signal()))
		default:
			v = outcome(exited, uint32(status.ExitStatus()))
		}
		a.set(g.slot+uint32(i), v)
	}
	return nil
}
