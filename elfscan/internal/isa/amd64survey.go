package isa

import "encoding/binary"

// surveyAMD64 is AMD64's Survey.
func surveyAMD64(code []byte, base, lo, hi uint64, refs []Ref) []Ref {
	for i := 0; i < len(code); {
		n, m, a, x := parse(code[i:])
		switch {
		case n == 0:
			refs = append(refs, Ref{At: base + uint64(i), Kind: RefBad})
			n = 1
		case m != 0:
			b := code[i+m]
			if b&0xc7 == 5 || b&0xc7 == 4 && m+1 < n && code[i+m+1]&0x3f == 0x25 || a&(check|indirect) != 0 {
				refs = surveyOperand(code, i, base, refs)
			}
		case a&clMask > clExact:
			refs = scanFlow(code, i, base, refs)
			if a&clMask == clMoffs && x&encSeg == 0 {
				refs[len(refs)-1].Size = moffsSize(code[i:i+n], x)
			}
		}
		if hi != 0 {
			refs = absolutes(code[i:i+n], m, a, x, base+uint64(i), lo, hi, refs)
		}
		i += n
	}
	return refs
}

// moffsSize is how many bytes MOV between the accumulator and an absolute address moves.
func moffsSize(insn []byte, x enc) uint8 {
	d := insn64{code: insn, enc: x}
	if x.opcode()&1 == 0 {
		return 1
	}
	return d.width()
}

// surveyOperand is scanOperand with what Survey reports besides.
func surveyOperand(code []byte, i int, base uint64, refs []Ref) []Ref {
	n, m, a, x := parse(code[i:])
	insn, at := code[i:i+n], base+uint64(i)
	b := insn[m]
	if a&indirect != 0 && x.table() == mapOne {
		if reg := b >> 3 & 7; reg >= 2 && reg <= 5 && (x&encSeg != 0 || !fixedOperand(insn, m, x)) {
			return append(refs, Ref{At: at, Kind: RefCallInd + RefKind(reg>>2)})
		}
	}
	before := len(refs)
	refs = scanOperand(code, i, base, refs)
	if len(refs) == before || refs[before].Kind != RefLoad && refs[before].Kind != RefStore {
		return refs
	}
	d := insn64{code: insn, m: m, attr: a, enc: x, pc: at}
	size := d.accessSize(refs[before].Kind == RefStore)
	switch {
	case d.vectorIndex() || size == sizeFar && refs[before].Kind == RefLoad:
		refs[before].Kind = RefAddr
	case size == sizeFar:
		return append(refs, Ref{At: at, Target: refs[before].Target, Kind: RefAddr})
	default:
		refs[before].Size = size
	}
	return refs
}

// fixedOperand reports whether the ModRM operand is memory at a fixed address.
func fixedOperand(insn []byte, m int, x enc) bool {
	b := insn[m]
	return b&0xc7 == 5 || b&0xc7 == 4 && insn[m+1]&0x3f == 0x25 && x&encX == 0
}

// vectorIndex reports whether the index of the memory operand is a vector register: gathers,
// scatters and prefetches of them.
func (d *insn64) vectorIndex() bool {
	op := d.enc.opcode()
	switch t := d.enc.table(); {
	case t == mapVEX+4+1:
		return op >= 0x90 && op <= 0x93
	case t == mapEVEX+4+1:
		return op >= 0x90 && op <= 0x93 || op >= 0xa0 && op <= 0xa3 || op == 0xc6 || op == 0xc7
	}
	return false
}

// absolutes appends the immediate and the displacement of an instruction at address at, if they
// lie in [lo, hi). A displacement without base and index is a place that scanOperand reports.
func absolutes(insn []byte, m int, a attr, x enc, at, lo, hi uint64, refs []Ref) []Ref {
	n := len(insn)
	if k := a & immMask; k == immZ || k == immV || k == immTZ {
		var v uint64
		switch immBytes(insn, m, k, x) {
		case 4:
			v = uint64(binary.LittleEndian.Uint32(insn[n-4:]))
		case 8:
			v = binary.LittleEndian.Uint64(insn[n-8:])
		}
		if v >= lo && v < hi {
			ref := Ref{At: at, Target: v, Kind: RefAddr}
			if addsImmediate(insn, m, x) {
				ref.Size = Added
			}
			refs = append(refs, ref)
		}
	}
	if m == 0 || x&encSeg != 0 || a&modIsReg != 0 || a&clMask != clLea && a&noAccess != 0 {
		return refs
	}
	b, disp := insn[m], m+1
	switch {
	case b&0xc0 == 0x80 && b&7 == 4:
		disp++
	case b&0xc0 == 0x80:
	case b&0xc7 == 4 && insn[m+1]&7 == 5 && !fixedOperand(insn, m, x):
		disp++
	default:
		return refs
	}
	v := uint64(binary.LittleEndian.Uint32(insn[disp:]))
	d := insn64{code: insn, m: m, attr: a, enc: x, pc: at}
	switch {
	case d.fetches() && !(b&7 == 4 && insn[m+1]&7 == 4): // the stack pointer leads to no table
		if slack := lo / 2; v >= lo-slack && v < hi+slack {
			refs = append(refs, Ref{At: at, Target: v, Kind: RefAddr, Size: Biased})
		}
	case v >= lo && v < hi:
		refs = append(refs, Ref{At: at, Target: v, Kind: RefAddr, Size: Displaced})
	}
	return refs
}

// addsImmediate reports whether the instruction adds its immediate to a register. An address that is
// subtracted makes a distance, no other address.
func addsImmediate(insn []byte, m int, x enc) bool {
	op := x.opcode()
	return x.table() == mapOne && (op == 0x05 || op == 0x81 && insn[m] >= 0xc0 && insn[m]>>3&7 == 0)
}

// fetches reports whether the instruction can get a pointer by its memory operand: it forms the
// address, or reads 8 bytes there or more.
func (d *insn64) fetches() bool {
	op, table := d.enc.opcode(), d.enc.table()
	exchanges := table == mapOne && op == 0x87 || table >= map0F && table <= map0F+3 && (op == 0xb1 || op == 0xc1) // XCHG, CMPXCHG, XADD
	switch {
	case d.attr&clMask == clLea, d.vectorIndex():
		return true
	case d.attr.writesRM(d.modrm()>>3&7) && !exchanges:
		return false
	}
	size := d.accessSize(exchanges)
	return size == 0 || size >= 8
}

// Plausible reports whether the x86-64 instruction is one that compilers and people write for user
// space, as far as its opcode tells: ports, descriptor tables and the like are not, and neither are
// the opcodes that data decodes to (ADD of 0, far returns). It helps to tell code from tables.
func Plausible(insn []byte) bool {
	n, m, _, x := parse(insn)
	if n == 0 {
		return false
	}
	switch op := x.opcode(); x.table() {
	case mapOne:
		switch op {
		case 0x00:
			return m != 0 && insn[m] != 0
		case 0x6c, 0x6d, 0x6e, 0x6f, 0x8e, 0xa0, 0xa1, 0xa2, 0xa3, 0xc8, 0xca, 0xcb, 0xcf, 0xd7, 0xe0, 0xe1, 0xe4, 0xe5, 0xe6, 0xe7,
			0xec, 0xed, 0xee, 0xef, 0xf1, 0xfa, 0xfb:
			return false
		case 0xcd:
			return insn[n-1] == 0x80 || insn[n-1] == 3
		case 0xff:
			return m == 0 || insn[m]>>3&7 != 3 && insn[m]>>3&7 != 5
		}
	case map0F, map0F + 1, map0F + 2, map0F + 3:
		switch op {
		case 0x00, 0x02, 0x03, 0x06, 0x07, 0x08, 0x09, 0x0e, 0x0f, 0x20, 0x21, 0x22, 0x23, 0x30, 0x32, 0x33,
			0x35, 0x37, 0x78, 0x79, 0xa0, 0xa1, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb4, 0xb5, 0xb9, 0xff:
			return false
		}
	}
	return true
}
