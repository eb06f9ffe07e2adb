//go:build linux

#include "textflag.h"

// func sigsysAddress() uintptr
TEXT ·sigsysAddress(SB), NOSPLIT, $0-4
	MOVW	$·onSigsys(SB), R8
	MOVW	R8, ret+0(FP)
	RET

// A signal handler as C calls it, with siginfo_t in R5. The kernel restores all registers.
TEXT ·onSigsys(SB), NOSPLIT|NOFRAME, $0
	MOVW	$·siginfo(SB), R9
	MOVW	0(R5), R8
	MOVW	R8, 0(R9)
	MOVW	4(R5), R8
	MOVW	R8, 4(R9)
	MOVW	8(R5), R8
	MOVW	R8, 8(R9)
	MOVW	12(R5), R8
	MOVW	R8, 12(R9)
	MOVW	16(R5), R8
	MOVW	R8, 16(R9)
	MOVW	20(R5), R8
	MOVW	R8, 20(R9)
	JMP	(R31)
