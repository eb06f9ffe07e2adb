package native

import (
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
	only   []*tree     // by condition: what is reached if only that one holds; nil if not asked yet
}

func (p *program) newClassifier(r *resolver) *classifier {
	c := &classifier{p: p, r: r}
	c.findStartup()
	if p.o.Conservative {
		return c
	}
	c.conds = p.conditions(r)
	if len(c.conds) > 0 {
		c.always = c.walkWith(-1)
		c.only = make([]*tree, len(c.conds))
	}
	return c
}

// walkWith walks the program as it is if only condition i holds.
func (c *classifier) walkWith(i int) *tree {
	cut := &cut{nodes: map[node]bool{}, at: map[uint64]bool{}}
	roots := *c.p.starts
	for k := range c.conds {
		if k == i {
			continue
		}
		for _, n := range c.conds[k].nodes {
			cut.nodes[n] = true
		}
		for _, at := range c.conds[k].at {
			cut.at[at] = true
		}
		if c.conds[k].opened {
			roots.opened = nil
		}
	}
	t := c.p.walkCut(roots.all(), cut)
	return t
}

// findStartup walks what can run once the program is set up: from the functions whose address the
// entry passes on, main among them, and from constructors and destructors. What only the loader and
// the libc's own start reach is start-up.
func (c *classifier) findStartup() {
	p := c.p
	var roots []node
	roots = append(append(roots, p.starts.init...), p.starts.opened...)
	for _, n := range p.starts.entry {
		if int(n) >= p.funcs {
			continue
		}
		for _, e := range p.out(n) {
			if e.kind == edgeReference && p.owner(e.to).index == 0 {
				roots = append(roots, e.to)
			}
		}
	}
	c.after = p.walk(roots)
}

// class returns the class of a call and, for conditional ones, the condition.
func (c *classifier) class(f resolved) (finding.Class, string) {
	if c.always != nil && !c.alive(c.always, -1, f.hop) {
		return finding.Conditional, c.when(f.hop)
	}
	direct := f.known.next == nil // made by the function itself, not through a wrapper
	switch name, _ := c.p.arch.NameOf(int32(f.nr)); {
	case name == "rt_sigreturn" && direct:
		return finding.Kernel, ""
	case vdsoCalls[name] && c.callsIndirectly(f.known.fn):
		return finding.VDSO, ""
	}
	if !c.after.reached(f.hop.fn) {
		return finding.Startup, ""
	}
	return finding.Required, ""
}

// alive reports whether a chain can run in t, in which only condition i holds.
func (c *classifier) alive(t *tree, i int, h *hop) bool {
	for ; h != nil; h = h.next {
		if !t.reached(h.fn) {
			return false
		}
		for k := range c.conds {
			if k != i && c.conds[k].cuts(h.at) {
				return false
			}
		}
	}
	return true
}

// when names the conditions of which one is enough for a chain to run, or all of them if it takes
// several at once.
func (c *classifier) when(h *hop) string {
	var enough, all []string
	for i := range c.conds {
		if c.only[i] == nil {
			c.only[i] = c.walkWith(i)
		}
		all = append(all, c.conds[i].text)
		if c.alive(c.only[i], i, h) {
			enough = append(enough, c.conds[i].text)
		}
	}
	if len(enough) > 0 {
		return strings.Join(enough, ", or ")
	}
	return "several of these: " + strings.Join(all, "; ")
}

// vdsoCalls are the calls that the vDSO answers in user space as long as the clock source allows.
var vdsoCalls = map[string]bool{"clock_gettime": true, "clock_gettime64": true, "gettimeofday": true, "time": true, "getcpu": true, "clock_getres": true}

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
