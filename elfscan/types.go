package elfscan

import (
	"bytes"
	"encoding/binary"
)

// typeReader reads Go's run-time descriptions of types and interface tables, to know which
// functions can be called by whoever holds them (src/internal/abi/type.go, iface.go).
type typeReader struct {
	tab *pclntab
}

const (
	typeSize      = 48 // abi.Type
	typeTFlag     = 20
	typeKind      = 23
	tflagUncommon = 1
	kindMask      = 31
	typeStr       = 40
	kindFunc      = 19
	kindInterface = 20
	kindPointer   = 22
	kindStruct    = 25
	methodSize    = 16 // name, type, interface and plain entry, each an offset of 4 bytes
	maxMethods    = 4096
)

// extra is how many bytes follow abi.Type in the descriptor of a kind, before the method table.
// Kinds not listed have none.
var extra = map[byte]uint64{
	17: 24, // array: element, slice, length
	18: 16, // chan: element, direction
	19: 8,  // func: counts
	20: 32, // interface: package path, methods
	22: 8,  // pointer: element
	23: 8,  // slice: element
	25: 32, // struct: package path, fields
}

// mapExtra lists the sizes for kind 21 (map), which moved with the map implementation of Go 1.24.
var mapExtra = []uint64{56, 40, 48, 64}

// leadsTo returns the functions that the object at address a leads to: the code of a function
// value, the methods of an interface table or of a type, or those of the value that a variable has
// at the start; nil if it is none of these.
func (r typeReader) leadsTo(a uint64) []int32 {
	im, m := r.tab.im, &r.tab.module
	w, ok := im.word(a)
	if !ok {
		return nil
	}
	if f, ok := r.entry(w); ok {
		return []int32{f}
	}
	// Since Go 1.26 the region of types holds all read-only data: what is a type must be told by
	// what is there, and what else can be there is asked first.
	if v, ok := im.word(w); ok && w != 0 {
		if f, ok := r.entry(v); ok { // a variable with a function value
			return []int32{f}
		}
		if u, ok := im.word(w + 8); ok && r.isType(v) && r.isType(u) {
			if out := r.itab(w, v); out != nil { // a variable with an interface value
				return out
			}
		}
	}
	if r.isType(w) {
		if out := r.itab(a, w); out != nil {
			return out
		}
	}
	if a >= m.types && a < m.etypes {
		return r.methods(a)
	}
	return nil
}

func (r typeReader) entry(addr uint64) (int32, bool) {
	f := r.tab.find(addr)
	if f < 0 || r.tab.funcs[f].entry != addr {
		return 0, false
	}
	return int32(f), true
}

func (r typeReader) isType(a uint64) bool {
	return a >= r.tab.module.types && a < r.tab.module.etypes
}

// itab reads an interface table: interface type, concrete type, hash, then one entry a method.
func (r typeReader) itab(a, inter uint64) []int32 {
	im := r.tab.im
	typ, ok := im.word(a + 8)
	if !ok || !r.isType(typ) {
		return nil
	}
	b := im.bytes(inter, typeSize+32)
	if b == nil || b[typeKind]&kindMask != kindInterface {
		return nil
	}
	n := im.order.Uint64(b[typeSize+16:])
	var out []int32
	for i := range min(n, maxMethods) {
		w, ok := im.word(a + 24 + 8*i)
		if !ok {
			break
		}
		if f, ok := r.entry(w); ok {
			out = append(out, f)
		}
	}
	return out
}

// methods reads the method table of the type at a.
func (r typeReader) methods(a uint64) []int32 {
	im := r.tab.im
	b := im.bytes(a, typeSize)
	if b == nil || b[typeTFlag]&tflagUncommon == 0 {
		return nil
	}
	kind := b[typeKind] & kindMask
	if kind == 21 {
		for _, e := range mapExtra {
			if out := r.methodsAt(a + typeSize + e); out != nil {
				return out
			}
		}
		return nil
	}
	return r.methodsAt(a + typeSize + extra[kind])
}

// methodsAt reads the table that the abi.UncommonType at a points to.
func (r typeReader) methodsAt(a uint64) []int32 {
	im, m := r.tab.im, &r.tab.module
	b := im.bytes(a, 16)
	if b == nil {
		return nil
	}
	count, off := uint64(im.order.Uint16(b[4:])), uint64(im.order.Uint32(b[8:]))
	if count == 0 || count > maxMethods || off < 16 {
		return nil
	}
	table := im.bytes(a+off, count*methodSize)
	var out []int32
	for ; len(table) >= methodSize; table = table[methodSize:] {
		for _, o := range [2]uint32{im.order.Uint32(table[8:]), im.order.Uint32(table[12:])} {
			if o == ^uint32(0) || o == 0 {
				continue // pruned by the linker
			}
			f, ok := r.entry(m.text + uint64(o))
			if !ok {
				return nil // not a method table after all
			}
			out = append(out, f)
		}
	}
	return out
}

// eachMethod calls f with the entry of each method of each type. Not all types are reachable from
// an index, so the whole region is searched for what can only be an entry of a method table: the
// offsets of a name and of a function type beside two of function entries.
func (r typeReader) eachMethod(f func(entry uint64)) {
	im, m := r.tab.im, &r.tab.module
	region := im.bytes(m.types, m.etypes-m.types)
	for off := 0; off+methodSize <= len(region); off += 4 {
		code := [2]uint32{im.order.Uint32(region[off+8:]), im.order.Uint32(region[off+12:])}
		if code[0] == 0 || code[0] == ^uint32(0) || !r.isName(region, im.order.Uint32(region[off:])) {
			continue
		}
		typ := uint64(im.order.Uint32(region[off+4:]))
		if typ+typeSize > uint64(len(region)) || region[typ+typeKind]&kindMask != kindFunc {
			continue
		}
		_, plain := r.entry(m.text + uint64(code[0]))
		_, viaInterface := r.entry(m.text + uint64(code[1]))
		if plain && viaInterface {
			f(m.text + uint64(code[0]))
			f(m.text + uint64(code[1]))
		}
	}
}

// isName reports whether a name can be at off: a byte of flags, a length and that much text.
func (r typeReader) isName(region []byte, off uint32) bool {
	if uint64(off)+2 > uint64(len(region)) || off == 0 || region[off]&^0xf != 0 {
		return false
	}
	n, w := binary.Uvarint(region[off+1 : min(uint64(off)+4, uint64(len(region)))])
	return w > 0 && n > 0 && uint64(off)+1+uint64(w)+n <= uint64(len(region))
}

// named returns the addresses of the struct types of that name, which has the package's last
// element before the dot.
func (r typeReader) named(name string) []uint64 {
	m := &r.tab.module
	region := r.tab.im.bytes(m.types, m.etypes-m.types)
	// A name is a flag byte, a length and the text; the star is shared with the pointer type.
	text := append([]byte{byte(len(name) + 1), '*'}, name...)
	offs := map[uint32]bool{}
	for from := 0; ; {
		i := bytes.Index(region[from:], text)
		if i < 0 {
			break
		}
		from += i + 1
		offs[uint32(from-2)] = true
	}
	var out []uint64
	for t := 0; len(offs) > 0 && t+typeSize <= len(region); t += 8 {
		if region[t+typeKind]&kindMask == kindStruct && offs[r.tab.order.Uint32(region[t+typeStr:])] {
			out = append(out, m.types+uint64(t))
		}
	}
	return out
}

// size returns the bytes of a value of the type at t.
func (r typeReader) size(t uint64) uint64 {
	n, _ := r.tab.im.word(t)
	return n
}

// containedByValue reports whether another type than its pointer type refers to the type at t: a
// struct with such a field, an array or slice of it, a function that takes it.
func (r typeReader) containedByValue(t uint64) bool {
	im, m := r.tab.im, &r.tab.module
	region := im.bytes(m.types, m.etypes-m.types)
	for off := 0; off+8 <= len(region); off += 8 {
		if im.order.Uint64(region[off:]) != t {
			continue
		}
		if p := off - typeSize; p < 0 || region[p+typeKind]&kindMask != kindPointer {
			return true
		}
	}
	return false
}

// inDataOutside reports whether the address t stands in data that is no type: in an interface value
// or table.
func (r typeReader) inDataOutside(t uint64) bool {
	im, m := r.tab.im, &r.tab.module
	var key [8]byte
	im.order.PutUint64(key[:], t)
	for i := range im.segs {
		s := &im.segs[i]
		for from := 0; !s.exec; {
			k := bytes.Index(s.data[from:], key[:])
			if k < 0 {
				break
			}
			from += k + 1
			if a := s.addr + uint64(from-1); a%8 == 0 && (a < m.types || a >= m.etypes) {
				return true
			}
		}
	}
	return false
}
