package simulate

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// randomFilterRules makes rules for the tokens of architectures, with numbers and values that meet.
func randomFilterRules(rng *rand.Rand, arches []*syscalls.Arch) *filter.Rules {
	actions := []filter.Action{filter.Allow, filter.ErrnoAction(1), filter.ErrnoAction(38), filter.Log, filter.KillProcess}
	action := func() filter.Action { return actions[rng.IntN(len(actions))] }
	r := &filter.Rules{Other: action()}
	for _, arch := range arches {
		t := filter.Token{Arch: arch.Audit}
		for from := uint64(0); from <= max32; {
			to := from + rng.Uint64N(4)
			if rng.IntN(8) == 0 {
				to += rng.Uint64N(1 << 31)
			}
			if to >= 1<<31 && rng.IntN(4) == 0 {
				to = max32
			}
			to = min(to, max32)
			s := filter.Stretch{From: uint32(from), To: uint32(to), Else: action()}
			for range rng.IntN(3) * rng.IntN(2) {
				c := filter.Case{Action: action(), Rule: -1}
				for range rng.IntN(4) {
					test := filter.Test{Arg: rng.IntN(3), Op: filter.TestOp(rng.IntN(6)), Mask: max64, Value: edgeValues[rng.IntN(len(edgeValues))]}
					switch rng.IntN(3) {
					case 0:
						test.Mask = max32
					case 1:
						test.Mask = edgeValues[rng.IntN(len(edgeValues))]
					}
					c.Tests = append(c.Tests, test)
				}
				s.Cases = append(s.Cases, c)
			}
			t.Stretches = append(t.Stretches, s)
			from = to + 1
		}
		r.Tokens = append(r.Tokens, t)
	}
	return r
}

// rulePool are numbers at which rules change their answer.
func rulePool(r *filter.Rules) []uint64 {
	pool := slices.Clone(edgeValues)
	for _, t := range r.Tokens {
		for _, s := range t.Stretches {
			pool = append(pool, uint64(s.From), uint64(s.To))
		}
	}
	for _, v := range edgeValues {
		pool = append(pool, v+1, v-1, v^1<<32)
	}
	return pool
}

func narrowed(pool []uint64, arch *syscalls.Arch) []uint64 {
	if arch.Bits == 64 {
		return pool
	}
	pool = slices.Clone(pool)
	for i := range pool {
		pool[i] &= max32
	}
	return pool
}

// Rules are evaluated symbolically as they answer single calls.
func TestPartitionOfRules(t *testing.T) {
	rng := rand.New(rand.NewPCG(40, 1))
	arches := []*syscalls.Arch{syscalls.ByName("x86_64"), syscalls.ByName("x86"), syscalls.ByName("s390x")}
	depends := 0
	for n := range rounds(200) {
		rules := randomFilterRules(rng, arches)
		pool := rulePool(rules)
		for _, arch := range append(arches, syscalls.ByName("x32"), syscalls.ByName("aarch64")) {
			p := OfRules(rules)
			if n%4 == 3 {
				p = OfRules(randomFilterRules(rng, arches)).With(p)
			}
			ranges := Partition(p, arch)
			if err := checkPartition(rng, p, arch, narrowed(pool, arch), ranges, 2); err != nil {
				t.Fatalf("%+v: %v", rules, err)
			}
			for _, r := range ranges {
				if len(r.Regions) > 1 {
					depends++
				}
				if r.Unknown != nil {
					t.Errorf("%v", r)
				}
			}
		}
	}
	if depends < 1000 {
		t.Errorf("%d ranges depend on arguments", depends)
	}
}

// compileNaively makes a filter of the rules of one token for an architecture: a list of all
// numbers, each with its cases, word by word.
func compileNaively(r *filter.Rules, arch *syscalls.Arch) filter.Program {
	p := filter.Program{filter.Load(filter.OffsetArch)}
	i := slices.IndexFunc(r.Tokens, func(t filter.Token) bool { return t.Arch == arch.Audit })
	p = append(p, filter.Jump(filter.OpJeqK, arch.Audit, 1, 0), filter.Return(r.Other))
	for _, s := range r.Tokens[i].Stretches {
		var body filter.Program
		for _, c := range s.Cases {
			one := filter.Program{filter.Return(c.Action)}
			for _, test := range slices.Backward(c.Tests) {
				one = append(compileTest(test, arch.Order(), len(one)), one...)
			}
			body = append(body, one...)
		}
		body = append(body, filter.Return(s.Else))
		p = append(p, filter.Load(filter.OffsetNr), filter.Jump(filter.OpJgtK, s.To, 0, 1),
			filter.Stmt(filter.OpJa, uint32(len(body))))
		p = append(p, body...)
	}
	return append(p, filter.Return(filter.KillThread)) // no number gets here
}

// compileTest goes on behind it where the test holds, and rest instructions further where not.
func compileTest(t filter.Test, order binary.ByteOrder, rest int) filter.Program {
	no := uint8(rest)
	word := func(offset uint32, mask uint64) filter.Program {
		return filter.Program{filter.Load(offset), filter.Stmt(filter.OpAndK, uint32(mask))}
	}
	lo := word(filter.ArgLow(t.Arg, order), t.Mask)
	v := uint32(t.Value)
	jump := filter.Jump
	switch t.Op {
	case filter.TestEq:
		lo = append(lo, jump(filter.OpJeqK, v, 0, no))
	case filter.TestNe:
		lo = append(lo, jump(filter.OpJeqK, v, no, 0))
	case filter.TestGt:
		lo = append(lo, jump(filter.OpJgtK, v, 0, no))
	case filter.TestLe:
		lo = append(lo, jump(filter.OpJgtK, v, no, 0))
	case filter.TestGe:
		lo = append(lo, jump(filter.OpJgeK, v, 0, no))
	case filter.TestLt:
		lo = append(lo, jump(filter.OpJgeK, v, no, 0))
	}
	hi := word(filter.ArgHigh(t.Arg, order), t.Mask>>32)
	v = uint32(t.Value >> 32)
	behind := uint8(len(lo))
	switch t.Op {
	case filter.TestEq:
		hi = append(hi, jump(filter.OpJeqK, v, 0, behind+no))
	case filter.TestNe:
		hi = append(hi, jump(filter.OpJeqK, v, 0, behind))
	case filter.TestGt, filter.TestGe:
		hi = append(hi, jump(filter.OpJgtK, v, behind+1, 0), jump(filter.OpJeqK, v, 0, behind+no))
	case filter.TestLt, filter.TestLe:
		hi = append(hi, jump(filter.OpJgtK, v, behind+no+1, 0), jump(filter.OpJeqK, v, 0, behind))
	}
	return append(hi, lo...)
}

// A naive translation of rules is proven to be them, and every mutant of it that is not is found.
func TestProveRules(t *testing.T) {
	rng := rand.New(rand.NewPCG(41, 1))
	equal, found := 0, 0
	for n := range rounds(150) {
		arch := syscalls.ByName(testArches[n%len(testArches)])
		rules := randomFilterRules(rng, []*syscalls.Arch{arch})
		program := compileNaively(rules, arch)
		if len(program) > filter.MaxInsns {
			continue
		}
		if err := program.Verify(); err != nil {
			t.Fatal(err)
		}
		meant := OfRules(rules)
		prove := func(p filter.Program) *Difference {
			t.Helper()
			d, err := Diff(meant, OfPrograms(p), []*syscalls.Arch{arch})
			if err != nil {
				t.Fatal(err)
			}
			return d
		}
		if d := prove(program); d.Relation() != RelationEqual {
			t.Fatalf("%+v\n%v: %v %v", rules, program, d.Changes, d.Unknown)
		}
		pool := narrowed(append(rulePool(rules), samples(program, false)...), arch)
		for range 5 {
			mutant := mutate(rng, program)
			d := prove(mutant)
			differ, err := checkDifference(rng, meant, OfPrograms(mutant), arch, pool, d, 200)
			if err != nil {
				t.Fatalf("%+v\n%v: %v", rules, mutant, err)
			}
			switch d.Relation() {
			case RelationEqual:
				equal++
				if differ > 0 {
					t.Fatalf("%v: equal, and %d calls differ", mutant, differ)
				}
			case RelationUnknown: // only where a mutant computes what rules never do
				if !slices.ContainsFunc(mutant, func(in filter.Insn) bool {
					return in.Code == filter.OpRetA || in.Code&7 == filter.ClassAlu && in.Code != filter.OpAndK
				}) {
					t.Errorf("%v: %v", mutant, d.Unknown)
				}
			default:
				found++
			}
		}
	}
	t.Logf("%d mutants found, %d are equal", found, equal)
	if found < 200 {
		t.Errorf("the mutants do not try what they should")
	}
}
