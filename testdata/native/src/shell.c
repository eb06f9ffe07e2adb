// sh: not much of a shell. It is static, without symbols.
#include "sys.h"

__asm__(".globl _start\n_start:\n\tmov %rsp,%rdi\n\tand $-16,%rsp\n\tcall shell\n\thlt");

void shell(long *stack) {
	if (stack[0] > 1) sys3(SYS_execve, stack[2], (long)&stack[2], 0);
	sys3(SYS_write, 1, (long)"$ ", 2);
	sys3(SYS_exit_group, 0, 0, 0);
	__builtin_unreachable();
}
