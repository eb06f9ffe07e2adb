//go:build linux && amd64

package simulate

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	elastic "github.com/elastic/go-seccomp-bpf"
	"golang.org/x/net/bpf"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// The compiler of github.com/elastic/go-seccomp-bpf makes filters of another shape than libseccomp
// does. What its policies mean is written here from its documentation, so that policy, compiler and
// simulator must agree.

// elasticHolds is a condition on the arguments. A set bit is any of the value's.
func elasticHolds(c elastic.Condition, args *[6]uint64) bool {
	a, v := args[c.Argument], c.Value
	switch c.Operation {
	case elastic.Equal:
		return a == v
	case elastic.NotEqual:
		return a != v
	case elastic.GreaterThan:
		return a > v
	case elastic.GreaterOrEqual:
		return a >= v
	case elastic.LessThan:
		return a < v
	case elastic.LessOrEqual:
		return a <= v
	case elastic.BitsSet:
		return a&v != 0
	}
	return a&v == 0
}

// elasticMeans is what a policy means for native calls: the first group with the call decides.
// Conditions of one entry are joined by AND, entries of one call by OR. ERRNO is EPERM.
func elasticMeans(p *elastic.Policy, name string, args *[6]uint64) filter.Action {
	decide := func(a elastic.Action) filter.Action {
		if a == elastic.ActionErrno {
			return filter.ErrnoAction(1)
		}
		return filter.Action(a)
	}
	for _, g := range p.Syscalls {
		for _, n := range g.Names {
			if n == name {
				return decide(g.Action)
			}
		}
		for _, n := range g.NamesWithCondtions {
			all := n.Name == name
			for _, c := range n.Conditions {
				all = all && elasticHolds(c, args)
			}
			if all {
				return decide(g.Action)
			}
		}
	}
	return decide(p.DefaultAction)
}

// elasticPolicy makes a random policy. Entries with conditions are of one call, in the last group:
// behind them the compiler does not load the number again, and other calls would be compared with an
// argument.
func elasticPolicy(rng *rand.Rand, names []string) *elastic.Policy {
	actions := []elastic.Action{elastic.ActionAllow, elastic.ActionErrno, elastic.ActionKillThread, elastic.ActionKillProcess, elastic.ActionTrap, elastic.ActionLog, elastic.ActionTrace}
	action := func() elastic.Action { return actions[rng.IntN(len(actions))] }
	p := &elastic.Policy{DefaultAction: action()}
	shuffled := rng.Perm(len(names))
	next := func() string {
		name := names[shuffled[0]]
		shuffled = shuffled[1:]
		return name
	}
	for range 1 + rng.IntN(3) {
		g := elastic.SyscallGroup{Action: action()}
		for range 1 + rng.IntN(80) {
			g.Names = append(g.Names, next())
		}
		p.Syscalls = append(p.Syscalls, g)
	}
	g, name := elastic.SyscallGroup{Action: action()}, next()
	for range 1 + rng.IntN(3) {
		entry := elastic.NameWithConditions{Name: name}
		for range 1 + rng.IntN(3) {
			entry.Conditions = append(entry.Conditions, elastic.Condition{
				Argument:  rng.Uint32N(6),
				Operation: elastic.Operations[rng.IntN(len(elastic.Operations))],
				Value:     edgeValues[rng.IntN(len(edgeValues))],
			})
		}
		g.NamesWithCondtions = append(g.NamesWithCondtions, entry)
	}
	p.Syscalls = append(p.Syscalls, g)
	return p
}

// elasticFilter compiles a policy.
func elasticFilter(t *testing.T, p *elastic.Policy) filter.Program {
	t.Helper()
	insns, err := p.Assemble()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := bpf.Assemble(insns)
	if err != nil {
		t.Fatal(err)
	}
	out := make(filter.Program, len(raw))
	for i, in := range raw {
		out[i] = filter.Insn{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	if err := out.Verify(); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRunElastic(t *testing.T) {
	rng := rand.New(rand.NewPCG(61, 1))
	arch := syscalls.ByName("x86_64")
	var names []string
	for _, c := range arch.Syscalls()[:330] { // its tables end earlier than ours
		if c.Nr < 330 {
			names = append(names, c.Name)
		}
	}
	calls, decided := 0, make(map[filter.Action]int)
	for range 300 {
		policy := elasticPolicy(rng, names)
		p := elasticFilter(t, policy)
		m := NewMachine(p, binary.LittleEndian)
		special := policy.Syscalls[len(policy.Syscalls)-1].NamesWithCondtions[0].Name
		for i := range 300 {
			name := names[rng.IntN(len(names))]
			if i%2 == 0 {
				name = special
			}
			nr, _ := arch.Number(name)
			d := filter.Data{Nr: nr, Arch: arch.Audit}
			for i := range d.Args {
				d.Args[i] = edgeValues[rng.IntN(len(edgeValues))] + rng.Uint64N(3) - 1
			}
			want := elasticMeans(policy, name, &d.Args)
			if got := Run(p, &d, binary.LittleEndian); got != want {
				t.Fatalf("%s %v under %+v: %v, want %v", name, d.Args, *policy, got, want)
			}
			if got := m.Run(&d); got != want {
				t.Fatalf("%s %v under %+v: prepared %v, want %v", name, d.Args, *policy, got, want)
			}
			calls++
			decided[want]++
		}
		other := elasticMeans(policy, "no such call", &[6]uint64{})
		for what, d := range map[string]filter.Data{
			"i386":           {Nr: 1, Arch: 0x40000003},
			"a number above": {Nr: 900, Arch: arch.Audit},
		} {
			if got := Run(p, &d, binary.LittleEndian); got != other {
				t.Errorf("%s: %v, want %v", what, got, other)
			}
		}
		if got := Run(p, &filter.Data{Nr: 0x40000001, Arch: arch.Audit}, binary.LittleEndian); got != filter.ErrnoAction(enosys) {
			t.Errorf("x32: %v", got)
		}
	}
	t.Logf("%d calls: %v", calls, decided)
	if len(decided) < 7 {
		t.Error("too few actions")
	}
}
