// greet: says what stands in /etc/greeting. With the argument -s it becomes a shell; any other
// argument is a library that it opens and whose function extra it calls.
long say(const char *, long);
long say_read(const char *, char *, long);
void say_log(const char *, long);
void say_quit(int) __attribute__((noreturn));
int execve(const char *, char *const[], char *const[]);
void *dlopen(const char *, int);
void *dlsym(void *, const char *);

void greet_main(char **argv) {
	char text[256];
	if (argv[1] && argv[1][0] == '-') {
		execve("/bin/sh", argv, 0);
	} else if (argv[1]) {
		void *lib = dlopen(argv[1], 2);
		void (*extra)(void) = lib ? (void (*)(void))dlsym(lib, "extra") : 0;
		if (extra) extra();
	}
	long n = say_read("/etc/greeting", text, sizeof text);
	if (n < 0) {
		say_log("no greeting\n", 12);
		say_quit(1);
	}
	say(text, n);
	say_quit(0);
}

__asm__(".globl _start\n.type _start,@function\n_start:\n\txor %ebp,%ebp\n\tlea 8(%rsp),%rdi\n\tand $-16,%rsp\n\tcall greet_main\n\thlt\n.size _start,.-_start");
