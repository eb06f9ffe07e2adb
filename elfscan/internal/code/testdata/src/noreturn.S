# Without frame descriptions: what lies behind a call that does not return is a table here, and a
# function that is called elsewhere there. Both are not part of the caller.
	.text
	.globl _start
_start:
	call first
	call second
	call other
	hlt
	.balign 16
first:
	sub $8, %rsp
	call stop
first_end:
	.byte 0x06, 0x07, 0x0f, 0x05, 0xcd, 0x80
	.balign 16
second:
	sub $8, %rsp
	call stop
second_end:
	.balign 16
other:
	mov $39, %eax
other_syscall:
	syscall
	ret
	.balign 16
stop:
	mov $60, %eax
stop_syscall:
	syscall
	jmp stop
	.section .note.GNU-stack,"",@progbits
