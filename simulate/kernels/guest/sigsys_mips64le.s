//go:build linux

#include "textflag.h"

// func sigsysAddress() uintptr
TEXT ·sigsysAddress(SB), NOSPLIT, $0-8
	MOVV	$·onSigsys(SB), R8
	MOVV	R8, ret+0(FP)
	RET

// A signal handler as C calls it, with siginfo_t in R5. The kernel restores all registers.
TEXT ·onSigsys(SB), NOSPLIT|NOFRAME, $0
	MOVV	$·siginfo(SB), R9
	MOVV	0(R5), R8
	MOVV	R8, 0(R9)
	MOVV	8(R5), R8
	MOVV	R8, 8(R9)
	MOVV	16(R5), R8
	MOVV	R8, 16(R9)
	MOVV	24(R5), R8
	MOVV	R8, 24(R9)
	JMP	(R31)
