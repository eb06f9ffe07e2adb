package native

import (
	"slices"
	"strings"

	"github.com/profcheck/profcheck/elfscan/internal/code"
)

// entriesOf returns the functions that modules export, or programs have, under some names.
func (p *program) entriesOf(names ...string) []node {
	var out []node
	for _, name := range names {
		for _, a := range p.named(name) {
			if n := p.function(a); n != none && p.start(n) == a {
				out = append(out, n)
			}
		}
	}
	return out
}

func (p *program) anyReached(names ...string) bool {
	return slices.ContainsFunc(p.entriesOf(names...), p.tree.reached)
}

// used reports whether one of some functions of the libc can be called from elsewhere.
func (p *program) used(names ...string) bool {
	return slices.ContainsFunc(p.entriesOf(names...), func(n node) bool {
		if !p.tree.reached(n) {
			return false
		}
		m := p.owner(n)
		return m.index == 0 || p.unseen(n) != "" || slices.ContainsFunc(p.callersOf(n), func(c node) bool { return p.owner(c) != m })
	})
}

// eachCall calls f for each direct call or jump that fn makes, with the function behind a linkage table.
func (p *program) eachCall(fn node, f func(to node, at uint64)) {
	for _, e := range p.out(fn) {
		if e.kind == edgeCall && int(e.to) < p.funcs {
			f(p.behind(e.to), e.at)
		}
	}
}

// interp is the loader among the modules, nil if there is none.
func (p *program) interp() *mapped {
	for _, m := range p.mods {
		if m.Interp {
			return m
		}
	}
	return nil
}

// exportedAt reports whether m exports a function that begins where n does.
func (p *program) exportedAt(m *mapped, n node) bool {
	if m.exported == nil {
		m.exported = map[uint64]bool{}
		for i := range m.Symbols {
			if sym := &m.Symbols[i]; exported(sym) {
				m.exported[sym.Addr] = true
			}
		}
	}
	return m.exported[p.start(n)-m.base]
}

// callsTo returns the places at which some functions call n.
func (p *program) callsTo(n node, from func(node) bool) []uint64 {
	var at []uint64
	for _, c := range p.callersOf(n) {
		if c == n || !from(c) {
			continue
		}
		p.eachCall(c, func(to node, a uint64) {
			if to == n {
				at = append(at, a)
			}
		})
	}
	return at
}

// argument returns what the callers of function n pass as a parameter, if all of it is known. What n
// passes to itself does not count.
func (p *program) argument(n node, param int) ([]uint64, bool) {
	if param >= len(p.conv.Params) {
		return nil, false
	}
	r := p.newResolver()
	r.text, r.skip = true, n
	r.push(&hop{fn: n, at: p.start(n), nr: p.vs.RegParam(p.conv.Params[param])})
	r.run()
	if len(r.failed) > 0 {
		return nil, false
	}
	var out []uint64
	for _, f := range r.found {
		out = append(out, f.nr)
	}
	return out, true
}

// makers are the functions that make one of some syscalls by themselves.
func (p *program) makers(r *resolver, names ...string) map[node]bool {
	out := map[node]bool{}
	for _, name := range names {
		nr, ok := p.arch.Number(name)
		for _, f := range r.claims {
			if ok && f.nr == uint64(nr) {
				out[f.hop.origin().fn] = true
			}
		}
	}
	return out
}

// callsOne reports whether function n calls one of others.
func (p *program) callsOne(n node, others []node) bool {
	found := false
	p.eachCall(n, func(to node, _ uint64) {
		found = found || slices.Contains(others, to)
	})
	return found
}

// formsText reports whether function n forms the address of a string that begins with prefix.
func (p *program) formsText(n node, prefix string) bool {
	m, f := p.fun(n)
	for _, r := range m.facts.Refs[f.First : f.First+f.N] {
		if r.Kind == code.Addr {
			if s, ok := p.textAt(m.base + r.Target); ok && strings.HasPrefix(s, prefix) {
				return true
			}
		}
	}
	return false
}
