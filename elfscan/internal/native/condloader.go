package native

import (
	"slices"
	"strings"

	"github.com/profcheck/profcheck/elfscan/internal/code"
)

// loaderSites returns the syscall instructions in the loader whose number is that of name.
func (p *program) loaderSites(r *resolver, name string) (fns []node, at []uint64) {
	m := p.interp()
	nr, ok := p.arch.Number(name)
	if m == nil || !ok || !p.glibcLoader(m) {
		return nil, nil
	}
	for _, f := range slices.Concat(r.found, r.claims) {
		o := f.hop.origin()
		if f.nr == uint64(nr) && p.owner(o.fn) == m {
			if !slices.Contains(fns, f.known.fn) {
				fns = append(fns, f.known.fn)
			}
			at = append(at, o.at)
		}
	}
	return fns, at
}

// glibcLoader reports whether m is glibc's dynamic loader, which is not the libc itself.
func (p *program) glibcLoader(m *mapped) bool {
	if !m.Interp {
		return false
	}
	for i := range m.Symbols {
		if m.Symbols[i].Name == "_rtld_global" {
			return true
		}
	}
	return false
}

func (p *program) loaderProfiles(r *resolver) ([]node, []uint64) {
	fns, _ := p.loaderSites(r, "setitimer")
	var nodes []node
	for _, f := range fns {
		nodes = append(nodes, p.callersOf(f)...) // the wrapper itself, and the profiler that calls it
	}
	return p.ifSmall(nodes), nil
}

func (p *program) loaderPrints(r *resolver) ([]node, []uint64) {
	fns, _ := p.loaderSites(r, "writev")
	_, at := p.loaderSites(r, "getpid")
	return p.ifSmall(fns), at
}

// ifSmall returns nodes if all of them are functions for one purpose by their size: a compiler that
// put one of them into the loader's main function would make that look as if it served the same.
func (p *program) ifSmall(nodes []node) []node {
	for _, n := range nodes {
		if _, f := p.fun(n); f.End-f.Start > maxPurpose || p.root[n] {
			return nil
		}
	}
	return nodes
}

// maxPurpose is how many bytes of code a function for one purpose has; dl_main has four times as many.
const maxPurpose = 4096

func (p *program) loaderStarted(r *resolver) ([]node, []uint64) {
	_, at := p.loaderSites(r, "execve")
	return nil, at
}

func (p *program) loaderRelative(r *resolver) ([]node, []uint64) {
	for _, m := range p.mods {
		for _, dir := range slices.Concat(m.Rpath, m.Runpath) {
			if !strings.HasPrefix(dir, "/") && !strings.HasPrefix(dir, "$") {
				return nil, nil
			}
		}
		for _, name := range m.Needed {
			if strings.Contains(name, "/") && !strings.HasPrefix(name, "/") && !strings.HasPrefix(name, "$") {
				return nil, nil
			}
		}
	}
	_, at := p.loaderSites(r, "getcwd")
	return nil, at
}

func (p *program) loaderOrigin(r *resolver) ([]node, []uint64) {
	for _, m := range p.mods {
		for _, dir := range slices.Concat(m.Rpath, m.Runpath, m.Needed) {
			if strings.Contains(dir, "$ORIGIN") || strings.Contains(dir, "${ORIGIN}") {
				return nil, nil
			}
		}
	}
	_, at := p.loaderSites(r, "readlink")
	_, more := p.loaderSites(r, "readlinkat")
	return nil, append(at, more...)
}

// loaderEnds finds functions of the loader that do not return, because the last thing that they do
// is to exit the process, and that cannot leave otherwise: neither they nor what they call has
// calls or jumps through pointers.
func (p *program) loaderEnds(r *resolver) ([]node, []uint64) {
	m := p.interp()
	if m == nil || !p.glibcLoader(m) {
		return nil, nil
	}
	ends := map[node]bool{}
	for n := range p.makers(r, "exit_group") {
		if p.owner(n) == m && p.Stops(p.start(n)) {
			ends[n] = true
		}
	}
	var nodes []node
	for changed := true; changed; {
		changed = false
		for i := range m.facts.Funcs {
			n := m.fn0 + node(i)
			if ends[n] || !p.tree.reached(n) || p.root[n] || !p.endsIn(n, ends) {
				continue
			}
			ends[n], changed = true, true
			nodes = append(nodes, n)
		}
	}
	return nodes, nil
}

// endsIn reports whether function n does not return, calls one of ends, nothing else that does not
// return, and nothing that may go elsewhere.
func (p *program) endsIn(n node, ends map[node]bool) bool {
	if !p.Stops(p.start(n)) || !p.tame(n, ends, 0, map[node]bool{}) {
		return false
	}
	found := false
	p.eachCall(n, func(to node, _ uint64) {
		found = found || ends[to]
	})
	return found
}

// tame reports whether all that function n leads to, up to ends, goes by direct calls.
func (p *program) tame(n node, ends map[node]bool, depth int, seen map[node]bool) bool {
	if seen[n] || ends[n] {
		return true
	}
	seen[n] = true
	_, f := p.fun(n)
	if depth > maxDepth || len(seen) > 200 || f.Flags&(code.HasIndirect|code.FallsOut) != 0 {
		return false
	}
	ok := true
	p.eachCall(n, func(to node, _ uint64) {
		ok = ok && p.tame(to, ends, depth+1, seen)
	})
	return ok
}
