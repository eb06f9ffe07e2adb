package native

import (
	"encoding/binary"
	"runtime"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/profcheck/profcheck/elfscan/internal/code"
	"github.com/profcheck/profcheck/elfscan/internal/loader"
	"github.com/profcheck/profcheck/elfscan/internal/module"
)

// baseShift gives each module 1<<40 bytes of the address space; one that spans more is left out.
const baseShift = 40

// node is a function or, from space.funcs on, a data object.
type node = int32

const none node = -1

// mapped is a module in the address space. Addresses in it are those of the file; base is added to
// make them global.
type mapped struct {
	*loader.Loaded
	index    int
	base     uint64
	facts    *code.Facts
	fn0      node     // its first function
	obj0     node     // its first object
	objs     []uint64 // where its objects begin, ascending
	end      uint64   // behind its last segment
	words    []word   // what relocation writes, ascending address
	pages    []int32  // by code page from text on: the first function that ends behind the page's start
	text     uint64   // address of the first function
	bound    bindings
	got      []module.Span
	exported map[uint64]bool   // addresses that it exports, nil if not asked for yet
	names    map[uint64]string // by address: see publicName, nil if not asked for yet
	fixed    bool              // linked to a fixed address without relocations: pointers are found by their looks
}

// word is what relocation writes to 8 bytes.
type word struct {
	addr  uint64
	value uint64 // global; 0 if it leads nowhere
	ifunc bool   // value is the function that chooses what is written, or one of several
	slot  bool   // belongs to a procedure linkage table: written again with the same value when first used
}

// space is the address space of a closure.
type space struct {
	mods  []*mapped
	off   Analyses
	funcs int // number of functions
	nodes int // number of functions and objects
}

// pageShift is the size of the pages by which functions are looked up.
const pageShift = 8

// add maps module l as number len(s.mods). Functions and objects of it are numbered by number.
func (s *space) add(l *loader.Loaded, facts *code.Facts) *mapped {
	m := &mapped{Loaded: l, index: len(s.mods), facts: facts}
	m.base = uint64(m.index) << baseShift
	for _, seg := range l.Segments {
		m.end = max(m.end, seg.Addr+seg.Size)
	}
	s.mods = append(s.mods, m)
	return m
}

// index finds the functions and objects of all modules, several modules at a time.
func (s *space) index() {
	var next atomic.Int32
	var wg sync.WaitGroup
	for range min(len(s.mods), runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(s.mods); i = int(next.Add(1)) - 1 {
				m := s.mods[i]
				m.indexFuncs()
				m.indexObjects(s.off)
			}
		})
	}
	wg.Wait()
}

// number gives each function and object its node.
func (s *space) number() {
	s.funcs = 0
	for _, m := range s.mods {
		m.fn0 = node(s.funcs)
		s.funcs += len(m.facts.Funcs)
	}
	s.nodes = s.funcs
	for _, m := range s.mods {
		m.obj0 = node(s.nodes)
		s.nodes += len(m.objs)
	}
}

func (m *mapped) indexFuncs() {
	fs := m.facts.Funcs
	if len(fs) == 0 {
		return
	}
	m.text = fs[0].Start
	span := fs[len(fs)-1].End - m.text
	if span>>pageShift > 1<<24 {
		return // a lie or a monster: looked up by bisection alone
	}
	m.pages = make([]int32, span>>pageShift+1)
	i := 0
	for p := range m.pages {
		for at := m.text + uint64(p)<<pageShift; i < len(fs)-1 && fs[i].End <= at; {
			i++
		}
		m.pages[p] = int32(i)
	}
}

// fn returns the function that holds addr, as an index in m.facts.Funcs, or -1.
func (m *mapped) fn(addr uint64) int {
	fs := m.facts.Funcs
	if len(fs) == 0 || addr < m.text || addr >= fs[len(fs)-1].End {
		return -1
	}
	i := 0
	if m.pages != nil {
		i = int(m.pages[(addr-m.text)>>pageShift])
		for i < len(fs) && fs[i].End <= addr {
			i++
		}
	} else {
		i = sort.Search(len(fs), func(i int) bool { return fs[i].End > addr })
	}
	if i < len(fs) && fs[i].Start <= addr {
		return i
	}
	return -1
}

// indexObjects cuts the module's data into objects: at the places that its facts name, and where
// segments and sections begin. A section that a linker gives bounds by name (__start_NAME) is
// walked from end to end by the code that asks for them, so it stays whole.
func (m *mapped) indexObjects(off Analyses) {
	if off&SplitData == 0 {
		m.objs = slices.Clone(m.facts.Objects)
	}
	for _, seg := range m.Segments {
		m.objs = append(m.objs, seg.Addr)
	}
	var whole []module.Span
	left := uint64(maxGOT)
	for _, sec := range m.Sections {
		if sec.Addr == 0 || sec.Size == 0 {
			continue
		}
		m.objs = append(m.objs, sec.Addr)
		if isGOT(sec.Name) && sec.Size < left && off&SplitTables == 0 {
			left -= sec.Size
			m.got = append(m.got, module.Span{Addr: sec.Addr, Size: sec.Size})
			for a := sec.Addr; a-sec.Addr < sec.Size; a += 8 {
				m.objs = append(m.objs, a)
			}
		}
		if !isUsual(sec.Name) && !(tables[sec.Name] && off&SplitTables == 0) {
			whole = append(whole, module.Span{Addr: sec.Addr, Size: sec.Size})
		}
	}
	slices.Sort(m.objs)
	m.objs = m.beginnings(slices.Compact(m.objs))
	if len(whole) > 0 {
		m.objs = slices.DeleteFunc(m.objs, func(a uint64) bool {
			return slices.ContainsFunc(whole, func(w module.Span) bool { return a > w.Addr && a < w.Addr+w.Size })
		})
	}
	m.objs = append(m.objs, m.end)
}

// all returns the object that stands for all data of m. No address leads to it: it is what code may
// mean that adds a register to a fixed address.
func (m *mapped) all() node { return m.obj0 + node(len(m.objs)-1) }

// isGOT reports whether a section is a global offset table. Its words are objects of their own: the
// linker makes each for one symbol, code gets at each by its address, and the addresses that code
// forms there are of pairs of words for thread-local variables, which hold no pointer. Code that
// forms the address of the table itself reaches all of it, see graph.refer.
func isGOT(name string) bool { return name == ".got" || name == ".got.plt" }

// maxGOT bounds the bytes of the tables of a module that are cut into words.
const maxGOT = 1 << 24

// tables are sections whose bounds are asked for, but only to compare with them. glibc keeps the jump
// tables of its streams in __libc_IO_vtables and checks that a stream's lies there
// (libio/libioP.h IO_validate_vtable); nothing goes from one table to the next.
var tables = map[string]bool{"__libc_IO_vtables": true}

// usual are the beginnings of the names of sections that linkers fill by themselves.
var usual = []string{".data", ".bss", ".rodata", ".got", ".tm_clone_table", ".init", ".fini", ".preinit_array", ".tdata", ".tbss", ".text", ".plt", ".dyn", ".gnu", ".rel",
	".interp", ".note", ".eh_frame", ".gcc_except_table", ".ctors", ".dtors", ".jcr", ".hash", ".lrodata", ".ldata", ".lbss", ".sdata", ".sbss", ".stapsdt", ".probes"}

// isUsual reports whether a section has no name of its own. Others may be lists that files of a program
// contribute to: from its bounds, which linkers give for names that are identifiers (__start_NAME) and
// scripts for any, code goes through all of it.
func isUsual(name string) bool {
	return name == "" || slices.ContainsFunc(usual, func(p string) bool { return strings.HasPrefix(name, p) })
}

// obj returns the object that holds addr, as an index in m.objs, or -1.
func (m *mapped) obj(addr uint64) int {
	if m.segment(addr) == nil {
		return -1
	}
	i, ok := slices.BinarySearch(m.objs, addr)
	if !ok {
		i--
	}
	return i
}

// span returns where object i of m begins and ends.
func (m *mapped) span(i int) (start, end uint64) {
	start, end = m.objs[i], m.end
	if i+1 < len(m.objs) {
		end = m.objs[i+1]
	}
	if seg := m.segment(start); seg != nil {
		end = min(end, seg.Addr+seg.Size)
	}
	return start, end
}

func (m *mapped) segment(addr uint64) *module.Segment {
	for i := range m.Segments {
		if seg := &m.Segments[i]; addr-seg.Addr < seg.Size {
			return seg
		}
	}
	return nil
}

// raw returns n bytes of the file's image at addr, nil if there are none.
func (m *mapped) raw(addr, n uint64) []byte {
	seg := m.segment(addr)
	if seg == nil || n > uint64(len(seg.Data)) || addr-seg.Addr > uint64(len(seg.Data))-n {
		return nil
	}
	return seg.Data[addr-seg.Addr:][:n]
}

// wordsIn returns the relocated words that begin at or behind from and before to.
func (m *mapped) wordsIn(from, to uint64) []word {
	i := sort.Search(len(m.words), func(i int) bool { return m.words[i].addr >= from })
	j := i
	for j < len(m.words) && m.words[j].addr < to {
		j++
	}
	return m.words[i:j]
}

// at returns the module at a global address, and the address in it; nil if there is none.
func (s *space) at(addr uint64) (*mapped, uint64) {
	i := addr >> baseShift
	if i >= uint64(len(s.mods)) {
		return nil, 0
	}
	return s.mods[i], addr & (1<<baseShift - 1)
}

// function returns the function at a global address, none if there is none.
func (s *space) function(addr uint64) node {
	if m, a := s.at(addr); m != nil {
		if i := m.fn(a); i >= 0 {
			return m.fn0 + node(i)
		}
	}
	return none
}

// node returns what lies at a global address: a function, or else an object, or none.
func (s *space) node(addr uint64) node {
	m, a := s.at(addr)
	if m == nil {
		return none
	}
	if i := m.fn(a); i >= 0 {
		return m.fn0 + node(i)
	}
	if i := m.obj(a); i >= 0 {
		return m.obj0 + node(i)
	}
	return none
}

// owner returns the module of node n.
func (s *space) owner(n node) *mapped {
	if int(n) < s.funcs {
		i := sort.Search(len(s.mods), func(i int) bool { return s.mods[i].fn0 > n })
		return s.mods[i-1]
	}
	i := sort.Search(len(s.mods), func(i int) bool { return s.mods[i].obj0 > n })
	return s.mods[i-1]
}

// fun returns function n with its module.
func (s *space) fun(n node) (*mapped, *code.Func) {
	m := s.owner(n)
	return m, &m.facts.Funcs[n-m.fn0]
}

// start returns the global address of function n.
func (s *space) start(n node) uint64 {
	m, f := s.fun(n)
	return m.base + f.Start
}

// word reads the 8 bytes at a global address as they are once the program is relocated. It is not
// known what a function that chooses another one leaves there.
func (s *space) word(addr uint64) (uint64, bool) {
	m, a := s.at(addr)
	if m == nil {
		return 0, false
	}
	if ws := m.wordsIn(max(a, 7)-7, a+8); len(ws) > 0 {
		return ws[0].value, ws[0].addr == a && !ws[0].ifunc
	}
	return m.rawWord(a)
}

// rawWord reads the 8 bytes at addr as the file has them, zeros behind it.
func (m *mapped) rawWord(addr uint64) (uint64, bool) {
	if b := m.raw(addr, 8); b != nil {
		return binary.LittleEndian.Uint64(b), true
	}
	seg := m.segment(addr)
	if seg == nil || seg.Size-(addr-seg.Addr) < 8 {
		return 0, false
	}
	var b [8]byte
	if off := addr - seg.Addr; off < uint64(len(seg.Data)) {
		copy(b[:], seg.Data[off:])
	}
	return binary.LittleEndian.Uint64(b[:]), true
}
