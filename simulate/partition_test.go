package simulate

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// checkCover reports whether the ranges are all numbers of the set, each once, in order.
func checkCover(ranges []NumberRange, numbers set) error {
	var all []span
	for i, r := range ranges {
		if r.From > r.To || i > 0 && r.From <= ranges[i-1].To {
			return fmt.Errorf("range %v is out of order", r)
		}
		if len(r.Regions) == 0 && r.Unknown == nil {
			return fmt.Errorf("range %v has no region", r)
		}
		all = append(all, span{uint64(r.From), uint64(r.To)})
	}
	if got := normal(all); !got.equal(numbers) {
		return fmt.Errorf("the ranges are %v, not %v", got, numbers)
	}
	return nil
}

// rounds is how often a random test goes round: n, or 20 times that where PROFCHECK_FULL is set.
func rounds(n int) int {
	if os.Getenv("PROFCHECK_FULL") != "" {
		n *= 20
	}
	return n
}

// rangeOf returns the range of a number, nil if none has it.
func rangeOf(ranges []NumberRange, nr uint32) *NumberRange {
	i, ok := slices.BinarySearchFunc(ranges, nr, func(r NumberRange, nr uint32) int {
		switch {
		case r.To < nr:
			return -1
		case r.From > nr:
			return 1
		}
		return 0
	})
	if !ok {
		return nil
	}
	return &ranges[i]
}

// checkCall compares a range with what the policy does on one call of it.
func checkCall(p Policy, r *NumberRange, d *filter.Data, order binary.ByteOrder) error {
	want := p.Run(d, order)
	var in []Region
	for _, region := range r.Regions {
		if region.HoldsFor(d) {
			in = append(in, region)
		}
	}
	if r.Unknown != nil && len(in) == 0 {
		if !r.Unknown.Any && !slices.Contains(r.Unknown.Actions, want) {
			return fmt.Errorf("%+v: Run says %v, which is not in %v", *d, want, r)
		}
		return nil
	}
	if len(in) != 1 || in[0].Action != want {
		return fmt.Errorf("%+v: Run says %v, regions %v of %v", *d, want, in, r)
	}
	return nil
}

// numbersToTry lists numbers at which the ranges and the policy may change their answer, and others.
func numbersToTry(rng *rand.Rand, ranges []NumberRange, pool []uint64, arch *syscalls.Arch) []uint32 {
	var list []uint32
	for _, r := range ranges {
		list = append(list, r.From, r.To, r.From+uint32(rng.Uint64N(uint64(r.To-r.From)+1)))
	}
	for range 50 {
		list = append(list, uint32(pool[rng.IntN(len(pool))]), rng.Uint32())
	}
	for range 20 {
		calls := arch.Syscalls()
		list = append(list, uint32(calls[rng.IntN(len(calls))].Nr))
	}
	return list
}

// checkPartition compares a partition with runs on sampled calls, n of each number.
func checkPartition(rng *rand.Rand, p Policy, arch *syscalls.Arch, pool []uint64, ranges []NumberRange, n int) error {
	if err := checkCover(ranges, abiNumbers(arch)); err != nil {
		return err
	}
	for _, nr := range numbersToTry(rng, ranges, pool, arch) {
		r := rangeOf(ranges, nr)
		if r == nil {
			continue // another ABI's
		}
		for range n {
			d := filter.Data{Nr: int32(nr), Arch: arch.Audit, IP: pool[rng.IntN(len(pool))]}
			for i := range d.Args {
				d.Args[i] = pool[rng.IntN(len(pool))]
			}
			if err := checkCall(p, r, &d, arch.Order()); err != nil {
				return fmt.Errorf("%s: %w", arch, err)
			}
		}
	}
	return nil
}

// mobyFilters reads what libseccomp makes of Docker's default profile, by name of the file, with the
// architecture that each was made for.
func mobyFilters(t testing.TB) map[string]filter.Program {
	dir := sharedDir(t, "vectors/moby")
	files, err := filepath.Glob(filepath.Join(dir, "*.bpf"))
	if err != nil || len(files) != 55 {
		t.Fatalf("%d filters in %s, %v", len(files), dir, err)
	}
	all := map[string]filter.Program{}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".bpf")
		all[name] = readFilter(t, file, mobyArch(t, name).Order())
	}
	return all
}

// mobyArch returns the architecture of a filter from its name, "moby-amd64-nocaps-opt2".
func mobyArch(t testing.TB, name string) *syscalls.Arch {
	t.Helper()
	arch, err := syscalls.Lookup(strings.Split(name, "-")[1])
	if err != nil {
		t.Fatal(err)
	}
	return arch
}

func sortedNames[T any](m map[string]T) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.SortFunc(names, cmp.Compare[string])
	return names
}

func TestPartitionOfMoby(t *testing.T) {
	rng := rand.New(rand.NewPCG(20, 1))
	filters := mobyFilters(t)
	for _, name := range sortedNames(filters) {
		p := filters[name]
		arch := mobyArch(t, name)
		pool := samples(p, arch.Bits == 32)
		ranges := Partition(OfPrograms(p), arch)
		if err := checkPartition(rng, OfPrograms(p), arch, pool, ranges, 3); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		depends := 0
		for _, r := range ranges {
			if r.Unknown != nil {
				t.Errorf("%s: %v", name, r)
			}
			if len(r.Regions) > 1 {
				depends++
			}
		}
		if depends == 0 || len(ranges) < 20 {
			t.Errorf("%s: %d ranges, %d depend on arguments", name, len(ranges), depends)
		}
	}
}

// randomNumberProgram is a random program that looks at the number more often than at arguments.
func randomNumberProgram(rng *rand.Rand, n int) filter.Program {
	p := randomProgram(rng, n)
	for i := range p {
		if p[i].Code == filter.OpLdAbs && rng.IntN(2) == 0 {
			p[i].K = filter.OffsetNr
		}
	}
	return p
}

// count tells what random programs lead to, so that a test can see that it tries something.
type count struct{ total, unknown, ranges, depends, onNumber int }

func (c *count) add(ranges []NumberRange) {
	c.total++
	c.ranges += min(len(ranges)-1, 1)
	unknown, depends, onNumber := 0, 0, 0
	for _, r := range ranges {
		if r.Unknown != nil {
			unknown = 1
		}
		if len(r.Regions) > 1 {
			depends = 1
		}
		for _, region := range r.Regions {
			for _, w := range region.When {
				if w.kind != condRel && w.subject == callSubject || w.kind == condRel && w.rel.subjects()>>callSubject != 0 {
					onNumber = 1
				}
			}
		}
	}
	c.unknown, c.depends, c.onNumber = c.unknown+unknown, c.depends+depends, c.onNumber+onNumber
}

func TestPartitionOfRandomPrograms(t *testing.T) {
	rng := rand.New(rand.NewPCG(21, 1))
	arches := []string{"x86_64", "x32", "x86", "s390x", "mips"}
	var c count
	for n := range rounds(400) {
		arch := syscalls.ByName(arches[n%len(arches)])
		var stack []filter.Program
		for range 1 + rng.IntN(2) {
			stack = append(stack, randomNumberProgram(rng, 4+rng.IntN(30)))
		}
		p := OfPrograms(stack...)
		ranges := Partition(p, arch)
		c.add(ranges)
		if err := checkPartition(rng, p, arch, samples(slices.Concat(stack...), arch.Bits == 32), ranges, 3); err != nil {
			t.Fatalf("%v: %v", stack, err)
		}
	}
	t.Logf("%+v", c)
	if c.unknown > c.total/5 || c.unknown == 0 || c.ranges < c.total/2 || c.depends < c.total/5 || c.onNumber == 0 {
		t.Errorf("the random programs do not try what they should: %+v", c)
	}
}

// TestPartitionByHand holds ranges to the form that a person reads.
func TestPartitionByHand(t *testing.T) {
	s, j := filter.Stmt, filter.Jump
	nr, arg0 := filter.Load(filter.OffsetNr), filter.Load(filter.OffsetArgs)
	yes, no := filter.Return(filter.Allow), filter.Return(filter.ErrnoAction(1))
	for _, tt := range []struct {
		name string
		p    filter.Program
		want string
	}{
		{"one answer", filter.Program{yes}, "0..4294967295: ALLOW"},
		{"one number", filter.Program{nr, j(filter.OpJeqK, 5, 0, 1), yes, no}, "0..4: ERRNO(1) | 5: ALLOW | 6..4294967295: ERRNO(1)"},
		{"neighbours", filter.Program{nr, j(filter.OpJeqK, 5, 1, 0), j(filter.OpJeqK, 6, 0, 1), yes, no}, "0..4: ERRNO(1) | 5..6: ALLOW | 7..4294967295: ERRNO(1)"},
		{"the last number", filter.Program{nr, j(filter.OpJeqK, max32, 0, 1), yes, no}, "0..4294967294: ERRNO(1) | 4294967295: ALLOW"},
		{"from a number", filter.Program{nr, j(filter.OpJgeK, 400, 0, 1), yes, no}, "0..399: ERRNO(1) | 400..4294967295: ALLOW"},
		{"a bit", filter.Program{nr, j(filter.OpJsetK, 1<<30, 0, 1), yes, no},
			"0..1073741823: ERRNO(1) | 1073741824..2147483647: ALLOW | 2147483648..3221225471: ERRNO(1) | 3221225472..4294967295: ALLOW"},
		{"an offset", filter.Program{nr, s(filter.OpSubK, 100), j(filter.OpJgtK, 9, 1, 0), yes, no}, "0..99: ERRNO(1) | 100..109: ALLOW | 110..4294967295: ERRNO(1)"},
		{"an argument", filter.Program{nr, j(filter.OpJeqK, 5, 0, 3), arg0, j(filter.OpJeqK, 2, 0, 1), yes, no},
			"0..4: ERRNO(1) | 5: ALLOW if arg0 == 2; ERRNO(1) if arg0 != 2 | 6..4294967295: ERRNO(1)"},
		{"an argument first", filter.Program{arg0, j(filter.OpJeqK, 2, 0, 3), nr, j(filter.OpJeqK, 5, 0, 1), yes, no},
			"0..4: ERRNO(1) | 5: ALLOW if arg0 == 2; ERRNO(1) if arg0 != 2 | 6..4294967295: ERRNO(1)"},
		{"low bits without a name", filter.Program{nr, j(filter.OpJgtK, 1000, 0, 3), s(filter.OpAndK, 0xff), j(filter.OpJeqK, 7, 0, 1), yes, no},
			"0..1000: ERRNO(1) | 1001..4294967295: ALLOW if nr & 0xff == 0x7; ERRNO(1) if nr & 0xff != 0x7"},
		{"low bits with names", filter.Program{nr, j(filter.OpJgtK, 9, 3, 0), s(filter.OpAndK, 3), j(filter.OpJeqK, 3, 0, 1), yes, no},
			"0..2: ERRNO(1) | 3: ALLOW | 4..6: ERRNO(1) | 7: ALLOW | 8..4294967295: ERRNO(1)"},
		{"an allow with data", filter.Program{filter.Return(filter.Allow | 7)}, "0..4294967295: ALLOW"},
	} {
		if err := tt.p.Verify(); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		var parts []string
		for _, r := range Partition(OfPrograms(tt.p), syscalls.ByName("x86")) {
			parts = append(parts, r.String())
		}
		if got := strings.Join(parts, " | "); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

// TestPartitionCanBeWrong is the twin of the tests above: ranges that are wrong in one place must
// not pass.
func TestPartitionCanBeWrong(t *testing.T) {
	arch := syscalls.ByName("x86_64")
	program := compileRules(arch, 7, []rule{{[]comparison{{arg: 0, op: "==", v: 40}}, filter.Allow}}, filter.ErrnoAction(1))
	p, pool := OfPrograms(program), samples(program, false)
	check := func(ranges []NumberRange) error {
		return checkPartition(rand.New(rand.NewPCG(22, 1)), p, arch, pool, ranges, 300)
	}
	right := Partition(p, arch)
	if err := check(right); err != nil || len(right) != 5 {
		t.Fatal(right, err)
	}
	for name, change := range map[string]func(r []NumberRange) []NumberRange{
		"none":     func([]NumberRange) []NumberRange { return nil },
		"a gap":    func(r []NumberRange) []NumberRange { return slices.Delete(r, 1, 2) },
		"overlap":  func(r []NumberRange) []NumberRange { r[0].To++; return r },
		"shifted":  func(r []NumberRange) []NumberRange { r[0].To--; r[1].From--; return r },
		"swapped":  func(r []NumberRange) []NumberRange { r[0].Regions, r[1].Regions = r[1].Regions, r[0].Regions; return r },
		"one less": func(r []NumberRange) []NumberRange { r[1].Regions = r[1].Regions[:1]; return r },
		"unknown without the answer": func(r []NumberRange) []NumberRange {
			r[1].Regions, r[1].Unknown = nil, &Unknown{Actions: []filter.Action{filter.Allow}}
			return r
		},
	} {
		if check(change(slices.Clone(right))) == nil {
			t.Errorf("%s passes", name)
		}
	}
}

// Two ABIs with one token share its numbers, as the kernel tells them apart.
func TestPartitionOfSharedToken(t *testing.T) {
	total := uint64(0)
	for _, name := range []string{"x86_64", "x32"} {
		arch := syscalls.ByName(name)
		ranges := Partition(OfPrograms(filter.Program{filter.Return(filter.Log)}), arch)
		for _, r := range ranges {
			total += uint64(r.To-r.From) + 1
			for _, nr := range []uint32{r.From, r.To} {
				if got := syscalls.ByAudit(arch.Audit, int32(nr)); got != arch {
					t.Errorf("%s has %#x of %v", name, nr, got)
				}
			}
		}
	}
	if total != 1<<32 {
		t.Errorf("%d numbers in all", total)
	}
	if r := PartitionToken(OfPrograms(), 12345, true, false); len(r) != 1 || r[0].String() != "0..4294967295: ALLOW" {
		t.Errorf("no filter, some token: %v", r)
	}
}

// Tokens that nobody knows are one more unknown.
func TestPartitionOfOtherTokens(t *testing.T) {
	j := filter.Jump
	token, nr := filter.Load(filter.OffsetArch), filter.Load(filter.OffsetNr)
	for _, tt := range []struct {
		p    filter.Program
		want string
	}{
		{mobyFilter(t), "0..4294967295: KILL_THREAD"},
		{filter.Program{token, j(filter.OpJeqK, 0xc000003e, 1, 0), filter.Return(filter.Trap), filter.Return(filter.Allow)}, "0..4294967295: TRAP"},
		{filter.Program{token, j(filter.OpJeqK, 0x1234, 1, 0), filter.Return(filter.Trap), filter.Return(filter.Allow)},
			"0..4294967295: ALLOW if arch == 0x1234; TRAP if arch != 0x1234"},
		{filter.Program{token, j(filter.OpJsetK, 0x80000000, 3, 0), nr, j(filter.OpJeqK, 7, 1, 0), filter.Return(filter.Trap), filter.Return(filter.Allow)},
			"0..6: ALLOW if arch & 0x80000000 != 0; TRAP if arch & 0x80000000 == 0 | 7: ALLOW | 8..4294967295: ALLOW if arch & 0x80000000 != 0; TRAP if arch & 0x80000000 == 0"},
	} {
		p := OfPrograms(tt.p)
		ranges := PartitionOthers(p, nil, false)
		var parts []string
		for _, r := range ranges {
			parts = append(parts, r.String())
		}
		if got := strings.Join(parts, " | "); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
	// Of random programs, against runs on tokens that no architecture has.
	rng := rand.New(rand.NewPCG(23, 1))
	onToken := 0
	for range rounds(300) {
		program := randomNumberProgram(rng, 4+rng.IntN(20))
		for i := range program {
			if program[i].Code == filter.OpLdAbs && rng.IntN(3) == 0 {
				program[i].K = filter.OffsetArch
			}
		}
		p, pool := OfPrograms(program), samples(program, false)
		ranges := PartitionOthers(p, nil, true)
		if err := checkCover(ranges, upTo(max32)); err != nil {
			t.Fatal(err)
		}
		for range 300 {
			d := filter.Data{Nr: int32(pool[rng.IntN(len(pool))]), Arch: uint32(pool[rng.IntN(len(pool))]), IP: pool[rng.IntN(len(pool))]}
			if syscalls.ByAudit(d.Arch, 0) != nil {
				continue
			}
			for i := range d.Args {
				d.Args[i] = pool[rng.IntN(len(pool))]
			}
			r := rangeOf(ranges, uint32(d.Nr))
			if err := checkCall(p, r, &d, binary.BigEndian); err != nil {
				t.Fatalf("%v: %v", program, err)
			}
			if strings.Contains(r.String(), "arch") {
				onToken++
			}
		}
		mutant := OfPrograms(mutate(rng, program))
		d, err := DiffOthers(p, mutant, nil, true)
		if err != nil {
			t.Fatalf("%v: %v", program, err)
		}
		for _, c := range d.Changes {
			if w := c.Witness; syscalls.ByAudit(w.Arch, 0) != nil || p.Run(&w, binary.BigEndian) != c.Old || mutant.Run(&w, binary.BigEndian) != c.New {
				t.Fatalf("%v: %v, %+v", program, c, w)
			}
		}
	}
	if onToken < 1000 {
		t.Errorf("%d calls are in regions with a condition on the token", onToken)
	}
}

// TestPartitionUpperHalves: what TestUpperHalvesRunningKernel saw is a part of the proof. A filter of
// the i386 call that looks at all of a register can be got past by int 0x80 from a 64-bit program;
// by a 32-bit ARM program it cannot.
func TestPartitionUpperHalves(t *testing.T) {
	denies := filter.Program{filter.Return(filter.ErrnoAction(1))}
	looks := filter.Program{
		filter.Load(filter.ArgHigh(0, binary.LittleEndian)), filter.Jump(filter.OpJeqK, 0, 1, 0),
		filter.Return(filter.Allow), filter.Return(filter.ErrnoAction(1)),
	}
	for _, tt := range []struct{ arch, relation string }{
		{"x86", RelationLooser}, {"mipsel", RelationLooser}, {"arm", RelationEqual}, {"x86_64", RelationLooser},
	} {
		arch := syscalls.ByName(tt.arch)
		d, err := Diff(OfPrograms(denies), OfPrograms(looks), []*syscalls.Arch{arch})
		if err != nil || d.Relation() != tt.relation {
			t.Errorf("%s: %v, %v; want %s", tt.arch, d, err, tt.relation)
			continue
		}
		for _, c := range d.Changes {
			if c.Witness.Args[0]>>32 == 0 {
				t.Errorf("%s: the witness %+v has no upper half", tt.arch, c.Witness)
			}
		}
		for _, n := range Partition(OfPrograms(looks), arch) {
			for _, r := range n.Regions {
				if _, err := r.Witness(arch, [6][]uint64{}); err != nil {
					t.Errorf("%s: %v: %v", tt.arch, r, err)
				}
			}
		}
	}
}
