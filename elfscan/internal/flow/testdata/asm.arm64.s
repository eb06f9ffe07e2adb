// As asm.amd64.s: forms of gcc and clang.
	.text
	.macro fn name
	.globl \name
	.hidden \name
	.type \name, %function
	.p2align 4
	.endm

	.irp r, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28
	fn kept_x\r
kept_x\r: // want 2001
	mov x\r, 2001
	bl outside
	mov x8, x\r
	svc 0
	ret
	.endr
	.irp r, 1, 7, 8, 9, 15, 16, 17, 18
	fn lost_x\r
lost_x\r: // want unknown
	mov x\r, 2002
	bl outside
	mov x8, x\r
	svc 0
	ret
	.endr

	fn equal
equal: // want 0 2010
	mov x8, x0
	cbz x8, 1f
	cmp x8, 2010
	b.ne 2f
1:	svc 0
2:	ret
	fn unequal
unequal: // want unknown
	cbz x19, 1f
	mov x8, x19
	svc 0
1:	ret

// Tables of bytes, halfwords and words, as gcc and clang write them.
	.macro cases first
	mov x8, \first
	b 8f
	mov x8, 2099 // no way leads here
	b 8f
	mov x8, \first+1
8:	svc 0
	ret
	.endm
	fn bytes
bytes: // want 2020 2021
	adrp x1, .Lbytes
	add x1, x1, :lo12:.Lbytes
	ldrb w0, [x1, w0, uxtw]
	adr x1, .Lb0
	add x0, x1, w0, sxtb 2
	br x0
.Lb0:	cases 2020
	fn halves
halves: // want 2030 2031
	adrp x1, .Lhalves
	add x1, x1, :lo12:.Lhalves
	ldrh w0, [x1, w0, uxtw 1]
	adr x1, .Lh0
	add x0, x1, w0, sxth 2
	br x0
.Lh0:	cases 2030
	fn words
words: // want 2040 2041
	adrp x9, .Lwords
	add x9, x9, :lo12:.Lwords
	ldrsw x10, [x9, x0, lsl 2]
	add x9, x9, x10
	br x9
.Lw0:	cases 2040
// The decoder does not tell sums of a register and itself shifted: all blocks count.
	fn clang_bytes
clang_bytes: // want 2050 2051 2099
	adrp x9, .Lclang
	add x9, x9, :lo12:.Lclang
	adr x10, .Lc0
	ldrb w11, [x9, x0]
	add x10, x10, x11, lsl 2
	br x10
.Lc0:	cases 2050

	fn zeros
zeros: // want 0
	movi v1.4s, #0
	sub sp, sp, #64
	stp q1, q1, [sp, #16]
	str q1, [sp]
	ldr x8, [sp, #40]
	svc #0
	ldr x8, [sp, #8]
	svc #0
	movi v30.2d, #0
	stur q30, [sp, #8]
	ldr x8, [sp, #16]
	svc #0
	add sp, sp, #64
	ret
	fn zeros_half
zeros_half: // want unknown
	movi v1.4s, #0
	stp q1, q2, [sp, #-32]
	ldr x8, [sp, #-16]
	svc #0
	ret
	fn zeros_changed
zeros_changed: // want unknown
	movi v1.4s, #0
	fmov d1, x0
	str q1, [sp]
	ldr x8, [sp]
	svc #0
	ret
	fn zeros_loaded
zeros_loaded: // want unknown
	movi v1.4s, #0
	ldr q1, [x0]
	stur q1, [sp, #-16]
	ldr x8, [sp, #-16]
	svc #0
	ret
	fn zeros_one_way
zeros_one_way: // want unknown
	cbz x0, .Lzeros
	movi v1.4s, #0
.Lzeros:
	stur q1, [sp, #-16]
	ldr x8, [sp, #-16]
	svc #0
	ret
	fn zeros_loop
zeros_loop: // want unknown
	movi v1.4s, #0
.Lloop:	stur q1, [sp, #-16]
	ldr x8, [sp, #-16]
	svc #0
	fmov d1, x19
	b .Lloop
	fn zeros_called
zeros_called: // want unknown
	stp x29, x30, [sp, #-32]!
	movi v1.4s, #0
	bl outside
	str q1, [sp, #16]
	ldr x8, [sp, #16]
	svc #0
	ldp x29, x30, [sp], #32
	ret

	.section .rodata
.Lbytes: .byte 0, 4, 128
	.p2align 1
.Lhalves: .hword 0, 4, 0x8000
	.p2align 2
.Lwords: .word .Lw0-.Lwords, .Lw0+16-.Lwords, 0x7fffffff
.Lclang: .byte 0, 4, 255
