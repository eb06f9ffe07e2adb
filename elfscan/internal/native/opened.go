package native

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/profcheck/profcheck/elfscan/internal/flow"
)

// openers are the functions that load a library, with the parameter that names it.
var openers = map[string]int{"dlopen": 0, "dlmopen": 1, innerOpener: 0}

// innerOpener is what glibc itself loads libraries by. The names that are not constant there are those
// of name services and of character sets, which families stand for.
const innerOpener = "__libc_dlopen_mode"

// starters are the functions that start a program, with the parameter that names it. The
// instructions themselves count by their number.
var starters = map[string]int{
	"execve": 0, "execv": 0, "execvp": 0, "execvpe": 0, "execl": 0, "execlp": 0, "execle": 0, "execveat": 1, "fexecve": -1,
	"posix_spawn": 1, "posix_spawnp": 1, "system": 0, "popen": 0,
}

// mention is a constant name that is passed to a function, or, with an empty name, an unknown one.
type mention struct {
	name string
	hop  *hop
}

// mentions lists the names that are passed to reached functions of the given names.
func (p *program) mentions(functions map[string]int) []mention {
	var out []mention
	done := map[node]bool{}
	names := make([]string, 0, len(functions))
	for name := range functions {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		param := functions[name]
		for _, a := range p.named(name) {
			n := p.function(a)
			if n == none || !p.tree.reached(n) || done[n] {
				continue
			}
			done[n] = true
			h := &hop{fn: n, at: a}
			if param >= 0 && param < len(p.conv.Params) {
				h.nr = p.vs.RegParam(p.conv.Params[param])
			}
			r := p.newResolver()
			r.text = true
			if h.nr == flow.Unknown {
				r.fail(h, "")
			} else {
				r.push(h)
				r.run()
			}
			for _, f := range r.found {
				if f.nr < elfHeader {
					continue // a null pointer: the program itself
				}
				s, _ := p.textAt(f.nr)
				out = append(out, mention{s, f.hop})
			}
			for _, u := range r.failed {
				if name != innerOpener || !p.inLibc(u.hop.fn) {
					out = append(out, mention{"", u.hop})
				}
			}
		}
	}
	return out
}

// inLibc reports whether function n is the libc's, which lies inside of a static program.
func (p *program) inLibc(n node) bool {
	m := p.owner(n)
	return p.isLibc(m) || m.index == 0 && isStatic(m)
}

// elfHeader is the size of Elf64_Ehdr, which lies at address 0 of most files: no string does.
const elfHeader = 64

// maxText bounds the length of a name.
const maxText = 4096

// textAt reads the string at a global address.
func (p *program) textAt(addr uint64) (string, bool) {
	m, a := p.at(addr)
	if m == nil {
		return "", false
	}
	seg := m.segment(a)
	if seg == nil || seg.Write || a-seg.Addr >= uint64(len(seg.Data)) {
		return "", false
	}
	b := seg.Data[a-seg.Addr:]
	b = b[:min(len(b), maxText)]
	i := bytes.IndexByte(b, 0)
	if i <= 0 {
		return "", false
	}
	return string(b[:i]), true
}

// lookups are the functions that find a symbol by name, with the parameter that names it.
var lookups = map[string]int{"dlsym": 1, "dlvsym": 1}

// maxFound bounds the symbols that are looked up by name.
const maxFound = 1 << 12

// open opens the libraries whose names are constant, finds the symbols that are looked up by constant
// names, and reports whether there is anything new.
func (p *program) open() bool {
	found := p.lookUp()
	if p.o.Open == nil {
		return found
	}
	before := len(p.c.Modules)
	for _, m := range p.mentions(openers) {
		if m.name != "" {
			p.o.Open(m.name, p.owner(m.hop.fn).index)
		}
	}
	p.openFamilies()
	return found || len(p.c.Modules) > before
}

// lookUp adds what all modules export under the names that are looked up to the roots of the next
// round. Which module is asked is not followed.
func (p *program) lookUp() bool {
	n := len(p.sought)
	for _, m := range p.mentions(lookups) {
		if m.name != "" && len(p.sought) < maxFound {
			p.sought[m.name] = true
		}
	}
	return len(p.sought) > n
}

// addGaps tells which programs are started, which libraries are opened, and whether functions are looked
// up by names that are not known: what such a one calls counts only if something else leads to it.
func (p *program) addGaps(res *Result) {
	p.addGap(res, GapDlopen, p.mentions(openers))
	if !p.o.Conservative {
		p.addGap(res, GapLookup, slices.DeleteFunc(p.mentions(lookups), func(m mention) bool { return m.name != "" }))
	}
	ms := p.mentions(starters)
	if len(ms) == 0 {
		for _, name := range []string{"execve", "execveat"} {
			nr, ok := p.arch.Number(name)
			if i := slices.IndexFunc(res.Needs, func(n Need) bool { return ok && n.Nr == nr }); i >= 0 && res.Needs[i].Condition != whenLoaderStarted {
				res.Gaps = append(res.Gaps, Gap{Kind: GapExec, Path: res.Needs[i].Sites[0].Path})
				return
			}
		}
		return
	}
	p.addGap(res, GapExec, ms)
}

func (p *program) addGap(res *Result, kind GapKind, ms []mention) {
	if len(ms) == 0 {
		return
	}
	slices.SortStableFunc(ms, func(a, b mention) int { return cmp.Compare(p.tree.tier[a.hop.fn], p.tree.tier[b.hop.fn]) })
	g := Gap{Kind: kind, All: true, Path: p.path(ms[0].hop)}
	for _, m := range ms {
		if m.name == "" {
			if g.All {
				g.Path = p.path(m.hop)
			}
			g.All = false
		} else {
			g.Names = append(g.Names, m.name)
		}
	}
	slices.SortFunc(g.Names, strings.Compare)
	g.Names = slices.Compact(g.Names)
	res.Gaps = append(res.Gaps, g)
}
