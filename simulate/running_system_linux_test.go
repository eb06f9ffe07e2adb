//go:build linux && amd64

package simulate

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/simulate/internal/randbpf"
	"github.com/profcheck/profcheck/syscalls"
)

// runningKernel is the release of the kernel under the test.
func runningKernel(t *testing.T) syscalls.Kernel {
	t.Helper()
	text, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		t.Fatal(err)
	}
	k, err := syscalls.ParseKernel(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// realNumbers are the numbers by one of the ways that are worth a try, with their ABI.
func realNumbers(way int) map[uint64]*syscalls.Arch {
	numbers := make(map[uint64]*syscalls.Arch)
	names := [...]string{bySyscall: "x86_64", byInt80: "x86"}
	for nr := range uint64(500) {
		numbers[nr] = syscalls.ByName(names[way])
		if way == bySyscall {
			numbers[nr|0x40000000] = syscalls.ByName("x32")
		}
	}
	numbers[0xffffffff] = syscalls.ByName(names[way])
	return numbers
}

// unsure reports whether a stable release may have got an exemption that its number does not tell.
func unsure(s System, arch *syscalls.Arch, nr uint64) bool {
	_, newest := (System{}).Exempt(arch, int32(nr))
	_, ok := s.Exempt(arch, int32(nr))
	return newest && !ok && !s.before(6, 11)
}

// TestStrictRunningKernel makes every call in strict mode, each in a process of its own.
func TestStrictRunningKernel(t *testing.T) {
	w := newWitness(t)
	system := System{Kernel: runningKernel(t)}
	var works []work
	allowed := 0
	for way := range 2 {
		for nr, arch := range realNumbers(way) {
			c := rawCall{nr: nr, args: [6]uint64{1<<64 - 1}, way: uint64(way)} // no such file descriptor
			want := result{processKilled, sigkill}
			if unsure(system, arch, nr) {
				continue
			}
			name, _ := arch.NameOf(int32(nr))
			_, exempt := system.Exempt(arch, int32(nr))
			if Strict(arch, int32(nr)) || exempt {
				allowed++
				switch name {
				case "read", "write":
					want = result{returned, -9} // EBADF
				case "exit":
					c.args[0], want = 7, result{exited, 7}
				case "rt_sigreturn", "sigreturn":
					want = result{processKilled, sigsegv} // there is no frame to return to
				case "uretprobe":
					want = result{processKilled, sigill} // not called by the kernel's own code
				case "uprobe":
					want = result{returned, -6} // ENXIO
				}
			}
			works = append(works, work{kind: jobStrict, calls: []rawCall{c}, want: []result{want}})
		}
	}
	w.ask(t, works, func(w *work, i int, got result) {
		if got != w.want[i] {
			t.Errorf("call %+v in strict mode: the kernel: %v; we: %v", w.calls[i], got, w.want[i])
		}
	})
	t.Logf("%d calls, %d of them allowed", len(works), allowed)
	if allowed < 8 || len(works) < 1500 {
		t.Error("too few calls")
	}
}

// TestExemptRunningKernel makes the exempt calls under a filter that fails all, and their neighbours.
func TestExemptRunningKernel(t *testing.T) {
	w := newWitness(t)
	system := System{Kernel: runningKernel(t)}
	const exit = 60
	stack := Stack{{
		filter.Load(filter.OffsetNr),
		filter.Jump(filter.OpJeqK, exit, 0, 1),
		filter.Return(filter.Allow),
		filter.Return(filter.ErrnoAction(1)),
	}}
	var works []work
	for way := range 2 {
		for nr, arch := range realNumbers(way) {
			if nr != exit && !unsure(system, arch, nr) {
				_, exempt := system.Exempt(arch, int32(nr))
				c := rawCall{nr: nr, way: uint64(way)}
				if works = append(works, work{kind: jobProcess, stack: stack, calls: []rawCall{c}, want: []result{{returned, -1}}}); exempt {
					works[len(works)-1].want = []result{{}}
				}
			}
		}
	}
	through := 0
	w.ask(t, works, func(w *work, i int, got result) {
		exempt := w.want[i] == result{}
		if exempt {
			through++
		}
		if denied := got == (result{returned, -1}); denied == exempt {
			t.Errorf("call %+v under a filter that fails all: the kernel: %v; exempt: %v", w.calls[i], got, exempt)
		}
	})
	if !system.before(6, 18) && through != 2 {
		t.Errorf("%d calls are exempt on Linux %v", through, system.Kernel)
	}
}

// TestWatchedRunningKernel puts a tracer or a listener beside filters that return all actions. An
// older filter without a listener has none, even if a newer one has.
func TestWatchedRunningKernel(t *testing.T) {
	w := newWitness(t)
	through := randbpf.LetThrough(syscalls.ByName("x86_64"))
	ret := func(a filter.Action) filter.Program {
		return append(through[:len(through):len(through)], filter.Return(a))
	}
	asked := 0
	var works []work
	for _, base := range []filter.Action{filter.Allow, filter.Log, filter.Trace, filter.UserNotif, filter.Errno, filter.KillProcess, 0x00060000} {
		for _, data := range []filter.Action{0, 9, 0xffff} {
			a := base | data
			for _, job := range []struct {
				kind  uint32
				stack Stack
				sys   System
			}{
				{jobTracer, Stack{ret(a)}, System{Tracer: true}},
				{jobListener, Stack{ret(a)}, System{Listener: true}},
				{jobListener, Stack{ret(a), ret(filter.Allow)}, System{}},
				{jobProcess, Stack{ret(a)}, System{}},
			} {
				want := seenIn(job.sys, a)
				if want.kind == traced || want.value == -listenerErrno {
					asked++
				}
				works = append(works, work{kind: job.kind, stack: job.stack, calls: []rawCall{{nr: 700}}, want: []result{want}})
			}
		}
	}
	w.ask(t, works, func(w *work, i int, got result) {
		if got != w.want[i] {
			t.Errorf("job %d of %d filters, the oldest %v: the kernel: %v; we: %v", w.kind, len(w.stack), w.stack[0], got, w.want[i])
		}
	})
	if asked != 6 {
		t.Errorf("asked %d times", asked)
	}
}

// watcher lets nothing run: an older filter that hands every call to a tracer who is not there. The
// call that loads the next filter must go through.
func watcher() filter.Program {
	const sysSeccomp = 317
	return filter.Program{
		filter.Load(filter.OffsetArch),
		filter.Jump(filter.OpJeqK, 0xc000003e, 0, 3),
		filter.Load(filter.OffsetNr),
		filter.Jump(filter.OpJeqK, sysSeccomp, 0, 1),
		filter.Return(filter.Allow),
		filter.Return(filter.Trace),
	}
}

// TestProfilesRunningKernel makes every real call under real profiles, and none of them runs: what a
// profile allows fails for want of a tracer.
func TestProfilesRunningKernel(t *testing.T) {
	w := newWitness(t)
	programs := builtinFilters(t)
	for _, pattern := range []string{"moby/moby-amd64-*.bpf", "moby/moby-386-*.bpf"} {
		files, err := filepath.Glob(filepath.Join(sharedDir(t, "vectors"), pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, file := range files {
			programs[filepath.Base(file)] = readFilter(t, file, binary.LittleEndian)
		}
	}
	var works []work
	for _, p := range programs {
		works = append(works, realCalls(w, p))
	}
	calls, outcomes := 0, make(map[result]int)
	w.ask(t, works, func(w *work, i int, got result) {
		calls++
		outcomes[got]++
		if got != w.want[i] {
			t.Errorf("call %+v under a filter of %d instructions: the kernel: %v; we: %v", w.calls[i], len(w.stack[1]), got, w.want[i])
		}
	})
	t.Logf("%d filters, %d calls: %v", len(programs), calls, outcomes)
	if calls < 50_000 || outcomes[result{returned, -enosys}] == 0 || outcomes[result{returned, -1}] == 0 {
		t.Error("the calls do not show enough")
	}
}

// builtinFilters are our own compilations of the profiles that come with profcheck.
func builtinFilters(t *testing.T) map[string]filter.Program {
	t.Helper()
	programs := make(map[string]filter.Program)
	for _, b := range profile.Builtins() {
		p, err := profile.Open(b.Name)
		if err != nil {
			t.Fatal(err)
		}
		r, err := p.Resolve(p.DefaultTarget(syscalls.ByName("x86_64")))
		if err != nil {
			t.Fatal(err)
		}
		if r.Disabled {
			continue
		}
		if programs[b.Name], err = r.Compile(); err != nil {
			t.Fatal(err)
		}
	}
	return programs
}

// realCalls makes the work for one real filter. Left out are the exempt calls, which would run, and
// the one that the watcher lets through.
func realCalls(w *witness, p filter.Program) work {
	const kills, sysSeccomp = 5, 317
	job := work{kind: jobThread, stack: Stack{watcher(), p}}
	killed := 0
	for way := range 2 {
		for nr, arch := range realNumbers(way) {
			if _, exempt := (System{}).Exempt(arch, int32(nr)); exempt || way == bySyscall && nr == sysSeccomp {
				continue
			}
			for _, args := range [][6]uint64{{}, {8, 0x20000, 1}, {0x20008, 3, 0x7e020000}, {0xffffffff, 1 << 32, 40}, {1<<32 | 8, 16, 1}, {0x10000000, 1, 2, 3, 4, 5}} {
				c := rawCall{nr: nr, args: args, way: uint64(way)}
				d := w.data(&c)
				a, _ := job.stack.Run(&d, binary.LittleEndian)
				want := seenAs(a)
				if want.kind == threadKilled || want.kind == processKilled {
					if killed++; killed > kills {
						continue
					}
				}
				job.calls, job.want = append(job.calls, c), append(job.want, want)
			}
		}
	}
	return job
}
