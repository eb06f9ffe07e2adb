//go:build linux && amd64

package simulate

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/simulate/internal/randbpf"
	"github.com/profcheck/profcheck/syscalls"
)

// A witness is the running kernel behind testdata/witness.c, a small program in C: a Go process makes
// calls of its own that a random filter would disturb.
type witness struct {
	path  string
	after [2]uint64 // by way: the instruction pointer that filters see
}

// The kinds of jobs and of results, and the ways into the kernel, as in witness.c.
const (
	jobThread = iota
	jobStrict
	jobProcess
	jobTime
	jobListener
	jobTracer
)

const (
	notMade = iota
	returned
	trapped
	trappedBadly
	threadKilled
	processKilled
	exited
	notAttached
	traced
)

const (
	bySyscall = iota
	byInt80
)

const (
	sigill, sigkill, sigsegv, sigsys = 4, 9, 11, 31
)

// A work is a job for the witness: a stack of filters and calls under it.
type work struct {
	kind  uint32
	stack Stack
	calls []rawCall
	want  []result // by call
}

// A rawCall is what goes into the registers.
type rawCall struct {
	nr   uint64
	args [6]uint64
	way  uint64
}

type result struct{ kind, value int32 }

func (r result) String() string {
	names := [...]string{"not made", "returned", "trapped", "trapped badly", "thread killed", "process killed", "exited", "not attached", "traced"}
	return fmt.Sprintf("%s %d", names[r.kind], r.value)
}

// newWitness builds the program. It skips without a C compiler and where filters cannot be loaded, and
// fails instead where CI is set.
func newWitness(t *testing.T) *witness {
	t.Helper()
	unless := func(err error, what string, out []byte) {
		if err == nil {
			return
		}
		if os.Getenv("CI") != "" {
			t.Fatalf("%s: %v: %s", what, err, out)
		}
		t.Skipf("the running kernel cannot be asked: %s: %v: %s", what, err, out)
	}
	gcc, err := exec.LookPath("gcc")
	unless(err, "a C compiler", nil)
	w := &witness{path: filepath.Join(t.TempDir(), "witness")}
	out, err := exec.Command(gcc, "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-no-pie", "-fno-stack-protector", "-o", w.path, "testdata/witness.c").CombinedOutput()
	unless(err, "building testdata/witness.c", out)
	out, err = exec.Command(w.path).Output()
	if err == nil {
		_, err = fmt.Sscan(string(out), &w.after[bySyscall], &w.after[byInt80])
	}
	unless(err, "running the witness", out)
	probe := []work{{kind: jobProcess, stack: Stack{{filter.Return(filter.Allow)}}, calls: []rawCall{{nr: 700}}}}
	w.ask(t, probe, func(_ *work, _ int, got result) {
		if got != (result{returned, -38}) {
			unless(fmt.Errorf("%v", got), "loading a filter", nil)
		}
	})
	return w
}

// data is what filters see of a call: the number is cut to 32 bits, and the arguments are the whole
// registers. That is so for int 0x80, too: a 64-bit program that makes a 32-bit call this way shows
// filters the upper halves, which the call itself does not look at.
func (w *witness) data(c *rawCall) filter.Data {
	d := filter.Data{Nr: int32(c.nr), Arch: 0xc000003e, IP: w.after[c.way], Args: c.args}
	if c.way == byInt80 {
		d.Arch = 0x40000003
	}
	return d
}

// ask runs the works on all processors and hands each result on, in no order, to one call of check at a
// time.
func (w *witness) ask(t *testing.T, works []work, check func(w *work, call int, got result)) {
	t.Helper()
	var wait sync.WaitGroup
	var mutex sync.Mutex
	n := runtime.NumCPU()
	for part := range n {
		mine := works[len(works)*part/n : len(works)*(part+1)/n]
		if len(mine) == 0 {
			continue
		}
		wait.Go(func() {
			out, err := w.run(mine)
			mutex.Lock()
			defer mutex.Unlock()
			if err != nil {
				t.Errorf("witness: %v", err)
				return
			}
			for i := range mine {
				for j := range mine[i].calls {
					check(&mine[i], j, result{int32(binary.LittleEndian.Uint32(out)), int32(binary.LittleEndian.Uint32(out[4:]))})
					out = out[8:]
				}
			}
		})
	}
	wait.Wait()
}

func (w *witness) run(works []work) ([]byte, error) {
	var in []byte
	le, calls := binary.LittleEndian, 0
	for i := range works {
		in = le.AppendUint32(in, works[i].kind)
		in = le.AppendUint32(in, uint32(len(works[i].stack)))
		in = le.AppendUint32(in, uint32(len(works[i].calls)))
		in = le.AppendUint32(in, 0)
		for _, p := range works[i].stack {
			in = le.AppendUint64(in, uint64(len(p)))
			in = append(in, p.Encode(le)...)
		}
		for _, c := range works[i].calls {
			in = le.AppendUint64(in, c.nr)
			for _, a := range c.args {
				in = le.AppendUint64(in, a)
			}
			in = le.AppendUint64(in, c.way)
		}
		calls += len(works[i].calls)
	}
	file, err := os.CreateTemp(filepath.Dir(w.path), "work")
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name())
	if _, err = file.Write(in); err == nil {
		err = file.Close()
	}
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, w.path, file.Name())
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, stderr.String())
	}
	if stdout.Len() != 8*calls {
		return nil, fmt.Errorf("%d bytes for %d calls", stdout.Len(), calls)
	}
	return stdout.Bytes(), nil
}

// seenAs is what the witness sees of a value that filters return for a call that no kernel has.
func seenAs(a filter.Action) result { return seenIn(System{}, a) }

// listenerErrno is what the witness answers as a listener.
const listenerErrno = 77

func seenIn(s System, a filter.Action) result {
	switch e := s.Effect(a); e.Kind {
	case Runs:
		return result{returned, -enosys}
	case Fails:
		return result{returned, int32(-e.Errno)}
	case Signal:
		return result{trapped, int32(a.Data())}
	case KillsThread:
		return result{threadKilled, 0}
	case KillsProcess:
		return result{processKilled, sigsys}
	}
	if s.Tracer {
		return result{traced, int32(a.Data())}
	}
	return result{returned, -listenerErrno}
}

// A pairMaker makes works with random filters and calls, and what our evaluators say of them.
type pairMaker struct {
	*witness
	gen            *randbpf.Generator
	rng            *rand.Rand
	x86, x8664     *syscalls.Arch
	filters, pairs int
	ways           [2]int
	ran            randbpf.Coverage // instructions that ran, of a part of the pairs
	complaints     []string         // evaluators of our own that differ
}

func newPairMaker(w *witness, seed uint64) *pairMaker {
	return &pairMaker{
		witness: w, gen: randbpf.New(seed), rng: rand.New(rand.NewPCG(seed, 1)),
		x86: syscalls.ByName("x86"), x8664: syscalls.ByName("x86_64"), ran: make(randbpf.Coverage),
	}
}

// stack is mostly one filter that makes outcomes visible; one in five returns all actions, and one in
// five is a stack, where all but the newest let the loading of the next through.
func (m *pairMaker) stack() Stack {
	switch m.rng.IntN(5) {
	case 0:
		return Stack{m.gen.Filter(randbpf.Shape{IP: true, Actions: true, Raw: true})}
	case 1:
		older := randbpf.Shape{IP: true, Actions: true, Raw: m.rng.IntN(2) == 0, Prefix: randbpf.LetThrough(m.x8664)}
		return append(m.gen.Stack(1+m.rng.IntN(3), older), m.gen.Filter(randbpf.Shape{IP: true, Actions: true}))
	}
	return Stack{m.gen.Filter(randbpf.Shape{IP: true})}
}

// call makes a call by either way, some with the upper halves of registers filled.
func (m *pairMaker) call(p filter.Program) rawCall {
	way := m.rng.IntN(2)
	arch := [...]*syscalls.Arch{bySyscall: m.x8664, byInt80: m.x86}[way]
	d := m.gen.Data(arch, p)
	c := rawCall{nr: uint64(uint32(d.Nr)), args: d.Args, way: uint64(way)}
	if m.rng.IntN(4) == 0 {
		c.nr |= m.rng.Uint64() << 32
	}
	for i := range c.args {
		if way == byInt80 && m.rng.IntN(4) == 0 {
			c.args[i] |= m.rng.Uint64() << 32
		}
	}
	return c
}

// work makes one job. A call that kills costs as much as hundreds of others, and so there are few.
func (m *pairMaker) work(calls int) work {
	const kills = 3
	w := work{kind: jobThread, stack: m.stack()}
	newest := w.stack[len(w.stack)-1]
	machine := NewMachine(newest, binary.LittleEndian)
	killed := 0
	for range 2 * calls {
		c := m.call(newest)
		d := m.data(&c)
		a, decider := w.stack.Run(&d, binary.LittleEndian)
		if len(w.stack) == 1 {
			if got := machine.Run(&d); got != a && (decider == 0 || got.Base() != filter.Allow) {
				m.complaints = append(m.complaints, fmt.Sprintf("%v on %+v: Run %v, Machine %v", newest, d, a, got))
			}
		}
		want := seenAs(a)
		if want.kind == threadKilled || want.kind == processKilled {
			if killed++; killed > kills {
				continue
			}
		}
		w.calls, w.want = append(w.calls, c), append(w.want, want)
		m.ways[c.way]++
		if len(w.calls) <= 16 {
			m.trace(w.stack, &d, a)
		}
		if len(w.calls) == calls {
			break
		}
	}
	m.filters += len(w.stack)
	m.pairs += len(w.calls)
	return w
}

// trace takes down which instructions ran, and holds the trace against the value of the stack.
func (m *pairMaker) trace(s Stack, d *filter.Data, want filter.Action) {
	r := s.Trace(d, binary.LittleEndian)
	if r.Action != want {
		m.complaints = append(m.complaints, fmt.Sprintf("%v on %+v: Run %v, Trace %v", s, *d, want, r.Action))
	}
	for i, p := range s {
		for _, step := range r.Results[i].Trace {
			m.ran[p[step.PC].Code]++
		}
	}
}
