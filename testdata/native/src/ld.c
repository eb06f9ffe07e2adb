// ld-tiny.so.1: a dynamic loader that does as much as greet asks for. Libraries are in /lib, or named
// with a slash. It needs no relocation of its own: nothing in it is initialized with an address.
#include <elf.h>

#include "sys.h"

#define PUBLIC __attribute__((visibility("default")))

enum { most = 8, page = 4096 };

struct lib {
	char *base;
	Elf64_Dyn *dyn;
	Elf64_Sym *sym;
	const char *str;
	unsigned nsym;
};

static struct lib libs[most];
static int nlibs;
#define HIDDEN __attribute__((visibility("hidden")))
extern HIDDEN Elf64_Ehdr __ehdr_start;
extern HIDDEN Elf64_Dyn _DYNAMIC[];

static void die(const char *why, long n) {
	sys3(SYS_write, 2, (long)why, n);
	for (;;) sys3(SYS_exit_group, 127, 0, 0);
}

static int same(const char *a, const char *b) {
	while (*a && *a == *b) a++, b++;
	return *a == *b;
}

static Elf64_Xword value(struct lib *l, Elf64_Sxword tag) {
	for (Elf64_Dyn *d = l->dyn; d->d_tag != DT_NULL; d++)
		if (d->d_tag == tag) return d->d_un.d_val;
	return 0;
}

static struct lib *add(char *base, Elf64_Dyn *dyn) {
	if (nlibs == most) die("too many libraries\n", 19);
	struct lib *l = &libs[nlibs++];
	l->base = base;
	l->dyn = dyn;
	l->sym = (Elf64_Sym *)(base + value(l, DT_SYMTAB));
	l->str = base + value(l, DT_STRTAB);
	l->nsym = ((unsigned *)(base + value(l, DT_HASH)))[1];
	return l;
}

static char *lookup(struct lib *l, const char *name) {
	for (unsigned i = 1; i < l->nsym; i++)
		if (l->sym[i].st_shndx && same(name, l->str + l->sym[i].st_name)) return l->base + l->sym[i].st_value;
	return 0;
}

static char *find(const char *name) {
	for (int i = 0; i < nlibs; i++) {
		char *at = lookup(&libs[i], name);
		if (at) return at;
	}
	return 0;
}

static void relocate_by(struct lib *l, Elf64_Rela *r, unsigned long size) {
	for (Elf64_Rela *end = (Elf64_Rela *)((char *)r + size); r < end; r++) {
		char **at = (char **)(l->base + r->r_offset);
		if (ELF64_R_TYPE(r->r_info) == R_X86_64_RELATIVE)
			*at = l->base + r->r_addend;
		else if (!(*at = find(l->str + l->sym[ELF64_R_SYM(r->r_info)].st_name)))
			die("a symbol is missing\n", 20);
	}
}

static void relocate(struct lib *l) {
	relocate_by(l, (Elf64_Rela *)(l->base + value(l, DT_RELA)), value(l, DT_RELASZ));
	relocate_by(l, (Elf64_Rela *)(l->base + value(l, DT_JMPREL)), value(l, DT_PLTRELSZ));
}

// map brings a library into memory: all of it writable first, then with the rights that it wants.
static struct lib *map(const char *name) {
	static char head[page];
	long fd = sys6(SYS_openat, -100, (long)name, 0, 0, 0, 0);
	if (fd < 0 || sys3(SYS_read, fd, (long)head, page) < (long)sizeof(Elf64_Ehdr)) return 0;
	Elf64_Ehdr *e = (Elf64_Ehdr *)head;
	Elf64_Phdr *p = (Elf64_Phdr *)(head + e->e_phoff);
	unsigned long span = 0, dynamic = 0;
	for (int i = 0; i < e->e_phnum; i++) {
		if (p[i].p_type == PT_LOAD) span = p[i].p_vaddr + p[i].p_memsz;
		if (p[i].p_type == PT_DYNAMIC) dynamic = p[i].p_vaddr;
	}
	char *base = (char *)sys6(SYS_mmap, 0, span, 3, 0x22, -1, 0); // PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS
	if ((unsigned long)base > -4096UL) return 0;
	for (int i = 0; i < e->e_phnum; i++)
		if (p[i].p_type == PT_LOAD) sys6(17, fd, (long)base + p[i].p_vaddr, p[i].p_filesz, p[i].p_offset, 0, 0); // pread64
	sys3(SYS_close, fd, 0, 0);
	return add(base, (Elf64_Dyn *)(base + dynamic));
}

static void protect(char *base) {
	Elf64_Phdr *p = (Elf64_Phdr *)(base + ((Elf64_Ehdr *)base)->e_phoff);
	for (int i = 0; i < ((Elf64_Ehdr *)base)->e_phnum; i++)
		if (p[i].p_type == PT_LOAD && p[i].p_flags & PF_X) {
			unsigned long from = p[i].p_vaddr & -(unsigned long)page;
			sys3(SYS_mprotect, (long)base + from, p[i].p_vaddr + p[i].p_memsz - from, 5); // PROT_READ|PROT_EXEC
		}
}

static struct lib *load(const char *name) {
	char path[256] = "/lib/", *to = path;
	for (const char *c = name; *c; c++)
		if (*c == '/') goto named;
	to += 5;
named:
	while (*name && to < path + sizeof path - 1) *to++ = *name++;
	*to = 0;
	return map(path);
}

static void needs(struct lib *l) {
	for (Elf64_Dyn *d = l->dyn; d->d_tag != DT_NULL; d++)
		if (d->d_tag == DT_NEEDED && !same(l->str + d->d_un.d_val, "ld-tiny.so.1") && !load(l->str + d->d_un.d_val))
			die("a library is missing\n", 21);
}

PUBLIC void *dlopen(const char *name, int flags) {
	(void)flags;
	struct lib *l = load(name);
	if (!l) return 0;
	relocate(l);
	protect(l->base);
	return l;
}

PUBLIC void *dlsym(void *lib, const char *name) { return lookup(lib, name); }

// start_program gets the stack as the kernel made it, and returns where the program begins.
__attribute__((used)) static unsigned long start_program(unsigned long *stack) {
	unsigned long *aux = stack + 1 + stack[0] + 1;
	while (*aux++) ;
	Elf64_Phdr *p = 0;
	unsigned long entry = 0, n = 0;
	for (; aux[0]; aux += 2) {
		if (aux[0] == 3) p = (Elf64_Phdr *)aux[1]; // AT_PHDR
		if (aux[0] == 5) n = aux[1];               // AT_PHNUM
		if (aux[0] == 9) entry = aux[1];           // AT_ENTRY
	}
	char *base = 0;
	for (unsigned long i = 0; i < n; i++)
		if (p[i].p_type == PT_PHDR) base = (char *)p - p[i].p_vaddr;
	for (unsigned long i = 0; i < n; i++)
		if (p[i].p_type == PT_DYNAMIC) add(base, (Elf64_Dyn *)(base + p[i].p_vaddr));
	add((char *)&__ehdr_start, _DYNAMIC);
	needs(&libs[0]);
	relocate(&libs[0]);
	for (int i = 2; i < nlibs; i++) {
		relocate(&libs[i]);
		protect(libs[i].base);
	}
	return entry;
}

__asm__(".globl _start\n.type _start,@function\n_start:\n\tmov %rsp,%rbx\n\tmov %rsp,%rdi\n\tand $-16,%rsp\n\tcall start_program\n\tmov %rbx,%rsp\n\tjmp *%rax\n.size _start,.-_start");
