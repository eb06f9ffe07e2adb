package elfscan

import (
	"fmt"
	"slices"

	"github.com/profcheck/profcheck/elfscan/internal/flow"
	"github.com/profcheck/profcheck/elfscan/internal/isa"
	"github.com/profcheck/profcheck/syscalls"
)

// hop is one function on the way to a syscall instruction: at is the call in fn that leads to the
// next hop, or the syscall instruction itself where next is nil. nr and args are what fn puts
// there, in terms of fn's own parameters.
type hop struct {
	fn   int
	at   uint64
	next *hop
	nr   flow.ValueID
	args [6]flow.ValueID

	depth   int  // hops below this one
	settled int  // of these, how many already knew the number
	compat  bool // enters through int 0x80
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
	nr     uint64
	hop    *hop // the outermost function that was followed
	known  *hop // the function in which the number is a constant
	compat bool
}

// unresolvedHop is a place at which following a number ended without one.
type unresolvedHop struct {
	hop    *hop
	reason string
}

const (
	// maxDepth bounds wrappers around wrappers.
	maxDepth = 24
	// argDepth is how many callers further up arguments are followed once the number is known.
	argDepth = 5
	// maxHops bounds all hops of one function; what comes on top is taken with unknown arguments.
	maxHops = 512
)

// resolver finds the numbers of all syscall instructions. It starts at each instruction and goes
// on to the callers of a function as long as the number is one of the function's parameters: such
// a function is a wrapper, whatever its name.
type resolver struct {
	p          *program
	found      []resolved
	unresolved []unresolvedHop
	queue      []*hop
	seen       map[hopKey]bool
	perFn      map[int]int
	indirect   map[int]bool // functions that are called through pointers, by function
	entries    []int        // see program.entries
	claims     []resolved   // each number at the place where it became known
}

type hopKey struct {
	fn     int
	nr     flow.ValueID
	args   [6]flow.ValueID
	origin uint64
}

func (p *program) resolve() *resolver {
	r := &resolver{p: p, seen: map[hopKey]bool{}, perFn: map[int]int{}, indirect: map[int]bool{}, entries: p.entries()}
	done := map[int32]bool{}
	for _, s := range p.sites {
		if done[s.fn] {
			continue
		}
		done[s.fn] = true
		sum := p.summary(int(s.fn))
		if sum.Vague {
			r.fail(&hop{fn: int(s.fn), at: s.at}, "the function is too long or too intricate to be followed")
			continue
		}
		for i := range sum.Calls {
			c := &sum.Calls[i]
			if c.Kind != isa.OpSyscall && c.Kind != isa.OpInt80 {
				continue
			}
			h := &hop{fn: int(s.fn), at: c.At, nr: c.Regs[p.m.Number], compat: c.Kind == isa.OpInt80}
			for k, reg := range p.m.Args {
				h.args[k] = c.Regs[reg]
			}
			r.push(h)
		}
	}
	for len(r.queue) > 0 {
		h := r.queue[len(r.queue)-1]
		r.queue = r.queue[:len(r.queue)-1]
		r.follow(h)
	}
	r.settle()
	return r
}

// settle makes sure that nothing was lost on the way: what became known and was then followed up
// for its arguments counts even if that led nowhere, and each syscall instruction has an answer.
func (r *resolver) settle() {
	type claim struct {
		nr, at uint64
	}
	found, answered := map[claim]bool{}, map[uint64]bool{}
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
	for _, u := range r.unresolved {
		answered[u.hop.origin().at] = true
	}
	for _, s := range r.p.hidden {
		r.fail(&hop{fn: int(s.fn), at: s.at}, "a syscall instruction inside of others, in code that does not decode or is entered between its instructions")
	}
	for _, s := range r.p.sites {
		h := &hop{fn: int(s.fn), at: s.at, compat: s.kind == isa.RefInt80}
		if !answered[s.at] && !r.p.summary(int(s.fn)).Vague && !r.isPerThread(h) {
			r.fail(h, "nothing was found that calls it")
		}
	}
}

func (r *resolver) push(h *hop) {
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
	r.queue = append(r.queue, h)
}

// follow decides what is known of a hop's number: it is given by constants, or by the callers, or
// by a variable, or not at all; or several of these.
func (r *resolver) follow(h *hop) {
	v := *r.p.vs.Get(h.nr)
	if v.Stack {
		r.fail(h, "the number is an address")
		return
	}
	if v.Unknown && !r.perThread(h) {
		r.fail(h, "the number is computed in a way that is not followed")
	}
	if len(v.Consts) > 0 {
		r.known(h, v.Consts)
	}
	if len(v.Cells) > 0 {
		for _, c := range v.Cells {
			r.followCell(h, c)
		}
	}
	if v.Params.Empty() {
		return
	}
	if h.depth >= maxDepth {
		r.fail(h, fmt.Sprintf("more than %d wrappers around each other", maxDepth))
		return
	}
	switch {
	case r.addressTaken(h.fn):
		r.fail(h, "the function that takes the number is called through a pointer")
	case r.isEntry(h.fn):
		r.fail(h, "the function that takes the number is where the program begins")
	}
	if r.callers(h) == 0 && !r.addressTaken(h.fn) && !r.isEntry(h.fn) {
		r.fail(h, "nothing was found that calls the function that takes the number")
	}
}

func (r *resolver) fail(h *hop, reason string) {
	r.unresolved = append(r.unresolved, unresolvedHop{h, reason})
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
		r.claims = append(r.claims, resolved{nr, h, k, h.compat})
		climb := h.settled < argDepth && h.depth < maxDepth && r.argsDepend(h) && !r.addressTaken(h.fn) && !r.isEntry(h.fn) && len(r.p.in[h.fn]) > 0
		if !climb {
			r.found = append(r.found, resolved{nr, h, k, h.compat})
			continue
		}
		c := *h
		c.nr = r.p.vs.Constant(nr)
		r.callers(&c)
	}
}

// trim returns h without the arguments that the syscall does not have and those that no filter can
// judge by their value: pointers, descriptors and sizes. Following them up would only multiply hops.
func (r *resolver) trim(h *hop, nr uint64) *hop {
	name, ok := r.p.arch.NameOf(int32(nr))
	if !ok {
		return h
	}
	params, ok := r.p.arch.Params(name)
	if !ok {
		return h
	}
	c := *h
	for i := range c.args {
		if i >= len(params) {
			c.args[i] = flow.Unknown
			continue
		}
		switch params[i].Kind {
		case syscalls.Pointer, syscalls.FD, syscalls.Size:
			if _, isConst := r.p.vs.IsConst(c.args[i]); !isConst || params[i].Kind == syscalls.Pointer {
				c.args[i] = flow.Unknown
			}
		}
	}
	return &c
}

func (r *resolver) isKnown(h *hop, nr uint64) bool {
	c, ok := r.p.vs.IsConst(h.nr)
	return ok && len(c) == 1 && c[0] == nr
}

func (r *resolver) argsDepend(h *hop) bool {
	for _, a := range h.args {
		if !r.p.vs.Get(a).Params.Empty() {
			return true
		}
	}
	return false
}

// callers adds a hop for each call of h.fn and returns how many there are. A function can call
// itself, and the one before it can run into it.
func (r *resolver) callers(h *hop) int {
	_, known := r.p.vs.IsConst(h.nr)
	entry := r.p.tab.funcs[h.fn].entry
	from := []int{h.fn}
	before := h.fn - 1
	if before >= 0 && r.p.tab.funcs[before].end == entry && r.p.fallsOut(before) {
		from = append(from, before)
	} else {
		before = -1
	}
	for _, e := range r.p.in[h.fn] { // one edge for each caller, and none from h.fn itself
		if int(e.from) != before {
			from = append(from, int(e.from))
		}
	}
	n := 0
	for _, fn := range from {
		sum := r.p.summary(fn)
		for i := range sum.Calls {
			c := &sum.Calls[i]
			if !r.calls(c, entry) {
				continue
			}
			up := &hop{fn: fn, at: c.At, next: h, nr: r.subst(h.nr, c), depth: h.depth + 1, compat: h.compat}
			for k := range up.args {
				up.args[k] = r.subst(h.args[k], c)
			}
			if known {
				up.settled = h.settled + 1
			}
			if n++; !(fn == h.fn && up.nr == h.nr && up.args == h.args) {
				r.push(up)
			}
		}
	}
	return n
}

func (r *resolver) calls(c *flow.Call, entry uint64) bool {
	switch c.Kind {
	case isa.OpCall, isa.OpJump, isa.OpBranch:
		return c.Target == entry
	case isa.OpCallInd, isa.OpJumpInd:
		return slices.Contains(r.p.vs.Get(c.Callee).Consts, entry)
	}
	return false
}

func (r *resolver) subst(id flow.ValueID, c *flow.Call) flow.ValueID {
	return r.p.vs.Subst(host{r.p}, r.p.conv, id, c)
}
