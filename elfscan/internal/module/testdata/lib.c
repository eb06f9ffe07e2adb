/* A library with what the dynamic section can hold: versions, all kinds of relocations. */
__attribute__((visibility("default"))) int shared = 7;
int other = 9;
static int hidden_word = 3;
int *pointers[70] = {&hidden_word, &shared, 0, &hidden_word, [66] = &hidden_word, [69] = &hidden_word};
__thread int counter = 5;
__thread int zeroed;

extern int elsewhere(int) __attribute__((weak));

int old_twice(int x) { return x + x; }
int new_twice(int x) { return 2 * x + other; }
__asm__(".symver old_twice, twice@LIB_1");
__asm__(".symver new_twice, twice@@LIB_2");

int since_one(int x) { return elsewhere ? elsewhere(x) : x + counter + zeroed; }
int since_two(int x) { return new_twice(x) + *pointers[0]; }

static int fast(int x) { return x; }
static void *resolve(void) { return fast; }
int chosen(int) __attribute__((ifunc("resolve")));
static int local(int) __attribute__((ifunc("resolve")));
static int (*volatile slot)(int) = local;
int call(int x) { return local(x) + slot(x); }

__attribute__((constructor)) static void begin(void) { other++; }
__attribute__((destructor)) static void end(void) { other--; }
