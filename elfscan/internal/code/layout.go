package code

import (
	"bytes"
	"cmp"
	"debug/elf"
	"slices"
	"strings"

	"github.com/profcheck/profcheck/elfscan/internal/isa"
	"github.com/profcheck/profcheck/elfscan/internal/module"
)

// region is a range of executable bytes that the file holds.
type region struct {
	addr uint64
	data []byte
	plt  bool
	// sure: a section header says that there is code. An executable segment may hold data as well.
	sure bool
	// gaps has a bit for each byte that no bounded function holds.
	gaps []uint64
}

func (r *region) end() uint64 { return r.addr + uint64(len(r.data)) }

// function is a function while facts are collected.
type function struct {
	start, end uint64
	flags      Flags
	shard      int32  // where its references lie
	first, n   uint32 // which they are
	own        bool   // bounds are those of an FDE or a sized symbol
	walked     bool   // its references come from a walk, not from a sweep
	jumps      bool   // has jumps to computed addresses
	bad        bool   // has bytes that are no instruction
	falls      ending
}

// layout finds the executable ranges. Sections are believed if they hold all that is known to be
// code.
func (x *extractor) layout() {
	for _, s := range x.m.Sections {
		if s.Flags&elf.SHF_EXECINSTR == 0 || s.Type == elf.SHT_NOBITS {
			continue
		}
		seg := x.m.Segment(s.Addr)
		if seg == nil || !seg.Exec || s.Size == 0 {
			continue
		}
		data := seg.Data[min(s.Addr-seg.Addr, uint64(len(seg.Data))):]
		data = data[:min(s.Size, uint64(len(data)))]
		if len(data) > 0 {
			x.regions = append(x.regions, region{addr: s.Addr, data: data, plt: isPLT(s.Name), sure: true})
		}
	}
	slices.SortFunc(x.regions, func(a, b region) int { return cmp.Compare(a.addr, b.addr) })
	if x.sectionsHold() {
		return
	}
	x.regions = x.regions[:0]
	for i := range x.m.Segments {
		if s := &x.m.Segments[i]; s.Exec && len(s.Data) > 0 {
			x.regions = append(x.regions, region{addr: s.Addr, data: s.Data})
		}
	}
}

func isPLT(name string) bool {
	return name == ".plt" || name == ".iplt" || strings.HasPrefix(name, ".plt.")
}

// sectionsHold reports whether the regions, which come from section headers, are disjoint and hold
// the entry point, the functions for start and end, and all described frames.
func (x *extractor) sectionsHold() bool {
	for i := 1; i < len(x.regions); i++ {
		if x.regions[i].addr < x.regions[i-1].end() {
			return false
		}
	}
	for _, a := range []uint64{x.m.Entry, x.m.Init, x.m.Fini} {
		if a != 0 && x.m.Executable(a) && x.region(a) == nil {
			return false
		}
	}
	for i := range x.m.Frames {
		if f := &x.m.Frames[i]; f.Start < f.End && x.m.Executable(f.Start) && x.region(f.Start) == nil {
			return false
		}
	}
	return len(x.regions) > 0
}

// region returns the region that holds addr, or nil.
func (x *extractor) region(addr uint64) *region {
	for i := range x.regions {
		if r := &x.regions[i]; addr-r.addr < uint64(len(r.data)) {
			return r
		}
	}
	return nil
}

// code returns the bytes from start to end, or to the end of start's region.
func (x *extractor) code(start, end uint64) []byte {
	r := x.region(start)
	if r == nil || end <= start {
		return nil
	}
	return r.data[start-r.addr : min(end, r.end())-r.addr]
}

// spans makes functions of all ranges that the file bounds: stubs, frames and symbols with a size.
func (x *extractor) spans() {
	var all []function
	for i := range x.regions {
		if r := &x.regions[i]; r.plt {
			all = x.stubs(r, all)
		}
	}
	frames := make([]module.Frame, 0, len(x.m.Frames))
	for _, f := range x.m.Frames {
		r := x.region(f.Start)
		if r == nil || r.plt || f.End <= f.Start {
			continue
		}
		f.End = min(f.End, r.end())
		if x.early(f) {
			f.Start++
		}
		frames = append(frames, f)
	}
	for _, f := range partition(frames) {
		all = append(all, function{start: f.Start, end: f.End, own: true})
	}
	slices.SortFunc(all, func(a, b function) int { return cmp.Compare(a.start, b.start) })
	x.funcs = x.symbolSpans(all)
	x.markGaps()
}

// markGaps sets the bits of bytes outside of functions.
func (x *extractor) markGaps() {
	i := 0
	for k := range x.regions {
		r := &x.regions[k]
		r.gaps = make([]uint64, (len(r.data)+63)/64)
		at := r.addr
		for ; i < len(x.funcs) && x.funcs[i].start < r.end(); i++ {
			for ; at < x.funcs[i].start; at++ {
				r.gaps[(at-r.addr)/64] |= 1 << ((at - r.addr) % 64)
			}
			at = max(at, x.funcs[i].end)
		}
		for ; at < r.end(); at++ {
			r.gaps[(at-r.addr)/64] |= 1 << ((at - r.addr) % 64)
		}
	}
}

// inGap reports whether addr is executable and in no bounded function.
func (x *extractor) inGap(addr uint64) bool {
	for i := range x.regions {
		r := &x.regions[i]
		if off := addr - r.addr; off < uint64(len(r.data)) {
			return r.gaps[off/64]>>(off%64)&1 != 0
		}
	}
	return false
}

// early reports whether a frame begins one byte before its function. glibc and others do that for
// signal restorers, which are entered by a return (sigaction.c, DO_RESTORE_RT); that byte is the
// end of the padding before.
func (x *extractor) early(f module.Frame) bool {
	if x.mach != isa.AMD64 || f.Start&15 != 15 {
		return false
	}
	code := x.code(f.Start+1, f.End)
	for _, number := range []string{"\x48\xc7\xc0", "\xb8"} { // MOV $N to RAX, EAX; SYSCALL
		if n := len(number); len(code) >= n+6 && string(code[:n]) == number && string(code[n+4:n+6]) == "\x0f\x05" {
			return true
		}
	}
	return false
}

// partition cuts frames, which ascend, where they overlap: each piece begins where a frame begins
// or ends.
func partition(frames []module.Frame) []module.Frame {
	overlap := false
	for i := 1; i < len(frames); i++ {
		overlap = overlap || frames[i].Start < frames[i-1].End
	}
	if !overlap {
		return frames
	}
	type edge struct {
		at   uint64
		step int
	}
	edges := make([]edge, 0, 2*len(frames))
	for _, f := range frames {
		edges = append(edges, edge{f.Start, 1}, edge{f.End, -1})
	}
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Compare(a.at, b.at) })
	var out []module.Frame
	depth := 0
	for i, e := range edges {
		if i > 0 && depth > 0 && edges[i-1].at < e.at {
			out = append(out, module.Frame{Start: edges[i-1].at, End: e.at})
		}
		depth += e.step
	}
	return out
}

// symbolSpans adds the functions that symbols with a size bound where all does not cover them. all
// ascends and so does the result.
func (x *extractor) symbolSpans(all []function) []function {
	var syms []module.Frame
	for _, table := range [][]module.Symbol{x.m.Symbols, x.m.Locals} {
		for i := range table {
			s := &table[i]
			if !isFunction(s) || s.Addr == 0 {
				continue
			}
			r := x.region(s.Addr)
			if r == nil || r.plt {
				continue
			}
			if s.Size == 0 {
				x.starts = append(x.starts, s.Addr)
			} else if !covered(all, s.Addr) {
				syms = append(syms, module.Frame{Start: s.Addr, End: s.Addr + min(s.Size, r.end()-s.Addr)})
			}
		}
	}
	if len(syms) == 0 {
		return all
	}
	slices.SortFunc(syms, func(a, b module.Frame) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(b.End, a.End))
	})
	out := make([]function, 0, len(all)+len(syms))
	for i, s := range syms {
		if i > 0 && s.Start == syms[i-1].Start {
			continue
		}
		for len(all) > 0 && all[0].start < s.Start {
			out = append(out, all[0])
			all = all[1:]
		}
		if len(all) > 0 {
			s.End = min(s.End, all[0].start)
		}
		if n := len(out); n > 0 && out[n-1].end > s.Start {
			out[n-1].end = s.Start // a symbol in the middle of another
		}
		out = append(out, function{start: s.Start, end: s.End, own: true})
	}
	return append(out, all...)
}

// covered reports whether a function of funcs, which ascend, holds addr.
func covered(funcs []function, addr uint64) bool {
	i, ok := slices.BinarySearchFunc(funcs, addr, func(f function, a uint64) int { return cmp.Compare(f.start, a) })
	return ok || i > 0 && addr < funcs[i-1].end
}

func isFunction(s *module.Symbol) bool {
	return s.Defined && !s.Absolute && (s.Type == elf.STT_FUNC || s.Type == elf.STT_GNU_IFUNC)
}

// stubs splits a procedure linkage table into its entries.
//
// sh_entsize does not tell: it is 16 for .plt.got whose entries have 8 bytes, because they lack
// ENDBR64, and there are headers of other sizes. On arm64 an entry ends behind its branch, on
// x86-64 entries are 16 bytes apart except for bare jumps through memory, 8 bytes apart.
func (x *extractor) stubs(r *region, out []function) []function {
	step := uint64(16)
	if x.mach == isa.AMD64 && bareJump(r.data) && (len(r.data) == 8 || len(r.data) >= 16 && bareJump(r.data[8:])) {
		step = 8
	}
	size := uint64(len(r.data))
	for off := uint64(0); off < size; {
		next := off + step
		if x.mach != isa.AMD64 {
			next = stubEnd(r.data, off)
		}
		next = min(next, size)
		out = append(out, function{start: r.addr + off, end: r.addr + next, flags: Stub, own: true})
		off = next
	}
	return out
}

// bareJump reports whether code begins with JMP *disp(%rip), with a BND prefix or without.
func bareJump(code []byte) bool {
	return bytes.HasPrefix(bytes.TrimPrefix(code, []byte{0xf2}), []byte{0xff, 0x25})
}

// stubEnd returns where the entry ends that begins at off: behind its BR and the NOPs that follow.
func stubEnd(data []byte, off uint64) uint64 {
	size, ended := uint64(len(data)), false
	for ; off+4 <= size; off += 4 {
		w := le.Uint32(data[off:])
		switch nop := w == 0xd503201f; {
		case ended && !nop:
			return off
		case w&0xfffffc1f == 0xd61f0000, w&0xfffff800 == 0xd71f0800: // BR, BRAA, BRAB
			ended = true
		}
	}
	return size
}
