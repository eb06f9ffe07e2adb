package native

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/profcheck/profcheck/elfscan/internal/code"
	"github.com/profcheck/profcheck/elfscan/internal/flow"
	"github.com/profcheck/profcheck/elfscan/internal/module"
	"github.com/profcheck/profcheck/finding"
)

// candidate is one place that makes a call, with its class.
type candidate struct {
	resolved
	class     finding.Class
	condition string
	args      [6]Values
}

// maxSites is how many places are kept for one syscall. Beyond them only such are kept as differ
// from all others in class, condition, arguments or authors.
const maxSites = 8

// classOrder says which class a need has if its sites differ: the one whose denial weighs most.
var classOrder = map[finding.Class]int{
	finding.Required: 0, finding.Startup: 1, finding.Child: 2, finding.Kernel: 3, finding.VDSO: 4, finding.Conditional: 5,
}

func (p *program) result() *Result {
	r := p.resolve()
	c := p.newClassifier(r)
	res := &Result{Functions: p.funcs}
	for _, n := range p.tree.order {
		if int(n) < p.funcs {
			res.Reached++
		}
	}
	byNr := map[int32][]candidate{}
	for _, f := range r.found {
		switch {
		case f.hop.compat:
			r.fail(f.hop, compatReason(f.nr))
			continue
		case f.nr > 1<<31-1 && f.nr < 1<<64-1<<31:
			r.fail(f.hop, fmt.Sprintf("the number %#x is no syscall number", f.nr))
			continue
		}
		cand := candidate{resolved: f}
		cand.class, cand.condition = c.class(f)
		for i, id := range f.hop.args {
			if cand.args[i] = p.argValues(id); !cand.args[i].Known {
				cand.args[i] = p.libcKnows(f, i)
			}
		}
		byNr[int32(f.nr)] = append(byNr[int32(f.nr)], cand)
	}
	for _, nr := range slices.Sorted(maps.Keys(byNr)) {
		res.Needs = append(res.Needs, p.need(nr, byNr[nr], c))
	}
	p.addKernelNeeds(res)
	slices.SortFunc(res.Needs, func(a, b Need) int { return cmp.Compare(a.Nr, b.Nr) })
	p.addUnresolved(res, r, c)
	p.addGaps(res)
	p.addCode(res, byNr)
	res.Families = p.families()
	return res
}

func (p *program) need(nr int32, cands []candidate, c *classifier) Need {
	n := Need{Nr: nr}
	t := p.tree
	if c.always != nil {
		t = c.always
	}
	n.Name, _ = p.arch.NameOf(nr)
	slices.SortFunc(cands, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(classOrder[a.class], classOrder[b.class]), strings.Compare(a.condition, b.condition),
			cmp.Compare(t.tier[a.hop.fn], t.tier[b.hop.fn]), cmp.Compare(a.hop.depth, b.hop.depth),
			cmp.Compare(a.hop.at, b.hop.at), cmp.Compare(a.hop.origin().at, b.hop.origin().at))
	})
	n.Class = cands[0].class
	n.Condition = brief(anyOf(cands))
	for i := range n.Args {
		n.Args[i] = mergeArgs(cands, i)
	}
	seen := map[string]bool{}
	for i := range cands {
		c := &cands[i]
		for k, h := range p.split(c.hop, n.Name) {
			if k > 0 && c.condition == "" && !t.reached(h.fn) {
				continue // a caller that is one on a condition
			}
			always := p.authors(h)
			key := fmt.Sprint(c.class, c.condition, c.args, always)
			if seen[key] && (k > 0 || len(n.Sites) >= maxSites) {
				continue
			}
			seen[key] = true
			n.Sites = append(n.Sites, Site{Class: c.class, Condition: brief(c.condition), Args: c.args, Path: p.pathIn(t, h), Always: always})
		}
	}
	return n
}

// anyOf joins the conditions of places that all are conditional.
func anyOf(cands []candidate) string {
	var out []string
	for _, c := range cands {
		if c.condition == "" {
			return ""
		}
		for text := range strings.SplitSeq(c.condition, orElse) {
			if !slices.Contains(out, text) {
				out = append(out, text)
			}
		}
	}
	slices.Sort(out)
	return strings.Join(out, orElse)
}

// argValues turns a value into constants, unknown if it can hold anything else.
func (p *program) argValues(id flow.ValueID) Values {
	if id == flow.Unknown {
		return Values{}
	}
	c, ok := p.vs.IsConst(id)
	if !ok || len(c) == 0 {
		return Values{}
	}
	return Values{Known: true, Consts: c}
}

func mergeArgs(cands []candidate, i int) Values {
	var all []uint64
	for _, c := range cands {
		if !c.args[i].Known {
			return Values{}
		}
		all = append(all, c.args[i].Consts...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	if len(all) > flow.MaxConsts {
		return Values{}
	}
	return Values{Known: true, Consts: all}
}

// maxSteps bounds the steps of all paths together: a chain of calls can be as long as the file, and a
// thousand paths lead through it. What comes on top begins with the function that gives the number.
const maxSteps = 1 << 19

// path proves hop h: from a root to the function of h, and down the hops to the instruction.
func (p *program) path(h *hop) Path { return p.pathIn(p.tree, h) }

// pathIn does so by the ways of t, if h is reached there.
func (p *program) pathIn(t *tree, h *hop) Path {
	if !t.reached(h.fn) {
		t = p.tree
	}
	var out Path
	if t.reached(h.fn) && p.told < maxSteps {
		out = p.ways(t.steps(h.fn))
	}
	return p.down(out, h)
}

// doubtPath leads to an unresolved place. If that is because not all callers are known, it goes by the
// one who takes the address: those that are known, which the tree may come by, have no part in that.
func (p *program) doubtPath(u unresolved) Path {
	h := u.hop
	t, ok := p.takers[h.fn]
	if !ok || u.reason != p.unseenBy[h.fn] || !p.tree.reached(t.from) || p.told >= maxSteps {
		return p.path(h)
	}
	nodes, by := p.tree.steps(t.from)
	last := step{from: t.from, kind: t.kind}
	for _, e := range p.out(t.from) {
		if e.to == t.to && e.kind == t.kind {
			last.at = e.at
			break
		}
	}
	return p.down(p.ways(append(nodes, h.fn), append(by, last)), h)
}

// ways are the steps of a path to the last of some nodes, which is not among them.
func (p *program) ways(nodes []node, by []step) Path {
	var out Path
	p.told += len(nodes)
	for i := 0; i+1 < len(nodes); i++ {
		if int(nodes[i]) >= p.funcs {
			continue // an object: the step before says so
		}
		kind := finding.EdgeCall
		switch {
		case int(nodes[i+1]) >= p.funcs:
			kind = finding.EdgeInterface
		case by[i+1].kind != edgeCall:
			kind = finding.EdgeReference
		}
		out = p.step(out, nodes[i], by[i+1].at, kind)
	}
	return out
}

// down appends hop h and those below it to a path.
func (p *program) down(out Path, h *hop) Path {
	for ; h != nil; h = h.next {
		kind := finding.EdgeCall
		if h.next == nil {
			kind = ""
		}
		out = p.step(out, h.fn, h.at, kind)
	}
	if len(out) > 0 {
		out[0].Role = p.role(&out[0])
	}
	return out
}

// role says why a path begins with a step.
func (p *program) role(s *Step) Role {
	m := p.mods[s.Module]
	holds := func(array module.Span) bool {
		return slices.ContainsFunc(m.wordsIn(array.Addr, array.Addr+array.Size), func(w word) bool { return w.value == m.base+s.Start })
	}
	switch s.Start {
	case m.Entry:
		return Entry
	case m.Init:
		return Constructor
	case m.Fini:
		return Destructor
	}
	switch {
	case holds(m.PreinitArray), holds(m.InitArray):
		return Constructor
	case holds(m.FiniArray):
		return Destructor
	}
	return NoRole
}

// step appends function n to a path; entries of linkage tables are left out.
func (p *program) step(out Path, n node, at uint64, kind finding.Edge) Path {
	m, f := p.fun(n)
	if f.Flags&code.Stub != 0 && kind != "" {
		return out
	}
	return append(out, Step{Module: m.index, Start: f.Start, Address: at - m.base, Edge: kind})
}

// maxUnresolved bounds the unresolved places that are told one by one; the rest is one entry.
const maxUnresolved = 1000

func (p *program) addUnresolved(res *Result, r *resolver, c *classifier) {
	type key struct {
		at     uint64
		reason string
	}
	seen := map[key]bool{}
	for _, u := range r.failed {
		k := key{u.hop.origin().at, u.reason}
		if seen[k] {
			continue
		}
		seen[k] = true
		if len(seen) <= maxUnresolved {
			res.Unresolved = append(res.Unresolved, Unresolved{Reason: u.reason, Family: c.family(u.hop), Path: p.doubtPath(u)})
		}
	}
	slices.SortStableFunc(res.Unresolved, func(a, b Unresolved) int {
		x, y := a.Path[len(a.Path)-1], b.Path[len(b.Path)-1]
		return cmp.Or(cmp.Compare(x.Module, y.Module), cmp.Compare(x.Address, y.Address), strings.Compare(a.Reason, b.Reason))
	})
	if more := len(seen) - maxUnresolved; more > 0 {
		last := res.Unresolved[len(res.Unresolved)-1]
		last.Family = ""
		last.Reason = fmt.Sprintf("%d more places without a known number", more)
		res.Unresolved = append(res.Unresolved, last)
	}
}

// addKernelNeeds adds the calls that the kernel itself makes a program make: the return from a
// signal handler, where the vDSO holds that code, and the restart of an interrupted call.
func (p *program) addKernelNeeds(res *Result) {
	index := func(name string) int {
		nr, ok := p.arch.Number(name)
		return slices.IndexFunc(res.Needs, func(n Need) bool { return ok && n.Nr == nr })
	}
	handlers := index("rt_sigaction")
	if handlers < 0 {
		return
	}
	for _, k := range []struct {
		name, condition string
		class           finding.Class
	}{
		{"rt_sigreturn", "", finding.Kernel},
		// Only waits with a relative timeout are restarted that way, and only if no handler ran
		// (Documentation/userspace-api/seccomp_filter.rst, signal(7)).
		{"restart_syscall", "a stop signal, a debugger or the freezer interrupts a timed wait", finding.Conditional},
	} {
		nr, ok := p.arch.Number(k.name)
		if !ok || index(k.name) >= 0 {
			continue
		}
		res.Needs = append(res.Needs, Need{Nr: nr, Name: k.name, Class: k.class, Condition: k.condition,
			Sites: []Site{{Class: k.class, Condition: k.condition, Path: res.Needs[handlers].Sites[0].Path}}})
	}
}
