package elfscan

import (
	"cmp"
	"runtime"
	"slices"
	"sort"
	"sync"
	"sync/atomic"

	"github.com/profcheck/profcheck/elfscan/internal/flow"
	"github.com/profcheck/profcheck/elfscan/internal/isa"
	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/syscalls"
)

// program is a Go program under study: its memory, its functions, and what a walk over all code
// has found. After walk it is only read, but for vs and summaries.
type program struct {
	im  *image
	tab *pclntab
	m   *isa.Machine

	out   [][]edge // by function, ascending target
	in    [][]edge // by function; from is the caller
	sites []rawSite
	// Syscall instructions that only show when code is entered out of step, see walker.hidden.
	hidden []rawSite
	// References to writable memory, for the question whether a variable ever changes.
	stores []dataRef
	taken  []uint64 // addresses formed, ascending
	used   []uint64 // addresses formed, read or written, ascending
	inner  []uint64 // addresses inside of functions at which other code enters them, ascending
	self   []uint64 // entries whose address the function itself takes, ascending

	types      typeReader
	vs         *flow.Values
	conv       *flow.Convention
	summaries  map[int]*flow.Summary
	noReturn   map[uint64]bool
	morestack  map[uint64]bool           // functions that grow the stack, by address
	grows      map[int32]bool            // and by index
	index      *dataIndex                // nil until asked for
	funcValues map[flow.ValueID][]uint64 // see functionValues
	results    map[uint64]flow.ValueID   // first result of functions by address, see knownResults
	arch       *syscalls.Arch
	release    int                  // minor number of the Go release, 0 if unknown
	watch      map[uint64][]dataRef // uses of the types in watchTypes; target is the instruction
}

func newProgram(im *image, tab *pclntab) *program {
	p := &program{im: im, tab: tab, types: typeReader{tab}, vs: flow.NewValues(), summaries: map[int]*flow.Summary{}, noReturn: map[uint64]bool{}, funcValues: map[flow.ValueID][]uint64{}}
	p.m = machines[im.machine]
	p.conv = flow.Go(p.m)
	p.arch = syscalls.ByName(p.m.Name)
	return p
}

// edge leads from one function to another.
type edge struct {
	from, to int32
	at       uint64 // the instruction that leads there, the first of several
	kind     edgeKind
	hook     bool // some instruction reads a variable whose initial value is the function
	taken    bool // some instruction gets at the function's address in another way
}

// edgeKind orders the ways to reach a function, the most direct one first.
type edgeKind uint8

const (
	edgeCall edgeKind = iota
	edgeReference
	edgeInterface
)

// finding is the name of k in a path.
func (k edgeKind) finding() finding.Edge {
	return [...]finding.Edge{finding.EdgeCall, finding.EdgeReference, finding.EdgeInterface}[k]
}

func (k edgeKind) String() string { return string(k.finding()) }

// rawSite is an instruction that enters the kernel.
type rawSite struct {
	fn   int32
	kind isa.RefKind
	at   uint64
}

// dataRef is a store to a fixed address.
type dataRef struct {
	target uint64
	fn     int32
}

// chunkBytes is how much code a worker takes at a time.
const chunkBytes = 1 << 18

// chunk is the result of walking one run of functions.
type chunk struct {
	first, last int // functions [first, last)
	out         [][]edge
	sites       []rawSite
	hidden      []rawSite
	stores      []dataRef
	taken, used []uint64
	inner, self []uint64
	watched     map[uint64][]dataRef
}

// walk scans all functions, on all cores, and builds the graph.
func (p *program) walk() {
	var chunks []chunk
	for f := 0; f < len(p.tab.funcs); {
		first, start := f, p.tab.funcs[f].entry
		for f < len(p.tab.funcs) && p.tab.funcs[f].end-start <= chunkBytes || f == first {
			f++
		}
		chunks = append(chunks, chunk{first: first, last: f})
	}
	var next atomic.Int32
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(chunks)) {
		wg.Go(func() {
			w := walker{p: p, objects: map[uint64][]int32{}}
			for i := next.Add(1) - 1; int(i) < len(chunks); i = next.Add(1) - 1 {
				w.walk(&chunks[i])
			}
		})
	}
	wg.Wait()
	p.out = make([][]edge, 0, len(p.tab.funcs))
	for i := range chunks {
		c := &chunks[i]
		p.out = append(p.out, c.out...)
		p.sites = append(p.sites, c.sites...)
		p.hidden = append(p.hidden, c.hidden...)
		p.stores = append(p.stores, c.stores...)
		p.taken = append(p.taken, c.taken...)
		p.used = append(p.used, c.used...)
		p.inner = append(p.inner, c.inner...)
		p.self = append(p.self, c.self...)
		for a, refs := range c.watched {
			p.watch[a] = append(p.watch[a], refs...)
		}
	}
	p.taken, p.used, p.inner, p.self = sorted(p.taken), sorted(p.used), sorted(p.inner), sorted(p.self)
	slices.SortFunc(p.stores, func(a, b dataRef) int { return cmp.Compare(a.target, b.target) })
	p.reverse()
}

func sorted(a []uint64) []uint64 {
	slices.Sort(a)
	return slices.Compact(a)
}

// reverse fills p.in from p.out.
func (p *program) reverse() {
	counts := make([]int32, len(p.out))
	total := 0
	for _, es := range p.out {
		total += len(es)
		for _, e := range es {
			counts[e.to]++
		}
	}
	all := make([]edge, total)
	p.in = make([][]edge, len(p.out))
	at := 0
	for f, n := range counts {
		p.in[f] = all[at : at : at+int(n)]
		at += int(n)
	}
	for _, es := range p.out {
		for _, e := range es {
			p.in[e.to] = append(p.in[e.to], e)
		}
	}
}

// walker holds the buffers of one worker.
type walker struct {
	p       *program
	refs    []isa.Ref
	edges   []edge
	objects map[uint64][]int32 // data address -> functions that what lies there leads to
}

func (w *walker) walk(c *chunk) {
	c.out = make([][]edge, c.last-c.first)
	for f := c.first; f < c.last; f++ {
		c.out[f-c.first] = w.function(f, c)
	}
}

func (w *walker) function(f int, c *chunk) []edge {
	p := w.p
	w.refs = p.m.Scan(p.tab.code(f), p.tab.funcs[f].entry, w.refs[:0])
	w.edges = w.edges[:0]
	for _, r := range w.refs {
		switch r.Kind {
		case isa.RefCall, isa.RefJump:
			if to := p.tab.find(r.Target); to >= 0 && to != f {
				w.edges = append(w.edges, edge{from: int32(f), to: int32(to), at: r.At, kind: edgeCall})
				if p.tab.funcs[to].entry != r.Target {
					c.inner = append(c.inner, r.Target)
				}
			}
		case isa.RefSyscall, isa.RefInt80:
			c.sites = append(c.sites, rawSite{int32(f), r.Kind, r.At})
		case isa.RefStore:
			c.stores = append(c.stores, dataRef{r.Target, int32(f)})
			c.used = append(c.used, r.Target)
		case isa.RefAddr, isa.RefLoad:
			w.reference(f, r, c)
		}
	}
	w.hidden(f, c)
	return dedupe(w.edges)
}

// reference notes what code can be reached through an address that the function forms or reads.
func (w *walker) reference(f int, r isa.Ref, c *chunk) {
	p := w.p
	s := p.im.segment(r.Target)
	if s == nil {
		return
	}
	if to := p.tab.find(r.Target); to >= 0 {
		if r.Kind == isa.RefAddr {
			w.code(f, to, r, c)
		}
		return
	}
	if p.im.writable(r.Target) {
		c.used = append(c.used, r.Target)
		if r.Kind == isa.RefAddr {
			c.taken = append(c.taken, r.Target)
		}
	}
	if _, ok := p.watch[r.Target]; ok {
		if c.watched == nil {
			c.watched = map[uint64][]dataRef{}
		}
		c.watched[r.Target] = append(c.watched[r.Target], dataRef{r.At, int32(f)})
	}
	to, ok := w.objects[r.Target]
	if !ok {
		to = p.types.leadsTo(r.Target)
		w.objects[r.Target] = to
	}
	if len(to) == 0 {
		return
	}
	hook := false
	if r.Kind == isa.RefLoad && len(to) == 1 && p.im.writable(r.Target) {
		w, _ := p.im.word(r.Target)
		hook = w != p.tab.funcs[to[0]].entry
	}
	kind := edgeReference
	if len(to) > 1 {
		kind = edgeInterface
	}
	for _, t := range to {
		if int(t) != f {
			w.edges = append(w.edges, edge{int32(f), t, r.At, kind, hook, !hook})
		} else {
			c.self = append(c.self, p.tab.funcs[t].entry)
		}
	}
}

// code notes that function f forms an address in function to.
func (w *walker) code(f, to int, r isa.Ref, c *chunk) {
	switch entry := w.p.tab.funcs[to].entry; {
	case r.Target == entry && to == f:
		c.self = append(c.self, entry)
	case r.Target != entry && (to != f || w.p.tab.isAssembly(f)):
		// Compiled code for arm64 forms addresses in its own body as return addresses.
		c.inner = append(c.inner, r.Target)
	}
	if to != f {
		w.edges = append(w.edges, edge{from: int32(f), to: int32(to), at: r.At, kind: edgeReference, taken: true})
	}
}

// dedupe sorts edges by target and keeps the most direct one of each, the first of equals, with
// what the others tell about the function's address.
func dedupe(es []edge) []edge {
	if len(es) == 0 {
		return nil
	}
	slices.SortFunc(es, func(a, b edge) int {
		switch {
		case a.to != b.to:
			return int(a.to) - int(b.to)
		case a.kind != b.kind:
			return int(a.kind) - int(b.kind)
		}
		return cmp.Compare(a.at, b.at)
	})
	out := es[:1]
	for _, e := range es[1:] {
		if last := &out[len(out)-1]; last.to == e.to {
			last.hook, last.taken = last.hook || e.hook, last.taken || e.taken
		} else {
			out = append(out, e)
		}
	}
	return slices.Clone(out)
}

// entryCount returns how many syscall instructions function f has.
func (p *program) entryCount(f int) int {
	from := sort.Search(len(p.sites), func(i int) bool { return int(p.sites[i].fn) >= f })
	return sort.Search(len(p.sites), func(i int) bool { return int(p.sites[i].fn) > f }) - from
}

// fallsOut reports whether the last instruction of f goes on to what is behind f.
func (p *program) fallsOut(f int) bool {
	for _, c := range p.summary(f).Calls {
		if c.Kind == isa.OpJump && c.Target == p.tab.funcs[f].end {
			return true
		}
	}
	return false
}
