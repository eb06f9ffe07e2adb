// Ways in which C code brings a number to a syscall instruction. The comment behind each function
// says which numbers reach the instructions in it: all of them, or "unknown" if not all can be
// known, with those that are. Built without a C library; see build.sh.
#if defined ORACLE
long raw(long nr); // prints nr
#define NAKED(nr) raw(nr)
#elif defined __x86_64__
#define NAKED(nr) ({ long r_; __asm__ volatile("syscall" : "=a"(r_) : "a"((long)(nr)) : "rcx", "r11", "memory"); r_; })
#else
#define NAKED(nr) ({ register long r_ __asm__("x0"); register long n_ __asm__("x8") = (nr); __asm__ volatile("svc 0" : "=r"(r_) : "r"(n_) : "memory"); r_; })
#endif
#define APART __attribute__((noinline, noclone, noipa))

volatile int flag, other;
extern __attribute__((visibility("default"))) void outside(void *);
extern __attribute__((visibility("default"))) long number(void);

APART long direct(void) { return NAKED(1001); } // want 1001
APART long either(void) { return NAKED(flag ? 1002 : 1003); } // want 1002 1003
APART long sum(void) { return NAKED(1004 + (flag == 3)); } // want 1004 1005
APART long mask(void) { return NAKED(flag ? 1006 : -1L); } // want 1006 -1
APART long x32(void) { return NAKED(1007 | 0x40000000); } // want 1073742831

APART long wrapper(long nr) { return NAKED(nr); } // want 1010 1011 1012
APART long calls_wrapper(void) { return wrapper(1010) + wrapper(flag ? 1011 : 1012); }

APART long narrow(int nr) { return NAKED(nr); } // want 1013
APART long calls_narrow(void) { return narrow(1013); }

APART long many(long a, long b, long c, long d, long e, long f, long g, long h, long nr, int nr2) { return NAKED(nr) + NAKED(nr2); } // want 1014 1015
APART long calls_many(void) { return many(1, 2, 3, 4, 5, 6, 7, 8, 1014, 1015); }

APART long kept(long nr) { outside(0); return NAKED(nr); } // want 1016
APART long calls_kept(void) { return kept(1016); }

APART long spilled(long a, long b, long c, long d, long e, long nr) { // want 1017
	long x[6] = {number(), number(), number(), number(), number(), number()};
	return NAKED(nr) + x[0] + x[1] + x[2] + x[3] + x[4] + x[5] + a + b + c + d + e;
}
APART long calls_spilled(void) { return spilled(1, 2, 3, 4, 5, 1017); }

APART long switched(int i) { // want 1020 1021 1022 1023 1024 1025 1026 1027
	switch (i) {
	case 0: return NAKED(1020);
	case 1: outside(0); return NAKED(1021);
	case 2: return NAKED(1022) + 1;
	case 3: return NAKED(1023) * 3;
	case 4: outside((void *)&flag); return NAKED(1024);
	case 5: return NAKED(1025) - 5;
	case 6: return NAKED(1026) ^ 9;
	}
	return NAKED(1027);
}

APART long carried(int i) { // want 1030 1031 1032 1033 1034 1035
	long nr;
	switch (i) {
	case 3: nr = 1030; break;
	case 4: nr = 1031; outside(0); break;
	case 5: nr = 1032; outside((void *)&other); break;
	case 7: nr = 1033; flag = 2; break;
	case 9: nr = 1034; other = 3; break;
	default: nr = 1035; break;
	}
	outside(0);
	return NAKED(nr);
}

struct command { int nr; long args[3]; int count; };
APART long run(struct command *c) { outside(0); return NAKED(c->nr) + c->args[0]; } // want 1040 1041
APART long calls_run(void) { struct command c = {1040, {1, 2, 3}, 4}; return run(&c); }
APART long calls_run2(void) { struct command c; c.nr = 1041; c.args[0] = 7; return run(&c); }

struct command *shared;
APART long keep(struct command *c) { shared = c; outside(0); return NAKED(c->nr); } // want 1042
APART long handler(void) { return NAKED(shared->nr); } // want 1042
APART long calls_keep(void) { struct command c = {1042, {0}, 0}; return keep(&c); }

// The number behind a pointer is changed: by the function itself, by another that it is passed to,
// or before it is passed.
APART long changes(struct command *c) { c->nr++; return NAKED(c->nr); } // want unknown
APART long calls_changes(void) { struct command c = {1050, {0}, 0}; return changes(&c); }
APART void change(struct command *c) { c->nr = number(); }
APART long changed(struct command *c) { change(c); return NAKED(c->nr); } // want unknown
APART long calls_changed(void) { struct command c = {1051, {0}, 0}; return changed(&c); }
APART long leaks(struct command *c) { *(struct command **)number() = c; outside(0); return NAKED(c->nr); } // want unknown
APART long calls_leaks(void) { struct command c = {1057, {0}, 0}; return leaks(&c); }
struct command *shared2;
APART void writer(void) { shared2->nr = number(); }
APART long keep2(struct command *c) { shared2 = c; writer(); return NAKED(c->nr); } // want unknown
APART long calls_keep2(void) { struct command c = {1058, {0}, 0}; return keep2(&c); }
APART long aliased(struct command *c, int *p) { *p = number(); return NAKED(c->nr); } // want unknown
APART long calls_aliased(void) { struct command c = {1059, {0}, 0}; return aliased(&c, &c.nr); }
APART long before(struct command *c) { return NAKED(c->nr); } // want unknown
APART long calls_before(void) { struct command c = {1052, {0}, 0}; outside(&c); return before(&c); }
APART long local(void) { long nr = 1053; outside(&nr); return NAKED(nr); } // want unknown
APART long indexed(int i) { long nr[4] = {1, 2, 3, 4}; nr[i & 3] = number(); return NAKED(nr[1]); } // want unknown
APART long result(void) { return NAKED(number()); } // want unknown
APART long array(int i) { static const short t[] = {1054, 1055, 1056}; return NAKED(t[i]); } // want unknown

APART long loop(void) { long s = 0; for (int i = 0; i < 3; i++) s += NAKED(1060); return s; } // want 1060
APART long counts(int n) { long s = 0; for (int i = 0; i < n; i++) s += NAKED(1061 + i); return s; } // want unknown 1061
