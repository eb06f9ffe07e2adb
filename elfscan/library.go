package elfscan

import (
	"debug/elf"
	"slices"

	"github.com/profcheck/profcheck/elfscan/internal/module"
)

// library says what a scan means that is not of a program, and what the library takes from the program
// that loads it.
func (p *process) library() []Gap {
	m := p.Modules[0]
	if !m.Library() {
		return nil
	}
	out := []Gap{{Kind: GapLibrary, Detail: "a library, not a program: all that it exports counts as called; give it with --plugin to the program that loads it"}}
	if names := p.unbound(); len(names) > 0 && len(p.Missing) == 0 {
		out = append(out, Gap{Kind: GapMissing, Names: names, Detail: "uses what the program that loads it has to give: " + list(names)})
	}
	return out
}

// unbound are the symbols that the library itself uses and none of the files has.
func (p *process) unbound() []string {
	var out []string
	for i := range p.Modules[0].Symbols {
		sym := &p.Modules[0].Symbols[i]
		if sym.Defined || sym.Name == "" || sym.Bind != elf.STB_GLOBAL {
			continue
		}
		if _, _, ok := p.LookupReloc(module.RelocJumpSlot, sym, 0); !ok {
			out = append(out, sym.Name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
