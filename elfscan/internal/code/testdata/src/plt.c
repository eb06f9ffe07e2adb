// Functions that are called and of which the address is taken get entries in .plt.got, those that are
// only called in .plt.
extern int one(int), two(int), three(int);
int (*keep[])(int) = {0};
int run(int n) {
	int (*volatile p)(int) = one;
	int (*volatile q)(int) = two;
	return p(n) + one(n) + q(n) + two(n) + three(n);
}
