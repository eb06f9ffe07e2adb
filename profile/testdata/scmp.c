/*
 * Builds filters with libseccomp, for a test that compares their meaning with ours.
 *
 * It reads blocks of lines from stdin:
 *   filter DEFAULT                               an action in hex
 *   arch TOKEN                                   an architecture besides the native one, in hex
 *   alone                                        the native architecture is left out
 *   rule ACTION NAME COUNT (INDEX OP A B)*       conditions: OP as enum scmp_compare, A and B in decimal
 *   end
 * and answers each block with one line: the results of its rules, a colon, and the program in hex.
 * Outside of blocks,
 *   number TOKEN NAME
 * is answered with the call's number on an architecture, negative if it has none.
 */
#include <errno.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* libseccomp does not come to an end of every set of rules: the program dies of it, with SIGALRM. */
#define LONGEST 1

static void die(const char *what)
{
	fprintf(stderr, "scmp: %s\n", what);
	exit(1);
}

static void add_rule(scmp_filter_ctx ctx, char *line)
{
	char name[64];
	unsigned int action, count, i;
	int used, nr;
	struct scmp_arg_cmp cmp[6];

	if (sscanf(line, "rule %x %63s %u%n", &action, name, &count, &used) != 3 || count > 6)
		die("bad rule");
	line += used;
	for (i = 0; i < count; i++) {
		unsigned int index, op;
		unsigned long long a, b;

		if (sscanf(line, " %u %u %llu %llu%n", &index, &op, &a, &b, &used) != 4)
			die("bad condition");
		line += used;
		cmp[i].arg = index;
		cmp[i].op = op;
		cmp[i].datum_a = a;
		cmp[i].datum_b = b;
	}
	nr = seccomp_syscall_resolve_name(name);
	if (nr == __NR_SCMP_ERROR)
		printf("unknown ");
	else
		printf("%d ", seccomp_rule_add_array(ctx, action, nr, count, cmp));
}

/* A filter has one byte order: the native architecture gives way to the first of the other. */
static void add_arch(scmp_filter_ctx ctx, unsigned int token)
{
	int rc = seccomp_arch_add(ctx, token);

	if (rc == -EEXIST)
		return;
	if (rc != 0 && seccomp_arch_remove(ctx, SCMP_ARCH_NATIVE) == 0)
		rc = seccomp_arch_add(ctx, token);
	if (rc != 0)
		die("no architecture");
}

static void finish(scmp_filter_ctx ctx)
{
	FILE *f = tmpfile();
	int c, rc;

	if (!f)
		die("no temporary file");
	rc = seccomp_export_bpf(ctx, fileno(f));
	printf(": ");
	rewind(f);
	if (rc == 0)
		while ((c = getc(f)) != EOF)
			printf("%02x", c);
	printf("\n");
	fflush(stdout);
	alarm(0);
	fclose(f);
	seccomp_release(ctx);
}

int main(void)
{
	static char line[65536];
	scmp_filter_ctx ctx = NULL;
	unsigned int value;

	while (fgets(line, sizeof(line), stdin)) {
		char name[64];

		if (sscanf(line, "number %x %63s", &value, name) == 2) {
			printf("%d\n", seccomp_syscall_resolve_name_arch(value, name));
			continue;
		}
		if (sscanf(line, "filter %x", &value) == 1)
			ctx = seccomp_init(value), alarm(LONGEST);
		if (!ctx)
			die("no filter");
		if (sscanf(line, "arch %x", &value) == 1) {
			add_arch(ctx, value);
		} else if (strncmp(line, "alone", 5) == 0) {
			seccomp_arch_remove(ctx, SCMP_ARCH_NATIVE);
		} else if (strncmp(line, "rule", 4) == 0) {
			add_rule(ctx, line);
		} else if (strncmp(line, "end", 3) == 0) {
			finish(ctx);
			ctx = NULL;
		}
	}
	return 0;
}
