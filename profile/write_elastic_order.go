package profile

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"
)

// Where the conditions of a call fail, the library compares the last word that they loaded with the
// numbers of the calls after it. What is here finds an order in which that does not matter, as far as there is
// one, and tells where it does.

// mostMistakes bounds the conditions that are compared for it.
const mostMistakes = 1 << 18

// A mistake is what one call can be taken for.
type mistake struct {
	call    int
	matches bool // and get its action; else its conditions fail as well
}

// inOrder puts calls with conditions into the order in which they are written.
func (e *elasticWriting) inOrder(calls []elasticTests) (ordered []elasticTests) {
	mistakes := make([][]mistake, len(calls))
	weight := make([]int, len(calls)) // of the mistakes for calls that are not written yet
	budget, width := mostMistakes, e.abi.Bits
	if e.abi.UpperHalves {
		width = 64
	}
	for i := range calls {
		mistakes[i] = mistakesOf(calls, i, width, &budget)
		for _, m := range mistakes[i] {
			weight[i] += m.weight(len(calls))
		}
	}
	done := make([]bool, len(calls))
	for range calls {
		best := -1
		for i := range calls {
			if !done[i] && (best < 0 || weight[i] < weight[best]) {
				best = i
			}
		}
		done[best] = true
		ordered = append(ordered, calls[best])
		left := func(m mistake) bool { return !done[m.call] }
		var names []string
		for _, m := range mistakes[best] {
			if left(m) && (m.matches || slices.ContainsFunc(mistakes[m.call], left)) {
				names = append(names, calls[m.call].name)
			}
		}
		if len(names) > 0 {
			e.change(calls[best].pos, "where the arguments of %s do not match, the library can take a word of them for the number of a call after it, and the call for that one: %s", calls[best].name, firstFew(names))
		}
		for i := range calls {
			for _, m := range mistakes[i] {
				if m.call == best {
					weight[i] -= m.weight(len(calls))
				}
			}
		}
	}
	return ordered
}

// weight makes a mistake that matters worse than any number of the others.
func (m mistake) weight(calls int) int {
	if m.matches {
		return calls
	}
	return 1
}

// mistakesOf lists what a call can be taken for. It may list more than there is, never less.
func mistakesOf(calls []elasticTests, i, width int, budget *int) (list []mistake) {
	lists := calls[i].lists
	for j, other := range calls {
		words := leaves(lists[len(lists)-1], uint32(other.nr), width)
		if i == j || len(words) == 0 {
			continue
		}
		m := mistake{call: j}
		for _, word := range words {
			for _, conds := range other.lists {
				if *budget -= 1 + len(conds); *budget < 0 || m.matches {
					m.matches = true
					break
				}
				_, m.matches = together([]Cond{word}, solvable(conds), 64)
			}
		}
		list = append(list, m)
	}
	return list
}

// solvable leaves out what together does not know: one of several bits.
func solvable(list []Arg) (conds []Cond) {
	for _, a := range list {
		switch {
		case a.Op != BitsSet:
			conds = append(conds, elasticCond(a))
		case bits.OnesCount64(a.Value) == 1:
			conds = append(conds, Cond{a.Index, MaskedEqual, a.Value, a.Value})
		}
	}
	return conds
}

func namesOf(calls []elasticTests) (names []string) {
	for _, c := range calls {
		names = append(names, c.name)
	}
	return names
}

func firstFew(names []string) string {
	if len(names) > 4 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:4], ", "), len(names)-4)
	}
	return strings.Join(names, ", ")
}

// leaves lists the ways in which a list of conditions can fail with n as the word that was loaded last,
// each as what the argument is then. Of registers of 32 bits the high word is 0.
func leaves(list []Arg, n uint32, width int) (ways []Cond) {
	for _, a := range list {
		hi, lo := uint32(a.Value>>32), uint32(a.Value)
		if (width == 64 || n == 0) && failsHigh(a.Op, n, hi) {
			ways = append(ways, Cond{a.Index, MaskedEqual, math.MaxUint32 << 32, uint64(n) << 32})
		}
		if !failsLow(a.Op, n, lo) {
			continue
		}
		way := Cond{a.Index, MaskedEqual, math.MaxUint32, uint64(n)}
		if a.Op != BitsSet && a.Op != MaskedEqual { // these look at the low word whatever the high one is
			way = Cond{a.Index, Equal, math.MaxUint64, uint64(hi)<<32 | uint64(n)}
		}
		ways = append(ways, way)
	}
	return ways
}

// failsHigh reports whether the high word n alone makes a condition fail.
func failsHigh(op Op, n, hi uint32) bool {
	switch op {
	case Equal:
		return n != hi
	case Greater, GreaterEqual:
		return n < hi
	case Less, LessEqual:
		return n > hi
	case MaskedEqual:
		return n&hi != 0
	}
	return false
}

// failsLow is failsHigh for the low word, where the high one leaves it open.
func failsLow(op Op, n, lo uint32) bool {
	switch op {
	case Equal:
		return n != lo
	case NotEqual:
		return n == lo
	case Greater:
		return n <= lo
	case GreaterEqual:
		return n < lo
	case Less:
		return n >= lo
	case LessEqual:
		return n > lo
	case BitsSet:
		return n&lo == 0
	}
	return n&lo != 0
}
