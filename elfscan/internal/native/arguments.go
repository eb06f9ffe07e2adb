package native

import "github.com/profcheck/profcheck/elfscan/internal/flow"

// Arguments that lie behind pointers, as glibc passes the flags of clone in a struct clone_args from
// create_thread and __spawnix, are followed for judged arguments of syscalls whose number is known. Where
// the memory may change on the way the argument is unknown.

// dropBehind forgets the arguments of h that lie behind pointers.
func (r *resolver) dropBehind(h *hop) {
	for i, id := range h.args {
		if len(r.p.vs.Behind(id)) > 0 {
			h.args[i] = flow.Unknown
		}
	}
}

// dropChanging forgets those that may be written in the function of h or in what it calls.
func (r *resolver) dropChanging(h *hop) {
	for i, id := range h.args {
		for _, d := range r.p.vs.Behind(id) {
			if !r.argumentKept(h.fn, d) {
				h.args[i] = flow.Unknown
				break
			}
		}
	}
}

func (r *resolver) argumentKept(fn node, d flow.Deref) bool {
	if d.Cell != 0 {
		return false
	}
	k := r.p.keeper(fn)
	return k.Keeps(r.p.summary(fn), d) && len(k.Provided) == 0
}

// argument says in terms of a caller, whose summary is sum, what argument id of function fn is at its
// call c.
func (r *resolver) argument(fn node, id flow.ValueID, sum *flow.Summary, c *flow.Call) flow.ValueID {
	for _, d := range r.p.vs.Behind(id) {
		if !r.passedAlone(fn, d, sum, c) {
			return flow.Unknown
		}
	}
	return r.p.vs.Subst(r.p, r.p.conv, id, c)
}

// passedAlone reports whether fn, which call c leads to, writes to the memory of d through no other
// pointer than that of d.
func (r *resolver) passedAlone(fn node, d flow.Deref, sum *flow.Summary, c *flow.Call) bool {
	if at, ok := r.p.vs.InFrame(r.p.conv, d, c); ok && !r.p.keeper(fn).Private(sum, c, at) {
		return false
	}
	for _, a := range r.p.vs.Aliases(r.p.conv, d, c, !r.p.ofLibc(fn)) {
		if !r.argumentKept(fn, a) {
			return false
		}
	}
	return true
}
