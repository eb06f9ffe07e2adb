# Functions of crtstuff have no frame description. They are entered through the arrays of functions
# for start and end, and by jumps at the end of others; they do not belong to the function before,
# even if that one ends with a call that does not return.
	.text
	.globl _start
_start:
	.cfi_startproc
	call before
	hlt
	.cfi_endproc
	.balign 16
before:
	.cfi_startproc
	call stop
	.cfi_endproc
before_end:
	.balign 16
frame_dummy:
	jmp register_tm_clones
	.balign 16
stop:
	.cfi_startproc
	mov $60, %eax
stop_syscall:
	syscall
	hlt
	.cfi_endproc
	.balign 16
register_tm_clones:
	mov $39, %eax
register_syscall:
	syscall
	ret
	.balign 16
destructor:
	mov $40, %eax
	ret
	.section .init_array,"aw",@init_array
	.quad frame_dummy
	.section .fini_array,"aw",@fini_array
	.quad destructor
	.section .note.GNU-stack,"",@progbits
