package code

import (
	"debug/elf"
	"strings"

	"github.com/profcheck/profcheck/elfscan/internal/isa"
	"github.com/profcheck/profcheck/elfscan/internal/module"
)

// roots collects the addresses outside of functions that the file or code elsewhere names: in
// starts what is surely entered, in maybe what could be data as well.
func (x *extractor) roots() {
	x.starts = append(x.starts, x.m.Entry, x.m.Init, x.m.Fini)
	for _, table := range [][]module.Symbol{x.m.Symbols, x.m.Locals} {
		for i := range table {
			// Labels of assembler code have no type. Mapping symbols ($x, $d) name no code.
			if s := &table[i]; s.Defined && s.Type == elf.STT_NOTYPE && s.Bind != elf.STB_LOCAL && !strings.HasPrefix(s.Name, "$") {
				x.starts = append(x.starts, s.Addr)
			}
		}
	}
	for i := range x.m.Relocs {
		r := &x.m.Relocs[i]
		switch {
		case r.Kind == module.RelocIRelative, r.Kind == module.RelocRelative && x.inArray(r.Addr):
			x.starts = append(x.starts, r.Addend)
		case r.Kind == module.RelocRelative:
			x.pointer(r.Addend)
		case r.Kind == module.RelocSymbol && r.Addend != 0 && int(r.Symbol) < len(x.m.Symbols):
			x.pointer(x.m.Symbols[r.Symbol].Addr + r.Addend)
		}
	}
	if x.hi != 0 {
		x.arrays()
		x.words()
	}
}

// pointer notes an address that the loader writes to memory.
func (x *extractor) pointer(addr uint64) {
	switch {
	case !x.inGap(addr):
	case x.sure():
		x.starts = append(x.starts, addr)
	default:
		x.maybe = append(x.maybe, addr)
	}
}

// inArray reports whether addr is a word of the arrays of functions for start and end.
func (x *extractor) inArray(addr uint64) bool {
	for _, a := range []module.Span{x.m.PreinitArray, x.m.InitArray, x.m.FiniArray} {
		if addr-a.Addr < a.Size {
			return true
		}
	}
	return false
}

// arrays reads the words of these arrays in a module that is not relocated.
func (x *extractor) arrays() {
	for _, a := range []module.Span{x.m.PreinitArray, x.m.InitArray, x.m.FiniArray} {
		for b := x.m.Bytes(a.Addr, a.Size&^7); len(b) > 0; b = b[8:] {
			if x.region(le.Uint64(b)) != nil {
				x.starts = append(x.starts, le.Uint64(b))
			}
		}
	}
	for _, s := range x.m.Sections { // a static program has no dynamic section that tells
		if s.Type != elf.SHT_INIT_ARRAY && s.Type != elf.SHT_FINI_ARRAY && s.Type != elf.SHT_PREINIT_ARRAY {
			continue
		}
		for b := x.m.Bytes(s.Addr, s.Size&^7); len(b) > 0; b = b[8:] {
			x.pointer(le.Uint64(b))
		}
	}
}

// words takes every word of a module that is not relocated for a pointer, if it could be one. In
// packed structs they lie anywhere.
func (x *extractor) words() {
	for i := range x.m.Segments {
		s := &x.m.Segments[i]
		if s.Exec && x.sure() {
			continue
		}
		for off := 0; off+8 <= len(s.Data); off++ {
			v := le.Uint64(s.Data[off:])
			if v-x.lo >= x.hi-x.lo {
				continue
			}
			if x.inGap(v) {
				x.maybe = append(x.maybe, v)
			} else if x.region(v) == nil {
				x.data = append(x.data, v)
			}
		}
	}
}

// sure reports whether the regions come from section headers.
func (x *extractor) sure() bool { return len(x.regions) > 0 && x.regions[0].sure }

// targets appends where references lead, outside of functions: to starts what is called or jumped
// to, to maybe of what only the address is formed.
func (x *extractor) targets(refs []isa.Ref, starts, maybe []uint64) ([]uint64, []uint64) {
	for i := range refs {
		switch r := &refs[i]; {
		case r.Kind > isa.RefAddr || !x.inGap(r.Target):
		case r.Kind == isa.RefAddr:
			maybe = append(maybe, r.Target)
		default:
			starts = append(starts, r.Target)
		}
	}
	return starts, maybe
}
