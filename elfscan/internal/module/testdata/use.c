/* A program that needs lib.c; without position independence it copies what it shares. */
extern int shared, twice(int), since_one(int), since_two(int);
extern __thread int counter;
int (*volatile taken)(int) = since_two;
static void first(void) {}
__attribute__((section(".preinit_array"), used)) static void (*early)(void) = first;
void _start(void) {
	shared = twice(1) + since_one(2) + taken(3) + counter;
	for (;;) {
	}
}
