package loader

import (
	"debug/elf"

	"github.com/profcheck/profcheck/elfscan/internal/module"
)

// Binding is a definition that a reference is bound to.
type Binding struct {
	Module int
	Symbol *module.Symbol
}

// class is the kind of reference, as the loader tells them apart (ELF_RTYPE_CLASS of glibc).
type class uint8

const (
	forCall    class = iota // a PLT slot or thread-local storage: only a real definition will do
	forAddress              // a word that holds an address: the PLT entry of the program may stand for the function
	forCopy                 // the original of a copied object: anywhere but in the program
	forName                 // dlsym: like a call, but without a version the newest one is meant
)

// Lookup finds the definition that a call by a symbol of module from is bound to. Weak references
// without definition, and references that the loader would fail for, give false.
func (c *Closure) Lookup(sym *module.Symbol, from int) (mod int, def *module.Symbol, ok bool) {
	return c.indexed().lookup(sym, from, forCall)
}

// LookupReloc finds the definition for a relocation of a kind. For words that hold addresses it may
// be an undefined symbol of the program with an address: that is the entry of its procedure linkage
// table, which the linker made the function's only address. For copied objects it is the original.
func (c *Closure) LookupReloc(kind module.RelocKind, sym *module.Symbol, from int) (mod int, def *module.Symbol, ok bool) {
	by := forAddress
	switch kind {
	case module.RelocJumpSlot, module.RelocTLSDesc:
		by = forCall
	case module.RelocCopy:
		by = forCopy
	}
	return c.indexed().lookup(sym, from, by)
}

// LookupName finds a symbol by name in the whole process, as dlsym(RTLD_DEFAULT) does for the
// program, and then in everything that was opened.
func (c *Closure) LookupName(name string) (mod int, def *module.Symbol, ok bool) {
	ref := module.Symbol{Name: name, Bind: elf.STB_GLOBAL}
	return c.indexed().lookup(&ref, 0, forName)
}

// Others are the definitions that a binding has on machines with newer processors, in the variants of
// its module.
func (c *Closure) Others(mod int, def *module.Symbol) []Binding {
	variants := c.Modules[mod].Variants
	if len(variants) == 0 {
		return nil
	}
	var out []Binding
	ix := c.indexed()
	for _, v := range variants {
		if s := ix.inModule(v, def.Name, def.Version, forCall); s != nil {
			out = append(out, Binding{v, s})
		}
	}
	return out
}

// index finds definitions by name. The entries of one name are chained in the order of modules and
// symbols.
type index struct {
	modules []*Loaded
	musl    bool
	first   map[string]int32
	entries []entry
	needed  []bool              // another module names it in DT_NEEDED
	unique  map[string]Binding  // of STB_GNU_UNIQUE, the one of the process
	scopes  map[int]map[int]int // for modules whose dlopen brought others: place in their own scope
}

type entry struct {
	module, symbol, next int32
}

func (c *Closure) indexed() *index {
	if ix := c.index.Load(); ix != nil && len(ix.modules) == len(c.Modules) {
		return ix
	}
	ix := newIndex(c)
	c.index.Store(ix)
	return ix
}

func newIndex(c *Closure) *index {
	total := 0
	for _, m := range c.Modules {
		total += len(m.Symbols)
	}
	ix := &index{modules: c.Modules, first: make(map[string]int32, total), entries: make([]entry, 1, total+1), scopes: map[int]map[int]int{}}
	if c.linker != nil {
		_, ix.musl = c.linker.rules.(*musl)
	}
	// From the last to the first, each put before the ones that are there. Entry 0 ends a chain.
	for i := len(c.Modules) - 1; i >= 0; i-- {
		m := c.Modules[i]
		for j := len(m.Symbols) - 1; j > 0; j-- {
			if s := &m.Symbols[j]; exported(s) {
				ix.entries = append(ix.entries, entry{int32(i), int32(j), ix.first[s.Name]})
				ix.first[s.Name] = int32(len(ix.entries) - 1)
			}
		}
	}
	for i, m := range c.Modules {
		if m.Opened && m.group == i {
			ix.scopes[i] = scope(c.Modules, i)
		}
	}
	ix.needed = make([]bool, len(c.Modules))
	for _, m := range c.Modules {
		for _, j := range m.Needs {
			ix.needed[j] = true
		}
	}
	ix.bindUnique()
	return ix
}

// exported reports whether any reference could be bound to a symbol: check_match and do_lookup_x in
// elf/dl-lookup.c of glibc.
func exported(s *module.Symbol) bool {
	if s.Name == "" || s.Bind == elf.STB_LOCAL || s.Visibility == elf.STV_HIDDEN || s.Visibility == elf.STV_INTERNAL {
		return false
	}
	if s.Addr == 0 && !s.Absolute && s.Type != elf.STT_TLS || s.Type == elf.STT_TLS && !s.Defined {
		return false
	}
	switch s.Type {
	case elf.STT_NOTYPE, elf.STT_OBJECT, elf.STT_FUNC, elf.STT_COMMON, elf.STT_TLS, elf.STT_GNU_IFUNC:
		return true
	}
	return false
}

// scope gives the modules that an opened one brought or needs their places in its own scope.
func scope(modules []*Loaded, start int) map[int]int {
	places := map[int]int{start: 0}
	for queue := []int{start}; len(queue) > 0; queue = queue[1:] {
		for _, j := range modules[queue[0]].Needs {
			if _, ok := places[j]; !ok {
				places[j] = len(places)
				queue = append(queue, j)
			}
		}
	}
	return places
}

// lookup binds one reference.
func (ix *index) lookup(sym *module.Symbol, from int, by class) (int, *module.Symbol, bool) {
	if sym.Bind == elf.STB_LOCAL || sym.Visibility == elf.STV_HIDDEN || sym.Visibility == elf.STV_INTERNAL {
		return from, sym, sym.Defined
	}
	m := ix.modules[from]
	if m.bind.symbolic && by != forCopy {
		if s := ix.inModule(from, sym.Name, sym.Version, by); s != nil {
			return from, s, true
		}
	}
	i, def := ix.search(sym, from, by)
	if def != nil && def.Bind == stbUnique {
		if b, ok := ix.unique[sym.Name]; ok {
			i, def = b.Module, b.Symbol
		}
	}
	if sym.Visibility == elf.STV_PROTECTED && sym.Defined && i != from {
		// A protected definition binds its own module's references, unless the program has the
		// canonical copy of the object or entry of the function, which only data can tell apart.
		if by == forCall || def == nil || i != 0 {
			return from, sym, true
		}
	}
	return i, def, def != nil
}

// search goes through the scopes: global, then of the dlopen that brought the module, then, because
// RTLD_GLOBAL may have been given, all that was opened.
func (ix *index) search(sym *module.Symbol, from int, by class) (int, *module.Symbol) {
	at := ix.first[sym.Name]
	if at == 0 {
		return 0, nil
	}
	own := ix.scopes[ix.modules[from].group]
	base := ix.modules[from].VariantOf
	best, place := Binding{Module: -1}, 0
	var late Binding
	for at != 0 {
		i := int(ix.entries[at].module)
		var s *module.Symbol
		s, at = ix.match(at, sym.Version, by)
		m := ix.modules[i]
		if base >= 0 && i == base {
			// A variant's references see it where others see what it stands for.
			i, s, m = from, ix.inModule(from, sym.Name, sym.Version, by), ix.modules[base]
		}
		if s == nil || by == forCopy && i == 0 || ix.modules[i].VariantOf >= 0 && i != from {
			continue
		}
		if !m.Opened && ix.inGlobal(i) {
			return i, s
		}
		if p, ok := own[i]; ok && (best.Module < 0 || p < place) {
			best, place = Binding{i, s}, p
		}
		if late.Symbol == nil {
			late = Binding{i, s}
		}
	}
	if best.Module >= 0 {
		return best.Module, best.Symbol
	}
	return late.Module, late.Symbol
}

// inGlobal reports whether a module of the start is in the global scope: all but an interpreter
// that no module needs.
func (ix *index) inGlobal(i int) bool {
	return !ix.modules[i].Interp || i == 0 || ix.needed[i]
}

// inModule is the definition of a name in one module.
func (ix *index) inModule(i int, name, version string, by class) *module.Symbol {
	for at := ix.first[name]; at != 0; {
		in := int(ix.entries[at].module)
		var s *module.Symbol
		if s, at = ix.match(at, version, by); in == i {
			return s
		}
	}
	return nil
}

// match chooses among the definitions of one name in one module, whose chain starts at an entry, and
// returns where the chain goes on with the next module. The rules are those of check_match in
// elf/dl-lookup.c of glibc; musl only passes over hidden versions.
func (ix *index) match(at int32, version string, by class) (def *module.Symbol, next int32) {
	i := ix.entries[at].module
	m := ix.modules[i]
	var newest *module.Symbol
	several := false
	for ; at != 0 && ix.entries[at].module == i; at = ix.entries[at].next {
		s := &m.Symbols[ix.entries[at].symbol]
		if def != nil || !s.Defined && by != forAddress {
			continue
		}
		switch {
		case ix.musl:
			if !s.Hidden {
				def = s
			}
		case s.Version == version, s.Version == "" && !s.Hidden:
			def = s
		case version != "":
		case s.Version == m.bind.second && by != forName:
			def = s // the oldest version is what programs without versions were linked with
		case !s.Hidden:
			several = newest != nil
			if newest == nil {
				newest = s
			}
		}
	}
	if def == nil && !several {
		def = newest
	}
	return def, at
}
