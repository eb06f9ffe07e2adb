/* A program without dynamic section whose only relocation is for an indirect function. */
static int fast(int x) { return x; }
static void *resolve(void) { return fast; }
int chosen(int) __attribute__((ifunc("resolve")));
int zeroed[1000];
void _start(void) {
	zeroed[3] = chosen(1);
	for (;;) {
	}
}
