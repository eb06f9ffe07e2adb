package simulate

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/profcheck/profcheck/filter"
)

// A trial is a filter with calls that the running kernel makes under it.
type trial struct {
	P     filter.Program
	Calls []filter.Data
}

// killed stands for a thread that did not come back from a call; other outcomes are errno numbers.
const killed = -1

// trials makes filters whose every outcome can be seen: 12 bits of A come back as an errno. Numbers
// are such that no kernel has a call for them, and all calls below 600 are let through, because the
// Go runtime makes them on the same thread.
func trials(rng *rand.Rand, filters, calls int) []trial {
	const audit = 0xc000003e
	list := make([]trial, filters)
	for i := range list {
		p := filter.Program{
			filter.Load(filter.OffsetNr),
			filter.Jump(filter.OpJgeK, 600, 1, 0),
			filter.Return(filter.Allow),
			filter.Load(filter.OffsetArgs), filter.Stmt(filter.OpTax, 0), filter.Stmt(filter.OpSt, 0),
			filter.Load(filter.OffsetArgs + 8), filter.Stmt(filter.OpSt, 1), filter.Stmt(filter.OpStx, 2),
		}
		list[i].P = withVisibleEnd(rng, p)
		values := samples(list[i].P, false)
		pick := func() uint64 { return values[rng.IntN(len(values))] }
		for range calls {
			d := filter.Data{Arch: audit, Nr: []int32{600 + rng.Int32N(1<<20), 0x40000000 + 2000 + rng.Int32N(1<<20), -1 - rng.Int32N(1<<20)}[rng.IntN(3)]}
			for a := range d.Args {
				d.Args[a] = pick()
			}
			list[i].Calls = append(list[i].Calls, d)
		}
	}
	for _, d := range defects() {
		head := filter.Program{filter.Load(filter.OffsetNr), filter.Jump(filter.OpJgeK, 600, 1, 0), filter.Return(filter.Allow), filter.Stmt(filter.OpLdImm, 0)}
		for _, shift := range []uint32{0, 12, 20} {
			p := append(append(head[:len(head):len(head)], d.p[:len(d.p)-1]...), visible(shift)...)
			list = append(list, trial{p, []filter.Data{{Arch: audit, Nr: 700}}})
		}
	}
	return list
}

// visible ends a program: 12 bits of A become the errno.
func visible(shift uint32) filter.Program {
	return filter.Program{
		filter.Stmt(filter.OpRshK, shift),
		filter.Stmt(filter.OpAndK, 0xfff),
		filter.Stmt(filter.OpOrK, uint32(filter.Errno)),
		filter.Stmt(filter.OpRetA, 0),
	}
}

// withVisibleEnd adds random instructions without a return of their own and without a look at the
// instruction pointer, which a test cannot know.
func withVisibleEnd(rng *rand.Rand, head filter.Program) filter.Program {
	codes := filter.Opcodes()
	for {
		p := head[:len(head):len(head)]
		for n := len(head) + 3 + rng.IntN(30); len(p) < n; {
			in := randomInsn(rng, codes, n-len(p)-2) // no jump over the visible end
			if in.Code&7 == filter.ClassRet || in.Code == filter.OpLdAbs && (in.K == filter.OffsetIP || in.K == filter.OffsetIP+4) {
				continue
			}
			p = append(p, in)
		}
		if p = append(p, visible([]uint32{0, 12, 20}[rng.IntN(3)])...); p.Verify() == nil {
			return p
		}
	}
}

// predict is what the child will see of an action.
func predict(a filter.Action) int {
	if a.Base() == filter.Errno {
		return a.Errno()
	}
	return killed
}

// disagreements counts the calls on which an evaluator and the kernel differ, and describes the
// first.
func disagreements(list []trial, seen [][]int, eval func(filter.Program, *filter.Data) filter.Action) (n int, first string) {
	for i, tr := range list {
		for j := range tr.Calls {
			if want := predict(eval(tr.P, &tr.Calls[j])); want != seen[i][j] {
				if n++; n == 1 {
					first = fmt.Sprintf("%v on %+v: the kernel gives %d, the evaluator %d", tr.P, tr.Calls[j], seen[i][j], want)
				}
			}
		}
	}
	return n, first
}

func runLE(p filter.Program, d *filter.Data) filter.Action { return Run(p, d, binary.LittleEndian) }

// TestRunRunningKernel compares Run with the kernel under the test.
func TestRunRunningKernel(t *testing.T) {
	list := trials(rand.New(rand.NewPCG(6, 1)), 400, 100)
	for i := range list {
		killLast(&list[i])
	}
	seen := askKernel(t, list)
	calls, kills, outcomes := 0, 0, map[int]bool{}
	for _, row := range seen {
		for _, v := range row {
			calls++
			outcomes[v] = true
			if v == killed {
				kills++
			}
		}
	}
	t.Logf("%d filters, %d calls, %d kills, %d different outcomes", len(list), calls, kills, len(outcomes))
	if kills == 0 || len(outcomes) < 100 {
		t.Error("the calls do not show enough")
	}
	if n, first := disagreements(list, seen, runLE); n > 0 {
		t.Errorf("%d of %d calls differ: %s", n, calls, first)
	}
	// The twin: each defect that other evaluators have must be seen.
	for name, wrong := range wrongEvaluators {
		n, _ := disagreements(list, seen, wrong)
		t.Logf("%s: differs on %d calls", name, n)
		if n == 0 {
			t.Errorf("the kernel does not tell %q from the truth", name)
		}
	}
}

// killLast leaves one call at most that kills, at the end: the thread does not come back from it.
func killLast(tr *trial) {
	var keep []filter.Data
	var last *filter.Data
	for i := range tr.Calls {
		if predict(runLE(tr.P, &tr.Calls[i])) == killed {
			last = &tr.Calls[i]
		} else {
			keep = append(keep, tr.Calls[i])
		}
	}
	if last != nil {
		keep = append(keep, *last)
	}
	tr.Calls = keep
}

// wrongEvaluators have one known defect each (golang.org/x/net/bpf, gVisor, seccomp-tools, and some
// of our own).
var wrongEvaluators = map[string]func(filter.Program, *filter.Data) filter.Action{
	"shift by X >= 32 gives 0": miscalculated(func(code uint16, a, v uint32) (uint32, bool) {
		if (code == filter.OpLshX || code == filter.OpRshX) && v >= 32 {
			return 0, true
		}
		return alu(code, a, v)
	}),
	"neg does nothing": miscalculated(func(code uint16, a, v uint32) (uint32, bool) {
		if code == filter.OpNeg {
			return a, true
		}
		return alu(code, a, v)
	}),
	"div by 0 goes on": miscalculated(func(code uint16, a, v uint32) (uint32, bool) {
		if r, ok := alu(code, a, v); ok {
			return r, true
		}
		return 0, true
	}),
	"tax and txa swapped": rewritten(func(in *filter.Insn) {
		switch in.Code {
		case filter.OpTax:
			in.Code = filter.OpTxa
		case filter.OpTxa:
			in.Code = filter.OpTax
		}
	}),
	"ldx len loads A": rewritten(func(in *filter.Insn) {
		if in.Code == filter.OpLdxLen {
			in.Code = filter.OpLdLen
		}
	}),
	"jgt is jge": rewritten(func(in *filter.Insn) {
		if in.Code == filter.OpJgtK || in.Code == filter.OpJgtX {
			in.Code += filter.OpJgeK - filter.OpJgtK
		}
	}),
	"big-endian words": func(p filter.Program, d *filter.Data) filter.Action { return Run(p, d, binary.BigEndian) },
}

// miscalculated runs a program with other arithmetic.
func miscalculated(alu func(code uint16, a, operand uint32) (uint32, bool)) func(filter.Program, *filter.Data) filter.Action {
	return func(p filter.Program, d *filter.Data) filter.Action {
		words := d.Words(binary.LittleEndian)
		return trace(p, &words, alu).Action
	}
}

// rewritten runs a changed program.
func rewritten(change func(*filter.Insn)) func(filter.Program, *filter.Data) filter.Action {
	return func(p filter.Program, d *filter.Data) filter.Action {
		q := append(filter.Program(nil), p...)
		for i := range q {
			change(&q[i])
		}
		return runLE(q, d)
	}
}
