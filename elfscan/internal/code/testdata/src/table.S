# Constants between functions without frame descriptions, as in libcrypto and libgcrypt: the bytes of
# SYSCALL and INT $0x80 among them are no system calls. The function behind, which is only reached
# through its address, is one.
	.text
	.globl _start
_start:
	.cfi_startproc
	lea constants(%rip), %rsi
	movdqa constants(%rip), %xmm0
	lea callback(%rip), %rdi
	call *%rdi
	hlt
	.cfi_endproc
	.balign 16
constants:
	.long 0xc66363a5, 0xf87c7c84, 0x050f7799, 0xf67b7b8d
	.long 0xfff2f20d, 0xd66b6bbd, 0xde6f6fb1, 0x91c5c554
	.byte 0x90, 0x0f, 0x05, 0xcd, 0x80, 0x06, 0x60, 0x62
	.quad 0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc
	.balign 16
callback:
	push %rbx
	mov $39, %eax
callback_syscall:
	syscall
	pop %rbx
	ret
callback_end:
	.section .note.GNU-stack,"",@progbits
