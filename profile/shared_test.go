package profile

import (
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/simulate"
	"github.com/profcheck/profcheck/syscalls"
)

var update = flag.Bool("update", false, "write the golden files")

// shared returns a folder of the shared data, or skips the test where there is none.
func shared(t testing.TB, sub string) string {
	t.Helper()
	root := os.Getenv("PROFCHECK_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "shared")
	}
	dir := filepath.Join(root, sub)
	if _, err := os.Stat(dir); err != nil {
		absent(t, "no shared data: %v", err)
	}
	return dir
}

// absent skips a test that needs something from outside, and fails it in CI.
func absent(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test -update writes it):\n%s", path, got)
	}
}

func arch(t testing.TB, word string) *syscalls.Arch {
	t.Helper()
	a, err := syscalls.Lookup(word)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func mustParse(t testing.TB, data string) *Profile {
	t.Helper()
	p, err := Parse("p.json", []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// numbers returns the numbers of an ABI that a comparison must look at: every call, its
// neighbours, and the edges of every rule that knows numbers.
func numbers(a *syscalls.Arch, stub map[string]int32) []int32 {
	all := []int32{-1, -2, 0, math.MinInt32, math.MaxInt32, x32Bit - 1, x32Bit, x32Bit + 1, -x32Bit, -x32Bit - 1, -x32Bit + 1}
	for _, s := range a.Syscalls() {
		all = append(all, s.Nr-1, s.Nr, s.Nr+1)
	}
	for _, last := range stub {
		all = append(all, last-1, last, last+1)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// points returns arguments on both sides of every condition on a call, with and without bits in
// the upper halves, and some at random.
func points(rnd *rand.Rand, conds []Cond, random int) [][6]uint64 {
	values := [6][]uint64{}
	for i := range values {
		values[i] = []uint64{0, math.MaxUint64}
	}
	for _, c := range conds {
		for _, v := range []uint64{c.Value, c.Value - 1, c.Value + 1, c.Value | ^c.Mask, c.Value ^ c.Mask&-c.Mask, c.Value ^ 1<<32, c.Value ^ 1<<63} {
			values[c.Arg] = append(values[c.Arg], v, v&math.MaxUint32, v|^uint64(math.MaxUint32))
		}
	}
	var all [][6]uint64
	for i := range values {
		for _, v := range values[i] {
			p := [6]uint64{}
			p[i] = v
			all = append(all, p)
		}
	}
	for range random {
		p := [6]uint64{}
		for i := range p {
			p[i] = values[i][rnd.IntN(len(values[i]))]
			if rnd.IntN(4) == 0 {
				p[i] = rnd.Uint64() >> rnd.IntN(64)
			}
		}
		all = append(all, p)
	}
	return all
}

// A difference is a call that a Resolved and a program answer differently.
type difference struct {
	arch      *syscalls.Arch
	nr        int32
	args      [6]uint64
	got, want filter.Action
}

// compare runs a program beside Meaning on every number of the given ABIs and returns the first
// differences and how many calls it asked.
func compare(r *Resolved, p filter.Program, abis []*syscalls.Arch, random int) (list []difference, asked int) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, a := range abis {
		order := r.Arches[0].Order()
		for _, nr := range numbers(a, r.Stub) {
			var conds []Cond
			for _, other := range r.Arches {
				if c := r.tables[other.Name][nr]; c != nil && other.Audit == a.Audit {
					for _, e := range c.entries {
						conds = append(conds, e.conds...)
					}
				}
			}
			for _, args := range points(rnd, conds, random*(1+len(conds))) {
				d := filter.Data{Nr: nr, Arch: a.Audit, Args: args}
				got, want := r.Meaning(a, nr, args), simulate.Run(p, &d, order)
				if asked++; got != want && len(list) < 2000 {
					list = append(list, difference{a, nr, args, got, want})
				}
			}
		}
	}
	return list, asked
}

// sameOrder returns all ABIs of a byte order.
func sameOrder(a *syscalls.Arch) []*syscalls.Arch {
	return slices.DeleteFunc(syscalls.Arches(), func(b *syscalls.Arch) bool { return b.BigEndian != a.BigEndian })
}
