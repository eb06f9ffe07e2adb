/* Prints the release of libseccomp, then each name of stdin that it knows on any architecture. */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
	const struct scmp_version *v = seccomp_version();
	char name[256];

	printf("%u.%u.%u\n", v->major, v->minor, v->micro);
	while (fgets(name, sizeof(name), stdin)) {
		name[strcspn(name, "\n")] = 0;
		if (seccomp_syscall_resolve_name(name) != __NR_SCMP_ERROR)
			puts(name);
	}
	return 0;
}
