package loader

import "debug/elf"

// bindUnique decides which definition of each name with STB_GNU_UNIQUE the process uses. The loader
// takes for the whole process the one that the first relocation found, whatever the versions and
// scopes of the others (do_lookup_unique in elf/dl-lookup.c of glibc), and relocates libraries
// before the modules that need them, in the reverse order of loading.
//
// libapt-private and libapt-pkg of Debian 12 share two such objects under different versions.
func (ix *index) bindUnique() {
	names := map[string]bool{}
	for _, m := range ix.modules {
		for j := range m.Symbols {
			if s := &m.Symbols[j]; s.Bind == stbUnique && s.Defined {
				names[s.Name] = true
			}
		}
	}
	if len(names) == 0 || ix.musl {
		return
	}
	unique := make(map[string]Binding, len(names))
	for i := len(ix.modules) - 1; i >= 0; i-- {
		m := ix.modules[i]
		done := make([]bool, len(m.Symbols))
		for _, r := range m.Relocs {
			if r.Symbol == 0 || int(r.Symbol) >= len(done) || done[r.Symbol] {
				continue
			}
			done[r.Symbol] = true
			s := &m.Symbols[r.Symbol]
			if !names[s.Name] {
				continue
			}
			if _, ok := unique[s.Name]; ok {
				continue
			}
			if at, def, ok := ix.lookup(s, i, forAddress); ok && def.Bind == stbUnique {
				unique[s.Name] = Binding{at, def}
			}
		}
	}
	ix.unique = unique
}

// stbUnique is STB_GNU_UNIQUE.
const stbUnique = elf.STB_LOOS
