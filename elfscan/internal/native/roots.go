package native

import (
	"debug/elf"
	"slices"

	"github.com/profcheck/profcheck/elfscan/internal/loader"
	"github.com/profcheck/profcheck/elfscan/internal/module"
)

// libcNames are functions that a dynamic loader looks up by name in the libraries that it has
// loaded, instead of by relocation. glibc's calls __libc_early_init of libc.so (elf/libc_early_init.h)
// and from then on allocates with whatever malloc the program has (elf/dl-minimal.c
// __rtld_malloc_init_real); musl's enters its own later stages by name (ldso/dynlink.c __dls2).
var libcNames = []string{"__libc_early_init", "malloc", "calloc", "realloc", "free", "__dls2b", "__dls3"}

// personalities are functions whose address stands in unwind tables, where relocation puts it by
// name: the unwinder calls them when an exception passes.
var personalities = map[string]bool{"__gxx_personality_v0": true, "__gcc_personality_v0": true, "__gnat_personality_v0": true, "rust_eh_personality": true}

// starts are the roots of a graph by what they belong to.
type starts struct {
	loader []node // entry of the interpreter
	named  []node // what it calls by name
	entry  []node // entry of the program
	libc   []node // constructors and destructors of the libc and the loader, thread-local data
	init   []node // the same of all other modules
	// opened are the same of libraries that are opened while the program runs, and what they export, by
	// module. Those that are known to be loaded count for init.
	opened [][]node

	outside []node // what code of the program can call that its facts leave out
}

func (s *starts) all() roots {
	r := roots{known: slices.Concat(s.entry, s.loader, s.init), by: none, named: len(s.named)}
	if len(s.loader) > 0 {
		r.by = s.loader[0]
	}
	r.late = slices.Concat(s.named, slices.Concat(s.opened...), s.outside)
	return r
}

func (p *program) findStarts() *starts {
	st := &starts{opened: make([][]node, len(p.mods))}
	given := p.givenModules()
	for _, m := range p.mods {
		to := &st.init
		switch {
		case given[m.index]:
		case m.Opened:
			to = &st.opened[m.index]
		case m.Interp || p.isLibc(m):
			to = &st.libc
		}
		*to = p.lifecycle(m, *to)
		switch {
		case m.Interp:
			st.loader = p.add(st.loader, m.base+m.Entry)
		case m.index == 0 && m.Entry != 0:
			st.entry = p.add(st.entry, m.base+m.Entry)
		}
		switch {
		case m.Opened && (!p.needed(m) || m.Given):
			*to = p.exports(m, *to)
		case m.index == 0 && m.Library():
			st.init = p.exports(m, st.init)
		}
	}
	for _, name := range libcNames {
		if len(p.mods) == 1 && len(p.mods[0].Needed) == 0 {
			break // there is no loader that could ask
		}
		for _, a := range p.named(name) {
			st.named = p.add(st.named, a)
		}
	}
	if len(p.sought) > 0 {
		for _, m := range p.mods {
			to := &st.init
			if m.Opened && !given[m.index] {
				to = &st.opened[m.index]
			}
			for i := range m.Symbols {
				if sym := &m.Symbols[i]; exported(sym) && p.sought[sym.Name] {
					*to = p.add(*to, m.base+sym.Addr)
				}
			}
		}
	}
	if p.o.Outside {
		st.outside = p.outside(nil)
	}
	return st
}

// outside appends what code of the program can call that its facts leave out.
func (p *program) outside(to []node) []node {
	m := p.mods[0]
	for i := range m.facts.Funcs {
		to = append(to, m.fn0+node(i))
	}
	m.bound.each(func(v symbolValue) {
		if v.mod > 0 {
			to = p.add(to, v.addr)
		}
	})
	return to
}

// add appends the node at a global address.
func (p *program) add(to []node, addr uint64) []node {
	if n := p.node(addr); n != none {
		to = append(to, n)
	}
	return to
}

// lifecycle appends the functions that the loader calls when it maps m and when the process exits,
// the data that each thread gets a copy of, and the routines that unwind tables name.
func (p *program) lifecycle(m *mapped, to []node) []node {
	for _, a := range []uint64{m.Init, m.Fini} {
		if a != 0 {
			to = p.add(to, m.base+a)
		}
	}
	for _, sp := range []module.Span{m.PreinitArray, m.InitArray, m.FiniArray} {
		for _, w := range m.wordsIn(sp.Addr, sp.Addr+sp.Size) {
			to = p.add(to, w.value)
		}
	}
	for _, w := range m.wordsIn(m.TLS.Addr, m.TLS.Addr+m.TLS.Size) {
		to = p.add(to, w.value)
	}
	m.bound.each(func(v symbolValue) {
		if personalities[v.sym.Name] {
			to = p.add(to, v.addr)
		}
	})
	return to
}

// needed reports whether another module needs m: then it was not opened for itself, and what others
// want of it they name.
func (p *program) needed(m *mapped) bool {
	return slices.ContainsFunc(p.mods, func(o *mapped) bool { return slices.Contains(o.Needs, m.index) })
}

// exports appends what dlsym can find in m.
func (p *program) exports(m *mapped, to []node) []node {
	for i := range m.Symbols {
		if sym := &m.Symbols[i]; exported(sym) {
			to = p.add(to, m.base+sym.Addr)
		}
	}
	return to
}

func exported(sym *module.Symbol) bool {
	return sym.Defined && !sym.Absolute && sym.Bind != elf.STB_LOCAL && sym.Type != elf.STT_TLS && sym.Addr != 0
}

// named returns the global addresses of the exported functions of that name.
func (p *program) named(name string) []uint64 { return p.names()[name] }

// names indexes the functions by the names that matter to the analysis, where a module exports
// them or, in a program that was not stripped, has a local symbol for them.
func (p *program) names() map[string][]uint64 {
	if p.byName != nil {
		return p.byName
	}
	p.byName = map[string][]uint64{}
	for _, m := range p.mods {
		add := func(syms []module.Symbol) {
			for i := range syms {
				sym := &syms[i]
				if !sym.Defined || sym.Addr == 0 || sym.Type != elf.STT_FUNC && sym.Type != elf.STT_GNU_IFUNC && sym.Type != elf.STT_NOTYPE || !known[sym.Name] {
					continue
				}
				a := m.base + sym.Addr
				if as := p.byName[sym.Name]; len(as) == 0 || as[len(as)-1] != a {
					p.byName[sym.Name] = append(as, a)
				}
			}
		}
		add(m.Symbols)
		if m.index == 0 {
			add(m.Locals)
			p.addTold(m)
		}
	}
	return p.byName
}

// known are the names that some part of the analysis asks for.
var known = func() map[string]bool {
	k := map[string]bool{}
	for _, names := range [][]string{libcNames, abortFamily, raisers, ceilingSetters, mutexFunctions, schedulers, threadEnders, resolvers, dnsFunctions, rpcRegistrars, globs, identities, twiceNames,
		{"__libc_start_main", "pthread_create", "pthread_attr_setinheritsched", "pthread_getattr_np", "pthread_setattr_default_np", "pthread_attr_setaffinity_np",
			"svc_unregister", "getlogin_r", "getpwnam_r", "getpwnam", "bindtextdomain", "dcgettext", "dgettext", "dcngettext", "dngettext",
			"getcwd", "faccessat", "RAND_poll", "shmget", "_exit", "_Exit", "strtok_r", "__strtok_r", "madvise", "close_range", "time", "gettimeofday", "clock_gettime", "clock_getres", "getcpu", "chdir", "fchdir",
			"posix_spawnattr_setflags", "posix_spawn_file_actions_addchdir_np", "posix_spawn_file_actions_addfchdir_np", "posix_spawn_file_actions_addchdir",
			"posix_spawn_file_actions_addfchdir", "posix_spawn_file_actions_addclosefrom_np"}, spawnNames} {
		for _, n := range names {
			k[n] = true
		}
	}
	for _, n := range loader.Triggers() {
		k[n] = true
	}
	for _, names := range []map[string]int{openers, starters, lookups} {
		for n := range names {
			k[n] = true
		}
	}
	return k
}()
