package simulate

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// FuzzPartition checks partitions of arbitrary verified programs, alone and as a stack with
// themselves, against runs.
func FuzzPartition(f *testing.F) {
	addSeeds(f, func(raw []byte, seed uint64) { f.Add(raw, seed) })
	f.Fuzz(func(t *testing.T, raw []byte, seed uint64) {
		p, err := filter.Decode(raw, binary.LittleEndian)
		if err != nil || p.Verify() != nil {
			return
		}
		rng := rand.New(rand.NewPCG(seed, 2))
		arch := syscalls.ByName(testArches[seed%uint64(len(testArches))])
		policy := OfPrograms(p)
		if rng.IntN(4) == 0 {
			policy = OfPrograms(mutate(rng, p), p)
		}
		if err := checkPartition(rng, policy, arch, samples(p, arch.Bits == 32), Partition(policy, arch), 2); err != nil {
			t.Fatalf("%v: %v", p, err)
		}
	})
}

// FuzzDiff checks the difference of two arbitrary verified programs, of which the second is a mutant
// of the first for every other seed, against runs.
func FuzzDiff(f *testing.F) {
	addSeeds(f, func(raw []byte, seed uint64) { f.Add(raw, raw, seed) })
	f.Fuzz(func(t *testing.T, raw, other []byte, seed uint64) {
		p, err := filter.Decode(raw, binary.LittleEndian)
		if err != nil || p.Verify() != nil {
			return
		}
		rng := rand.New(rand.NewPCG(seed, 3))
		q, err := filter.Decode(other, binary.LittleEndian)
		switch {
		case seed%2 == 0:
			q = mutate(rng, p)
		case err != nil || q.Verify() != nil:
			return
		}
		arch := syscalls.ByName(testArches[seed/2%uint64(len(testArches))])
		d, err := Diff(OfPrograms(p), OfPrograms(q), []*syscalls.Arch{arch})
		if err != nil {
			t.Fatalf("%v\n%v: %v", p, q, err)
		}
		pool := samples(slices.Concat(p, q), arch.Bits == 32)
		if _, err := checkDifference(rng, OfPrograms(p), OfPrograms(q), arch, pool, d, 100); err != nil {
			t.Fatalf("%v\n%v: %v", p, q, err)
		}
	})
}
