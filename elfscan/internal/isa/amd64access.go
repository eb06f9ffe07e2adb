package isa

// sizeFar stands for an access of more than 64 bytes, or at a distance that a register tells.
const sizeFar = 255

// accessSize is how many bytes the instruction reads from its memory operand, or writes to it if
// store is set; 0 if that is not known. The sizes are those of the manuals' operand columns (Intel
// SDM volume 2, AMD APM volumes 3 to 6).
func (d *insn64) accessSize(store bool) uint8 {
	op, reg, table := d.enc.opcode(), d.modrm()>>3&7, d.enc.table()
	switch {
	case table == mapOne:
		return d.accessOne(op, reg)
	case table < map38:
		return d.access0F(op, reg, store)
	case table == mapVEX && (op == 0x90 || op == 0x91): // KMOVW, KMOVQ
		return 2 << (2 * (d.enc >> 3 & 1))
	case table == mapVEX+1 && (op == 0x90 || op == 0x91): // KMOVB, KMOVD
		return 1 << (2 * (d.enc >> 3 & 1))
	case store && op == 0x1d && table >= mapVEX: // VCVTPS2PH halves the vector
		return 8 << (d.enc >> 15 & 3)
	case store:
		return d.storeSize()
	case table < map3A:
		return d.access38(op)
	case table < mapVEX:
		return d.access3A(op)
	case table < mapEVEX:
		return d.accessVEX(op, (table-mapVEX)>>2)
	case table < mapXOP && table < mapEVEX+4 && (op == 0x10 || op == 0x28 || op == 0x6f):
		return d.accessEVEX(op)
	}
	return 0
}

// accessOne is accessSize for the one-byte opcodes.
func (d *insn64) accessOne(op, reg byte) uint8 {
	switch {
	case op == 0x63: // MOVSXD
		return min(4, d.width())
	case op == 0x8c, op == 0x8e:
		return 2
	case op == 0x8f, op == 0xff && reg == 6: // POP, PUSH
		return uint8(d.stackSize())
	case op >= 0xd8 && op <= 0xdf:
		return x87Access[op&7][reg]
	case op == 0xff && (reg == 2 || reg == 4): // CALL, JMP
		if d.enc&enc66 != 0 {
			return 0 // 2 on processors of AMD, 8 on those of Intel
		}
		return 8
	case op == 0xff && (reg == 3 || reg == 5): // a far pointer
		return 0
	case op == 0x69, op == 0x6b, op&1 != 0:
		return d.width()
	}
	return 1
}

// x87Access gives the bytes that D8 to DF read or write, by ModRM.reg.
var x87Access = [8][8]uint8{
	0: {4, 4, 4, 4, 4, 4, 4, 4},
	1: {4, 0, 4, 4, 28, 2, 28, 2},
	2: {4, 4, 4, 4, 4, 4, 4, 4},
	3: {4, 4, 4, 4, 0, 10, 0, 10},
	4: {8, 8, 8, 8, 8, 8, 8, 8},
	5: {8, 8, 8, 8, sizeFar, 0, sizeFar, 2},
	6: {2, 2, 2, 2, 2, 2, 2, 2},
	7: {2, 2, 2, 2, 10, 8, 10, 8},
}

// pick returns the size for the mandatory prefixes none, 66, F3 and F2.
func (d *insn64) pick(sizes [4]uint8) uint8 { return sizes[ppOf[d.enc>>5&7]] }

// access0F is accessSize for the opcodes after 0F.
func (d *insn64) access0F(op, reg byte, store bool) uint8 {
	switch {
	case op == 0xab, op == 0xb3, op == 0xbb, op == 0xa3: // BTS BTR BTC BT by a register
		return sizeFar
	case op == 0xae:
		return d.accessAE(reg)
	case op == 0xc7 && reg == 1: // CMPXCHG8B, CMPXCHG16B
		return 8 << (d.enc >> 3 & 1)
	case op == 0xc7 && reg >= 6:
		return 8
	case op == 0xc7:
		return sizeFar
	case op == 0x00: // SLDT and its group
		return 2
	case store:
		return d.storeSize()
	case op == 0x02, op == 0x03, op == 0xb7, op == 0xbf, op == 0xc4:
		return 2
	case op == 0xb6, op == 0xbe:
		return 1
	case op >= 0x40 && op <= 0x4f, op == 0xaf, op >= 0xb8 && op <= 0xbd, op == 0xa4, op == 0xa5, op == 0xac, op == 0xad:
		return d.width()
	}
	return d.accessSSE(op)
}

// accessAE is the group 0F AE: FXSAVE, FXRSTOR, XSAVE and XRSTOR reach far.
func (d *insn64) accessAE(reg byte) uint8 {
	switch {
	case d.enc&(enc66|encF2|encF3) != 0:
		return 0
	case reg == 2, reg == 3: // LDMXCSR, STMXCSR
		return 4
	case reg == 7: // CLFLUSH
		return 0
	}
	return sizeFar
}

// accessSSE is for the loads of MMX and SSE registers after 0F.
func (d *insn64) accessSSE(op byte) uint8 {
	vector := d.pick([4]uint8{16, 16, 16, 16})
	switch {
	case op == 0x10, op >= 0x51 && op <= 0x5f && op != 0x5a && op != 0x5b, op == 0xc2:
		return d.pick([4]uint8{16, 16, 4, 8})
	case op == 0x12:
		return d.pick([4]uint8{8, 8, 16, 8})
	case op == 0x16:
		return d.pick([4]uint8{8, 8, 16, 0})
	case op == 0x13, op == 0x17:
		return 8
	case op == 0x2a:
		return d.pick([4]uint8{8, 8, 4 << (d.enc >> 3 & 1), 4 << (d.enc >> 3 & 1)})
	case op == 0x2c, op == 0x2d:
		return d.pick([4]uint8{8, 16, 4, 8})
	case op == 0x2e, op == 0x2f:
		return d.pick([4]uint8{4, 8, 0, 0})
	case op == 0x5a:
		return d.pick([4]uint8{8, 16, 4, 8})
	case op == 0x14, op == 0x15, op == 0x28, op == 0x5b, op == 0x6c, op == 0x6d, op == 0x7c, op == 0x7d, op == 0xc6, op == 0xd0, op == 0xf0:
		return vector
	case op == 0x6e:
		return 4 << (d.enc >> 3 & 1)
	case op == 0x7e: // MOVQ
		return 8
	case op == 0xe6:
		return d.pick([4]uint8{0, 16, 8, 16})
	case op >= 0x60 && op <= 0x62:
		return d.pick([4]uint8{4, 16, 0, 0})
	case op >= 0x63 && op <= 0x76, op >= 0xd1:
		return d.pick([4]uint8{8, 16, 16, 16})
	}
	return 0
}

// extendShift tells, for PMOVSX and PMOVZX of the opcodes 20 to 25 and 30 to 35 after 0F 38, by how
// many bits the source is narrower than the vector.
var extendShift = [6]uint8{1, 2, 3, 1, 2, 1}

// access38 is for the opcodes after 0F 38.
func (d *insn64) access38(op byte) uint8 {
	switch {
	case op >= 0x20 && op <= 0x25, op >= 0x30 && op <= 0x35:
		return 16 >> extendShift[op&7]
	case op == 0xf0 && d.enc&encF2 != 0: // CRC32 of a byte
		return 1
	case op == 0xf0, op == 0xf1:
		return d.width()
	case op == 0xf6:
		return 4 << (d.enc >> 3 & 1)
	case op < 0x0c, op >= 0x1c && op <= 0x1e:
		return d.pick([4]uint8{8, 16, 0, 0})
	case op < 0x48, op >= 0xc8 && op <= 0xcf, op >= 0xdb && op <= 0xdf && d.enc&encF3 == 0:
		return 16
	}
	return 0
}

// access3A is for the opcodes after 0F 3A.
func (d *insn64) access3A(op byte) uint8 {
	switch op {
	case 0x0a, 0x21:
		return 4
	case 0x0b:
		return 8
	case 0x20:
		return 1
	case 0x22:
		return 4 << (d.enc >> 3 & 1)
	case 0x0f:
		return d.pick([4]uint8{8, 16, 0, 0})
	}
	if op >= 0x60 && op <= 0x63 || op >= 0x40 && op <= 0x44 || op >= 0xcc || op >= 0x08 && op <= 0x0e {
		return 16
	}
	return 0
}

// accessVEX is for the opcodes after VEX: num is 0, 1 and 2 for the counterparts of 0F, 0F 38 and
// 0F 3A. What is masked, and what is rarer, is not known.
func (d *insn64) accessVEX(op byte, num int) uint8 {
	pp, vector := (d.enc.table()-mapVEX)&3, uint8(16)<<(d.enc>>15&1)
	scalar := uint8(4) << (d.enc >> 3 & 1)
	switch {
	case num == 0 && (op == 0x10 || op == 0x6f || op == 0x28 || op >= 0x51 && op <= 0x5f && op != 0x5a && op != 0x5b):
		if op != 0x6f && pp >= 2 {
			return 4 << (pp & 1)
		}
		return vector
	case num == 0 && (op == 0x14 || op == 0x15 || op >= 0x60 && op <= 0x6d || op == 0x70 || op >= 0x74 && op <= 0x76 || op == 0xc6 || op == 0xf0):
		return vector
	case num == 0 && (op >= 0xd8 && op <= 0xdf || op >= 0xe8 && op <= 0xef || op >= 0xf4 && op <= 0xfe || op == 0xe4 || op == 0xe5 || op == 0xd4 || op == 0xd5):
		return vector
	case num == 0 && op == 0x6e, num == 0 && op == 0x2a:
		return scalar
	case num == 0 && op == 0x7e, num == 0 && (op == 0x12 || op == 0x16) && pp < 2:
		return 8
	case num == 0 && (op == 0x2e || op == 0x2f):
		return 4 << (pp & 1)
	case num == 1 && (op <= 0x0b || op >= 0x1c && op <= 0x1e || op >= 0x28 && op <= 0x2b || op >= 0x37 && op <= 0x40 || op == 0x17):
		return vector
	case num == 1 && (op >= 0x20 && op <= 0x25 || op >= 0x30 && op <= 0x35):
		return vector >> extendShift[op&7]
	case num == 1 && op == 0x18, num == 1 && op == 0x58:
		return 4
	case num == 1 && (op == 0x19 || op == 0x59):
		return 8
	case num == 1 && (op == 0x1a || op == 0x5a):
		return 16
	case num == 1 && (op == 0x78 || op == 0x79):
		return 1 << (op & 1)
	case num == 2 && (op == 0x18 || op == 0x38): // VINSERTF128
		return 16
	case num == 2 && op == 0x0f:
		return vector
	}
	return 0
}

// accessEVEX is for whole vectors moved without a mask.
func (d *insn64) accessEVEX(op byte) uint8 {
	pp := d.enc.table() - mapEVEX
	switch {
	case d.code[d.m-2]&0x97 != 0 && d.code[d.m-2]&0x07 != 0, d.enc&encBcast != 0: // masked
		return 0
	case op == 0x10 && pp >= 2:
		return 4 << (pp & 1)
	}
	return 16 << (d.enc >> 15 & 3)
}
