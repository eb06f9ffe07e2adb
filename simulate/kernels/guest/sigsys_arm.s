//go:build linux

#include "textflag.h"

// func sigsysAddress() uintptr
TEXT ·sigsysAddress(SB), NOSPLIT, $0-4
	MOVW	$·onSigsys(SB), R0
	MOVW	R0, ret+0(FP)
	RET

// A signal handler as C calls it, with siginfo_t in R1. The kernel restores all registers.
TEXT ·onSigsys(SB), NOSPLIT|NOFRAME, $0
	MOVW	$·siginfo(SB), R2
	MOVM.IA	(R1), [R3-R8]
	MOVM.IA	[R3-R8], (R2)
	B	(R14)
