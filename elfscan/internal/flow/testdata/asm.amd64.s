# Forms of machine code, some of them clang's. The comment behind a name is read as in shapes.c.
	.text
	.macro fn name
	.globl \name
	.hidden \name
	.type \name, @function
	.p2align 4
	.endm

	fn kept_rbx
kept_rbx: # want 2001
	mov $2001, %ebx
	call outside@plt
	mov %ebx, %eax
	syscall
	ret
	fn kept_rbp
kept_rbp: # want 2002
	mov $2002, %ebp
	call outside@plt
	mov %ebp, %eax
	syscall
	ret
	fn kept_r12
kept_r12: # want 2003 2004 2005 2006
	mov $2003, %r12d
	mov $2004, %r13d
	mov $2005, %r14d
	mov $2006, %r15d
	call outside@plt
	mov %r12d, %eax
	syscall
	mov %r13d, %eax
	syscall
	mov %r14d, %eax
	syscall
	mov %r15d, %eax
	syscall
	ret

	.irp r, ecx, edx, esi, edi, r8d, r9d, r10d, r11d
	fn lost_\r
lost_\r: # want unknown
	mov $2007, %\r
	call outside@plt
	mov %\r, %eax
	syscall
	ret
	.endr
	fn lost_kernel
lost_kernel: # want unknown 2008
	mov $2008, %eax
	mov %eax, %ecx
	syscall
	mov %ecx, %eax
	syscall
	ret

	fn equal
equal: # want 0 2010 2011
	test %rax, %rax
	je 1f
	cmp $2010, %rax
	jne 2f
1:	syscall
	ret
2:	cmp $2011, %rdi
	jne 3f
	mov %rdi, %rax
	syscall
3:	ret
	fn unequal
unequal: # want unknown
	cmp $2012, %rbx
	je 1f
	mov %rbx, %rax
	syscall
1:	ret
	fn equal_half
equal_half: # want unknown
	cmp $2013, %ebx
	jne 1f
	mov %rbx, %rax
	syscall
1:	ret

# Room for aligned objects: only what lies in the frame below is known to be apart.
	fn aligned
aligned: # want 2020
	push %rbp
	mov %rsp, %rbp
	push %rbx
	and $-64, %rsp
	sub $128, %rsp
	movl $2020, 8(%rsp)
	lea 64(%rsp), %rdi
	call outside@plt
	mov 8(%rsp), %eax
	syscall
	mov -8(%rbp), %rbx
	leave
	ret
	fn above
above: # want unknown
	sub $40, %rsp
	movl $2021, 16(%rsp)
	lea 8(%rsp), %rdi
	call outside@plt
	mov 16(%rsp), %eax
	syscall
	add $40, %rsp
	ret
	fn through
through: # want unknown
	sub $40, %rsp
	lea 8(%rsp), %rdi
	call outside@plt
	movl $2022, 16(%rsp)
	mov (%rbx), %rcx
	movl $5, (%rcx)
	mov 16(%rsp), %eax
	syscall
	add $40, %rsp
	ret

# clang's table: 4-byte entries relative to it, bounded by a compare before.
	fn table
table: # want 2030 2031 2032 2033
	mov $2033, %eax
	cmp $2, %edi
	ja 4f
	mov %edi, %eax
	lea .Ltable(%rip), %rcx
	movslq (%rcx,%rax,4), %rdx
	add %rcx, %rdx
	mov $2033, %eax
	notrack jmp *%rdx
1:	mov $2030, %eax
	jmp 4f
	mov $2098, %eax # no way leads here
	jmp 4f
2:	mov $2031, %eax
	jmp 4f
	mov $2099, %eax
	jmp 4f
3:	mov $2032, %eax
4:	mov $2033, %ebx
	cmp $2, %edi
	cmova %ebx, %eax
	syscall
	ret

# Absolute entries, loaded first or jumped through.
	fn absolute
absolute: # want 2040 2041
	lea .Labsolute(%rip), %rcx
	mov (%rcx,%rdi,8), %rax
	jmp *%rax
5:	mov $2040, %eax
	syscall
	ret
6:	mov $2041, %eax
	syscall
	ret
	fn direct_table
direct_table: # want 2042 2043
	lea .Ldirect(%rip), %rcx
	mov $2042, %eax
	jmp *(%rcx,%rdi,8)
7:	syscall
	ret
8:	mov $2043, %eax
	syscall
	ret

	fn compat
compat: # want 2050
	mov $2050, %eax
	int $0x80
	ret
	fn borrow
borrow: # want 2060 2061 2063 2064
	cmp $1, %edi
	sbb %eax, %eax
	add $2061, %eax
	syscall
	mov $2060, %eax
	cmp $1, %esi
	adc $3, %eax
	syscall
	ret
	fn flags
flags: # want 2071 2072
	test %edi, %edi
	setne %cl
	movzbl %cl, %eax
	lea 2071(%rax), %eax
	syscall
	ret
	fn flags_high
flags_high: # want unknown
	mov $2073, %eax
	test %edi, %edi
	setne %ah
	syscall
	ret
	fn partly
partly: # want unknown
	test %edi, %edi
	setne %al
	syscall
	ret

	fn tail
tail: # want 2080
	mov 16(%rsp), %eax
	syscall
	ret
	fn calls_tail
calls_tail:
	push $2080
	push $1
	call to_tail
	add $16, %rsp
	ret
	fn to_tail
to_tail:
	jmp tail

	fn zeros
zeros: # want 0
	pxor %xmm1, %xmm1
	movups %xmm1, -40(%rsp)
	mov -40(%rsp), %rax
	syscall
	mov -32(%rsp), %rax
	syscall
	ret
	fn zeros_overwritten
zeros_overwritten: # want 2401
	xorps %xmm9, %xmm9
	movl $2401, -24(%rsp)
	movaps %xmm9, -24(%rsp)
	movq $2401, -16(%rsp)
	mov -16(%rsp), %rax
	syscall
	ret
	fn zeros_changed
zeros_changed: # want unknown
	pxor %xmm0, %xmm0
	movq %rdi, %xmm0
	movaps %xmm0, -24(%rsp)
	mov -24(%rsp), %rax
	syscall
	ret
	fn zeros_changed_vex
zeros_changed_vex: # want unknown
	pxor %xmm0, %xmm0
	vmovq %rdi, %xmm0
	movaps %xmm0, -24(%rsp)
	mov -24(%rsp), %rax
	syscall
	ret
	fn zeros_one_way
zeros_one_way: # want unknown
	test %edi, %edi
	je .Lzeros
	pxor %xmm0, %xmm0
.Lzeros:
	movaps %xmm0, -24(%rsp)
	mov -24(%rsp), %rax
	syscall
	ret
	fn zeros_loop
zeros_loop: # want unknown
	pxor %xmm0, %xmm0
.Lloop:
	movaps %xmm0, -24(%rsp)
	mov -24(%rsp), %rax
	syscall
	movq %rdi, %xmm0
	jmp .Lloop
	fn zeros_called
zeros_called: # want unknown
	sub $24, %rsp
	pxor %xmm0, %xmm0
	call outside@plt
	movaps %xmm0, (%rsp)
	mov (%rsp), %rax
	syscall
	add $24, %rsp
	ret

	.section .data.rel.ro, "aw"
	.p2align 3
.Labsolute:
	.quad 5b, 6b, 0
.Ldirect:
	.quad 7b, 8b, 0
	.section .rodata
	.p2align 2
.Ltable:
	.long 1b-.Ltable, 2b-.Ltable, 3b-.Ltable, 0x7fffffff
