package code

import (
	"bytes"
	"slices"

	"github.com/profcheck/profcheck/elfscan/internal/isa"
	"github.com/profcheck/profcheck/elfscan/internal/module"
)

// near is how far apart the two instructions are, in bytes, that form the address of the global
// offset table in the large code model.
const near = 64

// large finds the addresses that code of the large code model forms (System V ABI for AMD64, 3.5.4
// and 3.5.5). There is no instruction that holds a distance of 64 bits to itself, so that a function
// first makes the address of the global offset table: a LEA of its own address, and MOVABS of the
// distance, which are added. All else, calls too, is a MOVABS of a distance from there. The table's
// address once known, each number of 8 bytes in code that leads from there into the module counts: its
// cold parts and its exceptions make the sum with a register that they are given.
func (x *extractor) large() {
	if x.mach != isa.AMD64 {
		return
	}
	var found []uint64
	for i := range x.regions {
		found = x.tableBases(&x.regions[i], found)
	}
	if sure := slices.DeleteFunc(slices.Clone(found), func(a uint64) bool { return !x.beginsTable(a) }); len(sure) > 0 {
		found = sure // the others are sums of numbers of two functions
	}
	for _, base := range found {
		for i := range x.regions {
			r := &x.regions[i]
			eachMovabs(r.data, func(off int, distance uint64) {
				to := base + distance
				if x.m.Segment(to) == nil {
					return
				}
				x.extra = append(x.extra, Ref{At: r.addr + uint64(off), Target: to, Kind: Addr})
				if x.inGap(to) {
					x.maybe = append(x.maybe, to)
				} else if x.region(to) == nil {
					x.data = append(x.data, to)
				}
			})
		}
	}
}

// beginsTable reports whether a global offset table begins at addr, as far as sections tell.
func (x *extractor) beginsTable(addr uint64) bool {
	return slices.ContainsFunc(x.m.Sections, func(s module.Section) bool {
		return s.Addr == addr && (s.Name == ".got" || s.Name == ".got.plt")
	})
}

// tableBases adds to found the addresses of data that code in r makes from its own.
func (x *extractor) tableBases(r *region, found []uint64) []uint64 {
	const lea = 7 // bytes
	for off := 1; off+lea-1 <= len(r.data); off++ {
		k := bytes.IndexByte(r.data[off:len(r.data)-lea+2], 0x8d)
		if k < 0 {
			break
		}
		off += k
		distance := int32(le.Uint32(r.data[off+2:]))
		if r.data[off-1]&0xfb != 0x48 || r.data[off+1]&0xc7 != 5 || distance >= 0 || distance < -near {
			continue
		}
		self := r.addr + uint64(off-1+lea) + uint64(int64(distance))
		eachMovabs(r.data[max(off-near, 0):min(off+near, len(r.data))], func(_ int, distance uint64) {
			s := x.m.Segment(self + distance)
			if s != nil && !s.Exec && len(found) < maxBases && !slices.Contains(found, self+distance) {
				found = append(found, self+distance)
			}
		})
	}
	return found
}

// maxBases bounds the tables that a module may seem to have.
const maxBases = 64

// eachMovabs calls f for what looks like a move of 8 bytes to a register: where it is, and the bytes.
func eachMovabs(data []byte, f func(off int, value uint64)) {
	for off := 0; off+10 <= len(data); off++ {
		if data[off]&0xfe == 0x48 && data[off+1]&0xf8 == 0xb8 {
			f(off, le.Uint64(data[off+2:]))
		}
	}
}
