package elfscan

import (
	"fmt"
	"strings"

	"github.com/profcheck/profcheck/finding"
)

// tree is a set of shortest ways from some roots to the functions that can be reached from them.
// A way with fewer indirect steps is preferred, even if it is longer: tiers count them.
type tree struct {
	parent []edge // the edge by which a function was reached; from is -1 for a root
	tier   []uint8
}

const unreached = 255

// newTree walks the graph from roots. Direct calls are followed until nothing new turns up; only
// then addresses that were passed on, and only then types and interface tables. Functions for
// which blocked reports true are not entered.
func (p *program) newTree(roots []int, blocked func(int) bool) *tree {
	t := &tree{parent: make([]edge, len(p.out)), tier: make([]uint8, len(p.out))}
	for i := range t.tier {
		t.tier[i] = unreached
	}
	var frontier, reached []int32
	mark := func(f int32, e edge, tier uint8) {
		if t.tier[f] == unreached && (blocked == nil || !blocked(int(f))) {
			t.parent[f], t.tier[f] = e, tier
			frontier = append(frontier, f)
		}
	}
	for _, r := range roots {
		mark(int32(r), edge{from: -1, to: int32(r)}, 0)
	}
	for tier := uint8(0); tier < unreached-1; tier++ {
		for i := 0; i < len(frontier); i++ {
			for _, e := range p.out[frontier[i]] {
				if e.kind == edgeCall && !p.grows[e.to] {
					mark(e.to, e, tier)
				}
			}
		}
		reached = append(reached, frontier...)
		frontier = frontier[:0]
		for _, kind := range []edgeKind{edgeReference, edgeInterface} {
			for _, f := range reached {
				for _, e := range p.out[f] {
					if e.kind == kind || kind == edgeReference && p.grows[e.to] {
						mark(e.to, e, tier+1)
					}
				}
			}
			if len(frontier) > 0 {
				break
			}
		}
		if len(frontier) == 0 {
			break
		}
	}
	return t
}

// steps returns the edges from the root of function f to f itself.
func (t *tree) steps(f int) []edge {
	var es []edge
	for at := f; t.parent[at].from >= 0; at = int(t.parent[at].from) {
		es = append(es, t.parent[at])
	}
	for i, j := 0, len(es)-1; i < j; i, j = i+1, j-1 {
		es[i], es[j] = es[j], es[i]
	}
	return es
}

// prover turns hops into paths. Ways from main.main are what a reader knows; the runtime's own
// start is the second choice.
type prover struct {
	p     *program
	trees [4]*tree // from main.main, initializers, the entry, and what data leads to
}

func (p *program) newProver() *prover {
	pr := &prover{p: p}
	var mains, inits []int
	for f := range p.tab.funcs {
		switch name := p.tab.name(f); {
		case name == "main.main":
			mains = append(mains, f)
		case strings.HasSuffix(name, ".init") || isInitN(name):
			inits = append(inits, f)
		}
	}
	pr.trees = [4]*tree{p.newTree(mains, nil), p.newTree(inits, nil), p.newTree(p.entries(), nil), p.dataTree()}
	return pr
}

// isInitN recognises an init function as the compiler names it: pkg.init.0, pkg.init.1.
func isInitN(name string) bool {
	i := strings.LastIndex(name, ".init.")
	if i < 0 || i+6 == len(name) {
		return false
	}
	return strings.Trim(name[i+6:], "0123456789") == ""
}

// entries returns the functions at which the kernel or the loader starts the program.
func (p *program) entries() []int {
	if f := p.tab.find(p.im.entry); f >= 0 {
		return []int{f}
	}
	var out []int
	for f := range p.tab.funcs {
		if strings.HasPrefix(p.tab.name(f), "_rt0_") || p.tab.name(f) == "runtime.rt0_go" {
			out = append(out, f)
		}
	}
	return out
}

// best returns the tree that shows the plainest way to f, with a rank that orders ways.
func (pr *prover) best(f int) (*tree, int) {
	var best *tree
	bestRank := 2 * unreached * len(pr.trees)
	for i, t := range pr.trees {
		if t.tier[f] == unreached {
			continue
		}
		// A direct way from the entry (the runtime's start) beats an indirect one from main.
		r := int(t.tier[f])*len(pr.trees) + i
		if i == len(pr.trees)-1 {
			r += unreached * len(pr.trees) // only if nothing else leads there
		}
		if r < bestRank {
			best, bestRank = t, r
		}
	}
	return best, bestRank
}

// distance is the number of functions on the path of h.
func (pr *prover) distance(h *hop) int {
	n := h.depth
	if t, _ := pr.best(h.fn); t != nil {
		for at := h.fn; t.parent[at].from >= 0; at = int(t.parent[at].from) {
			n++
		}
	}
	return n
}

// path proves hop h: from a root over the callers to the function of h, and down the hops to the
// syscall instruction.
func (pr *prover) path(h *hop) finding.Path {
	var out finding.Path
	if t, _ := pr.best(h.fn); t != nil {
		for _, e := range t.steps(h.fn) {
			out = pr.add(out, int(e.from), e.at, e.kind.finding())
		}
	}
	for ; h != nil; h = h.next {
		kind := finding.EdgeCall
		if h.next == nil {
			kind = ""
		}
		out = pr.add(out, h.fn, h.at, kind)
	}
	return out
}

// add appends the frames of function f at the instruction at: the functions inlined there too.
func (pr *prover) add(out finding.Path, f int, at uint64, kind finding.Edge) finding.Path {
	frames := pr.p.tab.frames(f, at)
	for i := len(frames) - 1; i >= 0; i-- {
		fr := frames[i]
		step := finding.EdgeInline
		if i == 0 {
			step = kind
		}
		name := fr.function
		if name == "" {
			name = fmt.Sprintf("sub_%x", pr.p.tab.funcs[f].entry)
		}
		out = append(out, finding.Frame{Function: name, File: fr.file, Line: fr.line, Address: at, Edge: step})
	}
	return out
}

// always returns the functions that are on every way to the syscall of h: those of the hops, with
// what is inlined at their calls, and further up every only caller.
func (p *program) always(h *hop) []string {
	var chain []string
	for at := h; at != nil; at = at.next {
		var names []string
		for _, f := range p.tab.frames(at.fn, at.at) {
			names = append(names, f.function)
		}
		chain = append(names, chain...)
	}
	fn := h.fn
	for range maxDepth {
		if in := p.in[fn]; len(in) != 1 || in[0].kind != edgeCall || in[0].taken || in[0].hook || p.inData(p.tab.funcs[fn].entry) {
			break
		}
		// One edge can stand for several calls: what is inlined at the first need not be at others.
		fn = int(p.in[fn][0].from)
		chain = append(chain, p.tab.name(fn))
	}
	return chain
}
