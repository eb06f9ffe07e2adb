// libsay.so.1: the library of greet.
#include "sys.h"

// syscall takes the number from its caller, as syscall(3) does.
long syscall(long nr, long a, long b, long c, long d, long e, long f) { return sys6(nr, a, b, c, d, e, f); }

long say(const char *text, long n) { return sys3(SYS_write, 1, (long)text, n); }

long say_read(const char *name, char *to, long n) {
	long fd = sys6(SYS_openat, -100, (long)name, 0, 0, 0, 0);
	if (fd < 0) return fd;
	n = sys3(SYS_read, fd, (long)to, n);
	sys3(SYS_close, fd, 0, 0);
	return n;
}

// say_log writes to the log of the machine: 41 is socket, for AF_UNIX datagrams, 44 is sendto.
void say_log(const char *text, long n) {
	static const struct { short family; char path[10]; } log = {1, "/dev/log"};
	long fd = syscall(41, 1, 2, 0, 0, 0, 0);
	if (fd >= 0) syscall(44, fd, (long)text, n, 0, (long)&log, sizeof log);
}

int execve(const char *name, char *const argv[], char *const env[]) {
	return sys3(SYS_execve, (long)name, (long)argv, (long)env);
}

void say_quit(int code) {
	for (;;) sys3(SYS_exit_group, code, 0, 0);
}
