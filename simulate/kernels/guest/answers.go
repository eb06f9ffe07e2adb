//go:build linux && (arm || arm64 || mips64le || mipsle || ppc64le || s390x)

package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// Outcomes of calls: the kind in the upper 8 bits, and what belongs to it in the lower 24.
const (
	returned    = 0 // errno, 0 for a success
	diedThread  = 1
	diedProcess = 2 // signal
	trapped     = 3 // si_errno; trappedNr set if si_syscall is the number called
	exited      = 4 // status
	broken      = 5 // the witness itself failed; errno
	trappedNr   = 1 << 16
	none        = 0xffffffff // not done
)

func outcome(kind, value uint32) uint32 { return kind<<24 | value&0xffffff }

// Answers are the outcomes in a file that all processes share, so that they outlive each of them.
// In front stand the group that is being worked on and the answer that is being waited for.
type answers []uint32

const headerSize = 8

func createAnswers(file string, n uint32) (answers, error) {
	blank := make([]byte, headerSize+4*n)
	for i := range blank {
		blank[i] = 0xff
	}
	clear(blank[:4])
	if err := os.WriteFile(file, blank, 0o600); err != nil {
		return nil, err
	}
	return openAnswers(file, n)
}

func openAnswers(file string, n uint32) (answers, error) {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	m, err := syscall.Mmap(int(f.Fd()), 0, headerSize+4*int(n), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return unsafe.Slice((*uint32)(unsafe.Pointer(&m[0])), headerSize/4+n), f.Close()
}

func (a answers) group() uint32       { return atomic.LoadUint32(&a[0]) }
func (a answers) setGroup(g uint32)   { atomic.StoreUint32(&a[0], g) }
func (a answers) current() uint32     { return atomic.LoadUint32(&a[1]) }
func (a answers) setCurrent(i uint32) { atomic.StoreUint32(&a[1], i) }
func (a answers) get(i uint32) uint32 { return atomic.LoadUint32(&a[i+headerSize/4]) }
func (a answers) set(i, v uint32)     { atomic.StoreUint32(&a[i+headerSize/4], v) }

// set1 is for an answer that may come again, when a thread follows one that died, and must be the
// same then.
func (a answers) set1(i, v uint32) {
	if old := a.get(i); old != none && old != v {
		v = outcome(broken, old)
	}
	a.set(i, v)
}

// Kinds of groups.
const (
	underFilters = 1 // attach the programs, oldest first, and make the calls
	verdicts     = 2 // would the programs load?
	strictMode   = 3 // make each call in a process of its own in strict mode
)

// A group is one piece of work. Its answers are those of the programs, those of the calls, and the
// last si_arch of a SIGSYS.
type group struct {
	kind     uint32
	slot     uint32 // of its first answer
	programs []program
	calls    []call
}

type program struct {
	flags uint32
	insns []byte // struct sock_filter
}

type call struct {
	nr   uint64
	args [6]uint64
}

// A workload is a file of work: 32- and 64-bit numbers in little-endian order, and instructions in
// that of the machine. It is read group by group, because a program that a filter killed starts again
// and has no use for what was done.
type workload struct {
	slots, groups uint32
	rest          []byte // behind the groups that were read
}

func readWork(file string) (*workload, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	b, err := syscall.Mmap(int(f.Fd()), 0, int(info.Size()), syscall.PROT_READ, syscall.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	w := &workload{rest: b}
	w.slots, w.groups = w.u32(), w.u32()
	return w, f.Close()
}

func (w *workload) u32() uint32 {
	v := binary.LittleEndian.Uint32(w.rest)
	w.rest = w.rest[4:]
	return v
}

func (w *workload) u64() uint64 {
	v := binary.LittleEndian.Uint64(w.rest)
	w.rest = w.rest[8:]
	return v
}

// skip goes over one group.
func (w *workload) skip() {
	n := w.u32()
	w.rest = w.rest[n:]
}

// next reads one group.
func (w *workload) next() *group {
	w.u32() // its size
	g := &group{kind: w.u32(), slot: w.u32()}
	g.programs, g.calls = make([]program, w.u32()), make([]call, w.u32())
	for j := range g.programs {
		p := &g.programs[j]
		p.flags = w.u32()
		n := 8 * w.u32()
		p.insns, w.rest = w.rest[:n:n], w.rest[n:]
	}
	for j := range g.calls {
		c := &g.calls[j]
		c.nr = w.u64()
		for k := range c.args {
			c.args[k] = w.u64()
		}
	}
	return g
}
