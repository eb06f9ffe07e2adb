package elfscan

import "github.com/profcheck/profcheck/elfscan/internal/flow"

// host is a program as the value-flow engine sees it.
type host struct{ *program }

// maxEntries bounds the syscall instructions of a function that is followed.
const maxEntries = 256

// summary returns what function f does, computed once.
func (p *program) summary(f int) *flow.Summary {
	if s, ok := p.summaries[f]; ok {
		return s
	}
	s := flow.Analyse(host{p}, p.vs, p.conv, flow.Func{
		Start: p.tab.funcs[f].entry, Code: p.tab.code(f), Entries: p.innerEntries(f),
		Hand: p.tab.isAssembly(f), Vague: p.entryCount(f) > maxEntries,
	})
	p.summaries[f] = s
	return s
}

func (h host) Word(addr uint64) (uint64, bool) { return h.im.word(addr) }
func (h host) Bytes(addr, n uint64) []byte     { return h.im.bytes(addr, n) }
func (h host) Changes(addr uint64) bool        { return h.im.writable(addr) && !h.constant(addr) }
func (h host) Stops(target uint64) bool        { return h.stops(target) }

// Twice implements flow.Program: Go has no such function.
func (h host) Twice(uint64) bool { return false }

func (h host) Restarts(target uint64) bool { return h.morestack[target] }

func (h host) Result(target uint64) (flow.ValueID, bool) {
	id, ok := h.results[target]
	return id, ok
}

func (h host) StackArgs(target uint64) (int64, bool) {
	callee := h.tab.find(target)
	if callee < 0 {
		return 0, false
	}
	n, ok := h.tab.stackArgs(callee)
	return int64(n), ok
}

func (h host) Pointers(id flow.ValueID) []uint64 { return h.functionValues(id) }
