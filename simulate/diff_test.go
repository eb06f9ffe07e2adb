package simulate

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/simulate/internal/randbpf"
	"github.com/profcheck/profcheck/syscalls"
)

// inChange reports whether a call is one of those that a change is about.
func (c *Change) covers(d *filter.Data) bool {
	return uint32(d.Nr) >= c.From && uint32(d.Nr) <= c.To && Region{When: c.When}.HoldsFor(d)
}

func (u *UnknownRange) covers(d *filter.Data) bool {
	return uint32(d.Nr) >= u.From && uint32(d.Nr) <= u.To && Region{When: u.When}.HoldsFor(d)
}

// checkDifference holds a difference to runs: of each witness, and of sampled calls. It returns how
// many of these differ.
func checkDifference(rng *rand.Rand, old, new Policy, arch *syscalls.Arch, pool []uint64, d *Difference, n int) (differ int, err error) {
	order := arch.Order()
	for _, c := range d.Changes {
		w := c.Witness
		if c.Arch != arch || w.Arch != arch.Audit || !c.covers(&w) || Compare(c.Old, c.New) != c.Direction || c.Direction == Same {
			return 0, fmt.Errorf("change %v with witness %+v", c, w)
		}
		if a, b := old.Run(&w, order), new.Run(&w, order); a != c.Old || b != c.New {
			return 0, fmt.Errorf("change %v: witness %+v gives %v -> %v", c, w, a, b)
		}
	}
	for _, u := range d.Unknown {
		w := u.Witness
		if u.Direction != Same && (!u.covers(&w) || w.Arch != arch.Audit || Compare(old.Run(&w, order), new.Run(&w, order)) != u.Direction) {
			return 0, fmt.Errorf("unknown %v with witness %+v", u, w)
		}
	}
	numbers := abiNumbers(arch)
	try := []uint32{0, 7, max32}
	for _, c := range d.Changes {
		try = append(try, c.From, c.To, c.From-1, c.To+1)
	}
	for range n {
		call := filter.Data{Nr: int32(pool[rng.IntN(len(pool))]), Arch: arch.Audit, IP: pool[rng.IntN(len(pool))]}
		if rng.IntN(2) == 0 {
			call.Nr = int32(try[rng.IntN(len(try))])
		}
		if !numbers.contains(uint64(uint32(call.Nr))) {
			continue
		}
		for i := range call.Args {
			call.Args[i] = pool[rng.IntN(len(pool))]
		}
		a, b := old.Run(&call, order), new.Run(&call, order)
		var in []Change
		for _, c := range d.Changes {
			if c.covers(&call) {
				in = append(in, c)
			}
		}
		unknown := slices.ContainsFunc(d.Unknown, func(u UnknownRange) bool { return u.covers(&call) })
		if Compare(a, b) != Same {
			differ++
		}
		switch {
		case len(in) == 1 && in[0].Old == a && in[0].New == b:
		case len(in) == 0 && (unknown || Compare(a, b) == Same):
		default:
			return 0, fmt.Errorf("%+v: %v -> %v, changes %v, unknown %v", call, a, b, in, d.Unknown)
		}
	}
	return differ, nil
}

// mutate changes one thing of a program: a constant, an operation, a jump or an action. The result
// passes Verify.
func mutate(rng *rand.Rand, p filter.Program) filter.Program {
	for {
		q := slices.Clone(p)
		in := &q[rng.IntN(len(q))]
		switch rng.IntN(5) {
		case 0:
			in.K ^= 1 << rng.IntN(32)
		case 1:
			in.K += uint32(1 - 2*rng.IntN(2))
		case 2:
			in.Jt, in.Jf = in.Jf, in.Jt
		case 3:
			in.Jt += uint8(1 - 2*rng.IntN(2))
		case 4:
			in.Code = filter.Opcodes()[rng.IntN(41)]
		}
		if !slices.Equal(p, q) && q.Verify() == nil {
			return q
		}
	}
}

// Mutants of filters made from rules, of random programs, and of stacks: each difference that is
// reported is confirmed by a run, and where none is sampling finds none either.
func TestDiffOfMutants(t *testing.T) {
	rng := rand.New(rand.NewPCG(30, 1))
	relations := map[string]int{}
	for n := range rounds(600) {
		arch := syscalls.ByName(testArches[n%len(testArches)])
		var p filter.Program
		var below []filter.Program
		switch n % 3 {
		case 0:
			p = compileRules(arch, 7, randomRules(rng, arch.Bits == 32), filter.KillThread)
		case 1:
			p = randomNumberProgram(rng, 4+rng.IntN(30))
		case 2:
			p = compileRules(arch, 7, randomRules(rng, arch.Bits == 32), filter.Log)
			below = append(below, randomNumberProgram(rng, 10))
		}
		q := mutate(rng, p)
		old, new := OfPrograms(append(below, p)...), OfPrograms(append(below, q)...)
		d, err := Diff(old, new, []*syscalls.Arch{arch})
		if err != nil {
			t.Fatalf("%v\n%v: %v", p, q, err)
		}
		relations[d.Relation()]++
		pool := samples(slices.Concat(append(below, p, q)...), arch.Bits == 32)
		differ, err := checkDifference(rng, old, new, arch, pool, d, 300)
		if err != nil {
			t.Fatalf("%v\n%v\n%v: %v", below, p, q, err)
		}
		if differ > 0 && d.Relation() == RelationEqual {
			t.Fatalf("%v\n%v: equal, and %d calls differ", p, q, differ)
		}
	}
	t.Logf("%v", relations)
	for _, r := range []string{RelationEqual, RelationLooser, RelationTighter, RelationBoth, RelationChanged, RelationUnknown} {
		if relations[r] < 5 {
			t.Errorf("%d pairs are %s", relations[r], r)
		}
	}
	if relations[RelationUnknown] > rounds(60) {
		t.Errorf("%d are unknown", relations[RelationUnknown])
	}
}

// The whole instruction set with answers that show what was computed: 12 bits of A are the errno.
func TestDiffOfFullPrograms(t *testing.T) {
	g := randbpf.New(31)
	rng := rand.New(rand.NewPCG(31, 1))
	relations := map[string]int{}
	for n := range rounds(300) {
		arch := syscalls.ByName(testArches[n%len(testArches)])
		stack := g.Stack(1+n%2, randbpf.Shape{Size: 8 + n%20, IP: true, Actions: n%2 == 0, Raw: n%5 == 0})
		p := stack[len(stack)-1]
		old, new := OfPrograms(stack...), OfPrograms(append(slices.Clone(stack[:len(stack)-1]), mutate(rng, p))...)
		d, err := Diff(old, new, []*syscalls.Arch{arch})
		if err != nil {
			t.Fatalf("%v: %v", stack, err)
		}
		relations[d.Relation()]++
		if _, err := checkDifference(rng, old, new, arch, samples(slices.Concat(stack...), arch.Bits == 32), d, 300); err != nil {
			t.Fatalf("%v: %v", stack, err)
		}
	}
	t.Logf("%v", relations)
}

// Filters of Docker's profile for two sets of capabilities differ in what the capabilities are for.
func TestDiffOfMoby(t *testing.T) {
	filters := mobyFilters(t)
	arch := syscalls.ByName("x86_64")
	diff := func(old, new string) *Difference {
		t.Helper()
		d, err := Diff(OfPrograms(filters["moby-amd64-"+old]), OfPrograms(filters["moby-amd64-"+new]), []*syscalls.Arch{arch, syscalls.ByName("x32"), syscalls.ByName("x86")})
		if err != nil {
			t.Fatal(err)
		}
		if len(d.Unknown) > 0 {
			t.Errorf("%s, %s: %v", old, new, d.Unknown)
		}
		return d
	}
	for _, tt := range []struct{ old, new, relation, names string }{
		{"nocaps-opt2", "dockerdefault-opt2", RelationLooser, "chroot"},
		{"dockerdefault-opt2", "nocaps-opt2", RelationTighter, "chroot"},
		{"dockerdefault-opt2", "dockerdefault-opt2", RelationEqual, ""},
	} {
		d := diff(tt.old, tt.new)
		var names []string
		for _, c := range d.Changes {
			if c.Arch == arch {
				for nr := c.From; nr <= c.To; nr++ {
					name, _ := arch.NameOf(int32(nr))
					names = append(names, name)
				}
			}
		}
		if got := strings.Join(names, " "); d.Relation() != tt.relation || got != tt.names {
			t.Errorf("%s, %s: %s, %s", tt.old, tt.new, d.Relation(), got)
		}
	}
	// The stub turns the errno of numbers above the last rule's into ENOSYS.
	d := diff("dockerdefault-opt2", "dockerdefault-runc-enosys")
	for _, c := range d.Changes {
		if c.Old != filter.ErrnoAction(1) || c.New != filter.ErrnoAction(38) || c.Direction != Changed || len(c.When) > 0 {
			t.Errorf("%v", c)
		}
	}
	if d.Relation() != RelationChanged {
		t.Errorf("stub: %s, %v", d.Relation(), d.Changes)
	}
}

// Every filter of the suite is equal to itself, and to none of its mutants that a run tells apart.
func TestDiffOfLibseccompSuite(t *testing.T) {
	rng := rand.New(rand.NewPCG(32, 1))
	found, equal := 0, 0
	for _, s := range libseccompSuites(t) {
		arch := s.rows[0].arch
		old := OfPrograms(s.p)
		if d, err := Diff(old, OfPrograms(slices.Clone(s.p)), []*syscalls.Arch{arch}); err != nil || d.Relation() != RelationEqual {
			t.Fatalf("%s: %v, %v", s.name, d, err)
		}
		for range rounds(10) {
			q := mutate(rng, s.p)
			d, err := Diff(old, OfPrograms(q), []*syscalls.Arch{arch})
			if err != nil {
				t.Fatalf("%s: %v", s.name, err)
			}
			if _, err := checkDifference(rng, old, OfPrograms(q), arch, samples(slices.Concat(s.p, q), arch.Bits == 32), d, 300); err != nil {
				t.Fatalf("%s: %v\n%v", s.name, err, q)
			}
			if d.Relation() == RelationEqual {
				equal++
			} else {
				found++
			}
		}
	}
	t.Logf("%d mutants differ, %d are equal", found, equal)
	if found < 100 || equal < 10 {
		t.Errorf("the mutants do not try what they should")
	}
}

// TestDifferenceCanBeWrong is the twin of the tests above: a difference that is wrong must not pass.
func TestDifferenceCanBeWrong(t *testing.T) {
	arch := syscalls.ByName("x86_64")
	eq := []rule{{[]comparison{{arg: 0, op: "==", v: 40}}, filter.Allow}}
	p, q := compileRules(arch, 7, eq, filter.ErrnoAction(1)), compileRules(arch, 7, nil, filter.ErrnoAction(1))
	old, new := OfPrograms(p), OfPrograms(q)
	check := func(d *Difference) error {
		_, err := checkDifference(rand.New(rand.NewPCG(33, 1)), old, new, arch, samples(p, false), d, 3000)
		return err
	}
	right, err := Diff(old, new, []*syscalls.Arch{arch})
	if err != nil || fmt.Sprint(right.Changes) != "[x86_64 7: ALLOW -> ERRNO(1) if arg0 == 40]" || right.Relation() != RelationTighter || check(right) != nil {
		t.Fatal(right, err, check(right))
	}
	for name, change := range map[string]func(c *Change){
		"another number":  func(c *Change) { c.From, c.To = 8, 8 },
		"more numbers":    func(c *Change) { c.To = 8 },
		"more arguments":  func(c *Change) { c.When = nil },
		"other arguments": func(c *Change) { c.When = []Cond{{kind: condIn, half: both, in: single(41), limit: max64}} },
		"the direction":   func(c *Change) { c.Direction = Looser },
		"another answer":  func(c *Change) { c.New = filter.ErrnoAction(2) },
		"the witness":     func(c *Change) { c.Witness.Args[0] = 41 },
	} {
		d := &Difference{Changes: slices.Clone(right.Changes)}
		if change(&d.Changes[0]); check(d) == nil {
			t.Errorf("%s passes", name)
		}
	}
	if check(&Difference{}) == nil {
		t.Error("no change passes")
	}
}

func TestCompare(t *testing.T) {
	order := []filter.Action{filter.KillProcess, filter.KillThread, filter.Trap, filter.Errno, filter.UserNotif, filter.Trace, filter.Log, filter.Allow}
	for i, a := range order {
		for j, b := range order {
			want := Same
			switch {
			case j > i:
				want = Looser
			case j < i:
				want = Tighter
			}
			if got := Compare(a, b); got != want {
				t.Errorf("%v -> %v is %v", a, b, got)
			}
		}
	}
	for _, tt := range []struct {
		old, new filter.Action
		want     Direction
	}{
		{filter.ErrnoAction(1), filter.ErrnoAction(38), Changed},
		{filter.ErrnoAction(4095), filter.ErrnoAction(5000), Same}, // cut
		{filter.Allow, filter.Allow | 7, Same},
		{filter.Trace | 1, filter.Trace | 2, Changed},
		{filter.Errno, 0x00060000, Tighter}, // unknown actions kill
		{filter.KillProcess, 0x00060000, Same},
	} {
		if got := Compare(tt.old, tt.new); got != tt.want {
			t.Errorf("%v -> %v is %v, not %v", tt.old, tt.new, got, tt.want)
		}
	}
}

// A stack can be loosened by one more filter only where an action that the kernel does not know, and
// kills for, gives way to a denial.
func TestNarrows(t *testing.T) {
	ret := func(a filter.Action) filter.Program { return filter.Program{filter.Return(a)} }
	arches := []*syscalls.Arch{syscalls.ByName("x86_64"), syscalls.ByName("aarch64")}
	for _, tt := range []struct {
		base, added filter.Action
		relation    string
		narrows     bool
	}{
		{filter.Allow, filter.ErrnoAction(1), RelationTighter, true},
		{filter.ErrnoAction(1), filter.Allow, RelationEqual, true},
		{filter.ErrnoAction(1), filter.ErrnoAction(38), RelationChanged, true},
		{filter.KillProcess, filter.Errno, RelationEqual, true},
		{0x00060000, filter.Errno, RelationLooser, false},
		{0x00040000, filter.Errno, RelationEqual, true},
	} {
		d, err := Narrows(OfPrograms(ret(tt.base)), ret(tt.added), arches)
		if err != nil || d.Relation() != tt.relation || d.OnlyNarrows() != tt.narrows {
			t.Errorf("%v and %v: %s, %v, %v", tt.base, tt.added, d.Relation(), d.OnlyNarrows(), err)
		}
	}
	rng := rand.New(rand.NewPCG(34, 1))
	for range 200 {
		arch := syscalls.ByName(testArches[rng.IntN(len(testArches))])
		base := OfPrograms(compileRules(arch, 7, randomRules(rng, false), filter.KillThread))
		d, err := Narrows(base, compileRules(arch, 7, randomRules(rng, false), filter.Trap), []*syscalls.Arch{arch})
		if err != nil || !d.OnlyNarrows() {
			t.Fatal(d, err)
		}
	}
}

// No architectures are all of them.
func TestDiffOfAllArchitectures(t *testing.T) {
	p := OfPrograms(filter.Program{filter.Return(filter.Allow)})
	q := OfPrograms(filter.Program{filter.Return(filter.Log)})
	d, err := Diff(p, q, nil)
	if err != nil || d.Relation() != RelationTighter {
		t.Fatal(d, err)
	}
	seen := map[*syscalls.Arch]bool{}
	for _, c := range d.Changes {
		seen[c.Arch] = true
	}
	if len(seen) != len(syscalls.Arches()) {
		t.Errorf("%d architectures", len(seen))
	}
	if d, err := Diff(Policy{}, p, nil); err != nil || d.Relation() != RelationEqual {
		t.Errorf("no filter and one that allows: %v, %v", d, err)
	}
	if (Policy{}).Run(&filter.Data{}, binary.LittleEndian) != filter.Allow {
		t.Error("no filter does not allow")
	}
}
