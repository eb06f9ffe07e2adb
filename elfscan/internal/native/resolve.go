package native

import (
	"fmt"
	"slices"

	"github.com/profcheck/profcheck/elfscan/internal/code"
	"github.com/profcheck/profcheck/elfscan/internal/flow"
	"github.com/profcheck/profcheck/elfscan/internal/isa"
	"github.com/profcheck/profcheck/syscalls"
)

// hop is one function on the way to a syscall instruction: at is the call in fn that leads to the
// next hop, or the syscall instruction itself where next is nil. nr and args are what fn puts
// there, in terms of fn's own parameters.
type hop struct {
	fn   node
	at   uint64
	next *hop
	nr   flow.ValueID
	args [6]flow.ValueID

	depth   int  // hops below this one
	settled int  // of these, how many already knew the number
	compat  bool // enters through int 0x80 or sysenter
}

// origin returns the syscall instruction that the chain ends in.
func (h *hop) origin() *hop {
	for h.next != nil {
		h = h.next
	}
	return h
}

// resolved is one place at which a number is known.
type resolved struct {
	nr    uint64
	hop   *hop // the outermost function that was followed
	known *hop // the function in which the number is a constant
}

// unresolved is a place at which following a number ended without one.
type unresolved struct {
	hop    *hop
	reason string
}

const (
	// maxDepth bounds wrappers around wrappers.
	maxDepth = 24
	// argDepth is how many callers further up arguments are followed once the number is known.
	argDepth = 5
	// maxHops bounds all hops of one function; what comes on top is taken with unknown arguments.
	maxHops = 256
	// maxTotal bounds all hops of a resolver.
	maxTotal = 1 << 17
)

// resolver finds the values that reach some places, backwards through all callers. For the numbers
// of syscalls it starts at the instructions.
type resolver struct {
	p      *program
	text   bool // what is followed is no number of a syscall but an argument of a function
	skip   node // calls that this function makes do not count; none if all do
	found  []resolved
	failed []unresolved
	queue  []*hop
	seen   map[hopKey]bool
	perFn  map[node]int
	claims []resolved // each number at the place where it became known
	total  int

	provisos map[proviso]bool
	dead     map[uint64]bool // syscall instructions that cannot run
}

type hopKey struct {
	fn     node
	nr     flow.ValueID
	args   [6]flow.ValueID
	origin uint64
}

func (p *program) newResolver() *resolver {
	return &resolver{p: p, skip: none, seen: map[hopKey]bool{}, perFn: map[node]int{}, dead: map[uint64]bool{}, provisos: map[proviso]bool{}}
}

// resolve finds the numbers of all syscall instructions in reached functions.
func (p *program) resolve() *resolver {
	r := p.newResolver()
	for _, fn := range p.entering {
		sum := p.summary(fn)
		calls := callsOf(sum)
		for _, s := range p.sites(fn) {
			h := &hop{fn: fn, at: s.at, compat: s.compat}
			if sum.Vague {
				r.fail(h, "the function is too long or too intricate to be followed")
				continue
			}
			c := calls[s.at]
			if c == nil {
				continue
			}
			number, args := p.conv.Entry(c.Kind)
			h.nr = c.Regs[number]
			for k, reg := range args {
				h.args[k] = c.Regs[reg]
			}
			r.push(h)
		}
	}
	r.run()
	r.inside()
	r.checkProvisos()
	r.settle()
	return r
}

func (r *resolver) run() {
	for len(r.queue) > 0 {
		h := r.queue[len(r.queue)-1]
		r.queue = r.queue[:len(r.queue)-1]
		r.follow(h)
	}
}

// callsOf are the states of s at its calls, by address.
func callsOf(s *flow.Summary) map[uint64]*flow.Call {
	calls := make(map[uint64]*flow.Call, len(s.Calls))
	for i := range s.Calls {
		if c := &s.Calls[i]; calls[c.At] == nil {
			calls[c.At] = c
		}
	}
	return calls
}

// site is a syscall instruction.
type site struct {
	at     uint64
	compat bool
}

// sites returns the syscall instructions of function n.
func (p *program) sites(n node) []site {
	m, f := p.fun(n)
	var out []site
	for _, r := range m.facts.Refs[f.First : f.First+f.N] {
		if r.Kind == code.Syscall || r.Kind == code.Compat {
			out = append(out, site{m.base + r.At, r.Kind == code.Compat})
		}
	}
	return out
}

// settle makes sure that nothing was lost on the way: what became known and was then followed up
// for its arguments counts even if that led nowhere, and each syscall instruction has an answer.
func (r *resolver) settle() {
	type claim struct{ nr, at uint64 }
	found, answered := map[claim]bool{}, r.dead
	for _, f := range r.found {
		at := f.hop.origin().at
		found[claim{f.nr, at}], answered[at] = true, true
	}
	for _, c := range r.claims {
		if k := (claim{c.nr, c.hop.origin().at}); !found[k] {
			found[k], answered[k.at] = true, true
			r.found = append(r.found, c)
		}
	}
	for _, u := range r.failed {
		answered[u.hop.origin().at] = true
	}
	for _, fn := range r.p.entering {
		for _, s := range r.p.sites(fn) {
			if !answered[s.at] && !r.dead[s.at] {
				r.fail(&hop{fn: fn, at: s.at, compat: s.compat}, "nothing was found that leads to the instruction")
			}
		}
	}
}

func (r *resolver) push(h *hop) {
	if _, ok := r.p.vs.IsConst(h.nr); !ok {
		r.dropBehind(h)
	}
	k := hopKey{h.fn, h.nr, h.args, h.origin().at}
	if r.seen[k] {
		return
	}
	r.seen[k] = true
	if r.perFn[h.fn]++; r.perFn[h.fn] > maxHops {
		h.args = [6]flow.ValueID{}
		k.args = h.args
		if r.seen[k] {
			return
		}
		r.seen[k] = true
	}
	if r.total++; r.total > maxTotal {
		r.fail(h, "too many ways lead here")
		return
	}
	r.queue = append(r.queue, h)
}

// follow decides what is known of a hop's number: it is given by constants, or by the callers, or
// not at all; or several of these.
func (r *resolver) follow(h *hop) {
	v := *r.p.vs.Get(h.nr)
	switch {
	case v.Stack:
		r.fail(h, "the number is an address")
		return
	case v.Unknown:
		r.fail(h, "the number is computed in a way that is not followed")
	case len(v.Cells) > 0:
		r.fail(h, fmt.Sprintf("the number is read from the variable at %#x", v.Cells[0]))
	}
	if len(v.Consts) > 0 {
		r.known(h, v.Consts)
	}
	callers := r.behindPointer(h, &v)
	if v.Params.Empty() && !callers {
		return
	}
	if h.depth >= maxDepth {
		r.fail(h, fmt.Sprintf("more than %d wrappers around each other", maxDepth))
		return
	}
	why := r.p.unseen(h.fn)
	if why != "" {
		r.fail(h, why)
	}
	switch calls, held := r.p.held(h.fn); {
	case r.callers(h) > 0 || why != "":
	case held && len(calls) == 0 && r.p.pointedAt(h.fn):
		r.dead[h.origin().at] = true // its address lies in a table, and nothing that runs calls what is there
	default:
		r.fail(h, "nothing was found that calls the function that takes the number")
	}
}

func (r *resolver) fail(h *hop, reason string) {
	r.failed = append(r.failed, unresolved{h, reason})
}

// known records constants of a number, and goes on to the callers for the arguments that depend on
// them.
func (r *resolver) known(h *hop, nrs []uint64) {
	for _, nr := range nrs {
		h := r.trim(h, nr)
		k := h
		for k.next != nil && r.isKnown(k.next, nr) {
			k = k.next
		}
		r.claims = append(r.claims, resolved{nr, h, k})
		climb := h.settled < argDepth && h.depth < maxDepth && r.argsDepend(h) && r.p.unseen(h.fn) == "" && len(r.p.callersOf(h.fn)) > 0
		if !climb {
			r.found = append(r.found, resolved{nr, h, k})
			continue
		}
		c := *h
		c.nr = r.p.vs.Constant(nr)
		r.callers(&c)
	}
}

// trim returns h without the arguments that the syscall does not have, and those that are not
// constant here and not judged: following them up would only multiply hops.
func (r *resolver) trim(h *hop, nr uint64) *hop {
	c := *h
	name, follow := "", uint8(0)
	n := 0
	if !h.compat && !r.text {
		name, _ = r.p.arch.NameOf(int32(nr))
		follow, n = judged[name], len(c.args)
	}
	params, known := r.p.arch.Params(name)
	if known {
		n = len(params)
	}
	for i := range c.args {
		_, isConst := r.p.vs.IsConst(c.args[i])
		switch {
		case i >= n, i < len(params) && params[i].Kind == syscalls.Pointer, !isConst && follow>>i&1 == 0:
			c.args[i] = flow.Unknown
		}
	}
	r.dropChanging(&c)
	return &c
}

func (r *resolver) isKnown(h *hop, nr uint64) bool {
	c, ok := r.p.vs.IsConst(h.nr)
	return ok && len(c) == 1 && c[0] == nr
}

func (r *resolver) argsDepend(h *hop) bool {
	for _, a := range h.args {
		if r.p.vs.Open(a) {
			return true
		}
	}
	return false
}

// callers adds a hop for each call of h.fn and returns how many there are.
func (r *resolver) callers(h *hop) int {
	_, known := r.p.vs.IsConst(h.nr)
	known = known && !r.text
	n := 0
	for _, fn := range r.p.callersOf(h.fn) {
		if fn == r.skip {
			continue
		}
		sum := r.p.summary(fn)
		for i := range sum.Calls {
			c := &sum.Calls[i]
			if !r.p.leads(c, h.fn) {
				continue
			}
			if n++; sum.Vague && known {
				nrs, _ := r.p.vs.IsConst(h.nr)
				r.found = append(r.found, resolved{nrs[0], &hop{fn: fn, at: c.At, next: h, nr: h.nr, depth: h.depth + 1, compat: h.compat}, h})
				continue
			} else if sum.Vague {
				r.fail(&hop{fn: fn, at: c.At, next: h, depth: h.depth + 1, compat: h.compat}, "the function that gives the number is too long or too intricate to be followed")
				continue
			}
			if !r.keepsAliases(h, sum, c) {
				r.fail(h, "the number lies behind a pointer, where it may be written through another one")
				continue
			}
			up := &hop{fn: fn, at: c.At, next: h, nr: r.p.vs.Subst(r.p, r.p.conv, h.nr, c), depth: h.depth + 1, compat: h.compat}
			for k := range up.args {
				up.args[k] = r.argument(h.fn, h.args[k], sum, c)
			}
			if known {
				up.settled = h.settled + 1
			}
			if !(fn == h.fn && up.nr == h.nr && up.args == h.args) {
				r.push(up)
			}
		}
	}
	return n
}

// leads reports whether call c enters function n at its start, through a linkage table or not.
func (p *program) leads(c *flow.Call, n node) bool {
	switch c.Kind {
	case isa.OpCall, isa.OpJump, isa.OpBranch:
		return p.isEntry(c.Target, n)
	case isa.OpCallInd, isa.OpJumpInd:
		if h := p.holders[n]; h != nil && !h.failed {
			if _, ok := h.calls[c.At]; ok {
				return true
			}
		}
		return slices.ContainsFunc(p.vs.Get(c.Callee).Consts, func(a uint64) bool { return p.isEntry(a, n) })
	}
	return false
}

func (p *program) isEntry(addr uint64, n node) bool {
	f := p.function(addr)
	return f != none && p.start(f) == addr && (f == n || p.behind(f) == n)
}
