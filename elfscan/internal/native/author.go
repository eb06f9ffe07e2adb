package native

import (
	"debug/elf"
	"path"
	"strings"

	"github.com/profcheck/profcheck/elfscan/internal/module"
)

// maxAuthors bounds the functions that a site names.
const maxAuthors = 6

// authors names the functions on h's chain, the innermost first, as long as they are of the module
// that the syscall instruction is in: these are on every way on which the call is made like that. A
// function of a library is NAME@LIBRARY, or @LIBRARY if the library does not export it. For the name
// it does not matter which symbols a debug file adds: what is said of a caller must not depend on
// what else is installed.
func (p *program) authors(h *hop) []string {
	var chain []*hop
	for ; h != nil; h = h.next {
		chain = append(chain, h)
	}
	var out []string
	m := p.owner(chain[len(chain)-1].fn)
	for i := len(chain) - 1; i >= 0 && len(out) < maxAuthors; i-- {
		fn := chain[i].fn
		if p.owner(fn) != m {
			break
		}
		if p.isStub(fn) && i < len(chain)-1 {
			continue
		}
		name := p.publicName(m, p.start(fn)-m.base)
		if m.index > 0 || name == "" {
			name += "@" + p.library(m)
		}
		out = append(out, name)
	}
	return out
}

// splitDepth is how many callers further up split follows.
const splitDepth = 3

// split tells the callers apart that a chain has in its library, if the chain ends in a function that
// says little of who makes the call: one that the library does not export, or the wrapper for that
// very call. What comes from elsewhere is left as it is. Of callers that are called alike one is
// enough.
func (p *program) split(h *hop, call string) []*hop {
	var out []*hop
	seen := map[string]bool{}
	visited := map[node]bool{}
	var climb func(h *hop, names string, depth int)
	climb = func(h *hop, names string, depth int) {
		m := p.owner(h.fn)
		name := p.publicName(m, p.start(h.fn)-m.base)
		names += name + "@"
		if visited[h.fn] {
			return // the ways above it are told
		}
		if m.index == 0 || depth == splitDepth || name != "" && name != call && name != "syscall" {
			if !seen[names] {
				seen[names] = true
				out = append(out, h)
			}
			return
		}
		visited[h.fn] = true
		callers := p.callersOf(h.fn)
		rest := len(callers) < 2 || p.unseen(h.fn) != ""
		for _, c := range callers {
			if c == h.fn {
				continue
			}
			if p.owner(c) != m {
				rest = true
				continue
			}
			climb(&hop{fn: c, at: p.callAt(c, h.fn), next: h, args: h.args, depth: h.depth + 1, compat: h.compat}, names, depth+1)
		}
		if rest && !seen[names] {
			seen[names] = true
			out = append(out, h)
		}
	}
	climb(h, "", 0)
	return out
}

// callAt returns where function from calls n, its beginning if that is not seen.
func (p *program) callAt(from, n node) uint64 {
	at := p.start(from)
	p.eachCall(from, func(to node, a uint64) {
		if to == n && at == p.start(from) {
			at = a
		}
	})
	return at
}

// library is what a module is called by others: the interpreter by the program, all others by their
// soname.
func (p *program) library(m *mapped) string {
	switch interp := p.mods[0].Module.Interp; {
	case m.Interp && interp != "":
		return path.Base(interp)
	case m.Soname != "":
		return m.Soname
	}
	return path.Base(m.Path)
}

// publicName is the name of the function at addr: that which the module exports, or for the program
// that of its own symbol table. Of several names of a library's function the plainest counts, write
// rather than __write; of one in the program, which may hold a C library, the one that is reserved for
// the C library: a function of the program itself has none such.
func (p *program) publicName(m *mapped, addr uint64) string {
	if m.names == nil {
		m.names = map[uint64]string{}
		for i := range m.Symbols {
			if sym := &m.Symbols[i]; exported(sym) {
				m.nameAt(sym)
			}
		}
		if m.index == 0 {
			for i := range m.Locals {
				if sym := &m.Locals[i]; sym.Type == elf.STT_FUNC || sym.Type == elf.STT_GNU_IFUNC {
					m.nameAt(sym)
				}
			}
		}
	}
	return m.names[addr]
}

func (m *mapped) nameAt(sym *module.Symbol) {
	if old, ok := m.names[sym.Addr]; !ok || plainer(sym.Name, old) == (m.index > 0) {
		m.names[sym.Addr] = sym.Name
	}
}

// plainer reports whether a is to be preferred over b as the name of a function.
func plainer(a, b string) bool {
	x, y := len(a)-len(strings.TrimLeft(a, "_")), len(b)-len(strings.TrimLeft(b, "_"))
	switch {
	case x != y:
		return x < y
	case len(a) != len(b):
		return len(a) < len(b)
	}
	return a < b
}
