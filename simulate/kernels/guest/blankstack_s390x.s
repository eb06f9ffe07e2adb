//go:build linux

#include "textflag.h"

// func syscallOnStack(sp, nr, arg uintptr) (r uintptr)
TEXT ·syscallOnStack(SB), NOSPLIT, $0-32
	MOVD	sp+0(FP), R8
	MOVD	nr+8(FP), R1
	MOVD	arg+16(FP), R2
	MOVD	R2, R3
	MOVD	R2, R4
	MOVD	R2, R5
	MOVD	R2, R6
	MOVD	R2, R7
	MOVD	R15, R9
	MOVD	R8, R15
	SYSCALL
	MOVD	R9, R15
	MOVD	R2, r+24(FP)
	RET
