# The frame description of glibc's signal restorer begins one byte early, in the padding before. Read
# from there the code is ADD %cl, and the system call disappears in an immediate. A function that
# really begins at an address ending in f is left alone.
	.text
	.globl _start
_start:
	.cfi_startproc
	lea restore(%rip), %rax
	call odd
	hlt
	.cfi_endproc
	.balign 16
	nop
	.balign 16
restore:
	mov $15, %rax
restore_syscall:
	syscall
restore_end:
	.balign 16
	nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop
odd:
	.cfi_startproc
	mov $39, %eax
odd_syscall:
	syscall
	ret
	.cfi_endproc
	.section .eh_frame,"a",@progbits
	.long 2f-1f
1:	.long 0                      # a CIE of its own
	.byte 1
	.string "zRS"
	.uleb128 1
	.sleb128 -8
	.uleb128 16
	.uleb128 1
	.byte 0x1b                   # DW_EH_PE_pcrel | DW_EH_PE_sdata4
	.byte 0x0c, 7, 8
	.balign 8
2:	.long 4f-3f
3:	.long 3b-1b+4
	.long restore-1-.
	.long restore_end-restore+1
	.uleb128 0
	.balign 8
4:
	.section .note.GNU-stack,"",@progbits
