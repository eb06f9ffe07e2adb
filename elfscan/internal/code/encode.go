package code

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// encodingVersion is the first byte of encoded facts. It changes with the encoding and with what
// Extract finds.
const encodingVersion = 6

// Encode returns facts in a compact form for a cache: counts, then for each function its distance
// from the one before, size, flags and number of references, then the references, the objects and the offsets.
// Numbers are varints; a target is given by its distance from the instruction, or for data from the
// data referred to before.
func Encode(f *Facts) []byte {
	b := make([]byte, 0, 32+4*len(f.Funcs)+6*len(f.Refs)+2*len(f.Objects))
	b = append(b, encodingVersion)
	b = binary.AppendUvarint(b, uint64(len(f.Funcs)))
	b = binary.AppendUvarint(b, uint64(len(f.Refs)))
	b = binary.AppendUvarint(b, uint64(len(f.Objects)))
	b = binary.AppendUvarint(b, uint64(len(f.Offsets)))
	end := uint64(0)
	for i := range f.Funcs {
		fn := &f.Funcs[i]
		b = binary.AppendUvarint(b, fn.Start-end)
		b = binary.AppendUvarint(b, fn.End-fn.Start)
		b = append(b, byte(fn.Flags))
		b = binary.AppendUvarint(b, uint64(fn.N))
		end = fn.End
	}
	data := uint64(0)
	for i := range f.Funcs {
		fn := &f.Funcs[i]
		at := fn.Start
		for k := range f.Refs[fn.First : fn.First+fn.N] {
			r := &f.Refs[int(fn.First)+k]
			b = binary.AppendUvarint(b, r.At-at)
			at = r.At
			b = appendRef(b, r, &data)
		}
	}
	last := uint64(0)
	for _, o := range f.Objects {
		b = binary.AppendUvarint(b, o-last)
		last = o
	}
	last = 0
	for _, o := range f.Offsets {
		b = binary.AppendUvarint(b, o.At-last)
		b = binary.AppendVarint(b, int64(o.Target-o.At))
		last = o.At
	}
	return b
}

// sizes are the sizes of references that fit in a nibble; sizeNext says that a byte with it follows.
var sizes = [...]uint8{0, 1, 2, 4, 8, 16, 32, 64, 10, 28}

const sizeNext = 15

// appendRef appends kind, size and target. data is the target of the last reference to data.
func appendRef(b []byte, r *Ref, data *uint64) []byte {
	code := byte(sizeNext)
	for i, s := range sizes {
		if s == r.Size {
			code = byte(i)
			break
		}
	}
	b = append(b, byte(r.Kind)|code<<4)
	if code == sizeNext {
		b = append(b, r.Size)
	}
	switch r.Kind {
	case Call, Jump:
		b = binary.AppendVarint(b, int64(r.Target-r.At))
	case Addr, Load, Store, Table, Around:
		b = binary.AppendVarint(b, int64(r.Target-*data))
		*data = r.Target
	}
	return b
}

// errDamaged is the error of bytes that Encode did not make.
var errDamaged = errors.New("code facts: damaged encoding")

// decoder reads encoded facts. After the first error everything reads as 0.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) byte() byte {
	if len(d.b) == 0 {
		d.bad = true
		return 0
	}
	v := d.b[0]
	d.b = d.b[1:]
	return v
}

func (d *decoder) uvarint() uint64 {
	if len(d.b) > 0 && d.b[0] < 0x80 {
		v := d.b[0]
		d.b = d.b[1:]
		return uint64(v)
	}
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.b, d.bad = nil, true
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) varint() int64 {
	v := d.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

// count reads a number of items that take at least size bytes each.
func (d *decoder) count(size int) int {
	n := d.uvarint()
	if n > uint64(len(d.b)/size) {
		d.bad = true
		return 0
	}
	return int(n)
}

// up returns base plus a distance, which must be at least low, and not beyond the address space.
func (d *decoder) up(base, low uint64) uint64 {
	v := d.uvarint()
	if v < low || base+v < base {
		d.bad = true
		return base
	}
	return base + v
}

// Decode reads what Encode wrote. Anything else is an error; memory is bounded by a multiple of
// len(b).
func Decode(b []byte) (*Facts, error) {
	d := &decoder{b: b}
	if v := d.byte(); d.bad || v != encodingVersion {
		return nil, fmt.Errorf("code facts: version %d, not %d", v, encodingVersion)
	}
	funcs, refs, objects, offsets := d.count(4), d.count(2), d.count(1), d.count(2)
	f := &Facts{Funcs: make([]Func, 0, funcs), Refs: make([]Ref, 0, refs), Objects: make([]uint64, 0, objects)}
	d.funcs(f, funcs, refs)
	data := uint64(0)
	for i := 0; i < len(f.Funcs) && !d.bad; i++ {
		d.refs(f, &f.Funcs[i], &data)
	}
	last := uint64(0)
	for i := 0; i < objects && !d.bad; i++ {
		last = d.up(last, uint64(min(i, 1)))
		f.Objects = append(f.Objects, last)
	}
	last = 0
	for i := 0; i < offsets && !d.bad; i++ {
		last = d.up(last, 0)
		f.Offsets = append(f.Offsets, Offset{last, last + uint64(d.varint())})
	}
	if d.bad || len(d.b) > 0 {
		return nil, errDamaged
	}
	return f, nil
}

// funcs reads n functions that have refs references together.
func (d *decoder) funcs(f *Facts, n, refs int) {
	end, first := uint64(0), 0
	for i := 0; i < n && !d.bad; i++ {
		start := d.up(end, 0)
		end = d.up(start, 1)
		fn := Func{Start: start, End: end, First: uint32(first), Flags: Flags(d.byte())}
		count := d.uvarint()
		if count > uint64(refs-first) {
			d.bad = true
			return
		}
		fn.N = uint32(count)
		first += int(count)
		f.Funcs = append(f.Funcs, fn)
	}
	if first != refs {
		d.bad = true
	}
}

// refs reads the references of a function.
func (d *decoder) refs(f *Facts, fn *Func, data *uint64) {
	at := fn.Start
	for range fn.N {
		at = d.up(at, 0)
		code := d.byte()
		r := Ref{At: at, Kind: Kind(code & 15)}
		switch size := code >> 4; {
		case int(size) < len(sizes):
			r.Size = sizes[size]
		case size == sizeNext:
			r.Size = d.byte()
		default:
			d.bad = true
		}
		switch r.Kind {
		case Call, Jump:
			r.Target = at + uint64(d.varint())
		case Addr, Load, Store, Table, Around:
			*data += uint64(d.varint())
			r.Target = *data
		case Syscall, Compat, Bad:
		default:
			d.bad = true
		}
		if d.bad || at >= fn.End {
			d.bad = true
			return
		}
		f.Refs = append(f.Refs, r)
	}
}
