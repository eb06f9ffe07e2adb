package profile

import (
	"math"
	"slices"

	"github.com/profcheck/profcheck/filter"
)

// A piece is a stretch of values of a word that have one answer: an action, or what write produces.
type piece struct {
	start, end uint32 // both included
	action     filter.Action
	write      func() target // nil: action
	weight     int           // how often it is asked for, at least 1
	hot        bool          // already asked for
}

func (p piece) same(q piece) bool { return p.write == nil && q.write == nil && p.action == q.action }

func (p piece) target() target {
	if p.write != nil {
		return p.write()
	}
	return leaf(p.action)
}

// merged joins neighbours with the same answer.
func merged(pieces []piece) []piece {
	var out []piece
	for _, p := range pieces {
		if last := len(out) - 1; last >= 0 && out[last].same(p) {
			out[last].end = p.end
			out[last].weight += p.weight
			continue
		}
		out = append(out, p)
	}
	return out
}

// cut divides pieces at a value.
func cut(pieces []piece, at uint32) (below, above []piece) {
	for _, p := range pieces {
		switch {
		case p.end < at:
			below = append(below, p)
		case p.start >= at:
			above = append(above, p)
		default:
			q := p
			p.end, q.start = at-1, at
			below, above = append(below, p), append(above, q)
		}
	}
	return below, above
}

// mostPlanned bounds the pieces that plan takes on at once: its time grows with their cube.
const mostPlanned = 32

// search writes a search for the value in the accumulator. Many pieces are first halved by weight.
func (e *emitter) search(pieces []piece) target {
	if len(pieces) == 1 || e.full() {
		return pieces[0].target()
	}
	if len(pieces) > mostPlanned {
		middle := half(pieces)
		above := e.search(pieces[middle:])
		below := e.search(pieces[:middle])
		return e.jump(filter.OpJgeK, pieces[middle].start, above, below)
	}
	p := newPlan(pieces)
	return e.planned(p, 0, len(pieces)-1)
}

// half returns where the pieces fall into two parts that weigh about the same.
func half(pieces []piece) int {
	total, sum := 0, 0
	for _, p := range pieces {
		total += p.weight
	}
	for i, p := range pieces {
		if sum += p.weight; 2*sum >= total {
			// Before or after this piece, whichever is nearer to the middle.
			if i > 0 && 2*sum-total > p.weight {
				return i
			}
			return min(i+1, len(pieces)-1)
		}
	}
	return len(pieces) / 2
}

// A plan is the best search tree for some pieces: the least sum of the instructions it has and the
// instructions that run, by weight. Besides comparing with the beginning of a piece, a tree may
// compare inside one, which then lies in both halves; and where all but single values have one
// answer, those are compared for equality, the heaviest first.
type plan struct {
	pieces []piece
	sums   []int // weight of all pieces before
	space  int   // what an instruction costs, as weight
	best   [mostPlanned][mostPlanned]int
	how    [mostPlanned][mostPlanned]choice
}

// A choice is the first comparison of the best tree for a stretch of pieces.
type choice struct {
	at     uint8 // index of a piece
	inside bool  // compare inside it, not with its beginning
	comb   bool  // all single values, one by one
}

// spaceShare says how much an instruction of the program counts: as much as this share of all calls
// running one instruction more.
const spaceShare = 25

func newPlan(pieces []piece) *plan {
	p := &plan{pieces: pieces, sums: make([]int, len(pieces)+1)}
	for i, q := range pieces {
		p.sums[i+1] = p.sums[i] + q.weight
	}
	p.space = 1 + p.sums[len(pieces)]/spaceShare
	for size := 2; size <= len(pieces); size++ {
		for i := 0; i+size <= len(pieces); i++ {
			p.decide(i, i+size-1)
		}
	}
	return p
}

// decide finds the best first comparison for the pieces i to j.
func (p *plan) decide(i, j int) {
	least, how := math.MaxInt, choice{}
	if cost, ok := p.comb(i, j); ok {
		least, how = cost, choice{comb: true}
	}
	once := p.space + p.sums[j+1] - p.sums[i]
	for k := i + 1; k <= j; k++ {
		if cost := once + p.best[i][k-1] + p.best[k][j]; cost < least {
			least, how = cost, choice{at: uint8(k)}
		}
		if k < j && p.pieces[k].end > p.pieces[k].start {
			if cost := once + p.best[i][k] + p.best[k][j]; cost < least {
				least, how = cost, choice{at: uint8(k), inside: true}
			}
		}
	}
	p.best[i][j], p.how[i][j] = least, how
}

// comb returns the cost of comparing the single values among the pieces i to j, if all others have
// one answer.
func (p *plan) comb(i, j int) (cost int, ok bool) {
	if (j-i)%2 != 0 {
		return 0, false
	}
	background := p.pieces[i].weight
	for k := i + 1; k < j; k += 2 {
		if p.pieces[k].start != p.pieces[k].end || !p.pieces[k+1].same(p.pieces[i]) {
			return 0, false
		}
		background += p.pieces[k+1].weight
	}
	order := p.teeth(i, j)
	for n, k := range order {
		cost += p.space + (n+1)*p.pieces[k].weight
	}
	return cost + len(order)*background, true
}

// teeth lists the single values of a comb, the heaviest first.
func (p *plan) teeth(i, j int) []int {
	var order []int
	for k := i + 1; k < j; k += 2 {
		order = append(order, k)
	}
	slices.SortStableFunc(order, func(a, b int) int { return p.pieces[b].weight - p.pieces[a].weight })
	return order
}

// planned writes the best tree for the pieces i to j.
func (e *emitter) planned(p *plan, i, j int) target {
	if i == j || e.full() {
		return p.pieces[i].target()
	}
	how := p.how[i][j]
	if how.comb {
		next := p.pieces[i].target()
		for _, k := range slices.Backward(p.teeth(i, j)) {
			next = e.jump(filter.OpJeqK, p.pieces[k].start, p.pieces[k].target(), next)
		}
		return next
	}
	k := int(how.at)
	middle := p.pieces[k]
	if !how.inside {
		above := e.planned(p, k, j)
		below := e.planned(p, i, k-1)
		return e.jump(filter.OpJgeK, middle.start, above, below)
	}
	above := e.planned(p, k, j)
	below := e.planned(p, i, k)
	return e.jump(filter.OpJgeK, middle.start+(middle.end-middle.start+1)/2, above, below)
}
