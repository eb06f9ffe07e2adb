# A program at a fixed address has no relocations: addresses are immediates and displacements. The
# same numbers outside of the program are none.
	.text
	.globl _start
_start:
	.cfi_startproc
	mov $object, %edi
	push $object+8
	movq $handler, pointer
	cmp $object+16, %rax
	mov table(,%rcx,8), %rax
	movabs $object+24, %rdx
	mov pointer, %rbx
	mov $0x7fff0000, %esi
	mov object2(%rdx), %al
	mov %fs:0x28, %rax
	mov $table2, %esi
	mov table2-8(,%rcx,8), %rax
	jmp *table(,%rcx,8)
	.cfi_endproc
	.balign 16
handler:
	ret
	.balign 16
case0:
	mov $39, %eax
	syscall
	ret
	.data
pointer: .quad 0
object:	.quad 0, 0, 0, 0
object2: .quad 0
table:	.quad case0, case0
table2:	.quad case0, case0
	.section .note.GNU-stack,"",@progbits
