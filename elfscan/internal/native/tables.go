package native

import (
	"slices"

	"github.com/profcheck/profcheck/elfscan/internal/code"
	"github.com/profcheck/profcheck/elfscan/internal/flow"
	"github.com/profcheck/profcheck/elfscan/internal/isa"
)

// holders finds where the address of one function goes, if it can all be followed: libcap keeps its
// wrappers around syscall in a struct, of which it passes the address to the functions that call them.
//
// What is watched are the address of the function and those of the objects that hold it. An address
// is at first
//   - in words of data, and
//   - where code forms it,
//
// and from there it goes, as values do, through registers, slots of the frame, arguments of known
// callees and variables at fixed addresses. flow.Trace accounts for each use in a function, and the
// facts of the module say where uses must be: at each instruction that forms an address in a watched
// object, or reads or writes a watched word, Trace must have seen just that. If so, all who get the
// address are known, and the calls are those whose callee can be it. If anything is left over (it is
// stored behind a pointer or in an array, copied by vector instructions or by memcpy, returned to one
// who reads the result, or given to code that is not known) nothing is.
//
// That is sound as far as objects are: an address that is formed elsewhere does not lead into a
// watched object (see SplitData). What else may be stored to the watched words does not matter: it
// adds callees to calls, but no calls to the function.
type holders struct {
	p       *program
	target  uint64
	args    []isa.Reg // that carry arguments
	objects []span
	words   map[uint64][]uint64         // by address: what of the watched they can hold
	params  map[node]map[uint8][]uint64 // by function and number as in flow.Deref: likewise
	work    []node                      // functions to be traced, each once
	known   map[node]bool               // those in work
	calls   map[uint64]node             // of the function, by address: where they are
	changed bool
	failed  bool

	// Of the function that is traced.
	fn     node
	seen   map[place]bool
	ending bool // the end of an object counts to it
}

// span is a range of global addresses.
type span struct{ start, end uint64 }

// place is an instruction and the address that it has to do with.
type place struct{ at, addr uint64 }

// Bounds on what is followed for one function.
const (
	maxHolders = 64  // functions that get the address
	maxObjects = 32  // objects that hold it, or point to such
	maxWatched = 32  // addresses that one place can hold
	maxTraces  = 256 // functions that are traced, each time counted
)

// held returns the calls of function n through pointers, by the address of the instruction; false if
// it is not known that these are all.
func (p *program) held(n node) (map[uint64]node, bool) {
	if p.off&Tables != 0 {
		return nil, false
	}
	h, ok := p.holders[n]
	if !ok {
		h = &holders{p: p, target: p.start(n), args: flow.C(p.m).Params, words: map[uint64][]uint64{}, params: map[node]map[uint8][]uint64{},
			known: map[node]bool{}, calls: map[uint64]node{}}
		p.holders[n] = nil // for a function that leads to itself
		h.find(n)
		p.holders[n] = h
	}
	if h == nil || h.failed {
		return nil, false
	}
	return h.calls, true
}

func (h *holders) find(n node) {
	if len(h.p.entries[n]) > 0 || h.p.root[n] {
		h.failed = true
		return
	}
	h.watch(span{h.target, h.target + 1})
	for traces := 0; !h.failed; {
		h.changed = false
		for i := 0; i < len(h.work) && !h.failed; i++ {
			if traces++; traces > maxTraces {
				h.failed = true
				return
			}
			h.trace(h.work[i])
		}
		if !h.changed {
			return
		}
	}
}

// watch adds addresses that matter, the words that hold one of them and the functions that form one.
func (h *holders) watch(s span) {
	if len(h.objects) == maxObjects {
		h.failed = true
		return
	}
	h.objects, h.changed = append(h.objects, s), true
	for _, m := range h.p.mods {
		if h.failed = h.failed || !h.p.scan(len(m.words)); h.failed {
			return
		}
		for i := range m.words {
			w := &m.words[i]
			if w.value < s.start || w.value >= s.end {
				continue
			}
			if h.failed = h.failed || w.ifunc; h.failed {
				return
			}
			h.hold(m.base+w.addr, []uint64{w.value})
		}
		for _, o := range m.facts.Offsets { // what is added to a distance is not followed
			h.failed = h.failed || m.base+o.Target >= s.start && m.base+o.Target < s.end
		}
	}
	h.users(s)
}

// users adds the functions that have to do with addresses in s, by the facts of their module.
func (h *holders) users(s span) {
	m, start := h.p.at(s.start)
	end := start + (s.end - s.start)
	if h.failed = h.failed || !h.p.scan(len(m.facts.Refs)+len(m.facts.Funcs)); h.failed {
		return
	}
	for i := range m.facts.Funcs {
		f, n := &m.facts.Funcs[i], m.fn0+node(i)
		if !h.p.tree.reached(n) {
			continue
		}
		for _, r := range m.facts.Refs[f.First : f.First+f.N] {
			if h.failed = h.failed || r.Kind == code.Around && m.fn(start) < 0; h.failed {
				return
			}
			if (r.Kind == code.Addr || r.Kind == code.Load || r.Kind == code.Store) && r.Target < end && start < r.Target+max(uint64(r.Size), 1) {
				h.add(n)
				break
			}
		}
	}
}

// add adds a function that gets a watched address.
func (h *holders) add(n node) {
	if h.known[n] {
		return
	}
	h.known[n], h.changed = true, true
	if h.work = append(h.work, n); len(h.work) > maxHolders {
		h.failed = true
	}
}

// hold notes that the word at addr can hold the addresses in held. The object around it is watched
// from then on.
func (h *holders) hold(addr uint64, held []uint64) {
	if !h.join(held, h.words[addr], func(all []uint64) { h.words[addr] = all }) {
		return
	}
	if slices.ContainsFunc(h.objects, func(s span) bool { return s.start <= addr && addr+8 <= s.end }) {
		return
	}
	s, ok := h.object(addr)
	if !ok {
		h.failed = true
		return
	}
	h.watch(s)
}

// join adds watched addresses to those of a place, and reports whether there is a new one.
func (h *holders) join(held, old []uint64, set func([]uint64)) bool {
	all := flow.Union(old, held)
	if len(all) == len(old) {
		return false
	}
	if len(all) > maxWatched {
		h.failed = true
		return false
	}
	set(all)
	h.changed = true
	return true
}

// object returns the object that holds the word at addr; false if that is no data of a module, or data
// that is used from outside of the code.
func (h *holders) object(addr uint64) (span, bool) {
	m, a := h.p.at(addr)
	if m == nil || m.obj(a) < 0 {
		return span{}, false
	}
	first, last := m.obj(a), m.obj(a+7)
	if last < first {
		return span{}, false
	}
	for i := first; i <= last; i++ {
		if h.p.root[m.obj0+node(i)] {
			return span{}, false
		}
	}
	start, _ := m.span(first)
	_, end := m.span(last)
	return span{m.base + start, m.base + end}, true
}

// trace follows the watched addresses through function n.
func (h *holders) trace(n node) {
	m, f := h.p.fun(n)
	h.fn, h.seen = n, map[place]bool{}
	refs := m.facts.Refs[f.First : f.First+f.N]
	h.ending = slices.ContainsFunc(refs, func(r code.Ref) bool { return r.Kind == code.Addr && h.inObject(m.base+r.Target) })
	fn := flow.Func{Start: h.p.start(n), Code: h.p.code(n), Entries: h.p.entries[n]}
	const work = 100 // about what following a byte of code costs, in words looked at
	if fn.Code == nil || !h.p.scan(work*len(fn.Code)) || !flow.Trace(h.p, h.p.vs, h.p.conv, fn, h) {
		h.failed = true
		return
	}
	for _, r := range refs {
		to := place{m.base + r.At, m.base + r.Target}
		switch r.Kind {
		case code.Addr:
			h.failed = h.failed || h.watches(to.addr) && !h.seen[to]
		case code.Load, code.Store:
			h.failed = h.failed || h.overlaps(to.addr, uint64(max(r.Size, 1))) && !h.seen[to] || r.Size == 0 && h.overlaps(to.addr, widestLoad)
		}
	}
}

// watches reports whether an address matters.
func (h *holders) watches(addr uint64) bool {
	return h.inObject(addr) || h.ending && addr != h.target+1 && slices.ContainsFunc(h.objects, func(s span) bool { return s.end == addr })
}

func (h *holders) inObject(addr uint64) bool {
	return slices.ContainsFunc(h.objects, func(s span) bool { return s.start <= addr && addr < s.end })
}

// overlaps reports whether one of n bytes at addr belongs to a word that holds a watched address.
func (h *holders) overlaps(addr, n uint64) bool {
	for a := addr - 7; a != addr+n; a++ {
		if len(h.words[a]) > 0 {
			return true
		}
	}
	return false
}

// addresses lists the watched addresses that a value can be. It is not exact if the value may be
// something else that is derived from such. What may be unknown as well is exact: Trace does not let
// pass by what a watched value becomes unknown.
func (h *holders) addresses(id flow.ValueID) (out []uint64, exact bool) {
	v := *h.p.vs.Get(id)
	for _, c := range v.Consts {
		if h.watches(c) {
			out = append(out, c)
		}
	}
	derived := false
	add := func(held []uint64) {
		for _, a := range held {
			if derived = true; h.watches(a + uint64(v.Off)) {
				out = append(out, a+uint64(v.Off))
			}
		}
	}
	for reg, held := range h.params[h.fn] {
		if v.Params[reg>>6]>>(reg&63)&1 != 0 {
			add(held)
		}
	}
	for _, c := range v.Cells {
		add(h.words[c])
	}
	exact = true
	for _, d := range v.Derefs {
		held := h.words[d.Cell]
		if d.Cell == 0 {
			held = h.params[h.fn][d.Param]
		}
		for _, a := range held {
			content := h.words[a+uint64(d.Off)]
			exact = exact && (len(content) > 0 || !h.overlaps(a+uint64(d.Off), 8))
			add(content)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), exact && !(derived && (v.Cut != flow.CutNone || v.Ors != nil))
}

// Watched implements flow.Tracer.
func (h *holders) Watched(id flow.ValueID) bool {
	if id == flow.Unknown {
		return false
	}
	held, exact := h.addresses(id)
	return len(held) > 0 || !exact
}

// Makes implements flow.Tracer.
func (h *holders) Makes(pc uint64, id flow.ValueID) {
	if c, ok := h.p.vs.IsConst(id); ok {
		for _, a := range c {
			if h.watches(a) {
				h.seen[place{pc, a}] = true
			}
		}
	}
}

// Loads implements flow.Tracer: a load through a watched address gives what the word holds, or
// touches none that holds anything.
func (h *holders) Loads(pc uint64, addr flow.ValueID, size uint8, id flow.ValueID) bool {
	from, exact := h.addresses(addr)
	if !exact {
		return false
	}
	if c, ok := h.p.vs.IsConst(addr); ok {
		from = c
	}
	held, exact := h.addresses(id)
	for _, a := range from {
		h.seen[place{pc, a}] = true
		if !h.overlaps(a, uint64(size)) {
			continue
		}
		if size != 8 || !exact || slices.ContainsFunc(h.words[a], func(x uint64) bool { return !slices.Contains(held, x) }) || len(h.words[a]) == 0 {
			return false
		}
	}
	return true
}

// Stores implements flow.Tracer.
func (h *holders) Stores(pc uint64, addr flow.ValueID, size uint8, id flow.ValueID) bool {
	held, exact := h.addresses(id)
	to, _ := h.p.vs.IsConst(addr)
	for _, a := range to {
		h.seen[place{pc, a}] = true
		if len(held) > 0 && size == 8 {
			h.hold(a, held)
		}
	}
	return exact && (len(held) == 0 || size == 8) && !h.failed
}

// Calls implements flow.Tracer.
func (h *holders) Calls(c *flow.Call) bool {
	targets, known := []uint64{c.Target}, true
	if c.Kind == isa.OpCallInd || c.Kind == isa.OpJumpInd {
		held, exact := h.addresses(c.Callee)
		if !exact || slices.ContainsFunc(held, func(a uint64) bool { return a != h.target }) {
			return false
		}
		if len(held) > 0 && !(h.p.isStub(h.fn) && h.p.behind(h.fn) == h.p.function(h.target)) {
			if _, ok := h.calls[c.At]; !ok {
				h.calls[c.At], h.changed = h.fn, true
			}
		}
		targets, known = h.p.vs.IsConst(c.Callee)
	} else if c.Kind == isa.OpSyscall || c.Kind == isa.OpInt80 {
		return h.kernel(c)
	}
	pass := func(param int64, id flow.ValueID) bool {
		held, exact := h.addresses(id)
		if len(held) == 0 || !exact || !known {
			return exact && len(held) == 0
		}
		for _, t := range targets {
			if !h.give(t, uint8(param), held) {
				return false
			}
		}
		return true
	}
	handle := h.p.handle(c)
	for i, r := range h.args {
		if i != handle && !pass(int64(r), c.Regs[r]) {
			return false
		}
	}
	above := h.p.conv.StackArg
	if c.Kind == isa.OpCall || c.Kind == isa.OpCallInd {
		above -= h.p.conv.Machine.CallPush
	}
	for k, id := range c.Stack8 {
		if j := 2*int64(k) - above/4; j >= 0 && j < 64 && !pass(64+j, id) {
			return false
		}
	}
	return !h.failed
}

// Survives implements flow.Tracer: a function of the same module can leave a register alone, and those
// that it calls.
func (h *holders) Survives(target uint64, r isa.Reg) bool { return h.survives(target, r, 4) }

func (h *holders) survives(target uint64, r isa.Reg, depth int) bool {
	n := h.p.function(target)
	if n == none || depth == 0 {
		return true
	}
	if h.p.isStub(n) || h.p.owner(n) != h.p.owner(h.fn) {
		return false
	}
	return flow.LeavesAlone(h.p.m, h.p.start(n), h.p.code(n), r, func(t uint64) bool { return h.survives(t, r, depth-1) })
}

// Returns implements flow.Tracer: registers of results hold watched addresses behind functions that
// return nothing, too. That does no harm if no caller reads them.
func (h *holders) Returns(r isa.Reg) bool { return len(h.p.entries[h.fn]) == 0 && h.unread(h.fn, r) }

// unread reports whether none who calls n reads register r after it.
func (h *holders) unread(n node, r isa.Reg) bool {
	p := h.p
	if p.root[n] || p.pointedAt(n) {
		return false
	}
	for _, in := range p.in(n) {
		if int(in.from) >= p.funcs {
			return false
		}
		if p.isStub(in.from) && in.from != n {
			if !h.unread(in.from, r) {
				return false
			}
			continue
		}
		if !flow.Unread(p.m, p.start(in.from), p.code(in.from), p.start(n), r) {
			return false
		}
	}
	return true
}

// kernel reports whether a syscall gets no watched address.
func (h *holders) kernel(c *flow.Call) bool {
	number, args := h.p.conv.Entry(c.Kind)
	nrs, _ := h.p.vs.IsConst(c.Regs[number])
	n := 0
	for _, nr := range nrs {
		name, _ := h.p.arch.NameOf(int32(nr))
		params, known := h.p.arch.Params(name)
		if n = max(n, len(params)); !known || c.Kind != isa.OpSyscall {
			n = len(args)
		}
	}
	if len(nrs) == 0 {
		n = len(args)
	}
	for _, r := range args[:min(n, len(args))] {
		if h.Watched(c.Regs[r]) {
			return false
		}
	}
	return true
}

// handles are functions of the C library with a parameter, by its position, that tells modules apart:
// it is compared and kept, and nothing is read through it. Startup code passes the address of
// __dso_handle, which lies beside other data.
var handles = map[string]int{"__cxa_finalize": 0, "__cxa_atexit": 2, "__cxa_thread_atexit_impl": 2}

// handle returns which parameter at c is of that kind, -1 if none.
func (p *program) handle(c *flow.Call) int {
	if c.Kind != isa.OpCall && c.Kind != isa.OpJump {
		return -1
	}
	n := p.function(c.Target)
	if n == none || p.chosen(n) {
		return -1
	}
	n = p.behind(n)
	m := p.owner(n)
	if i, ok := handles[p.publicName(m, p.start(n)-m.base)]; ok && p.isLibc(m) {
		return i
	}
	return -1
}

// give notes that the function at target gets watched addresses as a parameter.
func (h *holders) give(target uint64, param uint8, held []uint64) bool {
	n := h.p.function(target)
	if n == none || h.p.start(n) != target || h.p.chosen(n) {
		return false
	}
	n = h.p.behind(n)
	if h.p.isStub(n) || !h.p.tree.reached(n) {
		return false
	}
	ps := h.params[n]
	if ps == nil {
		ps = map[uint8][]uint64{}
		h.params[n] = ps
	}
	h.join(held, ps[param], func(all []uint64) { ps[param] = all })
	h.add(n)
	return !h.failed
}

// chosen reports whether n is an entry of a linkage table that leads to a function which another one
// chooses when the program starts.
func (g *graph) chosen(n node) bool {
	m, f := g.fun(n)
	if f.Flags&code.Stub == 0 {
		return false
	}
	for _, r := range m.facts.Refs[f.First : f.First+f.N] {
		for _, w := range m.wordsIn(r.Target, r.Target+1) {
			if w.ifunc {
				return true
			}
		}
	}
	return false
}
