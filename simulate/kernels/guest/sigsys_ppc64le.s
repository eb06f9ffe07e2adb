//go:build linux

#include "textflag.h"

// func sigsysAddress() uintptr
TEXT ·sigsysAddress(SB), NOSPLIT, $0-8
	MOVD	$·onSigsys(SB), R3
	MOVD	R3, ret+0(FP)
	RET

// A signal handler as C calls it, with siginfo_t in R4. The kernel restores all registers.
TEXT ·onSigsys(SB), NOSPLIT|NOFRAME, $0
	MOVD	$·siginfo(SB), R6
	MOVD	0(R4), R5
	MOVD	R5, 0(R6)
	MOVD	8(R4), R5
	MOVD	R5, 8(R6)
	MOVD	16(R4), R5
	MOVD	R5, 16(R6)
	MOVD	24(R4), R5
	MOVD	R5, 24(R6)
	RET
