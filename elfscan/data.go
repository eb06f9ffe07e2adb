package elfscan

import (
	"cmp"
	"slices"
	"sort"

	"github.com/profcheck/profcheck/elfscan/internal/flow"
)

// dataIndex knows which code and which variables the program's data leads to.
type dataIndex struct {
	// code lists where functions stand in data, by function.
	code []codeRef
	// taken holds the entries of these functions.
	taken map[uint64]bool
	// pointers are the words of data that point to writable memory, ascending.
	pointers []uint64
}

// codeRef is a place in data that leads to a function: a word that points to its function value,
// or, if direct, holds its address or is the method table of a type.
type codeRef struct {
	fn     int32
	addr   uint64
	direct bool
}

// data reads all data once, the first time it is asked for.
func (p *program) data() *dataIndex {
	if p.index != nil {
		return p.index
	}
	d := &dataIndex{taken: map[uint64]bool{}}
	p.index = d
	for i := range p.im.segs {
		p.indexSegment(d, &p.im.segs[i])
	}
	p.types.eachMethod(func(entry uint64) {
		d.taken[entry] = true
		d.code = append(d.code, codeRef{fn: int32(p.tab.find(entry)), direct: true})
	})
	slices.Sort(d.pointers)
	slices.SortStableFunc(d.code, func(a, b codeRef) int { return cmp.Compare(a.fn, b.fn) })
	return d
}

// indexSegment notes what the words of s point to.
func (p *program) indexSegment(d *dataIndex, s *segment) {
	for off := (s.addr+7)&^7 - s.addr; off+8 <= uint64(len(s.data)); off += 8 {
		a := s.addr + off
		if a == p.tab.addr { // the function table holds offsets only
			off += uint64(len(p.tab.data)-len(p.tab.funcdata)) &^ 7
			continue
		}
		if first, last := p.tab.span(); a >= first && a < last {
			off += (last - a - 1) &^ 7 // code
			continue
		}
		if s.fileOff+off < p.im.headers {
			continue
		}
		w := p.im.order.Uint64(s.data[off:])
		if w < 4096 || a-p.im.relocs.addr < p.im.relocs.size {
			continue
		}
		if f, ok := p.types.entry(w); ok && !p.isFieldOffset(s, off) {
			d.taken[w] = true
			d.code = append(d.code, codeRef{f, a, true})
			continue
		}
		if target := p.im.segment(w); target == nil || p.tab.find(w) >= 0 {
			continue
		} else if p.im.writable(w) && a-p.tab.module.addr-modSections >= modTypes-modSections {
			d.pointers = append(d.pointers, w)
		}
		if v, ok := p.im.word(w); ok {
			if f, ok := p.types.entry(v); ok {
				d.code = append(d.code, codeRef{f, a, false})
			}
		}
	}
}

// isFieldOffset reports whether the word at off is the offset in the description of a struct field,
// behind the pointers to its name and type: where text lies low, such an offset can look like an
// address of code.
func (p *program) isFieldOffset(s *segment, off uint64) bool {
	return off >= 16 && p.types.isType(p.im.order.Uint64(s.data[off-8:])) && p.types.isType(p.im.order.Uint64(s.data[off-16:]))
}

// inData reports whether some object in data holds the address of code at entry, or some type has
// it as a method.
func (p *program) inData(entry uint64) bool { return p.data().taken[entry] }

// exposed reports whether the variable at addr can be reached through a pointer: its address, or
// that of a variable it is part of, is formed by code or stands in data. How far a variable reaches
// is taken from the symbol table. A stripped file does not tell, and what code reads directly can be
// a field: there, a variable ends where the next address is formed or stands in data, or with
// longStruct bytes of which code names every word, as it does in rows of small variables.
func (p *program) exposed(addr uint64) bool {
	base, ok := below(p.taken, addr)
	if b, also := below(p.data().pointers, addr); also {
		base, ok = max(base, b), true
	}
	if !ok || p.im.segment(base) != p.im.segment(addr) {
		return false
	}
	if end, known := p.im.symbolEnd(base); known || base == addr {
		return base == addr || addr < end
	}
	if addr-base < longStruct {
		return true
	}
	for a := addr - longStruct; a < addr; a += 8 {
		if _, named := slices.BinarySearch(p.used, a); !named {
			return true
		}
	}
	return false
}

// longStruct is more bytes than variables have of which code names every word and takes the address.
const longStruct = 64

// below returns the highest of the ascending addresses that does not exceed addr.
func below(addrs []uint64, addr uint64) (uint64, bool) {
	i := sort.Search(len(addrs), func(i int) bool { return addrs[i] > addr })
	if i == 0 {
		return 0, false
	}
	return addrs[i-1], true
}

// constant reports whether the variable at addr keeps its initial value: nothing stores to it, and
// no pointer leads there.
func (p *program) constant(addr uint64) bool {
	i := sort.Search(len(p.stores), func(i int) bool { return p.stores[i].target+flow.WidestStore > addr })
	return (i == len(p.stores) || p.stores[i].target >= addr+8) && !p.exposed(addr)
}

// isHook reports whether function fn is called through variables alone that never change, by code
// that reads them: package net keeps syscall.Socket and its like in such variables for its tests.
// Then its callers are as well known as with direct calls.
func (p *program) isHook(fn int) bool {
	entry := p.tab.funcs[fn].entry
	for _, e := range p.in[fn] {
		if e.taken || e.hook && !p.callsThrough(int(e.from), entry) {
			return false
		}
	}
	values := 0
	for _, c := range p.data().of(fn) {
		switch {
		case c.direct && c.addr != 0 && (!p.im.writable(c.addr) || p.constant(c.addr)):
			values++ // its function value; a second one would be a table that holds it
		case c.direct || !p.im.writable(c.addr) || !p.constant(c.addr):
			return false
		}
	}
	return values == 1
}

// of returns where function fn stands in data.
func (d *dataIndex) of(fn int) []codeRef {
	from, _ := slices.BinarySearchFunc(d.code, fn, func(c codeRef, fn int) int { return cmp.Compare(int(c.fn), fn) })
	to := from
	for to < len(d.code) && int(d.code[to].fn) == fn {
		to++
	}
	return d.code[from:to]
}

// callsThrough reports whether fn has a call through a pointer that is known to lead to entry, and
// does nothing else with that pointer.
func (p *program) callsThrough(fn int, entry uint64) bool {
	sum := p.summary(fn)
	for _, v := range sum.Leaks {
		if w, _ := p.im.word(v); w == entry {
			return false
		}
	}
	for i := range sum.Calls {
		if c := &sum.Calls[i]; c.Target == 0 && slices.Contains(p.vs.Get(c.Callee).Consts, entry) {
			return !sum.Vague
		}
	}
	return false
}

// functionValues returns the constants of id that are function values: addresses of words that hold
// the entry of a function.
func (p *program) functionValues(id flow.ValueID) []uint64 {
	out, ok := p.funcValues[id]
	if ok {
		return out
	}
	for _, c := range p.vs.Get(id).Consts {
		if w, ok := p.im.word(c); ok && c >= 4096 {
			if _, ok := p.types.entry(w); ok {
				out = append(out, c)
			}
		}
	}
	p.funcValues[id] = out
	return out
}

// innerEntries returns the addresses inside of function fn at which other code enters it.
func (p *program) innerEntries(fn int) []uint64 {
	from, _ := slices.BinarySearch(p.inner, p.tab.funcs[fn].entry+1)
	to, _ := slices.BinarySearch(p.inner, p.tab.funcs[fn].end)
	return p.inner[from:to]
}

// dataTree shows how functions are reached whose address stands in data: through a table, an
// interface or a variable. Which code reads it is not followed, so these ways have no better root.
func (p *program) dataTree() *tree {
	var roots []int
	for _, c := range p.data().code {
		roots = append(roots, int(c.fn))
	}
	return p.newTree(roots, nil)
}
