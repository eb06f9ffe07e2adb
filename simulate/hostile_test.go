package simulate

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// fill repeats blocks up to the longest program that loads, and ends it.
func fill(block func(i int) filter.Program) filter.Program {
	p := filter.Program{filter.Stmt(filter.OpStx, 0)}
	for i := 0; ; i++ {
		b := block(i)
		if len(p)+len(b)+1 > filter.MaxInsns {
			return append(p, filter.Return(filter.Allow))
		}
		p = append(p, b...)
	}
}

// hostile are programs that make some part of an evaluation as expensive as it gets.
func hostile() map[string]filter.Program {
	s, j := filter.Stmt, filter.Jump
	rng := rand.New(rand.NewPCG(8, 1))
	arg0, arg1 := filter.Load(filter.OffsetArgs), filter.Load(filter.OffsetArgs+8)
	ret := func(i int) filter.Insn { return filter.Return(filter.Errno | filter.Action(i&0xfff)) }
	return map[string]filter.Program{
		"one path": fill(func(int) filter.Program { return filter.Program{arg0} }),
		"long list": fill(func(i int) filter.Program {
			if i == 0 {
				return filter.Program{arg0}
			}
			return filter.Program{j(filter.OpJeqK, uint32(i*2), 0, 1), ret(i % 2)}
		}),
		"two lists, many actions": fill(func(i int) filter.Program {
			return filter.Program{arg0, j(filter.OpJeqK, uint32(i*2), 0, 1), ret(i), arg1, j(filter.OpJeqK, uint32(i*2), 0, 1), ret(i)}
		}),
		"two lists, one action": fill(func(i int) filter.Program {
			return filter.Program{arg0, j(filter.OpJeqK, uint32(i*2), 0, 1), ret(0), arg1, j(filter.OpJeqK, uint32(i*2), 0, 1), ret(1)}
		}),
		"masked orders": fill(func(i int) filter.Program {
			return filter.Program{arg0, s(filter.OpAndK, rng.Uint32()), j(filter.OpJgtK, rng.Uint32(), 0, 1), ret(i)}
		}),
		"masked equals": fill(func(i int) filter.Program {
			m := rng.Uint32() & rng.Uint32()
			return filter.Program{arg0, s(filter.OpAndK, m), j(filter.OpJeqK, rng.Uint32()&m, 0, 1), ret(i % 3)}
		}),
		"relations": fill(func(i int) filter.Program {
			return filter.Program{arg1, s(filter.OpTax, 0), arg0, s(filter.OpAddK, uint32(i)), j(filter.OpJgtX, 0, 0, 1), ret(i)}
		}),
		"ladder": fill(func(i int) filter.Program {
			return filter.Program{arg0, s(filter.OpAndK, 1<<(i%32)), j(filter.OpJeqK, 0, 0, 1), s(filter.OpStx, 1)}
		}),
		"returned bits": fill(func(i int) filter.Program {
			return filter.Program{arg0, j(filter.OpJeqK, uint32(i), 0, 3), arg1, s(filter.OpAndK, 0xff), s(filter.OpRetA, 0)}
		}),
	}
}

// TestOutcomesOfHostilePrograms bounds the time that any program can take, and holds the answers
// that come to the truth.
func TestOutcomesOfHostilePrograms(t *testing.T) {
	limit := 3 * time.Second
	if testing.Short() {
		limit *= 10 // short runs are those under the race detector, which is that much slower
	}
	arch := syscalls.ByName("x86_64")
	rng := rand.New(rand.NewPCG(9, 1))
	many := [6][]uint64{}
	for i := range many {
		for range 2000 {
			many[i] = append(many[i], rng.Uint64N(5000))
		}
	}
	for name, p := range hostile() {
		if err := p.Verify(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		pool := samples(p, false)
		for _, given := range [][6][]uint64{{}, many} {
			start := time.Now()
			regions, err := Outcomes(p, arch, 7, given)
			took := time.Since(start)
			t.Logf("%s, %d given: %v, %d regions, %v", name, len(given[0]), took, len(regions), err)
			if took > limit {
				t.Errorf("%s takes %v", name, took)
			}
			if errors.Is(err, ErrTooComplex) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := checkRegions(rng, p, pool, arch, 7, given, regions, 20); err != nil {
				t.Errorf("%s: %.300v", name, err)
			}
		}
	}
}
