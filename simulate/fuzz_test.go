package simulate

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// addSeeds gives a fuzzer programs of each kind.
func addSeeds(f *testing.F, add func(raw []byte, seed uint64)) {
	rng := rand.New(rand.NewPCG(7, 1))
	arch := syscalls.ByName("x86_64")
	for i := range uint64(10) {
		add(randomProgram(rng, 20).Encode(binary.LittleEndian), i)
		add(compileRules(arch, 7, randomRules(rng, false), filter.KillThread).Encode(binary.LittleEndian), i)
	}
	for _, d := range defects() {
		add(d.p.Encode(binary.LittleEndian), 0)
	}
}

// FuzzVerifyRun checks that a program that passes Verify ends, by the same answer with and without a
// trace, and reads only what the trace says.
func FuzzVerifyRun(f *testing.F) {
	addSeeds(f, func(raw []byte, seed uint64) { f.Add(raw, int32(7), seed, seed<<32|seed, seed*3) })
	f.Fuzz(func(t *testing.T, raw []byte, nr int32, a0, a1, ip uint64) {
		p, err := filter.Decode(raw, binary.LittleEndian)
		if err != nil {
			return
		}
		d := filter.Data{Nr: nr, Arch: 0xc000003e, IP: ip, Args: [6]uint64{a0, a1, a0 ^ a1, ip, a0 << 32, ^a1}}
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			got := Run(p, &d, order) // ends even where the program does not verify
			if p.Verify() != nil {
				continue
			}
			r := Trace(p, &d, order)
			if r.Action != got || len(r.Trace) == 0 || len(r.Trace) > len(p) {
				t.Fatalf("Run %v, Trace %v in %d steps", got, r.Action, len(r.Trace))
			}
			checkTrace(t, p, &d, order, r)
		}
	})
}

// FuzzOutcomes checks regions of arbitrary verified programs against Run on sampled calls.
func FuzzOutcomes(f *testing.F) {
	addSeeds(f, func(raw []byte, seed uint64) { f.Add(raw, seed) })
	f.Fuzz(func(t *testing.T, raw []byte, seed uint64) {
		p, err := filter.Decode(raw, binary.LittleEndian)
		if err != nil || p.Verify() != nil {
			return
		}
		rng := rand.New(rand.NewPCG(seed, 1))
		arch := syscalls.ByName(testArches[seed%uint64(len(testArches))])
		pool := samples(p, arch.Bits == 32)
		var given [6][]uint64
		if rng.IntN(2) == 0 {
			given = randomGiven(rng, pool)
		}
		regions, err := Outcomes(p, arch, 7, given)
		if errors.Is(err, ErrTooComplex) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := checkRegions(rng, p, pool, arch, 7, given, regions, 50); err != nil {
			t.Fatal(err)
		}
	})
}
