package native

import (
	"cmp"
	"debug/elf"
	"slices"

	"github.com/profcheck/profcheck/elfscan/internal/code"
	"github.com/profcheck/profcheck/elfscan/internal/isa"
	"github.com/profcheck/profcheck/elfscan/internal/module"
)

// edge leads from one node to another.
type edge struct {
	to   node
	kind edgeKind
	at   uint64 // global address of the instruction, or of the word in an object
}

// edgeKind orders the ways to reach a node, the most direct one first.
type edgeKind uint8

const (
	edgeCall      edgeKind = iota // direct call or jump, through linkage tables too
	edgeReference                 // code forms or reads the address
	edgeData                      // an object holds the address
	edgeLoose                     // an address that may mean this, as the end of an object or with something added
)

// graph finds the edges of nodes when they are first asked for, and keeps them.
type graph struct {
	*space
	m     *isa.Machine
	off   Analyses
	first []uint32 // by node: its edges begin at arena[first-1]; 0 if not asked for yet
	count []uint32
	arena []edge
	ops   []isa.Op
}

func newGraph(s *space, m *isa.Machine, off Analyses) *graph {
	refs := 0
	for _, m := range s.mods {
		refs += len(m.facts.Refs)
	}
	return &graph{space: s, m: m, off: off, first: make([]uint32, s.nodes), count: make([]uint32, s.nodes), arena: make([]edge, 0, refs/2)}
}

// out returns the edges of n.
func (g *graph) out(n node) []edge {
	if g.first[n] == 0 {
		from := len(g.arena)
		if int(n) < g.funcs {
			g.functionEdges(n)
		} else {
			g.objectEdges(n)
		}
		g.first[n], g.count[n] = uint32(from)+1, uint32(len(g.arena)-from)
	}
	i := g.first[n] - 1
	return g.arena[i : i+g.count[n] : i+g.count[n]]
}

func (g *graph) objectEdges(n node) {
	m := g.owner(n)
	start, end := m.span(int(n - m.obj0))
	all := n == m.all()
	if all {
		start, end = 0, m.end
	}
	for _, w := range m.wordsIn(max(start, 7)-7, end) {
		if all && (w.slot || m.linkers(w.addr) || m.linkers(w.value-m.base)) {
			continue // no index leads to the linker's tables
		}
		to := g.node(w.value)
		if to != none && to != n {
			g.arena = append(g.arena, edge{to, edgeData, m.base + w.addr})
		}
		if to = g.ending(w.value, to); to != none && to != n {
			g.arena = append(g.arena, edge{to, edgeLoose, m.base + w.addr})
		}
	}
	for _, o := range m.offsetsIn(start, end) {
		if to := g.function(m.base + o.Target); to != none {
			g.arena = append(g.arena, edge{to, edgeData, m.base + o.At})
		}
	}
}

// offsetsIn returns the distances to functions in the words that begin at or behind from and before to.
func (m *mapped) offsetsIn(from, to uint64) []code.Offset {
	at := func(addr uint64) int {
		i, _ := slices.BinarySearchFunc(m.facts.Offsets, addr, func(o code.Offset, a uint64) int { return cmp.Compare(o.At, a) })
		return i
	}
	i := at(from)
	return m.facts.Offsets[i:max(i, at(to))]
}

// linkers reports whether addr is in what the linker made for the loader: headers, relocations,
// symbols, tables of offsets. That cannot be told where a file has no sections.
func (m *mapped) linkers(addr uint64) bool {
	for i := range m.Sections {
		s := &m.Sections[i]
		if addr-s.Addr >= s.Size || s.Flags&elf.SHF_ALLOC == 0 {
			continue
		}
		return isGOT(s.Name) || s.Type != elf.SHT_PROGBITS && s.Type != elf.SHT_NOBITS
	}
	return len(m.Sections) > 0
}

// ending returns the object that ends at a global address, where node n is or nothing; none if there
// is no such. Code that walks a table from its end forms no other address of it, and the same address
// is the beginning of what lies behind, so that it counts for both. What the linker makes is not
// walked so, and neither is what glibc's library is cut into: the sources are known.
func (g *graph) ending(addr uint64, n node) node {
	m, a := g.at(addr)
	if m == nil || n != none && (int(n) < g.funcs || m.objs[n-m.obj0] != a) || m.Soname == "libc.so.6" {
		return none
	}
	i := m.obj(a - 1)
	if i < 0 || slices.ContainsFunc(m.got, func(t module.Span) bool { return a-1-t.Addr < t.Size }) {
		return none
	}
	return m.obj0 + node(i)
}

func (g *graph) functionEdges(n node) {
	m := g.owner(n)
	i := int(n - m.fn0)
	f := &m.facts.Funcs[i]
	around := uint64(0)
	compares := g.comparesWithItself(m, f)
	for k := range m.facts.Refs[f.First : f.First+f.N] {
		r := &m.facts.Refs[int(f.First)+k]
		switch r.Kind {
		case code.Call, code.Jump:
			if to := m.fn(r.Target); to >= 0 && to != i {
				g.arena = append(g.arena, edge{m.fn0 + node(to), edgeCall, m.base + r.At})
			}
		case code.Addr:
			g.refer(n, m.base+r.Target, m.base+r.At, !compares)
		case code.Load, code.Store:
			g.loads(n, m, f, r)
		case code.Around:
			around = r.At
		}
	}
	if around != 0 {
		g.arena = append(g.arena, edge{m.all(), edgeLoose, m.base + around})
	}
	if f.Flags&code.FallsOut != 0 && i+1 < len(m.facts.Funcs) && m.facts.Funcs[i+1].Start == f.End {
		g.arena = append(g.arena, edge{n + 1, edgeCall, m.base + f.End - 1})
	}
}

// mostBounds is the size in bytes up to which a function is looked at for comparing bounds.
const mostBounds = 96

// comparesWithItself reports whether the only addresses that function f of m forms are twice the same, and
// it reads no memory behind a register: it can ask how far they are apart, as the compilers'
// register_tm_clones and deregister_tm_clones do for the bounds of an empty table at the end of the
// data, and walks nothing.
func (g *graph) comparesWithItself(m *mapped, f *code.Func) bool {
	if f.End-f.Start > mostBounds {
		return false
	}
	var formed []uint64
	for i := range m.facts.Refs[f.First : f.First+f.N] {
		switch r := &m.facts.Refs[int(f.First)+i]; r.Kind {
		case code.Addr:
			formed = append(formed, r.Target)
		case code.Load:
		default:
			return false
		}
	}
	if len(formed) != 2 || formed[0] != formed[1] {
		return false
	}
	body := m.raw(f.Start, f.End-f.Start)
	for off := 0; off < len(body); {
		var n int
		if g.ops, n = g.m.Decode(body[off:], f.Start+uint64(off), g.ops[:0]); n == 0 {
			return false
		}
		for i := range g.ops {
			for _, o := range [2]isa.Operand{g.ops[i].A, g.ops[i].B} {
				if o.Kind == isa.Mem && (o.Index != isa.NoReg || o.Reg != isa.NoReg && o.Reg != g.m.SP) {
					return false
				}
			}
			if k := g.ops[i].Kind; k == isa.OpCallInd || k == isa.OpSyscall || k == isa.OpInt80 {
				return false
			}
		}
		off += n
	}
	return true
}

// refer adds the edges of an address that function n forms; ends says that it may be the end of an object.
func (g *graph) refer(n node, target, at uint64, ends bool) {
	to := g.node(target)
	if to != none && to != n {
		g.arena = append(g.arena, edge{to, edgeReference, at})
	}
	if to = g.ending(target, to); to != none && ends {
		g.arena = append(g.arena, edge{to, edgeLoose, at})
	}
	m, a := g.at(target)
	if m == nil {
		return
	}
	for _, t := range m.got {
		if t.Addr != a {
			continue
		}
		for _, w := range m.wordsIn(t.Addr, t.Addr+t.Size) {
			if to := g.node(w.value); to != none && to != n {
				g.arena = append(g.arena, edge{to, edgeReference, at})
			}
		}
	}
}

// widestLoad bounds a read of unknown size.
const widestLoad = 64

// loads adds the edges of a read at a fixed address: to what the words in it point to.
func (g *graph) loads(n node, m *mapped, f *code.Func, r *code.Ref) {
	if g.off&LoadWords != 0 {
		g.refer(n, m.base+r.Target, m.base+r.At, true)
	}
	size := uint64(r.Size)
	if size == 0 {
		size = widestLoad
	}
	for _, o := range m.offsetsIn(max(r.Target, 3)-3, r.Target+size) {
		if to := g.function(m.base + o.Target); to != none && to != n {
			g.arena = append(g.arena, edge{to, edgeReference, m.base + r.At})
		}
	}
	for _, w := range m.wordsIn(max(r.Target, 7)-7, r.Target+size) {
		to := g.node(w.value)
		if before := g.ending(w.value, to); before != none {
			g.arena = append(g.arena, edge{before, edgeLoose, m.base + r.At})
		}
		if to == none || to == n {
			continue
		}
		kind := edgeReference
		if int(to) < g.funcs && w.addr == r.Target && (f.Flags&code.Stub != 0 || g.calls(m, r.At)) {
			kind = edgeCall
		}
		g.arena = append(g.arena, edge{to, kind, m.base + r.At})
	}
}

// calls reports whether the instruction at addr calls or jumps through memory.
func (g *graph) calls(m *mapped, addr uint64) bool {
	seg := m.segment(addr)
	if seg == nil || addr-seg.Addr >= uint64(len(seg.Data)) {
		return false
	}
	b := seg.Data[addr-seg.Addr:]
	if len(b) > 16 {
		b = b[:16]
	}
	var n int
	if g.ops, n = g.m.Decode(b, addr, g.ops[:0]); n == 0 || len(g.ops) == 0 {
		return false
	}
	k := g.ops[len(g.ops)-1].Kind
	return k == isa.OpCallInd || k == isa.OpJumpInd
}
