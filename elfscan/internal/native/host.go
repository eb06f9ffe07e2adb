package native

import (
	"debug/elf"

	"github.com/profcheck/profcheck/elfscan/internal/code"
	"github.com/profcheck/profcheck/elfscan/internal/flow"
	"github.com/profcheck/profcheck/elfscan/internal/isa"
	"github.com/profcheck/profcheck/elfscan/internal/module"
)

// host answers what the value-flow engine asks about a program.
type host struct {
	*graph
	conv      *flow.Convention
	vs        *flow.Values
	entries   map[node][]uint64 // addresses inside of functions at which other code enters them
	summaries map[node]*flow.Summary
	noReturn  map[node]bool
	pointers  map[flow.ValueID][]uint64
	stubs     map[node]node // see behind
	twice     map[node]bool // see Twice
}

func newHost(g *graph, conv *flow.Convention) *host {
	vs := flow.NewValues()
	vs.Pointers = true
	return &host{graph: g, conv: conv, vs: vs, entries: map[node][]uint64{}, summaries: map[node]*flow.Summary{},
		noReturn: map[node]bool{}, pointers: map[flow.ValueID][]uint64{}, stubs: map[node]node{}, twice: map[node]bool{}}
}

// code returns the bytes of function n.
func (h *host) code(n node) []byte {
	m, f := h.fun(n)
	return m.raw(f.Start, f.End-f.Start)
}

// Word implements flow.Program.
func (h *host) Word(addr uint64) (uint64, bool) { return h.word(addr) }

// Bytes implements flow.Program. Bytes that relocation changes are not known.
func (h *host) Bytes(addr, n uint64) []byte {
	m, a := h.at(addr)
	if m == nil || n > 1<<baseShift || len(m.wordsIn(max(a, 7)-7, a+n)) > 0 {
		return nil
	}
	return m.raw(a, n)
}

// Changes implements flow.Program. What is made read-only after relocation does not change, and
// neither does a slot of a linkage table: resolving it late writes what it is bound to anyway.
func (h *host) Changes(addr uint64) bool {
	m, a := h.at(addr)
	if m == nil {
		return true
	}
	seg := m.segment(a)
	if seg == nil {
		return true
	}
	if !seg.Write || inSpans(m.Relro, a) {
		return false
	}
	w := m.wordsIn(a, a+1)
	return len(w) == 0 || !w[0].slot
}

func inSpans(spans []module.Span, addr uint64) bool {
	for _, s := range spans {
		if addr-s.Addr < s.Size {
			return true
		}
	}
	return false
}

// Stops implements flow.Program.
func (h *host) Stops(target uint64) bool {
	n := h.function(target)
	if n == none || h.start(n) != target {
		return false
	}
	n = h.behind(n)
	stops, ok := h.noReturn[n]
	if !ok {
		h.noReturn[n] = false // until known otherwise, for functions that call each other
		if c := h.code(n); c != nil {
			stops = flow.NeverReturns(h.m, c, h.start(n), h.Stops)
		}
		h.noReturn[n] = stops
	}
	return stops
}

// behind returns the function that n leads to if n is an entry of a linkage table, else n itself, as
// where an IFUNC's resolver chooses: the edge leads to that, which is not what is called.
func (h *host) behind(n node) node {
	if !h.isStub(n) {
		return n
	}
	to, ok := h.stubs[n]
	if !ok {
		to = n
		h.stubs[n] = n
		if h.chosen(n) {
			return n
		}
		for _, e := range h.out(n) {
			// The way into the loader, for a slot that is not bound yet, is a stub too.
			if int(e.to) >= h.funcs || e.to == to || h.isStub(e.to) {
				continue
			}
			if to != n || e.kind != edgeCall {
				to = n
				break
			}
			to = e.to
		}
		h.stubs[n] = to
	}
	return to
}

func (h *host) isStub(n node) bool {
	_, f := h.fun(n)
	return f.Flags&code.Stub != 0
}

// Restarts implements flow.Program: only Go's functions grow their stack.
func (h *host) Restarts(uint64) bool { return false }

// Result implements flow.Program.
func (h *host) Result(uint64) (flow.ValueID, bool) { return flow.Unknown, false }

// StackArgs implements flow.Program.
func (h *host) StackArgs(uint64) (int64, bool) { return 0, false }

// Pointers implements flow.Program: the constants that are the beginning of a function.
func (h *host) Pointers(id flow.ValueID) []uint64 {
	out, ok := h.pointers[id]
	if ok {
		return out
	}
	for _, c := range h.vs.Get(id).Consts {
		if n := h.function(c); n != none && h.start(n) == c && c >= 4096 {
			out = append(out, c)
		}
	}
	h.pointers[id] = out
	return out
}

// summary returns what function n does, computed once.
func (h *host) summary(n node) *flow.Summary {
	if s, ok := h.summaries[n]; ok {
		return s
	}
	s := flow.Analyse(h, h.vs, h.conv, flow.Func{Start: h.start(n), Code: h.code(n), Entries: h.entries[n]})
	h.summaries[n] = s
	return s
}

// machines lists the decoders, by the ELF machine that they are for.
var machines = map[elf.Machine]*isa.Machine{
	elf.EM_X86_64:  isa.AMD64,
	elf.EM_AARCH64: isa.ARM64,
}
