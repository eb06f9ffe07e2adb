package isa

// The opcodes after VEX, EVEX and XOP prefixes. The length of such an instruction follows from its
// map: a ModRM operand always (but for VZEROUPPER), an immediate byte always in map 3 and for a
// handful of opcodes in map 1. The rules name the opcodes that exist and, of these, the ones that
// write general registers or memory.

// rulesVEX1 describes VEX map 1, the counterpart of 0F.
var rulesVEX1 = []rule{
	{all, 0x10, 0x10, mr},
	{np | p66, 0x11, 0x11, mr | wAll | szL},
	{pF3, 0x11, 0x11, mr | wAll | sz4}, {pF2, 0x11, 0x11, mr | wAll | sz8},
	{np | pF3 | pF2, 0x12, 0x12, mr}, {p66, 0x12, 0x12, mr | memOnly},
	{np | p66, 0x13, 0x13, mr | wAll | sz8 | memOnly},
	{np | p66, 0x14, 0x15, mr},
	{np | pF3, 0x16, 0x16, mr}, {p66, 0x16, 0x16, mr | memOnly},
	{np | p66, 0x17, 0x17, mr | wAll | sz8 | memOnly},
	{np | p66, 0x28, 0x28, mr}, {np | p66, 0x29, 0x29, mr | wAll | szL},
	{pF3 | pF2, 0x2a, 0x2a, mr},
	{np | p66, 0x2b, 0x2b, mr | wAll | szL | memOnly},
	{pF3 | pF2, 0x2c, 0x2d, toReg}, // VCVTTSS2SI
	{np | p66, 0x2e, 0x2f, mr},
	{np | p66, 0x41, 0x42, mr | regOnly}, {np | p66, 0x44, 0x47, mr | regOnly}, // KAND ...
	{np | p66, 0x4a, 0x4b, mr | regOnly},
	{np | p66, 0x50, 0x50, toReg | regOnly}, // VMOVMSKPS
	{all, 0x51, 0x51, mr}, {np | pF3, 0x52, 0x53, mr}, {np | p66, 0x54, 0x57, mr},
	{all, 0x58, 0x5a, mr}, {np | p66 | pF3, 0x5b, 0x5b, mr}, {all, 0x5c, 0x5f, mr},
	{p66, 0x60, 0x6e, mr}, {p66 | pF3, 0x6f, 0x6f, mr},
	{p66 | pF3 | pF2, 0x70, 0x70, mr | imm8},
	{p66, 0x71, 0x72, mr | imm8 | only(0, 0x54)}, {p66, 0x73, 0x73, mr | imm8 | only(0, 0xcc)},
	{p66, 0x74, 0x76, mr},
	{np, 0x77, 0x77, 0}, // VZEROUPPER VZEROALL
	{p66 | pF2, 0x7c, 0x7d, mr},
	{p66, 0x7e, 0x7e, mr | rmGeneral | wAll | szW}, {pF3, 0x7e, 0x7e, mr},
	{p66 | pF3, 0x7f, 0x7f, mr | wAll | szL},
	{np | p66, 0x90, 0x90, mr}, {np | p66, 0x91, 0x91, mr | wAll | sz8 | memOnly}, // KMOV
	{np | p66 | pF2, 0x92, 0x92, mr | regOnly}, {np | p66 | pF2, 0x93, 0x93, toReg | regOnly},
	{np | p66, 0x98, 0x99, mr | regOnly},
	{np, 0xae, 0xae, mr | w(8) | sz4 | only(0x0c, 0)}, // VLDMXCSR VSTMXCSR
	{all, 0xc2, 0xc2, mr | imm8},
	{p66, 0xc4, 0xc4, mr | imm8}, {p66, 0xc5, 0xc5, toReg | imm8 | regOnly},
	{np | p66, 0xc6, 0xc6, mr | imm8},
	{p66 | pF2, 0xd0, 0xd0, mr}, {p66, 0xd1, 0xd5, mr},
	{p66, 0xd6, 0xd6, mr | wAll | sz8}, {p66, 0xd7, 0xd7, toReg | regOnly},
	{p66, 0xd8, 0xe5, mr}, {p66 | pF3 | pF2, 0xe6, 0xe6, mr},
	{p66, 0xe7, 0xe7, mr | wAll | szL | memOnly},
	{p66, 0xe8, 0xef, mr}, {pF2, 0xf0, 0xf0, mr | memOnly}, {p66, 0xf1, 0xf6, mr},
	{p66, 0xf7, 0xf7, mr | regOnly | clExact}, {p66, 0xf8, 0xfe, mr},
}

// rulesVEX2 describes VEX map 2, the counterpart of 0F 38.
var rulesVEX2 = []rule{
	{p66, 0x00, 0x0f, mr}, {p66, 0x13, 0x13, mr},
	{p66, 0x16, 0x19, mr}, {p66, 0x1a, 0x1a, mr | memOnly}, {p66, 0x1c, 0x1e, mr},
	{p66, 0x20, 0x25, mr}, {p66, 0x28, 0x29, mr}, {p66, 0x2a, 0x2a, mr | memOnly},
	{p66, 0x2b, 0x2b, mr}, {p66, 0x2c, 0x2d, mr | memOnly},
	{p66, 0x2e, 0x2f, mr | wAll | szL | memOnly}, // VMASKMOVPS
	{p66, 0x30, 0x41, mr}, {p66, 0x45, 0x47, mr},
	{np, 0x49, 0x49, mr | check}, {p66, 0x49, 0x49, mr | wAll | sz64 | memOnly}, // LDTILECFG STTILECFG
	{pF2, 0x49, 0x49, mr | regOnly},
	{p66 | pF2, 0x4b, 0x4b, mr | memOnly}, {pF3, 0x4b, 0x4b, mr | wAll | szAny | memOnly}, // TILESTORED
	{all, 0x50, 0x51, mr}, {p66, 0x52, 0x53, mr},
	{p66, 0x58, 0x59, mr}, {p66, 0x5a, 0x5a, mr | memOnly},
	{pF3 | pF2, 0x5c, 0x5c, mr | regOnly}, {all, 0x5e, 0x5e, mr | regOnly}, // TDP...
	{pF3, 0x72, 0x72, mr},
	{p66, 0x78, 0x79, mr},
	{p66, 0x8c, 0x8c, mr | memOnly}, {p66, 0x8e, 0x8e, mr | wAll | szL | memOnly}, // VPMASKMOV
	{p66, 0x90, 0x93, mr | memOnly}, // gathers
	{p66, 0x96, 0x9f, mr}, {p66, 0xa6, 0xaf, mr},
	{all, 0xb0, 0xb0, mr | memOnly}, {p66 | pF3, 0xb1, 0xb1, mr | memOnly}, {p66, 0xb4, 0xbf, mr},
	{p66, 0xcf, 0xcf, mr}, {p66, 0xdb, 0xdf, mr},
	{p66, 0xe0, 0xef, toReg | wAll | szW | memOnly},   // CMPccXADD
	{np, 0xf2, 0xf2, toReg},                           // ANDN
	{np, 0xf3, 0xf3, mr | writesV | only(0x0e, 0x0e)}, // BLSR BLSMSK BLSI
	{np | pF3 | pF2, 0xf5, 0xf5, toReg},               // BZHI PEXT PDEP
	{pF2, 0xf6, 0xf6, toReg | writesV},                // MULX
	{all, 0xf7, 0xf7, toReg},                          // BEXTR SHLX SARX SHRX
}

// rulesVEX3 describes VEX map 3, the counterpart of 0F 3A.
var rulesVEX3 = []rule{
	{p66, 0x00, 0x02, mr | imm8}, {p66, 0x04, 0x06, mr | imm8}, {p66, 0x08, 0x0f, mr | imm8},
	{p66, 0x14, 0x14, mr | imm8 | rmGeneral | wAll | sz1}, // VPEXTRB
	{p66, 0x15, 0x15, mr | imm8 | rmGeneral | wAll | sz2},
	{p66, 0x16, 0x16, mr | imm8 | rmGeneral | wAll | szW},
	{p66, 0x17, 0x17, mr | imm8 | rmGeneral | wAll | sz4}, // VEXTRACTPS
	{p66, 0x18, 0x18, mr | imm8},
	{p66, 0x19, 0x19, mr | imm8 | wAll | sz16}, {p66, 0x1d, 0x1d, mr | imm8 | wAll | sz16}, // VEXTRACTF128 VCVTPS2PH
	{p66, 0x20, 0x22, mr | imm8}, {p66, 0x30, 0x33, mr | imm8 | regOnly},
	{p66, 0x38, 0x38, mr | imm8}, {p66, 0x39, 0x39, mr | imm8 | wAll | sz16}, // VEXTRACTI128
	{p66, 0x40, 0x42, mr | imm8}, {p66, 0x44, 0x44, mr | imm8}, {p66, 0x46, 0x46, mr | imm8},
	{p66, 0x48, 0x4c, mr | imm8}, {p66, 0x5c, 0x5f, mr | imm8},
	{p66, 0x60, 0x63, mr | imm8 | clob(1<<rcx)}, // VPCMPESTRM to VPCMPISTRI
	{p66, 0x68, 0x6f, mr | imm8}, {p66, 0x78, 0x7f, mr | imm8},
	{p66, 0xce, 0xcf, mr | imm8}, {p66, 0xdf, 0xdf, mr | imm8},
	{pF2, 0xf0, 0xf0, toReg | imm8}, // RORX
}

// rulesXOP8 describes XOP map 8, whose opcodes have an immediate byte.
var rulesXOP8 = []rule{
	{np, 0x85, 0x87, mr | imm8}, {np, 0x8e, 0x8f, mr | imm8}, {np, 0x95, 0x97, mr | imm8},
	{np, 0x9e, 0x9f, mr | imm8}, {np, 0xa2, 0xa3, mr | imm8}, {np, 0xa6, 0xa6, mr | imm8},
	{np, 0xb6, 0xb6, mr | imm8}, {np, 0xc0, 0xc3, mr | imm8}, {np, 0xcc, 0xcf, mr | imm8},
	{np, 0xec, 0xef, mr | imm8},
}

// rulesXOP9 describes XOP map 9.
var rulesXOP9 = []rule{
	{np, 0x01, 0x01, mr | writesV | only(0xfe, 0xfe)},    // BLCFILL ... TZMSK
	{np, 0x02, 0x02, mr | writesV | only(0x42, 0x42)},    // BLCMSK BLCI
	{np, 0x12, 0x12, mr | rmGeneral | w(2) | only(0, 3)}, // LLWPCB SLWPCB
	{np, 0x80, 0x83, mr}, {np, 0x90, 0x9b, mr}, {np, 0xc1, 0xc3, mr}, {np, 0xc6, 0xc7, mr},
	{np, 0xcb, 0xcb, mr}, {np, 0xd1, 0xd3, mr}, {np, 0xd6, 0xd7, mr}, {np, 0xdb, 0xdb, mr},
	{np, 0xe1, 0xe3, mr},
}

// rulesXOPA describes XOP map 10, whose opcodes have an immediate of 4 bytes.
var rulesXOPA = []rule{
	{np, 0x10, 0x10, toReg | imm32},           // BEXTR
	{np, 0x12, 0x12, mr | imm32 | only(3, 3)}, // LWPINS LWPVAL
}
