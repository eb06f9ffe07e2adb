/* Inlined calls, aliases as those of a C library, a local function, and code without a symbol. */
static long sys1(long number, long a)
{
	long result;
	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a) : "rcx", "r11", "memory");
	return result;
}

static inline long checked(long a)
{
	if (a < 0)
		return -1;
	return sys1(3, a);
}

long __GI___libc_close(long fd)
{
	return checked(fd) + 1;
}
extern __typeof(__GI___libc_close) __close __attribute__((alias("__GI___libc_close")));
extern __typeof(__GI___libc_close) close __attribute__((weak, alias("__GI___libc_close")));

static __attribute__((noinline)) long local(long a)
{
	return sys1(a ? 39 : 102, a);
}

long entry(long a)
{
	return local(a) + checked(a + 1);
}
