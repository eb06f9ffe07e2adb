package native

import (
	"slices"

	"github.com/profcheck/profcheck/elfscan/internal/code"
)

// incoming is one way into a function that is reached.
type incoming struct {
	from node
	kind edgeKind
}

// invert turns the edges of all that is reached around, for functions only.
func (p *program) invert(t *tree) {
	p.inFirst = make([]uint32, p.funcs+1)
	each := func(f func(to node, in incoming)) {
		for _, n := range t.order {
			last := edge{to: none}
			for _, e := range p.out(n) {
				if int(e.to) < p.funcs && (e.to != last.to || e.kind != last.kind) {
					f(e.to, incoming{n, e.kind})
				}
				last = e
			}
		}
	}
	each(func(to node, _ incoming) { p.inFirst[to+1]++ })
	for i := range p.inFirst[1:] {
		p.inFirst[i+1] += p.inFirst[i]
	}
	p.ins = make([]incoming, p.inFirst[p.funcs])
	next := slices.Clone(p.inFirst)
	each(func(to node, in incoming) {
		p.ins[next[to]] = in
		next[to]++
	})
	for _, n := range t.order {
		if int(n) < p.funcs {
			p.noteEntries(n)
		}
	}
}

// noteEntries notes where function n enters others elsewhere than at their start.
func (p *program) noteEntries(n node) {
	m, f := p.fun(n)
	for i := range m.facts.Refs[f.First : f.First+f.N] {
		r := &m.facts.Refs[int(f.First)+i]
		if r.Kind != code.Call && r.Kind != code.Jump && r.Kind != code.Addr {
			continue
		}
		to := m.fn(r.Target)
		if to < 0 || m.fn0+node(to) == n || m.facts.Funcs[to].Start == r.Target {
			continue
		}
		g, at := m.fn0+node(to), m.base+r.Target
		if es := p.entries[g]; !slices.Contains(es, at) {
			p.entries[g] = append(es, at)
		}
	}
}

func (p *program) in(n node) []incoming { return p.ins[p.inFirst[n]:p.inFirst[n+1]] }

// callersOf returns the functions that can call n directly, through linkage tables or through a
// pointer that they read from a fixed place, n itself first; each once.
func (p *program) callersOf(n node) []node {
	if out, ok := p.callers[n]; ok {
		return out
	}
	out := []node{n}
	seen := map[node]bool{n: true}
	var add func(to node, depth int)
	add = func(to node, depth int) {
		for _, in := range p.in(to) {
			if int(in.from) >= p.funcs || seen[in.from] {
				continue
			}
			seen[in.from] = true
			if _, f := p.fun(in.from); f.Flags&code.Stub != 0 && p.behind(in.from) == n && depth < 4 {
				add(in.from, depth+1)
				continue
			}
			out = append(out, in.from)
		}
	}
	add(n, 0)
	if p.pointedAt(n) {
		calls, _ := p.held(n)
		direct := len(out)
		for _, fn := range calls {
			if !seen[fn] {
				seen[fn] = true
				out = append(out, fn)
			}
		}
		slices.Sort(out[direct:])
	}
	p.callers[n] = out
	return out
}

// taker is who takes the address of a function, so that its callers are not known: a function that forms
// it or data that holds it.
type taker struct {
	incoming
	to node // the function, or its entry in a linkage table
}

// unseen says why there are callers of function n that are not known; "" if all are known.
func (p *program) unseen(n node) string {
	why, ok := p.unseenBy[n]
	if !ok {
		why = p.findUnseen(n)
		p.unseenBy[n] = why
	}
	return why
}

func (p *program) findUnseen(n node) string {
	if p.root[n] {
		return "the function that takes the number is where the program or a library is entered"
	}
	for _, in := range p.in(n) {
		switch {
		case in.kind == edgeData, in.kind == edgeReference && !p.onlyCalls(in.from, p.start(n)):
			if _, ok := p.held(n); !ok {
				p.takers[n] = taker{in, n}
				return "the function that takes the number is called through a pointer"
			}
		case in.kind == edgeCall && p.behind(in.from) == n:
			if why := p.unseen(in.from); why != "" {
				if t, ok := p.takers[in.from]; ok {
					p.takers[n] = t
				}
				return why
			}
		}
	}
	return ""
}

// pointedAt reports whether the address of n is anywhere but in direct calls.
func (p *program) pointedAt(n node) bool {
	return slices.ContainsFunc(p.in(n), func(in incoming) bool { return in.kind != edgeCall })
}

// onlyCalls reports whether function fn does not pass the address target on: it calls it, or it
// compares with it. The second shows where code forms addresses inside of that function as well: it
// asks whether a program counter lies between them, as musl's handler for cancellation does. Without
// one of these signs nothing is said, as an address can be stored by instructions that are not
// followed.
func (p *program) onlyCalls(fn node, target uint64) bool {
	sum := p.summary(fn)
	if sum.Vague || slices.Contains(sum.Leaks, target) {
		return false
	}
	for i := range sum.Calls {
		if slices.Contains(p.vs.Get(sum.Calls[i].Callee).Consts, target) {
			return true
		}
	}
	return p.formsInside(fn, p.function(target))
}

// formsInside reports whether function fn forms an address inside of function n, which is another one
// of its module, or that of its end.
func (p *program) formsInside(fn, n node) bool {
	if n == none || n == fn || p.owner(n) != p.owner(fn) {
		return false
	}
	m, f := p.fun(fn)
	_, g := p.fun(n)
	return slices.ContainsFunc(m.facts.Refs[f.First:f.First+f.N], func(r code.Ref) bool {
		return r.Kind == code.Addr && r.Target > g.Start && r.Target <= g.End
	})
}
