# System calls at the end of functions, with another function right behind each, at no aligned address.
# Only exit and exit_group are known not to come back.
	.text
	.globl _start
_start:
	call leave
	call behind_leave
	call group
	call behind_group
	call shared
	call behind_shared
	call alike
	call behind_alike
	call twice
	call framed
	call first_half
	call jumps
	call other
	hlt
	.balign 16
	nop
leave:
	mov $60, %eax
	xor %edi, %edi
leave_syscall:
	syscall
behind_leave:
	ret
group:
	mov $231, %rax
group_syscall:
	syscall
behind_group:
	ret
shared: # the number may be another one
	mov $39, %eax
	test %edi, %edi
	je shared_syscall
	mov $60, %eax
shared_syscall:
	syscall
behind_shared:
	ret
alike: # the last bytes before the system call are those of mov $60, %eax
	mov $39, %eax
	movl $60, -72(%rsp)
alike_syscall:
	syscall
behind_alike:
	ret
twice: # _exit of glibc: what follows exit_group if a filter denies it
	mov $231, %eax
twice_group:
	syscall
	mov $60, %eax
twice_syscall:
	syscall
	jmp twice
first_half: # what is jumped to behind it is another function, into which it may run
	mov $39, %eax
first_half_syscall:
	syscall
behind_first_half:
	xor %eax, %eax
	ret
jumps:
	jmp behind_first_half
framed:
	.cfi_startproc
	mov $60, %eax
framed_syscall:
	syscall
	.cfi_endproc
unused: # nothing leads here
	mov $57, %eax
	syscall
	ret
other:
	.cfi_startproc
	mov $56, %eax
other_syscall:
	syscall
	.cfi_endproc
	ret
other_end:
	.section .note.GNU-stack,"",@progbits
