# As clone.S, for arm64.
	.text
	.globl _start
_start:
	.cfi_startproc
	bl clone
	bl returns
	brk #0
	.cfi_endproc
	.balign 16
	.globl clone
clone:
	.cfi_startproc
	mov x8, #220
	.cfi_endproc
clone_gap:
	svc #0
	cbz x0, thread_start
	ret
clone_end:
thread_start:
	.cfi_startproc
	blr x10
	mov x8, #93
	svc #0
	.cfi_endproc
	.balign 16
	.globl returns
returns:
	.cfi_startproc
	mov x0, #0
	ret
	.cfi_endproc
stranger:
	mov x8, #57
stranger_syscall:
	svc #0
	ret
	.section .note.GNU-stack,"",@progbits
