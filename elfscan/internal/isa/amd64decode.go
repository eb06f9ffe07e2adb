package isa

// enc is what parse found in front of the ModRM operand.
//
//	bits  0-3   REX.B, X, R, W, or what VEX, EVEX and XOP have in their place
//	      4     a REX prefix is there
//	      5-7   prefixes 66, F3, F2; of the last two the later one counts
//	      8     prefix 67
//	      9     a segment prefix FS or GS counts
//	     10     prefix LOCK
//	     11-14  vvvv of VEX, EVEX and XOP
//	     15-16  vector length
//	     17     EVEX
//	     18     VEX or XOP
//	     19     EVEX.b: broadcast or rounding
//	     24-31  opcode
//	     32-37  map, including the mandatory prefix
type enc uint64

const (
	encB   enc = 1 << 0
	encX   enc = 1 << 1
	encR   enc = 1 << 2
	encW   enc = 1 << 3
	encREX enc = 1 << 4
	enc66  enc = 1 << 5
	encF3  enc = 1 << 6
	encF2  enc = 1 << 7
	enc67  enc = 1 << 8
	encSeg enc = 1 << 9

	encLock   enc = 1 << 10
	encEVEX   enc = 1 << 17
	encVEX    enc = 1 << 18
	encBcast  enc = 1 << 19
	encRexAll     = encREX | encB | encX | encR | encW
)

// ppOf turns prefixes 66, F3 and F2 (enc bits 5 to 7) into the mandatory prefix.
var ppOf = [8]uint8{0, 1, 2, 2, 3, 3, 3, 3}

// modLen gives, by ModRM byte, how many bytes it and its displacement take. With sibBit set a SIB
// byte follows, not counted.
var modLen = buildModLen()

const sibBit = 0x80

func buildModLen() (t [256]uint8) {
	for b := range t {
		mod, rm := b>>6, b&7
		n := [4]uint8{1, 2, 5, 1}[mod]
		switch {
		case mod == 0 && rm == 5: // relative to RIP
			n = 5
		case mod != 3 && rm == 4:
			n |= sibBit
		}
		t[b] = n
	}
	return t
}

// maxInsn is the longest instruction the processor accepts.
const maxInsn = 15

// opcode returns the last opcode byte.
func (x enc) opcode() byte { return byte(x >> 24) }

// table returns the opcode map, including the mandatory prefix: an index of opcodes.
func (x enc) table() int { return int(x >> 32 & 63) }

// parse finds the length n of the instruction at the start of code, the offset m of its ModRM byte
// (0: none), the attributes of its opcode and what stands in front of the operand. It is the one
// reader of encodings; Scan and Decode both build on it. n is 0 if the bytes are no instruction.
func parse(code []byte) (n, m int, a attr, x enc) {
	i := 0
	for ; ; i++ {
		if i >= len(code) || i >= maxInsn {
			return 0, 0, 0, 0
		}
		a = opcodes[mapOne][code[i]]
		if a&clMask != clPrefix {
			break
		}
		x = x.prefix(code[i])
	}
	if a&clMask == clEscape {
		i, a, x = escape(code, i, a, x)
	} else {
		x |= enc(code[i]) << 24
		i++
	}
	if a&defined == 0 {
		return 0, 0, 0, 0
	}
	if a&hasModRM != 0 {
		if i >= len(code) {
			return 0, 0, 0, 0
		}
		m = i
		b := code[i]
		l := modLen[b]
		switch {
		case a&modIsReg != 0:
			b |= 0xc0
			l = 1
		case l&sibBit != 0:
			i++
			if i >= len(code) {
				return 0, 0, 0, 0
			}
			if code[i]&7 == 5 && b < 0x40 {
				l += 4
			}
			l &^= sibBit
		}
		i += int(l)
		form := 16 + b>>3&7
		if b >= 0xc0 {
			form += 8
		}
		if a>>form&1 != 0 || a&check != 0 && undefinedForm(code, i, b, x) {
			return 0, 0, 0, 0
		}
	}
	if k := a & immMask; k != 0 {
		i += immBytes(code, m, k, x)
	}
	if i > len(code) || i > maxInsn {
		return 0, 0, 0, 0
	}
	return i, m, a, x
}

// immBytes returns the width of an immediate of kind k.
func immBytes(code []byte, m int, k attr, x enc) int {
	switch k {
	case immA:
		if x&enc67 != 0 {
			return 4
		}
		return 8
	case immT8, immTZ:
		if code[m]&0x30 != 0 { // not TEST
			return 0
		}
		if k == immT8 {
			return 1
		}
		k = immZ
	}
	return int(immLen[k][x>>5&1|x>>2&2])
}

// prefix adds a legacy or REX prefix. A REX prefix counts only if no other prefix follows it.
func (x enc) prefix(b byte) enc {
	if b&0xf0 == 0x40 {
		return x&^encRexAll | encREX | enc(b&15)
	}
	x &^= encRexAll
	switch b {
	case 0x64, 0x65:
		x |= encSeg
	case 0x66:
		x |= enc66
	case 0x67:
		x |= enc67
	case 0xf0:
		x |= encLock
	case 0xf2:
		x = x&^encF3 | encF2
	case 0xf3:
		x = x&^encF2 | encF3
	}
	// CS, DS, ES and SS mean nothing in 64-bit mode.
	return x
}

// escape reads on from the byte at i that leads to another opcode map. It returns the offset
// behind the opcode; attributes that are zero mean that there is no such opcode.
func escape(code []byte, i int, a attr, x enc) (int, attr, enc) {
	var c [6]byte // enough for the longest: EVEX and its opcode
	copy(c[:], code[i:])
	pp := enc(ppOf[x>>5&7])
	switch c[0] {
	case 0x0f:
		switch c[1] {
		case 0x38:
			return lookup(map38+pp, c[2], i+3, x)
		case 0x3a:
			return lookup(map3A+pp, c[2], i+3, x)
		}
		return lookup(map0F+pp, c[1], i+2, x)
	case 0x8f:
		if c[1]&0x1f < 8 { // POP
			return i + 1, a, x | 0x8f<<24
		}
	}
	if x&(encREX|enc66|encF3|encF2|encLock) != 0 {
		return i, 0, x
	}
	switch c[0] {
	case 0xc5:
		x |= encVEX | enc(^c[1]>>7)<<2 | enc(^c[1]>>3&15)<<11 | enc(c[1]>>2&1)<<15
		return lookup(mapVEX+enc(c[1]&3), c[2], i+3, x)
	case 0xc4, 0x8f:
		x |= encVEX | enc(^c[1]>>5) | enc(c[2]>>7)<<3 | enc(^c[2]>>3&15)<<11 | enc(c[2]>>2&1)<<15
		pp, num := enc(c[2]&3), enc(c[1]&0x1f)
		switch {
		case c[0] == 0xc4 && num >= 1 && num <= 3:
			return lookup(mapVEX+(num-1)*4+pp, c[3], i+4, x)
		case c[0] == 0x8f && num >= 8 && num <= 10 && pp == 0:
			return lookup(mapXOP+num-8, c[3], i+4, x)
		}
	case 0x62:
		x |= encEVEX | enc(^c[1]>>5) | enc(c[2]>>7)<<3 | enc(^c[2]>>3&15)<<11 | enc(c[3]>>5&3)<<15 | enc(c[3]>>4&1)*encBcast
		num := enc(c[1] & 15)
		if num >= 1 && num <= 6 && c[2]&4 != 0 {
			return lookup(mapEVEX+(num-1)*4+enc(c[2]&3), c[4], i+5, x)
		}
	}
	return i, 0, x
}

// lookup returns the attributes of an opcode. Where code ended before the opcode, end lies behind
// it and parse fails.
func lookup(table enc, op byte, end int, x enc) (int, attr, enc) {
	return end, opcodes[table][op], x | enc(op)<<24 | table<<32
}
