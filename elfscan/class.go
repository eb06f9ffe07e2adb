package elfscan

import (
	"slices"

	"github.com/profcheck/profcheck/elfscan/internal/isa"
	"github.com/profcheck/profcheck/finding"
)

// classifier says when a program makes the calls that the resolver found.
type classifier struct {
	p      *program
	r      *resolver
	active []activeCondition
	child  map[int]bool // functions that fork and exec
	before *tree        // what the program's entry reaches by direct calls
	after  *tree        // what can be reached otherwise
	nrs    map[string]uint64
}

// activeCondition is a condition that was looked up in this program and does not hold from the
// start: calls in its region are conditional.
type activeCondition struct {
	*condition
	region map[int]bool
}

func (p *program) newClassifier(r *resolver) *classifier {
	c := &classifier{p: p, r: r, child: map[int]bool{}, nrs: map[string]uint64{}}
	for _, s := range p.arch.Syscalls() {
		c.nrs[s.Name] = uint64(s.Nr)
	}
	c.findChild()
	c.findStartup()
	for i := range conditions {
		cond := &conditions[i]
		if p.release < cond.from || p.release > cond.to || cond.holds(p) {
			continue
		}
		if region := c.region(cond.functions); len(region) > 0 {
			c.active = append(c.active, activeCondition{cond, region})
		}
	}
	return c
}

// findChild finds the functions that run between clone and execve: in one body they start a
// process, replace its image and do what only a child does.
func (c *classifier) findChild() {
	byFn := map[int]map[uint64]bool{}
	for _, f := range c.r.found {
		if byFn[f.known.fn] == nil {
			byFn[f.known.fn] = map[uint64]bool{}
		}
		byFn[f.known.fn][f.nr] = true
	}
	for fn, nrs := range byFn {
		ok := true
		for _, name := range []string{"execve", "clone", "dup3", "chroot", "setsid"} {
			ok = ok && nrs[c.nrs[name]]
		}
		c.child[fn] = ok
	}
}

// findStartup walks what can run once the program is set up: everything from functions whose
// address is taken, main among them, which the runtime starts through a pointer. What the entry
// reaches by direct calls, and this does not, is start-up.
func (c *classifier) findStartup() {
	var roots []int
	for f := range c.p.out {
		if c.r.addressTaken(f) {
			roots = append(roots, f)
		}
	}
	c.after = c.p.newTree(roots, nil)
	c.before = c.p.newTree(c.p.entries(), c.r.addressTaken)
}

// class returns the class of a call and, for conditional ones, the condition.
func (c *classifier) class(f resolved) (finding.Class, string) {
	for _, a := range c.active {
		if a.governs(c, f) {
			return finding.Conditional, a.text
		}
	}
	direct := f.known.next == nil // made by the function itself, not through a wrapper
	switch name, _ := c.p.arch.NameOf(int32(f.nr)); {
	case name == "rt_sigreturn" && direct:
		return finding.Kernel, ""
	case vdsoCalls[name] && direct && c.callsIndirectly(f.known.fn):
		return finding.VDSO, ""
	case c.child[f.known.fn] && name != "clone" && name != "clone3":
		return finding.Child, ""
	}
	if c.before.tier[f.hop.fn] != unreached && c.after.tier[f.hop.fn] == unreached {
		return finding.Startup, ""
	}
	return finding.Required, ""
}

// vdsoCalls are the calls that the vDSO answers in user space as long as the clock source allows.
var vdsoCalls = map[string]bool{"clock_gettime": true, "clock_gettime64": true, "gettimeofday": true, "time": true, "getcpu": true, "clock_getres": true}

// callsIndirectly reports whether fn has a call through a pointer: beside a direct syscall for the
// time, that is the call of the vDSO.
func (c *classifier) callsIndirectly(fn int) bool {
	for _, call := range c.p.summary(fn).Calls {
		if call.Kind == isa.OpCallInd {
			return true
		}
	}
	return false
}

// region returns the functions that only run on behalf of those named: themselves, and every
// function whose callers are all in the region and whose address nobody takes.
func (c *classifier) region(names []string) map[int]bool {
	region := map[int]bool{}
	var queue []int
	for _, n := range names {
		for _, f := range c.p.tab.functionsNamed(n) {
			region[f] = true
			queue = append(queue, f)
		}
	}
	for len(queue) > 0 {
		f := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		for _, e := range c.p.out[f] {
			if to := int(e.to); !region[to] && c.onlyFrom(to, region) {
				region[to] = true
				queue = append(queue, to)
			}
		}
	}
	return region
}

func (c *classifier) onlyFrom(fn int, region map[int]bool) bool {
	for _, e := range c.p.in[fn] {
		if !region[int(e.from)] {
			return false
		}
	}
	return !c.p.inData(c.p.tab.funcs[fn].entry)
}

// governs reports whether call f is made only under condition a.
func (a activeCondition) governs(c *classifier, f resolved) bool {
	if a.syscalls != nil && !slices.ContainsFunc(a.syscalls, func(name string) bool { return c.is(f, name) }) {
		return false
	}
	return a.inRegion(c, f)
}

// is reports whether f is the syscall of that name.
func (c *classifier) is(f resolved, name string) bool {
	nr, ok := c.nrs[name]
	return ok && nr == f.nr
}

// argument returns what is known of an argument because a condition does not hold.
func (c *classifier) argument(f resolved, index int) (Values, bool) {
	for _, a := range c.active {
		for _, w := range a.without {
			if w.index == index && c.is(f, w.syscall) && a.inRegion(c, f) {
				return Values{Known: true, Consts: w.values}, true
			}
		}
	}
	return Values{}, false
}

func (a activeCondition) inRegion(c *classifier, f resolved) bool {
	if a.region[f.hop.fn] {
		return true
	}
	for h := f.hop; h != nil; h = h.next {
		for _, fr := range c.p.tab.frames(h.fn, h.at) {
			for _, name := range a.functions {
				if fr.function == name {
					return true
				}
			}
		}
	}
	return false
}
