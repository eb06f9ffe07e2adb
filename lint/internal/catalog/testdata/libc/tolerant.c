// Makes a C library make the calls that it can do without, one part for each argument, and prints
// what came of it. The output depends on nothing else.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(what) do { if (!(what)) { printf("%s: %s\n", #what, strerror(errno)); exit(1); } } while (0)

extern char **environ;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int sum;

static void *add(void *n) {
	char *p = malloc(300000);
	CHECK(p);
	memset(p, 1, 300000);
	free(p);
	pthread_mutex_lock(&lock);
	sum += (int)(long)n;
	pthread_mutex_unlock(&lock);
	return n;
}

static void threads(void) {
	pthread_t t[20];
	for (long i = 0; i < 20; i++)
		CHECK(!(errno = pthread_create(&t[i], NULL, add, (void *)i)));
	for (int i = 0; i < 20; i++)
		CHECK(!pthread_join(t[i], NULL));
	printf("sum %d\n", sum);
}

static void spawn(void) {
	char *argv[] = {"sh", "-c", "echo spawned", NULL};
	int status;
	pid_t pid;
	fflush(stdout);
	CHECK(!(errno = posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ)));
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(system("echo system") == 0);
}

static void forks(void) {
	int status;
	pid_t pid = fork();
	if (pid == 0)
		_exit(7);
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
	printf("forked %d\n", WEXITSTATUS(status));
}

static void grow(void) {
	unsigned char *p = malloc(1 << 20);
	CHECK(p);
	memset(p, 42, 1 << 20);
	CHECK((p = realloc(p, 64 << 20)));
	CHECK(p[0] == 42 && p[(1 << 20) - 1] == 42);
	free(p);
	puts("grown");
}

static void effective(void) {
	printf("readable %d, executable %d, absent %d\n", faccessat(AT_FDCWD, "/etc/passwd", R_OK, AT_EACCESS),
	       faccessat(AT_FDCWD, "/etc/passwd", X_OK, AT_EACCESS), faccessat(AT_FDCWD, "/absent", F_OK, AT_EACCESS));
}

static void processors(void) { printf("processors %d\n", sysconf(_SC_NPROCESSORS_ONLN) > 0); }

static void limits(void) {
	struct rlimit r;
	CHECK(!getrlimit(RLIMIT_NOFILE, &r));
	r.rlim_cur = 77;
	CHECK(!setrlimit(RLIMIT_NOFILE, &r));
	CHECK(!getrlimit(RLIMIT_NOFILE, &r));
	printf("limit %d\n", (int)r.rlim_cur);
}

#ifdef __GLIBC__
static void status(void) {
	struct statx x;
	CHECK(!statx(AT_FDCWD, "/etc/passwd", 0, STATX_BASIC_STATS, &x));
	printf("size %llu, mode %o\n", (unsigned long long)x.stx_size, x.stx_mode);
}

static void close_from(void) {
	posix_spawn_file_actions_t a;
	char *argv[] = {"sh", "-c", "echo closed; echo open >&9", NULL};
	int status;
	pid_t pid;
	CHECK(dup2(1, 9) == 9);
	fflush(stdout);
	CHECK(!posix_spawn_file_actions_init(&a) && !posix_spawn_file_actions_addopen(&a, 2, "/dev/null", O_WRONLY, 0) &&
	      !posix_spawn_file_actions_addclosefrom_np(&a, 3));
	CHECK(!(errno = posix_spawn(&pid, "/bin/sh", &a, NULL, argv, environ)));
	CHECK(waitpid(pid, &status, 0) == pid && status != 0);
	closefrom(3);
	printf("closed %d\n", fcntl(9, F_GETFD));
}

static void chance(void) {
	char name[] = "/tmp/tolerantXXXXXX";
	int fd = mkstemp(name);
	CHECK(fd >= 0 && !unlink(name));
	printf("chance %d\n", arc4random() != arc4random() || arc4random() != arc4random());
}

static void follow(void) {
	char name[] = "/tmp/tolerantXXXXXX", line[100];
	int fd = mkstemp(name), n = 0;
	CHECK(fd >= 0 && write(fd, "first\n", 6) == 6);
	FILE *f = fopen(name, "rm");
	CHECK(f && fgets(line, sizeof line, f) && !strcmp(line, "first\n") && !fgets(line, sizeof line, f));
	for (int i = 0; i < 2000; i++)
		CHECK(write(fd, "second\n", 7) == 7);
	clearerr(f);
	while (fgets(line, sizeof line, f))
		n++;
	CHECK(!unlink(name));
	printf("read %d\n", n);
}

static void trim(void) {
	void *p[64];
	for (int i = 0; i < 64; i++)
		CHECK((p[i] = malloc(100000)));
	for (int i = 0; i < 63; i++)
		free(p[i]);
	malloc_trim(0);
	puts("trimmed");
}
#else
static void descriptors(void) {
	int p[2];
	CHECK(!pipe2(p, O_CLOEXEC | O_NONBLOCK));
	printf("pipe %d %d\n", fcntl(p[0], F_GETFD), !!(fcntl(p[1], F_GETFL) & O_NONBLOCK));
}

static void copies(void) { printf("copy %d %d\n", dup3(1, 50, O_CLOEXEC), fcntl(50, F_GETFD)); }

static void signals(void) {
	sigset_t s;
	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	int fd = signalfd(-1, &s, SFD_CLOEXEC);
	CHECK(fd >= 0);
	printf("signalfd %d\n", fcntl(fd, F_GETFD));
}

static void robust(void) {
	pthread_mutexattr_t a;
	pthread_mutex_t m;
	CHECK(!pthread_mutexattr_init(&a) && !pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST) &&
	      !pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED) && !pthread_mutex_init(&m, &a));
	printf("robust %d %d\n", pthread_mutex_lock(&m), pthread_mutex_unlock(&m));
}
#endif

int main(int argc, char **argv) {
	static const struct { const char *name; void (*run)(void); } parts[] = {
		{"threads", threads}, {"spawn", spawn}, {"forks", forks}, {"grow", grow}, {"effective", effective},
		{"processors", processors}, {"limits", limits},
#ifdef __GLIBC__
		{"status", status}, {"close", close_from}, {"chance", chance}, {"follow", follow}, {"trim", trim},
#else
		{"descriptors", descriptors}, {"copies", copies}, {"signals", signals}, {"robust", robust},
#endif
	};
	setbuf(stdout, NULL);
	for (int i = 1; i < argc; i++)
		for (int k = 0; k < (int)(sizeof parts / sizeof *parts); k++)
			if (!strcmp(argv[i], parts[k].name))
				parts[k].run();
	return 0;
}
