// GCC for arm64 reaches objects of a file from one anchor, at offsets: each is named where it is used.
static long first[4] = {1, 2, 3, 4};
static void (*volatile handlers[4])(void);
static long last[4] = {5, 6, 7, 8};
static long counter;
static void handler(void) { counter++; }
__attribute__((noinline, noclone)) long use(long i) {
	handlers[i & 3] = handler;
	counter += first[i & 3];
	last[1] = counter;
	return first[2] + last[3] + last[i];
}
__attribute__((noinline, noclone)) void run(long i) { handlers[i](); }
static void second(void) { counter--; }
static void (*const before[6])(void) = {handler, handler, handler, handler, handler, handler};
static void (*const after[6])(void) = {second, second, second, second, second, second};
__attribute__((noinline, noclone)) void other(long i) { before[i](); after[i + 2](); }
void _start(void) {
	use(1);
	other(1);
	run(1);
	for (;;) {}
}
