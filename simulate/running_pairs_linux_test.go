//go:build linux && amd64

package simulate

import (
	"encoding/binary"
	"os"
	"testing"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/simulate/internal/randbpf"
	"github.com/profcheck/profcheck/syscalls"
)

// TestPairsRunningKernel compares with the running kernel: millions of pairs of a random filter and a
// call, by syscall and by int 0x80, with stacks and all actions.
func TestPairsRunningKernel(t *testing.T) {
	need, perFilter := 2_000_000, 400
	switch {
	case testing.Short():
		need = 100_000
	case os.Getenv("PROFCHECK_FULL") != "":
		need = 50_000_000
	}
	w := newWitness(t)
	m := newPairMaker(w, 1)
	kinds, differ := make(map[int32]int), 0
	for m.pairs < need {
		var batch []work
		for range 500 {
			batch = append(batch, m.work(perFilter))
		}
		w.ask(t, batch, func(w *work, i int, got result) {
			kinds[got.kind]++
			if got == w.want[i] {
				return
			}
			if differ++; differ <= 3 {
				t.Errorf("%v, call %+v: the kernel: %v; we: %v", w.stack, w.calls[i], got, w.want[i])
			}
		})
		if t.Failed() {
			break
		}
	}
	code, least := m.ran.Least()
	t.Logf("%d pairs (%v by syscall and int 0x80), %d filters, results by kind %v, code %#02x ran least, %d times; %d differ",
		m.pairs, m.ways, m.filters, kinds, code, least, differ)
	if differ > 0 || len(m.complaints) > 0 {
		t.Errorf("%d of %d pairs differ from the kernel; %d of ours from each other: %.1v", differ, m.pairs, len(m.complaints), m.complaints)
	}
	if min(m.ways[0], m.ways[1]) < need/3 || m.filters < need/500 || least < 500 {
		t.Error("too few calls by one of the ways, filters, or runs of one instruction")
	}
	for _, kind := range []int32{returned, trapped, threadKilled, processKilled} {
		if kinds[kind] < min(need/1000, 1000) {
			t.Errorf("%v: %d times only", result{kind, 0}, kinds[kind])
		}
	}
	for _, kind := range []int32{notMade, trappedBadly, exited, notAttached} {
		if kinds[kind] != 0 {
			t.Errorf("%v: %d times", result{kind, 0}, kinds[kind])
		}
	}
}

// wrongStacks have one defect each in what they make of several filters.
var wrongStacks = map[string]func(Stack, *filter.Data) filter.Action{
	"oldest keeps its data": combined(func(now, next filter.Action) bool { return int32(next.Base()) <= int32(now.Base()) }),
	"unsigned precedence":   combined(func(now, next filter.Action) bool { return next.Base() < now.Base() }),
	"data take part":        combined(func(now, next filter.Action) bool { return int32(next) < int32(now) }),
	"highest wins": combined(func(now, next filter.Action) bool {
		return now == filter.Allow || int32(next.Base()) > int32(now.Base())
	}),
	"newest alone": func(s Stack, d *filter.Data) filter.Action { return runLE(s[len(s)-1], d) },
	"int 0x80 is native": func(s Stack, d *filter.Data) filter.Action {
		native := *d
		native.Arch = 0xc000003e
		a, _ := s.Run(&native, binary.LittleEndian)
		return a
	},
	"instruction pointer 0": func(s Stack, d *filter.Data) filter.Action {
		nowhere := *d
		nowhere.IP = 0
		a, _ := s.Run(&nowhere, binary.LittleEndian)
		return a
	},
	"errno not cut": func(s Stack, d *filter.Data) filter.Action {
		a, _ := s.Run(d, binary.LittleEndian)
		if a.Base() == filter.Errno && a.Data() > filter.MaxErrno {
			return filter.KillProcess // stands for any other result
		}
		return a
	},
	"unknown actions allow": func(s Stack, d *filter.Data) filter.Action {
		if a, _ := s.Run(d, binary.LittleEndian); a.Known() {
			return a
		}
		return filter.Allow
	},
}

// combined runs a stack newest first and replaces the value where a rule says so.
func combined(replace func(now, next filter.Action) bool) func(Stack, *filter.Data) filter.Action {
	return func(s Stack, d *filter.Data) filter.Action {
		now := filter.Allow
		for i := len(s) - 1; i >= 0; i-- {
			if next := runLE(s[i], d); replace(now, next) {
				now = next
			}
		}
		return now
	}
}

// TestWrongRunningKernel is the twin: each wrong evaluator is found out by the same pairs.
func TestWrongRunningKernel(t *testing.T) {
	w := newWitness(t)
	m := newPairMaker(w, 2)
	var batch []work
	for range 1200 {
		batch = append(batch, m.work(20))
	}
	evaluators := make(map[string]func(Stack, *filter.Data) filter.Action)
	for name, wrong := range wrongStacks {
		evaluators[name] = wrong
	}
	for name, wrong := range wrongEvaluators {
		evaluators[name] = func(s Stack, d *filter.Data) filter.Action {
			now := filter.Allow
			for i := len(s) - 1; i >= 0; i-- {
				if next := wrong(s[i], d); int32(next.Base()) < int32(now.Base()) {
					now = next
				}
			}
			return now
		}
	}
	evaluators["none"] = func(s Stack, d *filter.Data) filter.Action {
		a, _ := s.Run(d, binary.LittleEndian)
		return a
	}
	caught := make(map[string]int)
	w.ask(t, batch, func(work *work, i int, got result) {
		d := w.data(&work.calls[i])
		for name, evaluate := range evaluators {
			if seenAs(evaluate(work.stack, &d)) != got {
				caught[name]++
			}
		}
	})
	t.Logf("of %d pairs differ: %v", m.pairs, caught)
	for name := range evaluators {
		if (caught[name] > 0) == (name == "none") {
			t.Errorf("%s: differs on %d of %d pairs", name, caught[name], m.pairs)
		}
	}
}

// TestTellingRunningKernel tells the actions apart that look alike for a call that no kernel has:
// an older filter returns an unknown action, which kills where the newer one's is higher.
func TestTellingRunningKernel(t *testing.T) {
	w := newWitness(t)
	const between = 0x7ffd0000 // LOG < 7ffd0000 < ALLOW, and so on downwards
	var works []work
	for _, older := range []filter.Action{between, 0x7ff80000, 0x7fd00000, 0x7fb00000, 0x00060000, 0x00040000, 0x00020000, 0x80010000} {
		for _, newer := range append(randbpf.Actions(), 0x7fff0005, 0x7ffc0005, 0x7ff00005, 0x7fc00005, 0x00051005, 0x00030005) {
			s := Stack{
				append(randbpf.LetThrough(syscalls.ByName("x86_64")), filter.Return(older)),
				{filter.Return(newer)},
			}
			d := filter.Data{Nr: 700}
			a, _ := s.Run(&d, binary.LittleEndian)
			works = append(works, work{kind: jobThread, stack: s, calls: []rawCall{{nr: 700}}, want: []result{seenAs(a)}})
		}
	}
	kinds := make(map[result]int)
	w.ask(t, works, func(w *work, i int, got result) {
		kinds[got]++
		if got != w.want[i] {
			t.Errorf("%v under %v: the kernel: %v; we: %v", w.stack[1], w.stack[0], got, w.want[i])
		}
	})
	t.Logf("%d stacks: %v", len(works), kinds)
	if kinds[result{returned, -enosys}] < 10 || kinds[result{processKilled, sigsys}] < 10 {
		t.Error("the stacks do not tell the actions apart")
	}
}

// TestUpperHalvesRunningKernel shows what filters see of the upper halves of the registers, one
// argument after the other: they see them by int 0x80, too, although the 32-bit call itself takes the
// lower halves alone. A filter that compares all 64 bits of an argument of a 32-bit call can be led
// astray by a 64-bit program.
func TestUpperHalvesRunningKernel(t *testing.T) {
	w := newWitness(t)
	var works []work
	for i := range 6 {
		for way := range uint64(2) {
			p := append(filter.Program{filter.Load(filter.ArgHigh(i, nil))}, visible(0)...)
			c := rawCall{nr: 700, way: way}
			c.args[i] = uint64(100+i)<<32 | 7
			works = append(works, work{kind: jobThread, stack: Stack{p}, calls: []rawCall{c}, want: []result{{returned, int32(-100 - i)}}})
		}
	}
	w.ask(t, works, func(w *work, i int, got result) {
		if got != w.want[i] {
			t.Errorf("call %+v: the upper half is seen as %v, want %v", w.calls[i], got, w.want[i])
		}
	})
	// The twin: without upper halves there is nothing to see.
	for i := range works {
		works[i].calls[0].args = [6]uint64{7, 7, 7, 7, 7, 7}
	}
	w.ask(t, works, func(w *work, i int, got result) {
		if got != (result{returned, 0}) {
			t.Errorf("call %+v: the upper half is seen as %v", w.calls[i], got)
		}
	})
}

// A thread that is alone takes the process with it when it is killed.
func TestLastThreadRunningKernel(t *testing.T) {
	w := newWitness(t)
	works := []work{{kind: jobProcess, stack: Stack{{filter.Return(filter.KillThread)}}, calls: []rawCall{{nr: 700}}}}
	w.ask(t, works, func(_ *work, _ int, got result) {
		if got != (result{processKilled, sigsys}) {
			t.Errorf("KILL_THREAD in a process of one thread: %v", got)
		}
	})
}
