package simulate

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
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
