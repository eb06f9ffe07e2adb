package simulate

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// samples returns numbers at which the program may change its answer: its constants and their
// neighbours, in either half and in both.
func samples(p filter.Program, narrow bool) []uint64 {
	words := []uint64{0, 1, 0x80000000, 0xffffffff}
	for _, in := range p {
		k := uint64(in.K)
		words = append(words, k, (k+1)&max32, (k-1)&max32, ^k&max32)
	}
	slices.Sort(words)
	words = slices.Compact(words)
	if narrow {
		return words
	}
	var all []uint64
	for i, w := range words {
		all = append(all, w, w<<32, w<<32|w, 1<<32|w, w<<32|words[(i+1)%len(words)])
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// checkRegions compares regions with what the filter does on sampled calls: exactly one region
// holds, and it has the right action. Arguments with given constants take those only, others come from
// the pool.
func checkRegions(rng *rand.Rand, p filter.Program, pool []uint64, arch *syscalls.Arch, nr int32, given [6][]uint64, regions []Region, n int) error {
	for range n {
		d := filter.Data{Nr: nr, Arch: arch.Audit, IP: pool[rng.IntN(len(pool))]}
		for i := range d.Args {
			from := pool
			if given[i] != nil {
				from = given[i]
			}
			d.Args[i] = from[rng.IntN(len(from))]
		}
		want := Run(p, &d, arch.Order())
		var in []Region
		for _, r := range regions {
			if r.HoldsFor(&d) {
				in = append(in, r)
			}
		}
		if len(in) != 1 || in[0].Action != want {
			return fmt.Errorf("%s %d args %#x ip %#x: Run says %v, regions %v of %v", arch, nr, d.Args, d.IP, want, in, regions)
		}
	}
	return nil
}

// randomGiven limits some arguments to some constants.
func randomGiven(rng *rand.Rand, pool []uint64) (given [6][]uint64) {
	for i := range 3 {
		if n := rng.IntN(5); n > 0 {
			for range n {
				given[i] = append(given[i], pool[rng.IntN(len(pool))])
			}
		}
	}
	return given
}

var testArches = []string{"x86_64", "x86", "s390x", "mips"}

func TestOutcomesOfRules(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for n := range 2000 {
		arch := syscalls.ByName(testArches[n%len(testArches)])
		rules := randomRules(rng, arch.Bits == 32)
		p := compileRules(arch, 7, rules, filter.KillThread)
		if err := p.Verify(); err != nil {
			t.Fatal(err)
		}
		var given [6][]uint64
		pool := samples(p, arch.Bits == 32)
		if n%2 == 1 {
			given = randomGiven(rng, pool)
		}
		regions, err := Outcomes(p, arch, 7, given)
		if err != nil {
			t.Fatalf("%v: %v", rules, err)
		}
		if err := checkRegions(rng, p, pool, arch, 7, given, regions, 200); err != nil {
			t.Fatalf("%v: %v", rules, err)
		}
		if other, err := Outcomes(p, arch, 8, given); err != nil || fmt.Sprint(other) != "[ALLOW(1)]" {
			t.Fatalf("another number: %v, %v", other, err)
		}
	}
}

// TestOutcomesByTheRules takes the rules themselves as the witness: what each call gets is known
// without a filter.
func TestOutcomesByTheRules(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 1))
	arch := syscalls.ByName("x86_64")
	for range 500 {
		rules := randomRules(rng, false)
		p := compileRules(arch, 7, rules, filter.KillThread)
		regions, err := Outcomes(p, arch, 7, [6][]uint64{})
		if err != nil {
			t.Fatal(err)
		}
		pool := samples(p, false)
		for range 200 {
			var args [6]uint64
			for i := range args {
				args[i] = pool[rng.IntN(len(pool))]
			}
			want := filter.KillThread
			for i := len(rules) - 1; i >= 0; i-- {
				if !slices.ContainsFunc(rules[i].when, func(c comparison) bool { return !c.holds(args) }) {
					want = rules[i].action
				}
			}
			i := slices.IndexFunc(regions, func(r Region) bool { return r.Holds(args) })
			if i < 0 || regions[i].Action != want {
				t.Fatalf("%v args %#x: want %v, regions %v", rules, args, want, regions)
			}
		}
	}
}

func TestOutcomesOfRandomPrograms(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	complex, depends, related, total := 0, 0, 0, 6000
	for n := range total {
		arch := syscalls.ByName(testArches[n%len(testArches)])
		p := randomProgram(rng, 4+rng.IntN(30))
		var given [6][]uint64
		pool := samples(p, arch.Bits == 32)
		if n%3 == 0 {
			given = randomGiven(rng, pool)
		}
		regions, err := Outcomes(p, arch, 7, given)
		if errors.Is(err, ErrTooComplex) {
			complex++
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := checkRegions(rng, p, pool, arch, 7, given, regions, 100); err != nil {
			t.Fatalf("%v: %v", p, err)
		}
		if len(regions) > 1 {
			depends++
		}
		if slices.ContainsFunc(regions, func(r Region) bool {
			return slices.ContainsFunc(r.When, func(c Cond) bool { return c.kind == condRel })
		}) {
			related++
		}
	}
	t.Logf("of %d: %d too complex, %d depend on arguments, %d on relations", total, complex, depends, related)
	if complex > total/10 || depends < total/10 || related == 0 {
		t.Errorf("the random programs do not try what they should")
	}
}

func TestOutcomesOfLibseccompSuite(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 1))
	depends := 0
	for _, s := range libseccompSuites(t) {
		pools := map[int][]uint64{32: samples(s.p, true), 64: samples(s.p, false)}
		for _, v := range s.rows {
			var given [6][]uint64
			if rng.IntN(2) == 0 {
				given = randomGiven(rng, edgeValues)
			}
			if v.arch.Bits == 32 {
				for i := range given {
					for j := range given[i] {
						given[i][j] &= max32
					}
				}
			}
			regions, err := Outcomes(s.p, v.arch, v.data.Nr, given)
			if err != nil {
				t.Fatalf("%s %s: %v", s.name, v.where, err)
			}
			if len(regions) > 1 {
				depends++
			}
			if err := checkRegions(rng, s.p, pools[v.arch.Bits], v.arch, v.data.Nr, given, regions, 20); err != nil {
				t.Fatalf("%s %s: %v", s.name, v.where, err)
			}
		}
	}
	if depends == 0 {
		t.Error("no row depends on arguments")
	}
}

// TestRegionsCanBeWrong is the twin of the tests above: regions that are wrong in one place must not
// pass.
func TestRegionsCanBeWrong(t *testing.T) {
	arch := syscalls.ByName("x86_64")
	p := compileRules(arch, 7, []rule{{[]comparison{{arg: 0, op: "==", v: 40}}, filter.Allow}}, filter.ErrnoAction(1))
	regions, err := Outcomes(p, arch, 7, [6][]uint64{})
	if err != nil || fmt.Sprint(regions) != "[ALLOW if arg0 == 40 ERRNO(1) if arg0 != 40]" {
		t.Fatalf("%v, %v", regions, err)
	}
	check := func(regions []Region) error {
		return checkRegions(rand.New(rand.NewPCG(5, 1)), p, samples(p, false), arch, 7, [6][]uint64{}, regions, 1000)
	}
	if err := check(regions); err != nil {
		t.Fatal(err)
	}
	eq := func(c Cond, v uint64) Cond { c.in = single(v); return c }
	for name, wrong := range map[string][]Region{
		"none":       nil,
		"one":        regions[:1],
		"swapped":    {{regions[1].Action, regions[0].When}, {regions[0].Action, regions[1].When}},
		"off by one": {{filter.Allow, []Cond{eq(regions[0].When[0], 41)}}, regions[1]},
		"low half":   {{filter.Allow, []Cond{eq(regions[0].When[0], 40<<32)}}, regions[1]},
		"overlap":    {regions[0], {Action: regions[1].Action}},
	} {
		if check(wrong) == nil {
			t.Errorf("%s: %v passed", name, wrong)
		}
	}
}

// TestRegionText holds conditions to the form that a person reads.
func TestRegionText(t *testing.T) {
	c := func(arg int, op string, v uint64) comparison { return comparison{arg: arg, op: op, v: v} }
	m := func(arg int, mask, v uint64) comparison { return comparison{arg, "&", mask, v} }
	allow := func(cs ...comparison) rule { return rule{cs, filter.Allow} }
	for _, tt := range []struct {
		arch  string
		rules []rule
		given [6][]uint64
		want  string
	}{
		{arch: "x86_64", rules: []rule{allow(m(0, 0x7e020000, 0))}, want: "ALLOW if arg0 & 0x7e020000 == 0; ERRNO(1) if arg0 & 0x7e020000 != 0"},
		{arch: "x86", rules: []rule{allow(m(0, 0x7e020000, 0))}, want: "ALLOW if arg0 & 0x7e020000 == 0; ERRNO(1) if arg0 & 0x7e020000 != 0"},
		{arch: "s390x", rules: []rule{allow(c(1, "==", 1)), allow(c(1, "==", 3))}, want: "ALLOW if arg1 in {1, 3}; ERRNO(1) if arg1 not in {1, 3}"},
		{arch: "x86_64", rules: []rule{allow(c(2, ">", 5))}, want: "ALLOW if arg2 > 5; ERRNO(1) if arg2 <= 5"},
		{arch: "x86_64", rules: []rule{allow(c(2, ">=", 1<<32))}, want: "ALLOW if arg2.hi != 0; ERRNO(1) if arg2.hi == 0"},
		{arch: "x86", rules: []rule{allow(c(2, "<", 4096))}, want: "ALLOW if arg2 < 0x1000; ERRNO(1) if arg2 >= 0x1000"},
		{arch: "x86_64", rules: []rule{allow(c(2, "<=", 0x7fffffff))}, want: "ALLOW if arg2 < 0x80000000; ERRNO(1) if arg2 >= 0x80000000"},
		{arch: "x86_64", rules: []rule{allow(m(0, 0xffffffff00000003, 1))}, want: "ALLOW if arg0 & 0xffffffff00000003 == 0x1; ERRNO(1) if arg0 & 0xffffffff00000003 != 0x1"},
		{arch: "x86_64", rules: []rule{allow(m(0, 0xf0000000f, 0x700000001))}, want: "ALLOW if arg0 & 0xf0000000f == 0x700000001; ERRNO(1) if arg0 & 0xf0000000f != 0x700000001"},
		{arch: "x86_64", rules: []rule{allow(c(0, "==", 1), c(1, "!=", 2))}, want: "ALLOW if arg0 == 1 and arg1 != 2; ERRNO(1) if arg0 != 1; ERRNO(1) if arg0 == 1 and arg1 == 2"},
		{arch: "x86_64", rules: []rule{allow(c(0, ">=", 5), c(0, "<=", 9))}, want: "ALLOW if arg0 in {5..9}; ERRNO(1) if arg0 not in {5..9}"},
		{arch: "x86_64", rules: []rule{allow(c(0, "==", 40))}, given: [6][]uint64{{40}}, want: "ALLOW"},
		{arch: "x86_64", rules: []rule{allow(c(0, "==", 40))}, given: [6][]uint64{{1 << 32, 41}}, want: "ERRNO(1)"},
		{arch: "x86_64", rules: []rule{allow(c(0, "==", 40))}, given: [6][]uint64{{40, 1<<32 | 40, 41}}, want: "ALLOW if arg0 == 40; ERRNO(1) if arg0 in {41, 0x100000028}"},
		// The halves of one constant belong together: neither 1 nor 1<<32 has both.
		{arch: "x86_64", rules: []rule{allow(c(0, "==", 1<<32|1))}, given: [6][]uint64{{1, 1 << 32}}, want: "ERRNO(1)"},
		{arch: "x86", rules: []rule{allow(c(0, "==", 40))}, given: [6][]uint64{{1<<32 | 40}}, want: "ALLOW"},
		{arch: "x86_64", rules: []rule{allow()}, want: "ALLOW"},
		{arch: "x86_64", rules: []rule{allow(c(0, "<", 0))}, want: "ERRNO(1)"},
	} {
		arch := syscalls.ByName(tt.arch)
		for i := range tt.rules {
			for j := range tt.rules[i].when {
				if arch.Bits == 32 {
					tt.rules[i].when[j].v &= max32
				}
			}
		}
		p := compileRules(arch, 7, tt.rules, filter.ErrnoAction(1))
		regions, err := Outcomes(p, arch, 7, tt.given)
		if got := joinRegions(regions); err != nil || got != tt.want {
			t.Errorf("%v\n got %s, %v\nwant %s", tt.rules, got, err, tt.want)
		}
	}
}

func joinRegions(regions []Region) string {
	var parts []string
	for _, r := range regions {
		parts = append(parts, r.String())
	}
	return strings.Join(parts, "; ")
}

// TestRegionTextOfPrograms covers the forms that rules do not lead to.
func TestRegionTextOfPrograms(t *testing.T) {
	arg0 := filter.Load(filter.OffsetArgs)
	s, j := filter.Stmt, filter.Jump
	end := filter.Program{filter.Return(filter.ErrnoAction(1)), filter.Return(filter.Allow)}
	for _, tt := range []struct {
		p    filter.Program
		want string
	}{
		{filter.Program{arg0, j(filter.OpJeqK, 5, 1, 0)}, "ALLOW if arg0.lo == 5; ERRNO(1) if arg0.lo != 5"},
		{filter.Program{arg0, j(filter.OpJsetK, 6, 1, 0)}, "ALLOW if arg0 & 0x6 != 0; ERRNO(1) if arg0 & 0x6 == 0"},
		{filter.Program{arg0, s(filter.OpRshK, 4), s(filter.OpAndK, 3), j(filter.OpJeqK, 2, 1, 0)}, "ALLOW if arg0 & 0x30 == 0x20; ERRNO(1) if arg0 & 0x30 != 0x20"},
		{filter.Program{arg0, s(filter.OpRshK, 4), j(filter.OpJgtK, 2, 1, 0)}, "ALLOW if arg0.lo > 47; ERRNO(1) if arg0.lo <= 47"},
		{filter.Program{arg0, s(filter.OpAndK, 5), j(filter.OpJgtK, 2, 1, 0)}, "ALLOW if arg0.lo & 0x5 > 2; ERRNO(1) if arg0.lo & 0x5 <= 2"},
		{filter.Program{arg0, s(filter.OpAddK, 5), j(filter.OpJeqK, 7, 1, 0)}, "ALLOW if arg0.lo == 2; ERRNO(1) if arg0.lo != 2"},
		{filter.Program{arg0, s(filter.OpMulK, 3), j(filter.OpJeqK, 9, 1, 0)}, "ALLOW if arg0.lo == 3; ERRNO(1) if arg0.lo != 3"},
		{filter.Program{arg0, s(filter.OpMulK, 3), j(filter.OpJgtK, 900, 1, 0)}, "ALLOW if (arg0.lo * 3) > 900; ERRNO(1) if (arg0.lo * 3) <= 900"},
		{filter.Program{arg0, s(filter.OpTax, 0), filter.Load(filter.OffsetArgs + 8), j(filter.OpJgtX, 0, 1, 0)}, "ALLOW if arg1.lo > arg0.lo; ERRNO(1) if arg1.lo <= arg0.lo"},
		{filter.Program{filter.Load(filter.OffsetIP), j(filter.OpJeqK, 5, 1, 0)}, "ALLOW if ip.lo == 5; ERRNO(1) if ip.lo != 5"},
		{filter.Program{arg0, s(filter.OpTax, 0), s(filter.OpLdImm, 8), s(filter.OpDivX, 0), j(filter.OpJeqK, 4, 1, 0)}, "ALLOW if arg0.lo != 0 and (8 / arg0.lo) == 4; ERRNO(1) if arg0.lo != 0 and (8 / arg0.lo) != 4; KILL_THREAD if arg0.lo == 0"},
		{filter.Program{arg0, s(filter.OpAndK, 1), s(filter.OpOrK, uint32(filter.Errno)), s(filter.OpRetA, 0)}, "ERRNO(0) if arg0 & 0x1 == 0; ERRNO(1) if arg0 & 0x1 == 0x1"},
		{filter.Program{arg0, s(filter.OpTax, 0), s(filter.OpSubX, 0), j(filter.OpJeqK, 0, 1, 0)}, "ALLOW"},
		{filter.Program{arg0, j(filter.OpJgtK, 9, 0, 1), j(filter.OpJgeK, 10, 1, 0)}, "ALLOW if arg0.lo > 9; ERRNO(1) if arg0.lo <= 9"},
	} {
		p := append(slices.Clone(tt.p), end...)
		if err := p.Verify(); err != nil {
			t.Fatal(err)
		}
		regions, err := Outcomes(p, syscalls.ByName("x86_64"), 7, [6][]uint64{})
		if got := joinRegions(regions); err != nil || got != tt.want {
			t.Errorf("%v\n got %s, %v\nwant %s", tt.p, got, err, tt.want)
		}
	}
}

func TestOutcomesTooComplex(t *testing.T) {
	arch := syscalls.ByName("x86_64")
	// Each rung doubles the paths, because the sum of the bits is kept and returned.
	ladder := filter.Program{filter.Stmt(filter.OpSt, 0)}
	for i := range 20 {
		ladder = append(ladder,
			filter.Load(filter.OffsetArgs), filter.Jump(filter.OpJsetK, 1<<i, 0, 3),
			filter.Stmt(filter.OpLdMem, 0), filter.Stmt(filter.OpAddK, 1<<i), filter.Stmt(filter.OpSt, 0))
	}
	ladder = append(ladder, filter.Stmt(filter.OpLdMem, 0), filter.Stmt(filter.OpRetA, 0))
	doubled := filter.Program{filter.Load(filter.OffsetArgs), filter.Stmt(filter.OpTax, 0)}
	for range 2000 {
		doubled = append(doubled, filter.Stmt(filter.OpAddX, 0), filter.Stmt(filter.OpTax, 0))
	}
	doubled = append(doubled, filter.Jump(filter.OpJeqK, 5, 0, 1), filter.Return(0), filter.Return(filter.Allow))
	for name, p := range map[string]filter.Program{
		"ladder":  ladder,
		"doubled": doubled,
		"ret a":   prog(filter.Load(filter.OffsetArgs)),
	} {
		if err := p.Verify(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if regions, err := Outcomes(p, arch, 7, [6][]uint64{}); !errors.Is(err, ErrTooComplex) {
			t.Errorf("%s: %v, %v", name, regions, err)
		}
		// With all arguments known the same filters are easy.
		regions, err := Outcomes(p, arch, 7, [6][]uint64{{1}, {0}, {0}, {0}, {0}, {0}})
		if err != nil || len(regions) != 1 {
			t.Errorf("%s, arguments known: %v, %v", name, regions, err)
		}
	}
}

// Paths that meet again with the same state are one, and so a ladder that leaves nothing behind has
// two paths and not 1<<20.
func TestOutcomesOfLadder(t *testing.T) {
	arch := syscalls.ByName("x86_64")
	ladder := filter.Program{filter.Stmt(filter.OpStx, 0)}
	for i := range 20 {
		ladder = append(ladder, filter.Load(filter.OffsetArgs), filter.Stmt(filter.OpAndK, 1<<i),
			filter.Jump(filter.OpJeqK, 0, 0, 2), filter.Stmt(filter.OpLdxMem, 0), filter.Stmt(filter.OpJa, 0), filter.Stmt(filter.OpStx, 0))
	}
	ladder = append(ladder, filter.Load(filter.OffsetArgs), filter.Jump(filter.OpJeqK, 5, 0, 1), filter.Return(filter.Log), filter.Return(filter.Allow))
	if err := ladder.Verify(); err != nil {
		t.Fatal(err)
	}
	regions, err := Outcomes(ladder, arch, 7, [6][]uint64{})
	if got := joinRegions(regions); err != nil || got != "ALLOW if arg0.lo != 5; LOG if arg0.lo == 5" {
		t.Errorf("%s, %v", got, err)
	}
}
