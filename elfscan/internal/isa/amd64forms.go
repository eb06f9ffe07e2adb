package isa

// undefinedForm tells, for the opcodes marked check, whether the instruction is undefined although
// its opcode is defined. modrm is the ModRM byte, after the offset behind the ModRM operand.
func undefinedForm(code []byte, after int, modrm byte, x enc) bool {
	op, table := x.opcode(), x.table()
	isReg := modrm >= 0xc0
	form := uint64(1) << (modrm & 0x3f)
	switch {
	case table == mapOne && op >= 0xd8:
		return isReg && x87Forms[op&7]&form == 0
	case table == mapOne: // C6, C7: of the forms with ModRM.reg 7 only XABORT and XBEGIN
		return modrm > 0xc7 && modrm != 0xf8
	case table == map3A+2 || table == mapVEX+4: // HRESET, TILERELEASE
		return isReg && modrm != 0xc0
	case op == 0x01 && !isReg: // RSTORSSP has F3
		return modrm>>3&7 == 5 && table != map0F+2
	case op == 0x01:
		return forms0F01[table-map0F]&form == 0
	case op == 0x0f:
		if after >= len(code) {
			return true
		}
		suffix := code[after]
		return suffixes3DNow[suffix>>6]>>(suffix&63)&1 == 0
	case op == 0xa6:
		return modrm != 0xc0 && modrm != 0xc8 && modrm != 0xd0
	case op == 0xa7:
		return modrm&7 != 0 || modrm > 0xe8
	}
	return false
}

// x87Forms has bit ModRM-0xc0 set for each register form of D8 to DF that processors run. Some of
// them (D9 D8, DC D0, DD C8, DE D0, DF C8 and so on) are undocumented aliases, which objdump calls bad.
var x87Forms = [8]uint64{
	0xffffffffffffffff, 0xffff7f33ff01ffff, 0x00000200ffffffff, 0x00ffff3fffffffff,
	0xffffffffffffffff, 0x0000ffffffffffff, 0xffffffff02ffffff, 0x00ffff01ffffffff,
}

// forms0F01 does the same for 0F 01 under the prefixes none, 66, F3 and F2: VMCALL, MONITOR,
// XGETBV, RDTSCP and so on.
var forms0F01 = [4]uint64{0xffffc1fffff38f7f, 0x13ff00fffff3ff3f, 0xf7fff5fffff30f7f, 0xd3ff03fffff30f7f}

// suffixes3DNow has bit n set where 0F 0F with suffix n is an instruction.
var suffixes3DNow = [4]uint64{0x30003000, 0, 0x88d144d144d14400, 0}
