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
