package isa

import "math/rand/v2"

// Instructions made up for the comparisons with objdump and with the processor.

// sample is a generated instruction, followed by random bytes so that every immediate fits.
type sample struct {
	code        []byte
	base, index Reg // of the ModRM operand in memory, if it has them
}

// sampleData is where RIP-relative samples point to, from the instruction's start.
const sampleData = 0x7000 + 0x4000

// makeSample encodes opcode op of the given table (an index of opcodes) with ModRM.reg reg and a
// memory or register operand. Everything else about it is random.
func makeSample(r *rand.Rand, table int, op, reg byte, memory bool) sample {
	s := sample{base: NoReg, index: NoReg}
	rex := byte(0)
	if r.IntN(2) == 0 {
		rex = byte(r.IntN(16))
	}
	operand := s.operand(r, reg, rex, memory)
	switch {
	case table < mapVEX:
		s.legacy(r, table, rex)
	case table < mapEVEX:
		s.vex(r, 0xc4, byte(table-mapVEX)/4+1, byte(table-mapVEX)%4, rex)
	case table < mapXOP:
		s.evex(r, byte(table-mapEVEX)/4+1, byte(table-mapEVEX)%4, rex)
	default:
		s.vex(r, 0x8f, byte(table-mapXOP)+8, 0, rex)
	}
	s.code = append(append(s.code, op), operand...)
	for range 10 {
		s.code = append(s.code, byte(r.Uint32()))
	}
	return s
}

func (s *sample) legacy(r *rand.Rand, table int, rex byte) {
	if table > mapOne {
		if pp := (table - 1) % 4; pp > 0 {
			s.code = append(s.code, []byte{0x66, 0xf3, 0xf2}[pp-1])
		}
	} else if r.IntN(4) == 0 {
		s.code = append(s.code, 0x66)
	}
	if r.IntN(32) == 0 {
		s.code = append(s.code, []byte{0x67, 0x66, 0x2e, 0xf3, 0xf2, 0x64}[r.IntN(6)])
	}
	if rex != 0 {
		s.code = append(s.code, 0x40|rex)
	}
	switch {
	case table >= map3A:
		s.code = append(s.code, 0x0f, 0x3a)
	case table >= map38:
		s.code = append(s.code, 0x0f, 0x38)
	case table >= map0F:
		s.code = append(s.code, 0x0f)
	}
}

// vvvv is random, but often the one value that instructions without such an operand accept.
func vvvv(r *rand.Rand) byte {
	if r.IntN(2) == 0 {
		return 15
	}
	return byte(r.IntN(16))
}

func (s *sample) vex(r *rand.Rand, escape, m, pp, rex byte) {
	second := rex>>3<<7 | vvvv(r)<<3 | byte(r.IntN(2))<<2 | pp
	if escape == 0xc4 && m == 1 && rex&^4 == 0 && r.IntN(2) == 0 {
		s.code = append(s.code, 0xc5, second&0x7f|(^rex&4)<<5)
		return
	}
	s.code = append(s.code, escape, (^rex&7)<<5|m, second)
}

func (s *sample) evex(r *rand.Rand, m, pp, rex byte) {
	last := byte(r.IntN(3))<<5 | 8
	if r.IntN(2) == 0 {
		last |= byte(r.IntN(8)) // mask register
	}
	if r.IntN(4) == 0 {
		last |= 0x10 // broadcast or rounding
	}
	s.code = append(s.code, 0x62, (^rex&7)<<5|0x10|m, rex>>3<<7|vvvv(r)<<3|4|pp, last)
}

// operand makes a ModRM operand.
func (s *sample) operand(r *rand.Rand, reg, rex byte, memory bool) []byte {
	rm := byte(r.IntN(8))
	switch {
	case !memory:
		return []byte{0xc0 | reg<<3 | rm}
	case rm == 5 && r.IntN(2) == 0: // relative to RIP
		return []byte{reg<<3 | 5, byte(sampleData & 0xff), byte(sampleData >> 8), 0, 0}
	case rm == 4:
		index, base := byte(r.IntN(8)), byte(r.IntN(8))
		s.base = Reg(base | rex&1<<3)
		if Reg(index|rex&2<<2) == s.base { // one register cannot be pointer and index
			index ^= 1
		}
		if i := Reg(index | rex&2<<2); i != rsp {
			s.index = i
		}
		return []byte{0x44 | reg<<3, byte(r.IntN(4))<<6 | index<<3 | base, byte(r.Uint32())}
	}
	s.base = Reg(rm | rex&1<<3)
	if r.IntN(4) == 0 {
		d := int32(r.IntN(4096) - 2048)
		return []byte{0x80 | reg<<3 | rm, byte(d), byte(d >> 8), byte(d >> 16), byte(d >> 24)}
	}
	return []byte{0x40 | reg<<3 | rm, byte(r.Uint32())}
}

// sampleTables are the tables that samples are made for.
func sampleTables() []int {
	var tables []int
	for i := range mapCount {
		if m := (i - mapEVEX) / 4; i < mapEVEX || i >= mapXOP || m != 3 {
			tables = append(tables, i)
		}
	}
	return tables
}
