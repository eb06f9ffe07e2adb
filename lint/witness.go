package lint

import (
	"slices"

	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/simulate"
)

// witness returns a call in the region for which the filter really gives the region's action, nil
// if none is found. Values are tried: for each argument those that the question allows, or else 0
// and the constants that the filter itself compares with, and their neighbours.
func (a *ABI) witness(name string, nr int32, r simulate.Region, given [6][]uint64) *finding.Witness {
	w := &finding.Witness{Arch: a.Name, Syscall: name, Nr: nr}
	for i := range w.Args {
		var about []simulate.Cond
		for _, c := range r.When {
			if c.Arg() == i {
				about = append(about, c)
			}
		}
		try := func(v uint64) bool {
			var args [6]uint64
			args[i], w.Args[i] = v, v
			return !slices.ContainsFunc(about, func(c simulate.Cond) bool { return !c.Holds(args) })
		}
		if given[i] != nil && !slices.ContainsFunc(given[i], try) ||
			given[i] == nil && about != nil && !a.tryConstants(try) {
			return nil
		}
	}
	if a.run(nr, w.Args) != r.Action {
		return nil // conditions that join several words, or on the instruction pointer
	}
	return w
}

// maxHalves bounds the constants that are tried as upper half of a number.
const maxHalves = 64

// tryConstants calls try with the numbers that the filter's constants suggest until it says yes, and
// reports whether it did.
func (a *ABI) tryConstants(try func(uint64) bool) bool {
	if a.constants == nil {
		a.constants = []uint64{0, 1}
		for _, in := range a.program {
			k := uint64(in.K)
			a.constants = append(a.constants, k, (k+1)&0xffffffff, (k-1)&0xffffffff, ^k&0xffffffff)
		}
		slices.Sort(a.constants)
		a.constants = slices.Compact(a.constants)
	}
	if slices.ContainsFunc(a.constants, try) {
		return true
	}
	for _, hi := range a.constants[:min(len(a.constants), maxHalves)] {
		for _, lo := range a.constants {
			if a.Bits == 64 && try(hi<<32|lo) {
				return true
			}
		}
	}
	return false
}
