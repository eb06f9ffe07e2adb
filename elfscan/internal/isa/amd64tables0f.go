package isa

// twoByteRules describes the opcodes after 0F.
var twoByteRules = []rule{
	{all, 0x00, 0x00, group | w(3) | only(0x3f, 0x3f)}, // SLDT STR LLDT LTR VERR VERW
	{all, 0x01, 0x01, mr | w(0x33) | check | clExact},  // SGDT SIDT SMSW and many without operand
	{all, 0x02, 0x03, toReg},                           // LAR LSL
	{all, 0x05, 0x05, clSyscall},
	{all, 0x06, 0x06, 0},                                // CLTS
	{all, 0x07, 0x07, clExact},                          // SYSRET
	{all, 0x08, 0x09, 0},                                // INVD WBINVD
	{all, 0x0b, 0x0b, clExact},                          // UD2
	{all, 0x0d, 0x0d, mr | noAccess | memOnly},          // PREFETCHW
	{all, 0x0e, 0x0e, 0},                                // FEMMS
	{all, 0x0f, 0x0f, mr | imm8 | check},                // 3DNow!: the suffix takes the immediate's place
	{all, 0x10, 0x10, mr},                               // MOVUPS MOVUPD MOVSS MOVSD
	{np | p66, 0x11, 0x11, mr | wAll | sz16},            //
	{pF3, 0x11, 0x11, mr | wAll | sz4},                  //
	{pF2, 0x11, 0x11, mr | wAll | sz8},                  //
	{np | pF3 | pF2, 0x12, 0x12, mr},                    // MOVLPS MOVHLPS MOVSLDUP MOVDDUP
	{p66, 0x12, 0x12, mr | memOnly},                     // MOVLPD
	{np | p66, 0x13, 0x13, mr | wAll | sz8 | memOnly},   // MOVLPS
	{np | p66, 0x14, 0x15, mr},                          // UNPCK
	{np | pF3, 0x16, 0x16, mr},                          // MOVHPS MOVSHDUP
	{p66, 0x16, 0x16, mr | memOnly},                     // MOVHPD
	{np | p66, 0x17, 0x17, mr | wAll | sz8 | memOnly},   // MOVHPS
	{all, 0x18, 0x1f, mr | noAccess},                    // hints and NOP
	{all, 0x1a, 0x1a, mr},                               // BNDLDX BNDMOV
	{all, 0x1b, 0x1b, mr | wAll | szAny},                // BNDSTX BNDMOV
	{all, 0x1c, 0x1c, mr | noAccess},                    // CLDEMOTE
	{pF3, 0x1e, 0x1e, mr | rmGeneral | w(2) | noAccess}, // RDSSP, ENDBR64
	{all, 0x20, 0x21, mr | rmGeneral | wAll | modIsReg}, // MOV from CR, DR
	{all, 0x22, 0x23, mr | modIsReg},                    // MOV to CR, DR
	{np | p66, 0x28, 0x28, mr},                          // MOVAPS
	{np | p66, 0x29, 0x29, mr | wAll | sz16},            //
	{all, 0x2a, 0x2a, mr},                               // CVTPI2PS CVTSI2SS
	{np | p66, 0x2b, 0x2b, mr | wAll | sz16 | memOnly},  // MOVNTPS
	{pF3, 0x2b, 0x2b, mr | wAll | sz4 | memOnly},        // MOVNTSS
	{pF2, 0x2b, 0x2b, mr | wAll | sz8 | memOnly},        // MOVNTSD
	{np | p66, 0x2c, 0x2d, mr},                          // CVTTPS2PI
	{pF3 | pF2, 0x2c, 0x2d, toReg},                      // CVTTSS2SI
	{np | p66, 0x2e, 0x2f, mr},                          // UCOMISS
	{all, 0x30, 0x30, 0},                                // WRMSR
	{all, 0x31, 0x33, axdx},                             // RDTSC RDMSR RDPMC
	{all, 0x34, 0x34, clInt80},                          // SYSENTER
	{all, 0x35, 0x35, clExact},                          // SYSEXIT
	{all, 0x37, 0x37, every},                            // GETSEC
	{all, 0x40, 0x4f, toReg | clExact},                  // CMOVcc
	{np | p66, 0x50, 0x50, toReg | regOnly},             // MOVMSKPS
	{all, 0x51, 0x51, mr}, {np | pF3, 0x52, 0x53, mr},   // SQRT RSQRT RCP
	{np | p66, 0x54, 0x57, mr}, {all, 0x58, 0x5a, mr},
	{np | p66 | pF3, 0x5b, 0x5b, mr}, {all, 0x5c, 0x5f, mr},
	{np | p66, 0x60, 0x6b, mr}, {p66, 0x6c, 0x6d, mr},
	{np | p66, 0x6e, 0x6e, mr},                        // MOVD
	{np | p66 | pF3, 0x6f, 0x6f, mr},                  // MOVQ MOVDQA MOVDQU
	{all, 0x70, 0x70, mr | imm8},                      // PSHUF
	{np | p66, 0x71, 0x72, mr | imm8 | only(0, 0x54)}, // PSRLW ...
	{np, 0x73, 0x73, mr | imm8 | only(0, 0x44)},
	{p66, 0x73, 0x73, mr | imm8 | only(0, 0xcc)},
	{np | p66, 0x74, 0x76, mr},
	{np, 0x77, 0x77, 0},                           // EMMS
	{np, 0x78, 0x78, mr | rmGeneral | wAll | sz8}, // VMREAD
	{p66, 0x78, 0x78, mr | imm16 | only(0, 1)},    // EXTRQ, two bytes of immediates
	{pF2, 0x78, 0x78, mr | imm16 | regOnly},       // INSERTQ
	{np, 0x79, 0x79, mr},                          // VMWRITE
	{p66 | pF2, 0x79, 0x79, mr | regOnly},         // EXTRQ INSERTQ
	{p66 | pF2, 0x7c, 0x7d, mr},
	{np | p66, 0x7e, 0x7e, mr | rmGeneral | wAll | szW},              // MOVD
	{pF3, 0x7e, 0x7e, mr},                                            // MOVQ
	{np, 0x7f, 0x7f, mr | wAll | sz8},                                // MOVQ
	{p66 | pF3, 0x7f, 0x7f, mr | wAll | sz16},                        // MOVDQA MOVDQU
	{all, 0x80, 0x8f, imm32 | clBranch},                              // Jcc
	{all, 0x90, 0x9f, toRM8},                                         // SETcc
	{all, 0xa0, 0xa0, sp | clExact}, {all, 0xa8, 0xa8, sp | clExact}, // PUSH FS, GS
	{all, 0xa1, 0xa1, sp | clExact}, {all, 0xa9, 0xa9, sp | clExact}, // POP FS, GS
	{all, 0xa2, 0xa2, ax2dx},                                // CPUID
	{all, 0xa3, 0xa3, mr},                                   // BT
	{all, 0xa4, 0xa4, toRM | imm8}, {all, 0xa5, 0xa5, toRM}, // SHLD
	{all, 0xa6, 0xa7, mr | regOnly | check | every | clExact}, // VIA PadLock: REP XCRYPT ...
	{all, 0xaa, 0xaa, clExact},                                // RSM
	{all, 0xab, 0xab, mr | rmGeneral | wAll | szAny},          // BTS: the bit may lie outside of the operand
	{all, 0xac, 0xac, toRM | imm8}, {all, 0xad, 0xad, toRM},   // SHRD
	{np, 0xae, 0xae, mr | w(0x59) | only(0xff, 0xe0) | szAny},              // FXSAVE STMXCSR XSAVE XSAVEOPT, fences
	{p66, 0xae, 0xae, mr | only(0xc0, 0x40)},                               // CLWB CLFLUSHOPT TPAUSE
	{pF3, 0xae, 0xae, mr | rmGeneral | w(0x43) | only(0x50, 0x7f) | szAny}, // RDFSBASE RDGSBASE CLRSSBSY
	{pF2, 0xae, 0xae, mr | only(0, 0x40)},                                  // UMWAIT
	{all, 0xaf, 0xaf, toReg},                                               // IMUL
	{all, 0xb0, 0xb0, toRM8 | ax}, {all, 0xb1, 0xb1, toRM | ax},            // CMPXCHG
	{all, 0xb2, 0xb2, toReg | memOnly},                                        // LSS
	{all, 0xb3, 0xb3, mr | rmGeneral | wAll | szAny},                          // BTR
	{all, 0xb4, 0xb5, toReg | memOnly},                                        // LFS LGS
	{all, 0xb6, 0xb7, toReg | clExact},                                        // MOVZX
	{pF3, 0xb8, 0xb8, toReg},                                                  // POPCNT
	{all, 0xb9, 0xb9, mr | noAccess | clExact},                                // UD1
	{all, 0xba, 0xba, group | imm8 | w(0xe0) | only(0xf0, 0xf0)},              // BT BTS BTR BTC
	{all, 0xbb, 0xbb, mr | rmGeneral | wAll | szAny},                          // BTC
	{all, 0xbc, 0xbd, toReg},                                                  // BSF BSR TZCNT LZCNT
	{all, 0xbe, 0xbf, toReg | clExact},                                        // MOVSX
	{all, 0xc0, 0xc0, toRM8 | writesReg}, {all, 0xc1, 0xc1, toRM | writesReg}, // XADD
	{all, 0xc2, 0xc2, mr | imm8},                   // CMPPS
	{np, 0xc3, 0xc3, mr | wAll | szW | memOnly},    // MOVNTI
	{np | p66, 0xc4, 0xc4, mr | imm8},              // PINSRW
	{np | p66, 0xc5, 0xc5, toReg | imm8 | regOnly}, // PEXTRW
	{np | p66, 0xc6, 0xc6, mr | imm8},              // SHUFPS
	// CMPXCHG8B XRSTORS XSAVEC XSAVES VMPTRLD VMPTRST, RDRAND RDSEED
	{np, 0xc7, 0xc7, mr | rmGeneral | w(0xf2) | only(0xfa, 0xc0) | szAny | clExact},
	{p66, 0xc7, 0xc7, mr | rmGeneral | w(0xf2) | only(0xfa, 0xc0) | szAny | clExact},
	{pF3, 0xc7, 0xc7, mr | rmGeneral | w(0xb2) | only(0xfa, 0xc0) | szAny | clExact}, // SENDUIPI RDPID
	{pF2, 0xc7, 0xc7, mr | w(0x32) | only(0xba, 0) | szAny | clExact},
	{all, 0xc8, 0xcf, writesOp}, // BSWAP
	{p66 | pF2, 0xd0, 0xd0, mr},
	{np | p66, 0xd1, 0xd5, mr},
	{p66, 0xd6, 0xd6, mr | wAll | sz8},      // MOVQ
	{pF3 | pF2, 0xd6, 0xd6, mr | regOnly},   // MOVQ2DQ
	{np | p66, 0xd7, 0xd7, toReg | regOnly}, // PMOVMSKB
	{np | p66, 0xd8, 0xe5, mr},
	{p66 | pF3 | pF2, 0xe6, 0xe6, mr},
	{np, 0xe7, 0xe7, mr | wAll | sz8 | memOnly},   // MOVNTQ
	{p66, 0xe7, 0xe7, mr | wAll | sz16 | memOnly}, // MOVNTDQ
	{np | p66, 0xe8, 0xef, mr},
	{pF2, 0xf0, 0xf0, mr | memOnly}, // LDDQU
	{np | p66, 0xf1, 0xf6, mr},
	{np | p66, 0xf7, 0xf7, mr | regOnly | clExact}, // MASKMOVDQU
	{np | p66, 0xf8, 0xfe, mr},
	{all, 0xff, 0xff, mr | noAccess | clExact}, // UD0
}

// rules38 describes the opcodes after 0F 38.
var rules38 = []rule{
	{np | p66, 0x00, 0x0b, mr}, // PSHUFB to PMULHRSW
	{p66, 0x10, 0x10, mr}, {p66, 0x14, 0x15, mr}, {p66, 0x17, 0x17, mr},
	{np | p66, 0x1c, 0x1e, mr}, // PABS
	{p66, 0x20, 0x25, mr}, {p66, 0x28, 0x29, mr}, {p66, 0x2a, 0x2a, mr | memOnly}, {p66, 0x2b, 0x2b, mr},
	{p66, 0x30, 0x35, mr}, {p66, 0x37, 0x41, mr},
	{p66, 0x80, 0x82, mr | memOnly}, // INVEPT INVVPID INVPCID
	{np, 0xc8, 0xcd, mr},            // SHA
	{p66, 0xcf, 0xcf, mr},
	{pF3, 0xd8, 0xd8, mr | only(0x0f, 0)}, // AESENCWIDE128KL
	{p66, 0xdb, 0xdf, mr},
	{pF3, 0xdc, 0xdc, mr}, {pF3, 0xdd, 0xdf, mr | memOnly},
	{np | p66, 0xf0, 0xf0, toReg | memOnly},               // MOVBE
	{np | p66, 0xf1, 0xf1, mr | wAll | szOp | memOnly},    //
	{pF2, 0xf0, 0xf1, toReg},                              // CRC32
	{p66, 0xf5, 0xf5, mr | wAll | szW | memOnly},          // WRUSS
	{np, 0xf6, 0xf6, mr | wAll | szW | memOnly},           // WRSS
	{p66 | pF3, 0xf6, 0xf6, toReg},                        // ADCX ADOX
	{p66 | pF3 | pF2, 0xf8, 0xf8, mr | memOnly | clExact}, // MOVDIR64B ENQCMD store at [reg]
	{np, 0xf9, 0xf9, mr | wAll | szW | memOnly},           // MOVDIRI
	{pF3, 0xfa, 0xfb, toReg | regOnly},                    // ENCODEKEY
	{all, 0xfc, 0xfc, mr | wAll | szW | memOnly},          // AADD AAND AOR AXOR
}

// rules3A describes the opcodes after 0F 3A. All have an immediate byte.
var rules3A = []rule{
	{p66, 0x08, 0x0f, mr | imm8}, {np, 0x0f, 0x0f, mr | imm8}, // ROUND BLEND PALIGNR
	{p66, 0x14, 0x14, mr | imm8 | rmGeneral | wAll | sz1}, // PEXTRB
	{p66, 0x15, 0x15, mr | imm8 | rmGeneral | wAll | sz2}, // PEXTRW
	{p66, 0x16, 0x16, mr | imm8 | rmGeneral | wAll | szW}, // PEXTRD
	{p66, 0x17, 0x17, mr | imm8 | rmGeneral | wAll | sz4}, // EXTRACTPS
	{p66, 0x20, 0x22, mr | imm8}, {p66, 0x40, 0x42, mr | imm8}, {p66, 0x44, 0x44, mr | imm8},
	{p66, 0x60, 0x63, mr | imm8 | clob(1<<rcx)}, // PCMPESTRM to PCMPISTRI
	{np, 0xcc, 0xcc, mr | imm8},                 // SHA1RNDS4
	{p66, 0xce, 0xcf, mr | imm8}, {p66, 0xdf, 0xdf, mr | imm8},
	{pF3, 0xf0, 0xf0, mr | imm8 | regOnly | check}, // HRESET
}
