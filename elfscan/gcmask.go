package elfscan

import "bytes"

// The places of pointers in a variable or a type are known to the garbage collector, and a struct
// with many fields is told by them: where its pattern of pointers does not occur, no such struct
// can lie, whatever it is a part of and whatever its type is called (src/runtime/mbitmap.go).

const (
	modData    = 208     // data, edata, bss, ebss
	modGCData  = 280     // programs that tell the pointers of data and of bss
	maskBytes  = 8       // where abi.Type keeps how many bytes may hold pointers
	maskAt     = 32      // and where the mask of their words is
	maxMaskLen = 1 << 24 // words of data that are looked at; more counts as unknown
)

// pointerMask returns the pointer mask of the type at t, one byte for each word up to the last
// pointer; nil if it has none or keeps it elsewhere.
func (r typeReader) pointerMask(t uint64) []byte {
	const (
		onDemand = 1 << 4 // abi.TFlagGCMaskOnDemand, since Go 1.24
		gcProg   = 1 << 6 // abi.KindGCProg, before; a kind has no such bit since
	)
	im := r.tab.im
	b := im.bytes(t, typeSize)
	if b == nil || b[typeTFlag]&onDemand != 0 || b[typeKind]&gcProg != 0 {
		return nil
	}
	n := im.order.Uint64(b[maskBytes:]) / 8
	if n == 0 || n > 1<<16 {
		return nil
	}
	m := im.bytes(im.order.Uint64(b[maskAt:]), (n+7)/8)
	if m == nil {
		return nil
	}
	out := make([]byte, n)
	for i := range out {
		out[i] = m[i/8] >> (i % 8) & 1
	}
	return out
}

// dataMask runs one of the garbage collector's programs for data: a byte up to 127 is followed by
// that many bits; from 128 on, the last (byte-128) bits are repeated as often as the next number
// says, where 0 means that their number comes first. A zero ends it.
func (t *pclntab) dataMask(program, size uint64) []byte {
	words := size / 8
	if words == 0 || words > maxMaskLen {
		return nil
	}
	out := make([]byte, 0, words)
	at := program
	next := func() uint64 {
		b := t.im.bytes(at, 1)
		at++
		if b == nil {
			return 0
		}
		return uint64(b[0])
	}
	number := func() (n uint64) {
		for shift := 0; shift < 63; shift += 7 {
			b := next()
			n |= b & 127 << shift
			if b < 128 {
				return n
			}
		}
		return n
	}
	for uint64(len(out)) < words {
		op := next()
		switch {
		case op == 0:
			return out
		case op < 128:
			for i := uint64(0); i < op; i += 8 {
				b := next()
				for k := i; k < min(op, i+8); k++ {
					out = append(out, byte(b&1))
					b >>= 1
				}
			}
		default:
			n := op & 127
			if n == 0 {
				n = number()
			}
			c := number()
			if n == 0 || n > uint64(len(out)) {
				return nil
			}
			for ; c > 0 && uint64(len(out)) < words; c-- {
				out = append(out, out[uint64(len(out))-n:][:n]...)
			}
		}
	}
	return out
}

// countMask counts the places in mask at which pattern stands.
func countMask(mask, pattern []byte) int {
	n := 0
	for {
		i := bytes.Index(mask, pattern)
		if i < 0 {
			return n
		}
		n++
		mask = mask[i+1:]
	}
}

// manyPlaces is staticLike's answer where it cannot tell.
const manyPlaces = 1 << 30

// staticLike counts the places in static data that may hold a value of the type at t.
func (p *program) staticLike(t uint64) int {
	pattern := p.types.pointerMask(t)
	m := p.tab.im.bytes(p.tab.module.addr, modSize)
	if pattern == nil || m == nil {
		return manyPlaces
	}
	w := func(off int) uint64 { return p.im.order.Uint64(m[off:]) }
	n := 0
	for i := range 2 {
		size := w(modData+16*i+8) - w(modData+16*i)
		mask := p.tab.dataMask(w(modGCData+8*i), size)
		if mask == nil && size > 0 {
			return manyPlaces
		}
		n += countMask(mask, pattern)
	}
	return n
}

// typesLike reports whether another struct type than the one at t may contain it, or be it under
// another name. Types of more than 128 kB of pointers have no mask to compare: what contains t by
// its own name is containedByValue's to find.
func (p *program) typesLike(t uint64) bool {
	pattern := p.types.pointerMask(t)
	region := p.im.bytes(p.tab.module.types, p.tab.module.etypes-p.tab.module.types)
	if pattern == nil {
		return true
	}
	size := p.types.size(t)
	for off := 0; off+typeSize <= len(region); off += 8 {
		a := p.tab.module.types + uint64(off)
		s := p.im.order.Uint64(region[off:])
		ptr := p.im.order.Uint64(region[off+maskBytes:])
		if a == t || s < size || ptr > s || region[off+typeKind]&kindMask != kindStruct || !p.types.isType(a) {
			continue
		}
		if mask := p.types.pointerMask(a); countMask(mask, pattern) > 0 {
			return true
		}
	}
	return false
}
