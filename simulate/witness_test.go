package simulate

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// checkWitness asks the filter about the witness of a region. It reports whether there was one.
func checkWitness(t *testing.T, p filter.Program, arch *syscalls.Arch, given [6][]uint64, r Region) bool {
	t.Helper()
	d, err := r.Witness(arch, given)
	switch {
	case errors.Is(err, ErrEmpty), errors.Is(err, ErrTooComplex):
		return false
	case err != nil:
		t.Fatal(err)
	}
	d.Nr, d.Arch = 7, arch.Audit
	if got := Run(p, &d, arch.Order()); got != r.Action || !r.HoldsFor(&d) {
		t.Fatalf("%v: witness %#x ip %#x gets %v", r, d.Args, d.IP, got)
	}
	for i, v := range d.Args {
		if len(given[i]) > 0 && !slices.Contains(constants(given[i], arch.Bits == 32), v) || arch.Bits == 32 && v > max32 {
			t.Fatalf("%v: witness %#x is not of %#x", r, d.Args, given)
		}
	}
	return true
}

// Every region of a filter made from rules has a witness, for any arguments and for given ones.
func TestWitnessOfRules(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 1))
	for n := range 2000 {
		arch := syscalls.ByName(testArches[n%len(testArches)])
		rules := randomRules(rng, arch.Bits == 32)
		p := compileRules(arch, 7, rules, filter.KillThread)
		var given [6][]uint64
		if n%2 == 1 {
			given = randomGiven(rng, samples(p, arch.Bits == 32))
		}
		regions, err := Outcomes(p, arch, 7, given)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range regions {
			if !checkWitness(t, p, arch, given, r) {
				t.Fatalf("%v: no witness for %v", rules, r)
			}
		}
	}
}

// Filters of any kind: a witness is one, and where there is certainly none no sample is in the
// region. Only conditions that join words, of which many never hold, leave it open.
func TestWitnessOfRandomPrograms(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 1))
	found, joined := 0, 0
	for n := range 1500 {
		arch := syscalls.ByName(testArches[n%len(testArches)])
		p := randomProgram(rng, 4+rng.IntN(30))
		pool := samples(p, arch.Bits == 32)
		var given [6][]uint64
		if n%3 == 0 {
			given = randomGiven(rng, pool)
		}
		regions, err := Outcomes(p, arch, 7, given)
		if err != nil {
			continue
		}
		for _, r := range regions {
			if checkWitness(t, p, arch, given, r) {
				found++
				continue
			}
			if _, err := r.Witness(arch, given); !errors.Is(err, ErrEmpty) {
				joined++
				if !slices.ContainsFunc(r.When, func(c Cond) bool { return c.kind == condRel }) {
					t.Fatalf("%v: %v", r, err)
				}
				continue
			}
			for range 100 {
				d := filter.Data{IP: pool[rng.IntN(len(pool))]}
				for i := range d.Args {
					from := pool
					if given[i] != nil {
						from = constants(given[i], arch.Bits == 32)
					}
					d.Args[i] = from[rng.IntN(len(from))]
				}
				if r.HoldsFor(&d) {
					t.Fatalf("%v: %#x is in it, and it is said to be empty", r, d.Args)
				}
			}
		}
	}
	t.Logf("%d witnesses; none found for %d regions that join words", found, joined)
	if joined == 0 || found < joined {
		t.Error("the random programs do not try what they should")
	}
}

// Regions that Outcomes does not make, with the smallest number that is in each.
func TestWitnessByHand(t *testing.T) {
	in := func(half int8, s set) Cond { return Cond{kind: condIn, half: half, in: s, limit: max64} }
	bits := func(kind condKind, mask, v uint64) Cond { return Cond{kind: kind, half: both, bits: masked{mask, v}} }
	bit := func(i int) uint64 { return 1 << i }
	var nots, clauses []Cond
	for i := range uint64(500) {
		nots = append(nots, bits(condNe, max64, i))
	}
	for i := range 64 { // each bit is 1 or the next one is
		clauses = append(clauses, bits(condNe, bit(i)|bit((i+1)%64), 0))
	}
	for _, tt := range []struct {
		name string
		when []Cond
		want uint64
		err  error
	}{
		{"nothing asked", nil, 0, nil},
		{"both halves", []Cond{in(both, single(0x7fff123412345678))}, 0x7fff123412345678, nil},
		{"halves apart", []Cond{in(1, set{{3, 9}}), in(0, set{{7, 7}, {9, 9}}), bits(condNe, max32, 7)}, 3<<32 | 9, nil},
		{"masks across halves", []Cond{bits(condEq, 0xf0000000f, 0x700000001), bits(condNe, 0x10, 0), bits(condNe, 0xf0, 0x10)}, 0x700000031, nil},
		{"many exclusions", nots, 500, nil},
		{"many clauses", clauses, 0x5555555555555555, nil},
		{"contradiction", []Cond{bits(condEq, 3, 1), bits(condNe, 1, 1)}, 0, ErrEmpty},
		{"sets without a common number", []Cond{in(both, set{{5, 9}}), in(1, single(1))}, 0, ErrEmpty},
		{"order of masked bits", []Cond{{kind: condAtom, half: 1, atom: atom{sym: 1, op: opGt, mask: 0x0f000000, k: 0x05000000}}}, 0x06000000 << 32, nil},
		{"order of flipped bits", []Cond{{kind: condAtom, atom: atom{op: opLt, mask: 5, xor: 5, k: 4}}}, 4, nil},
	} {
		r := Region{Action: filter.Allow, When: tt.when}
		d, err := r.Witness(syscalls.ByName("x86_64"), [6][]uint64{})
		if !errors.Is(err, tt.err) || err == nil && d.Args[0] != tt.want {
			t.Errorf("%s: %#x, %v; want %#x, %v", tt.name, d.Args[0], err, tt.want, tt.err)
		}
	}
	// The upper half of an argument is 0 on a 32-bit ABI without UpperHalves.
	narrow := Region{When: []Cond{in(1, single(1))}}
	if d, err := narrow.Witness(syscalls.ByName("arm"), [6][]uint64{}); !errors.Is(err, ErrEmpty) {
		t.Errorf("32 bits: %#x, %v", d.Args, err)
	}
}

// A square that must be a certain number is not found by trying, and that is what is said.
func TestWitnessUnknown(t *testing.T) {
	p := filter.Program{
		filter.Load(filter.OffsetArgs), filter.Stmt(filter.OpTax, 0),
		filter.Stmt(filter.OpMulX, 0), filter.Jump(filter.OpJeqK, 0x12345*0x12345&max32, 0, 1),
		filter.Return(filter.Allow), filter.Return(filter.KillThread),
	}
	arch := syscalls.ByName("x86_64")
	regions, err := Outcomes(p, arch, 7, [6][]uint64{})
	if err != nil || len(regions) != 2 {
		t.Fatal(regions, err)
	}
	if d, err := regions[0].Witness(arch, [6][]uint64{}); !errors.Is(err, ErrTooComplex) {
		t.Errorf("%v: %#x, %v", regions[0], d.Args, err)
	}
	if !checkWitness(t, p, arch, [6][]uint64{}, regions[1]) {
		t.Errorf("%v: no witness", regions[1])
	}
	given := [6][]uint64{{1, 0x12345, 7}}
	if regions, err = Outcomes(p, arch, 7, given); err != nil || !checkWitness(t, p, arch, given, regions[0]) {
		t.Errorf("%v, %v: no witness among the given constants", regions, err)
	}
}

// A sum is: what the others leave to the last argument is solved.
func TestWitnessOfSum(t *testing.T) {
	arch := syscalls.ByName("x86_64")
	for _, code := range []uint16{filter.OpAddX, filter.OpSubX, filter.OpXorX, filter.OpMulX} {
		p := filter.Program{
			filter.Load(filter.OffsetArgs + 4), filter.Stmt(filter.OpTax, 0), filter.Load(filter.OffsetArgs + 8),
			filter.Stmt(code, 0), filter.Jump(filter.OpJeqK, 0x12345678, 0, 1),
			filter.Return(filter.Allow), filter.Return(filter.KillThread),
		}
		regions, err := Outcomes(p, arch, 7, [6][]uint64{})
		if err != nil || len(regions) != 2 {
			t.Fatal(regions, err)
		}
		for _, r := range regions {
			if !checkWitness(t, p, arch, [6][]uint64{}, r) {
				t.Errorf("%v: no witness", r)
			}
		}
	}
}
