package isa

// The opcode maps. Maps whose opcodes depend on the mandatory prefix have one table for each of
// none, 66, F3 and F2, in the order of the pp field of VEX.
const (
	mapOne   = 0             // one-byte opcodes
	map0F    = 1             // two-byte opcodes
	map38    = map0F + 4     // 0F 38
	map3A    = map38 + 4     // 0F 3A
	mapVEX   = map3A + 4     // VEX maps 1 to 3
	mapEVEX  = mapVEX + 3*4  // EVEX maps 1 to 6, of which 4 is not used
	mapXOP   = mapEVEX + 6*4 // XOP maps 8 to 10
	mapCount = mapXOP + 3
)

// opcodes is the decoder's only table, indexed by map (and prefix) and opcode.
var opcodes = buildOpcodes()

// Sets of mandatory prefixes that a rule is for.
const (
	np  = 1 << iota // none
	p66             // 66
	pF3             // F3
	pF2             // F2
	all = np | p66 | pF3 | pF2
)

// rule gives the attributes of the opcodes lo to hi of a map under the prefixes pp. Later rules
// override earlier ones.
type rule struct {
	pp     uint8
	lo, hi uint8
	attr   attr
}

func buildOpcodes() *[mapCount][256]attr {
	var t [mapCount][256]attr
	fill := func(first int, rules []rule) {
		for _, r := range rules {
			for pp := range 4 {
				if r.pp>>pp&1 == 0 {
					continue
				}
				for op := int(r.lo); op <= int(r.hi); op++ {
					t[first+pp][op] = r.attr | defined
				}
			}
		}
	}
	fill(mapOne, oneByteRules())
	fill(map0F, twoByteRules)
	fill(map38, rules38)
	fill(map3A, rules3A)
	fill(mapVEX, rulesVEX1)
	fill(mapVEX+4, rulesVEX2)
	fill(mapVEX+8, rulesVEX3)
	fill(mapEVEX, rulesEVEX1)
	fill(mapEVEX+4, rulesEVEX2)
	fill(mapEVEX+8, rulesEVEX3)
	fill(mapEVEX+16, rulesEVEX5)
	fill(mapEVEX+20, rulesEVEX6)
	fill(mapXOP, rulesXOP8)
	fill(mapXOP+1, rulesXOP9)
	fill(mapXOP+2, rulesXOPA)
	return &t
}

// General registers by hardware number.
const (
	rax Reg = iota
	rcx
	rdx
	rbx
	rsp
	rbp
	rsi
	rdi
)

// Shapes that many opcodes share.
const (
	mr     = hasModRM
	toReg  = hasModRM | writesReg                    // reg = f(r/m)
	toReg8 = toReg | sz1                             // the same, bytes
	toRM   = hasModRM | rmGeneral | wAll | szOp      // r/m = f(reg)
	toRM8  = hasModRM | rmGeneral | wAll | sz1       // the same, bytes
	group  = hasModRM | rmGeneral | szOp             // w says which members write
	group8 = hasModRM | rmGeneral | sz1              //
	every  = attr(0xffff) << 32                      // all registers may change
	axdx   = attr(1<<rax|1<<rdx) << 32               //
	ax2dx  = attr(1<<rax|1<<rbx|1<<rcx|1<<rdx) << 32 //
	ax     = attr(1<<rax) << 32                      //
	sp     = attr(1<<rsp) << 32                      //
)

// oneByteRules describes the one-byte opcodes that 64-bit mode has.
func oneByteRules() []rule {
	var rules []rule
	add := func(lo, hi uint8, a attr) { rules = append(rules, rule{np, lo, hi, a}) }
	// ADD OR ADC SBB AND SUB XOR, and CMP, which writes nothing.
	for op := uint8(0); op < 0x38; op += 8 {
		add(op, op, toRM8|clExact)
		add(op+1, op+1, toRM|clExact)
		add(op+2, op+2, toReg8|clExact)
		add(op+3, op+3, toReg|clExact)
		add(op+4, op+4, imm8|ax|clExact)
		add(op+5, op+5, immZ|ax|clExact)
	}
	add(0x38, 0x3b, mr)
	add(0x3c, 0x3c, imm8)
	add(0x3d, 0x3d, immZ)
	return append(rules, []rule{
		{np, 0x0f, 0x0f, clEscape},
		{np, 0x26, 0x26, clPrefix}, {np, 0x2e, 0x2e, clPrefix}, // ES, CS
		{np, 0x36, 0x36, clPrefix}, {np, 0x3e, 0x3e, clPrefix}, // SS, DS
		{np, 0x40, 0x4f, clPrefix},                       // REX
		{np, 0x50, 0x57, sp | clExact},                   // PUSH
		{np, 0x58, 0x5f, sp | writesOp | clExact},        // POP
		{np, 0x62, 0x62, clEscape},                       // EVEX
		{np, 0x63, 0x63, toReg | clExact},                // MOVSXD
		{np, 0x64, 0x67, clPrefix},                       // FS, GS, operand size, address size
		{np, 0x68, 0x68, immZ | sp | clExact},            // PUSH
		{np, 0x69, 0x69, toReg | immZ},                   // IMUL
		{np, 0x6a, 0x6a, imm8 | sp | clExact},            // PUSH
		{np, 0x6b, 0x6b, toReg | imm8},                   // IMUL
		{np, 0x6c, 0x6d, clob(Regs(rdi, rcx)) | clExact}, // INS
		{np, 0x6e, 0x6f, clob(Regs(rsi, rcx))},           // OUTS
		{np, 0x70, 0x7f, imm8 | clBranch},                // Jcc
		{np, 0x80, 0x80, group8 | w(0x7f) | imm8 | clExact},
		{np, 0x81, 0x81, group | w(0x7f) | immZ | clExact},
		{np, 0x83, 0x83, group | w(0x7f) | imm8 | clExact},
		{np, 0x84, 0x85, mr},                          // TEST
		{np, 0x86, 0x86, toRM8 | writesReg | clExact}, // XCHG
		{np, 0x87, 0x87, toRM | writesReg | clExact},
		{np, 0x88, 0x88, toRM8 | clExact}, // MOV
		{np, 0x89, 0x89, toRM | clExact},
		{np, 0x8a, 0x8a, toReg8 | clExact}, {np, 0x8b, 0x8b, toReg | clExact},
		{np, 0x8c, 0x8c, mr | rmGeneral | wAll | sz2 | only(0x3f, 0x3f)}, // MOV from a segment register
		{np, 0x8d, 0x8d, toReg | memOnly | noAccess | clLea},
		{np, 0x8e, 0x8e, mr | only(0x3d, 0x3d)},                           // MOV to a segment register
		{np, 0x8f, 0x8f, group | w(1) | sz8 | sp | clEscape | only(1, 1)}, // POP, or XOP
		{np, 0x90, 0x97, ax | writesOp | clExact},                         // NOP, XCHG
		{np, 0x98, 0x98, ax | clExact},                                    // CDQE
		{np, 0x99, 0x99, clob(Regs(rdx))},                                 // CQO
		{np, 0x9b, 0x9b, 0},                                               // FWAIT
		{np, 0x9c, 0x9d, sp | clExact},                                    // PUSHF, POPF
		{np, 0x9e, 0x9e, 0}, {np, 0x9f, 0x9f, ax},                         // SAHF, LAHF
		{np, 0xa0, 0xa1, immA | ax | clMoffs},                 // MOV from an absolute address
		{np, 0xa2, 0xa3, immA | clMoffs},                      // MOV to it
		{np, 0xa4, 0xa5, clob(Regs(rdi, rsi, rcx)) | clExact}, // MOVS
		{np, 0xa6, 0xa7, clob(Regs(rdi, rsi, rcx))},           // CMPS
		{np, 0xa8, 0xa8, imm8}, {np, 0xa9, 0xa9, immZ},        // TEST
		{np, 0xaa, 0xab, clob(Regs(rdi, rcx)) | clExact},  // STOS
		{np, 0xac, 0xad, clob(Regs(rax, rsi, rcx))},       // LODS
		{np, 0xae, 0xaf, clob(Regs(rdi, rcx))},            // SCAS
		{np, 0xb0, 0xb7, imm8 | writesOp | sz1 | clExact}, // MOV
		{np, 0xb8, 0xbf, immV | writesOp | clExact},
		{np, 0xc0, 0xc0, group8 | wAll | imm8 | clExact}, // shifts
		{np, 0xc1, 0xc1, group | wAll | imm8 | clExact},
		{np, 0xc2, 0xc2, imm16 | sp | clExact}, {np, 0xc3, 0xc3, sp | clExact}, // RET
		{np, 0xc4, 0xc5, clEscape}, // VEX
		{np, 0xc6, 0xc6, group8 | w(1) | imm8 | clExact | check | only(1, 0x81)}, // MOV, XABORT
		{np, 0xc7, 0xc7, group | w(1) | immZ | clExact | check | only(1, 0x81)},  // MOV, XBEGIN
		{np, 0xc8, 0xc8, imm24 | clob(Regs(rsp, rbp)) | clExact},                 // ENTER
		{np, 0xc9, 0xc9, clob(Regs(rsp, rbp)) | clExact},                         // LEAVE
		{np, 0xca, 0xca, imm16 | sp | clExact}, {np, 0xcb, 0xcb, sp | clExact},   // far RET
		{np, 0xcc, 0xcc, clExact}, // INT3
		{np, 0xcd, 0xcd, imm8 | clInt},
		{np, 0xcf, 0xcf, sp | clExact},                                                      // IRET
		{np, 0xd0, 0xd0, group8 | wAll | clExact}, {np, 0xd1, 0xd1, group | wAll | clExact}, // shifts by 1
		{np, 0xd2, 0xd2, group8 | wAll}, {np, 0xd3, 0xd3, group | wAll}, // shifts by CL
		{np, 0xd7, 0xd7, ax}, // XLAT
		{np, 0xd8, 0xd8, mr}, // x87, see x87Store for sizes
		{np, 0xd9, 0xd9, mr | w(0xcc) | only(0xfd, 0xff) | clExact | check},
		{np, 0xda, 0xda, mr | check},
		{np, 0xdb, 0xdb, mr | w(0x8e) | only(0xaf, 0xff) | clExact | check},
		{np, 0xdc, 0xdc, mr | check},
		{np, 0xdd, 0xdd, mr | w(0xce) | only(0xdf, 0xff) | clExact | check},
		{np, 0xde, 0xde, mr | check},
		{np, 0xdf, 0xdf, mr | w(0xce) | clExact | check},    // FNSTSW AX among them
		{np, 0xe0, 0xe2, imm8 | clob(Regs(rcx)) | clBranch}, // LOOP
		{np, 0xe3, 0xe3, imm8 | clBranch},                   // JRCXZ
		{np, 0xe4, 0xe5, imm8 | ax}, {np, 0xe6, 0xe7, imm8}, // IN, OUT
		{np, 0xe8, 0xe8, imm32 | clCall},
		{np, 0xe9, 0xe9, imm32 | clJump}, {np, 0xeb, 0xeb, imm8 | clJump},
		{np, 0xec, 0xed, ax}, {np, 0xee, 0xef, 0}, // IN, OUT
		{np, 0xf0, 0xf0, clPrefix},                           // LOCK
		{np, 0xf1, 0xf1, clExact},                            // INT1
		{np, 0xf2, 0xf3, clPrefix},                           // REPNE, REP
		{np, 0xf4, 0xf4, clExact},                            // HLT
		{np, 0xf5, 0xf5, 0},                                  // CMC
		{np, 0xf6, 0xf6, group8 | w(0x0c) | immT8 | clExact}, // TEST NOT NEG MUL IMUL DIV IDIV
		{np, 0xf7, 0xf7, group | w(0x0c) | immTZ | clExact},
		{np, 0xf8, 0xfd, 0},                                                    // CLC to STD
		{np, 0xfe, 0xfe, group8 | w(3) | only(3, 3) | clExact},                 // INC DEC
		{np, 0xff, 0xff, group | w(3) | only(0x7f, 0x57) | clExact | indirect}, // INC DEC CALL JMP PUSH
	}...)
}
