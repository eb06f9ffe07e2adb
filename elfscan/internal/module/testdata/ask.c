/* Asks the loader of this machine where names of a library are: for each line "name version" of
   the input, with "-" for no version, the address as linked, or "-". */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
	void *library = dlopen(argv[1], RTLD_LAZY);
	struct link_map *map;
	char name[4096], version[4096];
	if (argc != 2 || !library || dlinfo(library, RTLD_DI_LINKMAP, &map))
		return 1;
	while (scanf("%4095s %4095s", name, version) == 2) {
		void *found = strcmp(version, "-") ? dlvsym(library, name, version) : dlsym(library, name);
		Dl_info info;
		struct link_map *owner = 0;
		if (found && dladdr1(found, &info, (void **)&owner, RTLD_DL_LINKMAP) && owner == map)
			printf("%#lx\n", (unsigned long)found - map->l_addr);
		else
			puts("-");
	}
	return 0;
}
