// Asks the running x86-64 kernel what it makes of filters: reads jobs from the file named by the first
// argument, writes one result for each call to stdout. With no argument it prints the addresses after
// its two instructions that enter the kernel, which filters see as the instruction pointer.
//
// A job is {kind, filters, calls, 0}, then each filter as {length, 0} and its instructions, oldest
// first, then the calls. All numbers are little-endian, 32 bits where not said otherwise.
//
// The calls of a job of filters are made by a thread of their own, which loads the filters and then
// does nothing else, so that no filter can disturb anybody: the main thread stays free, watches, and
// ends the process. A thread that dies alone is replaced by another for the calls that are left, and a
// process that dies by another process. The thread enters the kernel for nothing else: it does not
// return from a signal handler, and ends with an instruction that does not exist, which ends the
// process, too.

#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum job_kind {
	JOB_THREAD, // filters on a thread, all calls one after the other
	JOB_STRICT, // strict mode, a process for each call
	JOB_PROCESS, // filters, a process with a single thread for each call
	JOB_TIME,    // filters on a thread; results are how many cycles a call takes at least
	JOB_LISTENER, // filters on a thread, the newest with a listener, who answers with LISTENER_ERRNO
	JOB_TRACER    // as JOB_PROCESS, with a tracer, who ends the process when it is asked
};

enum { LISTENER_ERRNO = 77 };

enum result_kind {
	NOT_MADE,
	RETURNED,       // value: what the call returned
	TRAPPED,        // SIGSYS; value: si_errno
	TRAPPED_BADLY,  // SIGSYS that tells of another call
	THREAD_KILLED,
	PROCESS_KILLED, // value: the signal
	EXITED,         // value: the code
	NOT_ATTACHED,   // value: the errno of loading the filter
	TRACED          // value: the event message that the tracer got
};

enum way { BY_SYSCALL, BY_INT80 };

struct call {
	uint64_t nr, args[6], way; // nr and args as they go into the registers
};

struct result {
	int32_t kind, value;
};

struct job {
	uint32_t kind, filters, calls, zero;
};

// What the thread, its process and the first process share.
struct shared {
	volatile uint32_t current; // index of the call under way
	volatile uint32_t done;    // the thread is about to end the process
	volatile int listener;     // its file descriptor; negative: none yet
};

extern char after_syscall[], after_int80[];
long call_syscall(const struct call *);
long call_int80(const struct call *);

__asm__(".text\n"
	"call_syscall:\n"
	"	mov 0(%rdi), %rax\n"
	"	mov 16(%rdi), %rsi\n"
	"	mov 24(%rdi), %rdx\n"
	"	mov 32(%rdi), %r10\n"
	"	mov 40(%rdi), %r8\n"
	"	mov 48(%rdi), %r9\n"
	"	mov 8(%rdi), %rdi\n"
	"	syscall\n"
	"after_syscall:\n"
	"	ret\n"
	"call_int80:\n"
	"	push %rbx\n"
	"	push %rbp\n"
	"	mov 0(%rdi), %rax\n"
	"	mov 8(%rdi), %rbx\n"
	"	mov 16(%rdi), %rcx\n"
	"	mov 24(%rdi), %rdx\n"
	"	mov 32(%rdi), %rsi\n"
	"	mov 48(%rdi), %rbp\n"
	"	mov 40(%rdi), %rdi\n"
	"	int $0x80\n"
	"after_int80:\n"
	"	pop %rbp\n"
	"	pop %rbx\n"
	"	ret\n");

static struct shared *shared;
static const struct job *job;
static const char *filters;
static const struct call *calls;
static struct result *results;
static void *back[5]; // for __builtin_longjmp: where the thread goes on after a signal

static long raw(long nr, long a, long b, long c)
{
	struct call call = {nr, {a, b, c}, BY_SYSCALL};
	return call_syscall(&call);
}

static int make(const struct call *c)
{
	return c->way == BY_INT80 ? call_int80(c) : call_syscall(c);
}

// The least of many, for other work and interrupts only add to it.
static int32_t least_cycles(const struct call *c)
{
	uint64_t least = INT32_MAX;

	for (int n = 0; n < 300; n++) {
		uint64_t start = __builtin_ia32_rdtsc(), took;

		make(c);
		took = __builtin_ia32_rdtsc() - start;
		least = took < least ? took : least;
	}
	return least;
}

static void set(uint32_t i, int32_t kind, int32_t value)
{
	results[i].kind = kind;
	results[i].value = value;
}

static void on_sigsys(int signo, siginfo_t *info, void *context)
{
	const struct call *c = &calls[shared->current];
	uint32_t arch = c->way == BY_INT80 ? 0x40000003 : 0xc000003e;
	char *after = c->way == BY_INT80 ? after_int80 : after_syscall;
	int good = info->si_code == 1 && info->si_syscall == (int32_t)c->nr && info->si_arch == arch && info->si_call_addr == (void *)after;

	(void)signo, (void)context;
	set(shared->current, good ? TRAPPED : TRAPPED_BADLY, info->si_errno);
	shared->current++;
	__builtin_longjmp(back, 1);
}

// Loads the filters, oldest first; returns 0 or an errno.
static int attach(void)
{
	const char *at = filters;
	long err = raw(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0);

	for (uint32_t i = 0; i < job->filters && !err; i++) {
		uint32_t len = *(const uint32_t *)at;
		struct sock_fprog prog = {len, (struct sock_filter *)(at + 8)};
		int listen = job->kind == JOB_LISTENER && i + 1 == job->filters;

		err = raw(SYS_seccomp, SECCOMP_SET_MODE_FILTER, listen ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0, (long)&prog);
		if (listen && err >= 0) {
			shared->listener = err;
			err = 0;
		}
		at += 8 + 8 * (size_t)len;
	}
	return -err;
}

// Answers whatever the listener is asked; ends with the process.
static void answer(void)
{
	while (shared->listener < 0)
		sched_yield();
	for (;;) {
		struct seccomp_notif ask = {0};
		struct seccomp_notif_resp resp = {0};

		if (ioctl(shared->listener, SECCOMP_IOCTL_NOTIF_RECV, &ask) < 0)
			continue;
		resp.id = ask.id;
		resp.error = ask.data.nr == (int32_t)calls[shared->current].nr ? -LISTENER_ERRNO : -1;
		ioctl(shared->listener, SECCOMP_IOCTL_NOTIF_SEND, &resp);
	}
}

static int worker(void *unused)
{
	int err = attach();

	(void)unused;
	if (err) {
		set(shared->current, NOT_ATTACHED, err);
		shared->current = job->calls;
	}
	__builtin_setjmp(back);
	while (shared->current < job->calls) {
		uint32_t i = shared->current;

		set(i, RETURNED, job->kind == JOB_TIME ? least_cycles(&calls[i]) : make(&calls[i]));
		shared->current = i + 1;
	}
	shared->done = 1;
	__builtin_trap();
}

// One process with its thread, which ends the process when all calls are made.
static void watch(void)
{
	static char stack[1 << 16] __attribute__((aligned(16)));
	static volatile pid_t tid;
	struct sigaction act = {.sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO | SA_NODEFER};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigaction(SIGSYS, &act, NULL);
	while (shared->current < job->calls) {
		int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
			    CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;

		pid_t was;

		if (clone(worker, stack + sizeof stack, flags, NULL, &tid, NULL, &tid) < 0)
			_exit(1);
		if (job->kind == JOB_LISTENER)
			answer();
		while ((was = tid)) // the kernel sets it to 0, and wakes
			syscall(SYS_futex, &tid, 0, was, NULL, NULL, 0);
		set(shared->current, THREAD_KILLED, 0);
		shared->current++;
	}
	_exit(0);
}

// The calls of a job of filters.
static void run_thread(void)
{
	shared->current = 0;
	while (shared->current < job->calls) {
		pid_t pid;
		int status;

		shared->done = 0;
		shared->listener = -1;
		pid = fork();
		if (pid == 0)
			watch();
		if (pid < 0 || waitpid(pid, &status, 0) < 0)
			exit(1);
		if (shared->done || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
			continue;
		if (!WIFSIGNALED(status))
			exit(1);
		set(shared->current, PROCESS_KILLED, WTERMSIG(status));
		shared->current++;
	}
}

// A process for one call.
static void run_process(uint32_t i)
{
	enum { survived = 100 };
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (job->kind == JOB_TRACER) {
			ptrace(PTRACE_TRACEME, 0, 0, 0);
			raise(SIGSTOP);
		}
		int err = job->kind == JOB_STRICT ? -raw(SYS_prctl, PR_SET_SECCOMP, 1, 0) : attach();

		if (err)
			set(i, NOT_ATTACHED, err);
		else
			set(i, RETURNED, make(&calls[i]));
		raw(SYS_exit, survived, 0, 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		exit(1);
	if (WIFSTOPPED(status)) {
		unsigned long message;

		ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL);
		ptrace(PTRACE_CONT, pid, 0, 0);
		waitpid(pid, &status, 0);
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8)) {
			ptrace(PTRACE_GETEVENTMSG, pid, 0, &message);
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			set(i, TRACED, message);
			return;
		}
	}
	if (WIFSIGNALED(status))
		set(i, PROCESS_KILLED, WTERMSIG(status));
	else if (WEXITSTATUS(status) != survived)
		set(i, EXITED, WEXITSTATUS(status));
}

static void run_job(void)
{
	size_t size = job->calls * sizeof *results;

	results = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (results == MAP_FAILED)
		exit(1);
	if (job->kind == JOB_THREAD || job->kind == JOB_TIME || job->kind == JOB_LISTENER)
		run_thread();
	else
		for (uint32_t i = 0; i < job->calls; i++)
			run_process(i);
	fwrite(results, sizeof *results, job->calls, stdout);
	fflush(stdout);
	munmap(results, size);
}

int main(int argc, char **argv)
{
	const struct rlimit none = {0, 0};
	struct stat st;
	int fd;

	if (argc < 2) {
		printf("%lu %lu\n", (unsigned long)after_syscall, (unsigned long)after_int80);
		return 0;
	}
	fd = open(argv[1], O_RDONLY);
	if (fd < 0 || fstat(fd, &st) < 0)
		return 1;
	char *in = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0), *end = in + st.st_size;
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (in == MAP_FAILED || shared == MAP_FAILED)
		return 1;
	setrlimit(RLIMIT_CORE, &none);
	while (in < end) {
		job = (const struct job *)in;
		filters = in += sizeof *job;
		for (uint32_t i = 0; i < job->filters; i++)
			in += 8 + 8 * (size_t)*(const uint32_t *)in;
		calls = (const struct call *)in;
		in += job->calls * sizeof *calls;
		run_job();
	}
	return 0;
}
