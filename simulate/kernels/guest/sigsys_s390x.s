//go:build linux

#include "textflag.h"

// func sigsysAddress() uintptr
TEXT ·sigsysAddress(SB), NOSPLIT, $0-8
	MOVD	$·onSigsys(SB), R1
	MOVD	R1, ret+0(FP)
	RET

// A signal handler as C calls it, with siginfo_t in R3. The kernel restores all registers.
TEXT ·onSigsys(SB), NOSPLIT|NOFRAME, $0
	MOVD	$·siginfo(SB), R1
	MVC	$32, 0(R3), 0(R1)
	BR	R14
