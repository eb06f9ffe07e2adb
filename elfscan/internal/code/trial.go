package code

import (
	"slices"

	"github.com/profcheck/profcheck/elfscan/internal/isa"
)

// tryAll tries the addresses in maybe. It reports whether one of them was code.
func (w *walker) tryAll() bool {
	found := false
	maybe := w.maybe
	w.maybe = w.maybe[:0:0]
	slices.Sort(maybe)
	for _, a := range slices.Compact(maybe) {
		if g := w.gap(a); g != nil && g.fn < 0 {
			if g.marks != nil && g.marks[a-g.start] == head {
				w.starts = append(w.starts, a)
			} else if w.try(g, a) {
				w.starts = append(w.starts, a)
				found = true
			}
		}
	}
	return found
}

// try follows flow from addr and takes back all marks if it is not code.
func (w *walker) try(g *gap, addr uint64) bool {
	w.trail, w.calls = w.trail[:0], w.calls[:0]
	runs, jumps := len(w.runs), len(w.jumps)
	sure := w.stack // is followed later, and not for a trial
	w.stack = []uint64{addr}
	ok := true
	for ok && len(w.stack) > 0 && len(w.trail) < trialLimit {
		a := w.stack[len(w.stack)-1]
		w.stack = w.stack[:len(w.stack)-1]
		if t := w.gap(a); t != nil {
			ok = w.straight(t, a, true)
		}
	}
	w.stack = append(sure, w.stack...)
	if ok {
		w.commit()
		return true
	}
	for _, a := range w.trail {
		w.unmark(a)
	}
	w.runs, w.jumps = w.runs[:runs], w.jumps[:jumps]
	w.stack, w.calls = sure, w.calls[:0]
	return false
}

// unmark takes back the marks of the instruction at addr.
func (w *walker) unmark(addr uint64) {
	g := w.gap(addr)
	i := addr - g.start
	g.marks[i] = unseen
	for i++; i < uint64(len(g.marks)) && g.marks[i] == tail; i++ {
		g.marks[i] = unseen
	}
}

// leftOver tries, in functions with bounds of their own, the blocks that nothing led to: cases of a
// jump table that was not found, and what only exceptions lead to. It reports whether there was one.
func (w *walker) leftOver() bool {
	found := false
	for i := range w.gaps {
		g := &w.gaps[i]
		if g.fn < 0 || g.marks == nil {
			continue
		}
		for at := uint64(0); at < uint64(len(g.marks)); {
			if g.marks[at] != unseen {
				at++
				continue
			}
			_, n := w.mach.Decode(g.data[at:], g.start+at, w.ops[:0])
			if n > 0 && w.padding(g.data[at:at+uint64(n)]) {
				at += uint64(n)
				continue
			}
			if w.mach == isa.AMD64 || n > 0 {
				found = w.try(g, g.start+at) || found
			}
			for at < uint64(len(g.marks)) && g.marks[at] == unseen {
				at++
			}
		}
	}
	return found
}

// reject marks the instructions of the trail from i on: they lead to something that is no code.
func (w *walker) reject(g *gap, i int) {
	for _, a := range w.trail[min(i, len(w.trail)):] {
		w.unmark(a)
		g.marks[a-g.start] = dud
	}
	w.trail = w.trail[:min(i, len(w.trail))]
}
