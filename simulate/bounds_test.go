package simulate

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/simulate/internal/randbpf"
	"github.com/profcheck/profcheck/syscalls"
)

// hostileToPartitions are programs that make some part of a partition as expensive as it gets, in
// addition to those of hostile.
func hostileToPartitions() map[string]filter.Program {
	s, j := filter.Stmt, filter.Jump
	nr, arg0 := filter.Load(filter.OffsetNr), filter.Load(filter.OffsetArgs)
	yes := filter.Return(filter.Allow)
	rng := rand.New(rand.NewPCG(60, 1))
	sum := func(load filter.Insn, i int) filter.Program { // remembers each bit in M[0]
		return filter.Program{load, j(filter.OpJsetK, 1<<(i%32), 0, 3), s(filter.OpLdMem, 0), s(filter.OpAddK, 1<<(i%32)+uint32(i)), s(filter.OpSt, 0)}
	}
	all := hostile()
	all["every second number"] = fill(func(i int) filter.Program {
		return filter.Program{nr, j(filter.OpJeqK, uint32(2*i), 0, 1), filter.Return(filter.Log)}
	})
	all["numbers downwards"] = fill(func(i int) filter.Program {
		return filter.Program{nr, j(filter.OpJeqK, uint32(10000-2*i), 0, 1), filter.Return(filter.Errno | filter.Action(i))}
	})
	all["sums of number bits"] = append(fill(func(i int) filter.Program { return sum(nr, i) })[:4000], s(filter.OpLdMem, 0), s(filter.OpRetA, 0))
	all["sums of argument bits"] = append(fill(func(i int) filter.Program { return sum(arg0, i) })[:4000], s(filter.OpLdMem, 0), s(filter.OpRetA, 0))
	all["masked numbers"] = fill(func(i int) filter.Program {
		m := rng.Uint32() & rng.Uint32()
		return filter.Program{nr, s(filter.OpAndK, m), j(filter.OpJeqK, rng.Uint32()&m, 0, 1), filter.Return(filter.Action(i%3) | filter.Errno)}
	})
	all["products of numbers"] = fill(func(i int) filter.Program {
		return filter.Program{nr, s(filter.OpMulK, rng.Uint32()|1), j(filter.OpJgtK, rng.Uint32(), 0, 1), filter.Return(filter.Action(i%3) | filter.Errno)}
	})
	all["numbers and arguments"] = fill(func(i int) filter.Program {
		return filter.Program{nr, s(filter.OpTax, 0), arg0, s(filter.OpAddX, 0), j(filter.OpJeqK, uint32(i), 0, 1), filter.Return(filter.Action(i%3) | filter.Errno)}
	})
	all["the number returned"] = filter.Program{nr, s(filter.OpRetA, 0)}
	all["one bad number"] = append(filter.Program{nr, j(filter.OpJeqK, 5, 2, 0), j(filter.OpJgeK, 100, 0, 2), filter.Return(filter.Log), s(filter.OpJa, 1), yes,
		s(filter.OpStx, 0)}, all["sums of argument bits"]...)
	long := randbpf.New(61)
	for len(all["every opcode"]) == 0 {
		if p := long.Filter(randbpf.Shape{Size: filter.MaxInsns, IP: true, Actions: true}); p.Verify() == nil {
			all["every opcode"] = p
		}
	}
	return all
}

// The work on a program is bounded, whatever it does: the instructions over all paths and what
// beside them costs as much. The bound holds for stacks too. What is said all the same is true.
func TestBoundOfWork(t *testing.T) {
	arch := syscalls.ByName("x86_64")
	rng := rand.New(rand.NewPCG(62, 1))
	programs := hostileToPartitions()
	unknown := 0
	for _, name := range sortedNames(programs) {
		p := programs[name]
		if err := p.Verify(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		policy := OfPrograms(p)
		if len(name)%2 == 0 {
			policy = OfPrograms(programs["masked equals"], p)
		}
		start := time.Now()
		a := newAnalysis(policy.plan(), callsOf(arch))
		explored := time.Since(start)
		if a.spent > maxWork+maxWork/8 {
			t.Errorf("%s: work %d", name, a.spent)
		}
		if len(a.leaves) > 1<<16 {
			t.Errorf("%s: %d leaves", name, len(a.leaves))
		}
		ranges := a.partition()
		if a.asked > maxCells {
			t.Errorf("%s: %d leaves made into regions", name, a.asked)
		}
		t.Logf("%s: %v, all %v: work %d, %d tasks, %d leaves, %d lost, %d ranges", name, explored, time.Since(start), a.spent, len(a.tasks), len(a.leaves), len(a.lost), len(ranges))
		if slices.ContainsFunc(ranges, func(r NumberRange) bool { return r.Unknown != nil }) {
			unknown++
		}
		ranges = ranges[:min(len(ranges), 300)]
		if err := checkSome(rng, policy, arch, samples(p[:min(len(p), 200)], false), ranges); err != nil {
			t.Errorf("%s: %.400v", name, err)
		}
	}
	if unknown < 3 {
		t.Errorf("%d programs are too much", unknown)
	}
}

// tangled is a filter that computes its answer for number 5 from 20 bits of an argument, and is
// simple for the others.
func tangled(above, below filter.Action) filter.Program {
	s, j := filter.Stmt, filter.Jump
	p := filter.Program{filter.Load(filter.OffsetNr), j(filter.OpJeqK, 5, 3, 0), j(filter.OpJgeK, 100, 0, 1),
		filter.Return(filter.Log), filter.Return(filter.Allow), s(filter.OpStx, 0)}
	for i := range 20 {
		p = append(p, filter.Load(filter.OffsetArgs), j(filter.OpJsetK, 1<<i, 0, 3), s(filter.OpLdMem, 0), s(filter.OpAddK, 1<<i), s(filter.OpSt, 0))
	}
	return append(p, s(filter.OpLdMem, 0), j(filter.OpJgtK, 1000, 0, 1), filter.Return(above), filter.Return(below))
}

// Where one number takes too much work, the others are known all the same, and of that number every
// action that can come out, and no other.
func TestUnknownSaysWhatIsKnown(t *testing.T) {
	arches := []*syscalls.Arch{syscalls.ByName("x86")}
	for _, tt := range []struct {
		p    Policy
		want string
	}{
		{OfPrograms(tangled(filter.ErrnoAction(1), filter.Trap)),
			"0..4: ALLOW | 5: unknown (the filter has too many paths): TRAP or ERRNO(1) | 6..99: ALLOW | 100..4294967295: LOG"},
		{OfPrograms(tangled(filter.Trap, filter.Trap)), "0..4: ALLOW | 5: TRAP | 6..99: ALLOW | 100..4294967295: LOG"},
		{OfPrograms(filter.Program{filter.Return(filter.ErrnoAction(1))}, tangled(filter.Log, filter.Trap)),
			"0..4: ERRNO(1) | 5: unknown (the filter has too many paths): TRAP or ERRNO(1) | 6..4294967295: ERRNO(1)"},
		{OfPrograms(filter.Program{filter.Load(filter.OffsetArgs), filter.Stmt(filter.OpRetA, 0)}),
			"0..4294967295: unknown (the answer is computed from what is not known): ALLOW or any other"},
	} {
		got := ""
		for i, r := range Partition(tt.p, arches[0]) {
			got += [2]string{"", " | "}[min(i, 1)] + r.String()
		}
		if got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
	tangle := tangled(filter.ErrnoAction(1), filter.Trap)
	other := slices.Clone(tangle)
	other[3] = filter.Return(filter.Trace)
	guard := filter.Program{filter.Load(filter.OffsetNr), filter.Jump(filter.OpJeqK, 7, 0, 1), filter.Return(filter.ErrnoAction(1)), filter.Return(filter.Allow)}
	for _, tt := range []struct {
		name     string
		old, new Policy
		relation string
		unknown  int
	}{
		{"the same", OfPrograms(tangle), OfPrograms(slices.Clone(tangle)), RelationEqual, 0},
		{"one more", OfPrograms(tangle), OfPrograms(tangle, guard), RelationTighter, 0},
		{"another number", OfPrograms(tangle), OfPrograms(other), RelationUnknown, 1},
		{"found by trying", OfPrograms(tangle), OfPrograms(tangled(filter.ErrnoAction(1), filter.Log)), RelationUnknown, 1},
		{"only one answer", OfPrograms(tangled(filter.Trap, filter.Trap)), OfPrograms(filter.Program{filter.Load(filter.OffsetNr),
			filter.Jump(filter.OpJeqK, 5, 0, 1), filter.Return(filter.Trap), filter.Jump(filter.OpJgeK, 100, 1, 0), filter.Return(filter.Allow), filter.Return(filter.Log)}), RelationEqual, 0},
	} {
		d, err := Diff(tt.old, tt.new, arches)
		if err != nil || d.Relation() != tt.relation || len(d.Unknown) != tt.unknown {
			t.Errorf("%s: %s, %v, %v, %v", tt.name, d.Relation(), d.Changes, d.Unknown, err)
		}
		if got, want := d.Loosens(), tt.name == "found by trying"; got != want {
			t.Errorf("%s: loosens is %v", tt.name, got)
		}
	}
}

// checkSome compares ranges with runs on some calls.
func checkSome(rng *rand.Rand, p Policy, arch *syscalls.Arch, pool []uint64, ranges []NumberRange) error {
	for _, r := range ranges {
		for range 3 {
			d := filter.Data{Nr: int32(r.From + uint32(rng.Uint64N(uint64(r.To-r.From)+1))), Arch: arch.Audit}
			for i := range d.Args {
				d.Args[i] = pool[rng.IntN(len(pool))]
			}
			if err := checkCall(p, &r, &d, arch.Order()); err != nil {
				return err
			}
		}
	}
	return nil
}
