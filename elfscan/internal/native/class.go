package native

import (
	"github.com/profcheck/profcheck/elfscan/internal/isa"
	"github.com/profcheck/profcheck/finding"
)

// classifier says when the calls are made that the resolver found.
type classifier struct {
	p       *program
	after   *tree // what runs from main on, and what constructors of the program and its libraries run
	calm    *tree // what can be reached without an abort
	regular *tree // what can be reached without libraries that are opened while the program runs
}

// abortFamily are functions that end the process because something is wrong with it. What only
// they lead to is made in no run that does not end that way. The names are those that glibc and
// musl export; a program that calls raise or tgkill itself reaches them without these.
var abortFamily = []string{"abort", "__assert_fail", "__assert_perror_fail", "__assert", "__stack_chk_fail", "__chk_fail", "__fortify_fail", "__libc_fatal"}

const (
	whenAborted = "the program aborts (abort, failed assertion, stack check)"
	whenOpened  = "a library is loaded that the program opens while it runs"
)

func (p *program) newClassifier(r *resolver) *classifier {
	c := &classifier{p: p}
	c.findStartup()
	if p.o.Off&AbortCondition == 0 {
		blocked := map[node]bool{}
		for _, name := range abortFamily {
			for _, a := range p.named(name) {
				if n := p.function(a); n != none && p.start(n) == a {
					blocked[n] = true
				}
			}
		}
		if len(blocked) > 0 && !p.o.Conservative {
			c.calm = p.walk(p.starts.all(), func(n node) bool { return blocked[n] })
		}
	}
	if len(p.starts.opened) > 0 && !p.o.Conservative {
		s := *p.starts
		s.opened = nil
		c.regular = p.walk(s.all(), nil)
	}
	return c
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
	c.after = p.walk(roots, nil)
}

// class returns the class of a call and, for conditional ones, the condition.
func (c *classifier) class(f resolved) (finding.Class, string) {
	fn := f.hop.fn
	switch {
	case !c.onlyIn(c.regular, f.hop):
		return finding.Conditional, whenOpened
	case !c.onlyIn(c.calm, f.hop):
		return finding.Conditional, whenAborted
	}
	direct := f.known.next == nil // made by the function itself, not through a wrapper
	switch name, _ := c.p.arch.NameOf(int32(f.nr)); {
	case name == "rt_sigreturn" && direct:
		return finding.Kernel, ""
	case vdsoCalls[name] && c.callsIndirectly(f.known.fn):
		return finding.VDSO, ""
	}
	if !c.after.reached(fn) {
		return finding.Startup, ""
	}
	return finding.Required, ""
}

// onlyIn reports whether all functions of a chain are reached in t.
func (c *classifier) onlyIn(t *tree, h *hop) bool {
	for ; t != nil && h != nil; h = h.next {
		if !t.reached(h.fn) {
			return false
		}
	}
	return true
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
