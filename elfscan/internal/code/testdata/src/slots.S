# Reads of different sizes, calls and jumps through memory, bit strings and what is no access.
	.text
	.globl _start
_start:
	.cfi_startproc
	movzbl cell(%rip), %eax
	movzwl cell(%rip), %eax
	mov cell(%rip), %eax
	mov cell(%rip), %rax
	movups cell(%rip), %xmm0
	vmovdqu cell(%rip), %ymm0
	vmovdqu64 cell(%rip), %zmm0
	movsd cell(%rip), %xmm0
	addq $1, cell(%rip)
	lock cmpxchg16b cell(%rip)
	push cell(%rip)
	fldt cell(%rip)
	fxrstor cell(%rip)
	bt %rax, cell(%rip)
	nopl cell(%rip)
	prefetcht0 cell(%rip)
	mov %fs:0x28, %rax
	call *cell(%rip)
	call *%rax
	jmp *cell(%rip)
	.cfi_endproc
	.data
	.balign 64
cell:	.fill 64
	.section .note.GNU-stack,"",@progbits
