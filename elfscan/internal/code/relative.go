package code

import (
	"cmp"
	"debug/elf"
	"slices"
	"strings"
)

// Offset is a word of 4 bytes in data that leads to the beginning of a function: as a distance from
// the word itself, or from an address before it that code or data has. Swift's metadata and Clang's
// relative vtables are made of such.
type Offset struct{ At, Target uint64 }

// bases is how many of the addresses before a word may be what its distance is taken from: code may
// know the parts of a table, too.
const bases = 3

// offsets finds the words of data that are distances to functions. Numbers that are meant as such are
// hardly ever the distance to the first byte of a function. Tables for the unwinder hold nothing
// else and are left out, as are jump tables, which their function follows by itself.
func (x *extractor) offsets(f *Facts) []Offset {
	if len(f.Funcs) == 0 {
		return nil
	}
	tables := map[uint64]bool{}
	for i := range f.Refs {
		if f.Refs[i].Kind == Table {
			tables[f.Refs[i].Target] = true
		}
	}
	var out []Offset
	for i := range x.m.Sections {
		s := &x.m.Sections[i]
		if s.Type != elf.SHT_PROGBITS || s.Flags&(elf.SHF_ALLOC|elf.SHF_EXECINSTR) != elf.SHF_ALLOC || unwinds(s.Name) {
			continue
		}
		if skip := -s.Addr & 3; skip < s.Size {
			out = f.offsetsIn(x.m.Bytes(s.Addr+skip, (s.Size-skip)&^3), s.Addr+skip, tables, out)
		}
	}
	slices.SortFunc(out, func(a, b Offset) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Target, b.Target)) })
	return slices.Compact(out)
}

func unwinds(name string) bool {
	return strings.HasPrefix(name, ".eh_frame") || strings.HasPrefix(name, ".gcc_except_table")
}

// offsetsIn appends those of data, which lies at addr.
func (f *Facts) offsetsIn(data []byte, addr uint64, tables map[uint64]bool, out []Offset) []Offset {
	low, span := f.Funcs[0].Start, f.Funcs[len(f.Funcs)-1].End-f.Funcs[0].Start
	next, _ := slices.BinarySearch(f.Objects, addr)
	jumps := false // a jump table goes on here
	for ; len(data) >= 4; data, addr = data[4:], addr+4 {
		begins := next < len(f.Objects) && f.Objects[next] <= addr
		for next < len(f.Objects) && f.Objects[next] <= addr {
			next++
		}
		w := uint64(int64(int32(le.Uint32(data))))
		if begins {
			jumps = tables[f.Objects[next-1]]
		}
		if jumps {
			if jumps = f.Objects[next-1]+w-low < span; jumps {
				continue
			}
		}
		if addr+w-low < span && f.starts(addr+w) {
			out = append(out, Offset{addr, addr + w})
		}
		for k := next - 1; k >= max(next-bases, 0); k-- {
			if to := f.Objects[k] + w; to-low < span && f.Objects[k] != addr && f.starts(to) {
				out = append(out, Offset{addr, to})
			}
		}
	}
	return out
}

// starts reports whether a function begins at addr.
func (f *Facts) starts(addr uint64) bool {
	_, ok := slices.BinarySearchFunc(f.Funcs, addr, func(fn Func, a uint64) int { return cmp.Compare(fn.Start, a) })
	return ok
}
