package native

import (
	"bytes"
	"slices"

	"github.com/profcheck/profcheck/elfscan/internal/code"
	"github.com/profcheck/profcheck/elfscan/internal/loader"
)

// A static program with glibc inside can load libraries, and most are stripped of the names by which
// that is noticed. Its texts remain. Those below are passed by the function itself, or by one that the
// function has called through a pointer: dlopen gives dlopen_doit to a function that catches errors, and
// _dl_open is only entered that way (glibc's dlfcn/dlopen.c, elf/dl-libc.c, elf/dl-sym.c).
const (
	inOpen   = "invalid mode for dlopen()"                     // in _dl_open, below all that load
	inDlopen = "invalid mode parameter"                        // in dlopen_doit
	inDlmo   = "invalid namespace"                             // in dlmopen_doit
	inDlsym  = "RTLD_NEXT used in code not dynamically loaded" // below dlsym and dlvsym
	inCheck  = "Fatal error: glibc detected an invalid stdio handle\n"
	noLoader = "Dynamic loading not supported" // all that musl's dlopen does in a static program
)

// saysItself are texts that a function passes on which is found by another name. All other functions that
// ask for a name service pass on their own names.
var saysItself = map[string]string{"initgroups_dyn": "getgrouplist", "gethostbyname3_r": "getaddrinfo", "gethostbyname4_r": "getaddrinfo"}

// isStatic reports whether a program needs no loader.
func isStatic(m *mapped) bool { return m.Module.Interp == "" && len(m.Needed) == 0 && !m.Library() }

// addTold gives functions of the static program m their names, if it has none.
func (p *program) addTold(m *mapped) {
	switch {
	case !isStatic(m):
		return
	case len(m.texts(noLoader)) > 0 && len(m.texts(inOpen)) == 0:
		for _, names := range []map[string]int{openers, lookups} {
			for name := range names {
				delete(p.byName, name)
			}
		}
		return
	case len(p.byName["__libc_start_main"]) > 0 || len(m.texts(inOpen)) == 0:
		return
	}
	u := m.users()
	add := func(name string, fns ...int) {
		for _, i := range fns {
			if a := m.base + m.facts.Funcs[i].Start; !slices.Contains(p.byName[name], a) {
				p.byName[name] = append(p.byName[name], a)
			}
		}
	}
	own, spaced, all, look := u.outer(u.of(inDlopen)), u.outer(u.of(inDlmo)), u.outer(u.of(inOpen)), u.outer(u.of(inDlsym))
	inner := slices.DeleteFunc(slices.Clone(all), func(i int) bool { return slices.Contains(own, i) || slices.Contains(spaced, i) })
	family := slices.Concat(all, look)
	hooked := func(i int) bool { return u.hooked(i, family) }
	add("dlopen", slices.DeleteFunc(own, hooked)...)
	add("dlmopen", slices.DeleteFunc(spaced, hooked)...)
	add("dlsym", slices.DeleteFunc(look, hooked)...)
	add(innerOpener, inner...)
	for _, name := range loader.Triggers() {
		add(name, u.of(name)...)
	}
	for text, name := range saysItself {
		add(name, u.of(text)...)
	}
}

// texts returns the addresses of a text in the image of m.
func (m *mapped) texts(text string) []uint64 {
	var out []uint64
	for i := range m.Segments {
		seg := &m.Segments[i]
		for from := 0; ; {
			k := bytes.Index(seg.Data[from:], append([]byte(text), 0))
			if k < 0 {
				break
			}
			from += k + 1
			out = append(out, seg.Addr+uint64(from-1))
		}
	}
	return out
}

// users says which functions of a module, by their index, have to do with an address.
type users struct {
	m     *mapped
	form  map[uint64][]int // form the address
	enter map[uint64][]int // call it or jump there
	read  map[uint64][]int // read what is there
}

func (m *mapped) users() *users {
	u := &users{m, map[uint64][]int{}, map[uint64][]int{}, map[uint64][]int{}}
	for i := range m.facts.Funcs {
		f := &m.facts.Funcs[i]
		for _, r := range m.facts.Refs[f.First : f.First+f.N] {
			switch r.Kind {
			case code.Addr:
				u.form[r.Target] = append(u.form[r.Target], i)
			case code.Call, code.Jump:
				u.enter[r.Target] = append(u.enter[r.Target], i)
			case code.Load:
				u.read[r.Target] = append(u.read[r.Target], i)
			}
		}
	}
	return u
}

// of returns the functions that form the address of a text.
func (u *users) of(text string) []int {
	var out []int
	for _, a := range u.m.texts(text) {
		out = append(out, u.form[a]...)
	}
	return out
}

// maxInner bounds the functions around each other, up to the one that is given to another.
const maxInner = 3

// outer returns the functions that give one of some functions, or one that calls it, to another.
func (u *users) outer(fns []int) []int {
	for range maxInner {
		var givers, callers []int
		for _, i := range fns {
			at := u.m.facts.Funcs[i].Start
			givers = append(givers, u.form[at]...)
			callers = append(callers, u.enter[at]...)
		}
		if len(givers) > 0 {
			return givers
		}
		fns = callers
	}
	return nil
}

// hookSpan is how far apart, in bytes, the functions lie in glibc's struct dlfcn_hook.
const hookSpan = 64

// hooked reports whether function i is one of those that glibc only keeps for the libraries that a static
// program loads (struct dlfcn_hook): their addresses lie in one table, and nothing else leads to them.
// One word of the global offset table may be read to ask whether there is a dlopen at all (libio/vtables.c
// _IO_vtable_check), and linkers leave some that nothing reads.
func (u *users) hooked(i int, all []int) bool {
	at := u.m.facts.Funcs[i].Start
	if len(u.form[at])+len(u.enter[at]) > 0 {
		return false
	}
	asking := u.of(inCheck)
	passes := func(reader int) bool { return !slices.Contains(asking, reader) }
	var held []uint64
	for _, w := range u.m.words {
		if w.value == u.m.base+at && (!inSpans(u.m.got, w.addr) || slices.ContainsFunc(u.read[w.addr], passes)) {
			held = append(held, w.addr)
		}
	}
	if len(held) != 1 {
		return false
	}
	others := 0
	for _, w := range u.m.wordsIn(max(held[0], hookSpan)-hookSpan, held[0]+hookSpan+1) {
		if w.addr != held[0] && slices.ContainsFunc(all, func(k int) bool { return w.value == u.m.base+u.m.facts.Funcs[k].Start }) {
			others++
		}
	}
	return others >= 2
}
