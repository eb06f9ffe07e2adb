//go:build linux

#include "textflag.h"

// func sigsysAddress() uintptr
TEXT ·sigsysAddress(SB), NOSPLIT, $0-8
	MOVD	$·onSigsys(SB), R0
	MOVD	R0, ret+0(FP)
	RET

// A signal handler as C calls it, with siginfo_t in R1. The kernel restores all registers.
TEXT ·onSigsys(SB), NOSPLIT|NOFRAME, $0
	MOVD	$·siginfo(SB), R2
	LDP	(R1), (R3, R4)
	STP	(R3, R4), (R2)
	LDP	16(R1), (R3, R4)
	STP	(R3, R4), 16(R2)
	RET
