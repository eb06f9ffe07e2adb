package native

import (
	"maps"
	"slices"
	"strings"

	"github.com/profcheck/profcheck/elfscan/internal/isa"
	"github.com/profcheck/profcheck/finding"
)

// classifier says when the calls are made that the resolver found.
type classifier struct {
	p      *program
	r      *resolver
	after  *tree       // what runs from main on, and what constructors and destructors run
	conds  []condition // that do not hold from the start
	always *tree       // what is reached if none of them holds; nil if there are none
	cut    *cut        // what always leaves out
	stops  []stopped   // where it does so
	only   []*world    // by condition: what is reached if only that one holds; nil if not asked yet
}

// world is what can run if one condition holds: more than always.
type world struct {
	more map[node]bool
	cut  *cut
}

func (p *program) newClassifier(r *resolver) *classifier {
	c := &classifier{p: p, r: r}
	if p.o.Conservative {
		c.findStartup(nil)
		return c
	}
	c.conds = p.conditions(r)
	if len(c.conds) > 0 {
		roots := *p.starts
		for i := range c.conds {
			if c.conds[i].roots != nil {
				roots.opened = nil
			}
		}
		c.cut = c.cutFor(-1)
		c.always, c.stops = p.walkCut(roots.all(), c.cut)
		c.only = make([]*world, len(c.conds))
	}
	c.findStartup(c.cut)
	return c
}

// world returns what can run if only condition i holds.
func (c *classifier) world(i int) *world {
	if c.only[i] == nil {
		cut := c.cutFor(i)
		c.only[i] = &world{c.p.beyond(c.always, c.conds[i].roots, c.stops, cut), cut}
	}
	return c.only[i]
}

// cutFor is what cannot run if only condition i holds. What several conditions name takes one of
// them.
func (c *classifier) cutFor(i int) *cut {
	out := &cut{nodes: map[node]bool{}, at: map[uint64]bool{}, from: map[node]bool{}}
	for k := range c.conds {
		for _, n := range c.conds[k].nodes {
			out.nodes[n] = true
		}
		for _, at := range c.conds[k].at {
			out.at[at] = true
		}
	}
	if i >= 0 {
		for _, n := range c.conds[i].nodes {
			delete(out.nodes, n)
		}
		for _, at := range c.conds[i].at {
			delete(out.at, at)
		}
	}
	for at := range out.at {
		out.from[c.p.node(at)] = true
	}
	return out
}

// enders are the functions of a libc that end the process, which belongs to its start: the libc calls
// them when main returns, and so do the destructors that compilers add to each file.
var enders = []string{"exit", "_exit", "_Exit", "__cxa_finalize"}

// findStartup walks what can run once the program is set up: from the functions whose address the
// entry passes on, main among them, and from constructors and destructors, other than by ending the
// process and in the cases that are left out. What only the loader and the libc's own start and end
// reach is start-up. A program whose entry passes on nothing does without a libc.
func (c *classifier) findStartup(without *cut) {
	p := c.p
	var begin []node
	begin = slices.Concat(p.starts.init, slices.Concat(p.starts.opened...), p.starts.outside)
	passed := p.o.Outside
	for _, n := range p.starts.entry {
		if int(n) >= p.funcs {
			continue
		}
		mains := p.passedOn(n)
		if len(mains) == 0 { // musl's entry only finds the stack for another function
			p.eachCall(n, func(to node, _ uint64) {
				if p.owner(to).index == 0 {
					mains = append(mains, p.passedOn(to)...)
				}
			})
		}
		begin, passed = append(begin, mains...), passed || len(mains) > 0
	}
	if !passed {
		begin = append(begin, p.starts.entry...)
	}
	end := cut{nodes: map[node]bool{}}
	if without != nil {
		end.at, end.from = without.at, without.from
		maps.Copy(end.nodes, without.nodes)
	}
	for _, n := range p.entriesOf(enders...) {
		if passed && p.isLibc(p.owner(n)) {
			end.nodes[n] = true
		}
	}
	c.after, _ = p.walkCut(roots{known: begin, by: none}, &end)
}

// passedOn returns the functions of the program whose address function n forms.
func (p *program) passedOn(n node) []node {
	var out []node
	for _, e := range p.out(n) {
		if e.kind == edgeReference && int(e.to) < p.funcs && p.owner(e.to).index == 0 {
			out = append(out, e.to)
		}
	}
	return out
}

// class returns the class of a call and, for conditional ones, the condition.
func (c *classifier) class(f resolved) (finding.Class, string) {
	if c.always != nil && !c.alive(f.hop, nil, c.cut) {
		return finding.Conditional, c.when(f.hop)
	}
	direct := f.known.next == nil // made by the function itself, not through a wrapper
	switch name, _ := c.p.arch.NameOf(int32(f.nr)); {
	case name == "rt_sigreturn" && direct:
		return finding.Kernel, ""
	case vdsoCalls[name] && (c.callsIndirectly(f.known.fn) || c.stands(f.known.fn, name)):
		return finding.VDSO, ""
	}
	if !c.after.reached(f.hop.fn) {
		return finding.Startup, ""
	}
	return finding.Required, ""
}

// alive reports whether a chain can run where always and more are reached and cut is left out.
func (c *classifier) alive(h *hop, more map[node]bool, cut *cut) bool {
	for ; h != nil; h = h.next {
		if !c.always.reached(h.fn) && !more[h.fn] || cut.at[h.at] {
			return false
		}
	}
	return true
}

// orElse stands between conditions of which each is enough.
const orElse = ", or "

// when names the conditions of which one is enough for a chain to run.
func (c *classifier) when(h *hop) string {
	var enough []string
	for i := range c.conds {
		w := c.world(i)
		if c.alive(h, w.more, w.cut) {
			enough = append(enough, c.conds[i].text)
		}
	}
	if len(enough) > 0 {
		return strings.Join(enough, orElse)
	}
	return "several conditions hold at once"
}

// family returns the conditions of families if nothing but these leads to a chain.
func (c *classifier) family(h *hop) string {
	if c.always == nil || c.alive(h, nil, c.cut) {
		return ""
	}
	var enough []string
	for i := range c.conds {
		if w := c.world(i); c.alive(h, w.more, w.cut) {
			if !c.conds[i].family {
				return ""
			}
			enough = append(enough, c.conds[i].text)
		}
	}
	return strings.Join(enough, orElse)
}

// vdsoCalls are the calls that the vDSO answers in user space as long as the clock source allows.
var vdsoCalls = map[string]bool{"clock_gettime": true, "clock_gettime64": true, "gettimeofday": true, "time": true, "getcpu": true, "clock_getres": true}

// stands reports whether fn is what the function of that name, which looks for the vDSO when the
// loader asks it, gives in its place.
func (c *classifier) stands(fn node, name string) bool {
	choosers := c.p.entriesOf(name)
	ins := c.p.in(fn)
	for _, in := range ins {
		if in.kind != edgeReference || !slices.Contains(choosers, in.from) {
			return false
		}
	}
	return len(ins) > 0
}

// callsIndirectly reports whether fn has a call through a pointer: beside a syscall for the time,
// that is the call of the vDSO.
func (c *classifier) callsIndirectly(fn node) bool {
	for _, call := range c.p.summary(fn).Calls {
		if call.Kind == isa.OpCallInd || call.Kind == isa.OpJumpInd {
			return true
		}
	}
	return false
}
