// See exit.S.
	.text
	.globl _start
_start:
	bl leave
	bl behind_leave
	bl group
	bl behind_group
	bl shared
	bl behind_shared
	bl twice
	brk #0
	nop
leave:
	mov x8, #93
	mov x0, #0
leave_syscall:
	svc #0
behind_leave:
	ret
group:
	mov w8, #94
group_syscall:
	svc #0
behind_group:
	ret
shared:
	mov x8, #172
	cbz x0, shared_syscall
	mov x8, #93
shared_syscall:
	svc #0
behind_shared:
	ret
twice:
	mov x8, #94
twice_group:
	svc #0
	mov x8, #93
twice_syscall:
	svc #0
	b twice
	.section .note.GNU-stack,"",@progbits
