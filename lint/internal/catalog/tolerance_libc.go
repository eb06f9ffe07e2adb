package catalog

// glibcTolerances are callers in glibc, read in the sources of the releases 2.31 to 2.41 and tried
// with 2.36. What they do instead are calls that a scan sees as well. Names without a library are
// those in statically linked programs; only such are listed as are reserved for the C library.
//
// Left out, because their caller minds: mprotect, prlimit64 in getrlimit and setrlimit, sysinfo in
// sysconf (reads what was not filled in), EPERM for clone3 (pthread_create fails with it), and the
// wrappers of openat2, epoll_pwait2 and pidfd_*, which hand the error on. The first release of 2.36
// hangs in arc4random without getrandom; its fixes are in what is distributed (bug 29638).
var glibcTolerances = []Tolerance{
	{
		// From 2.39 on, posix_spawn into a control group (posix_spawnattr_setcgroup_np) fails with
		// ENOTSUP instead.
		Name: "clone3", Functions: []string{glibcCode, "__clone3"}, Errnos: []int{enosys},
		Why:    "glibc creates threads and processes with clone",
		Source: "glibc/sysdeps/unix/sysv/linux/clone-internal.c __clone_internal; spawni.c __spawnix (2.38 and later)",
	}, {
		Name: "rseq", Functions: []string{glibcLoader, glibcCode},
		Why:    "glibc goes on without restartable sequences",
		Source: "glibc/sysdeps/unix/sysv/linux/rseq-internal.h rseq_register_current_thread",
	}, {
		Name: "set_robust_list", Functions: []string{glibcLoader, glibcCode, "__tls_init_tp", "_Fork"},
		Why:    "glibc goes on without robust mutexes",
		Source: "glibc/sysdeps/nptl/dl_tls_init_tp.c __tls_init_tp, nptl/pthread_create.c start_thread, sysdeps/nptl/_Fork.c _Fork",
	}, {
		Name: "access", Functions: []string{glibcLoader},
		Why:    "the loader goes on without /etc/ld.so.preload",
		Source: "glibc/elf/rtld.c dl_main",
	}, {
		Name: "faccessat", Functions: []string{glibcLoader},
		Why:    "the loader goes on without /etc/ld.so.preload",
		Source: "glibc/elf/rtld.c dl_main, on ABIs without access",
	}, {
		Name: "statx", Functions: []string{"statx@libc.so.6"}, Errnos: []int{enosys},
		Why:    "glibc asks newfstatat, which does not know when a file was created",
		Source: "glibc/sysdeps/unix/sysv/linux/statx.c statx, io/statx_generic.c statx_generic",
	}, {
		Name: "faccessat2", Functions: []string{glibcCode}, Errnos: []int{enosys},
		Why:    "glibc looks at the permission bits, or calls faccessat",
		Source: "glibc/sysdeps/unix/sysv/linux/faccessat.c __faccessat (2.33 and later)",
	}, {
		Name: "close_range", Functions: []string{glibcCode},
		Why:    "posix_spawn and closefrom close what /proc/self/fd lists",
		Source: "glibc/sysdeps/unix/sysv/linux/spawni.c __spawni_child, io/closefrom.c __closefrom (2.34 and later)",
	}, {
		Name: "getrandom", Functions: []string{glibcCode}, Wrappers: []string{"getentropy"}, Errnos: []int{enosys},
		Why:    "arc4random reads /dev/urandom, and malloc and mkstemp take the clock",
		Source: "glibc/stdlib/arc4random.c __arc4random_buf (2.36 and later), malloc/malloc.c tcache_key_initialize, sysdeps/posix/tempname.c random_bits",
	}, {
		Name: "madvise", Functions: []string{glibcCode}, Wrappers: []string{"posix_madvise"},
		Why:    "malloc and the stacks of threads keep memory that they would give back",
		Source: "glibc/malloc/arena.c shrink_heap, malloc/malloc.c mtrim, madvise_thp, nptl/allocatestack.c advise_stack_range",
	}, {
		Name: "mremap", Functions: []string{glibcCode},
		Why:    "realloc copies large blocks, and streams read files that grew without mapping them",
		Source: "glibc/malloc/malloc.c mremap_chunk, libio/fileops.c mmap_remap_check",
	}, {
		Name: "prlimit64", Functions: []string{"__libc_early_init@libc.so.6"},
		Why:    "threads get stacks of the default size",
		Source: "glibc/sysdeps/nptl/pthread_early_init.h __pthread_early_init (2.34 and later)",
	},
}

// muslTolerances are callers in musl, read in the source of 1.2.3 and tried with it.
//
// Left out, because flags of the program decide: epoll_create1, eventfd2, inotify_init1, epoll_pwait.
var muslTolerances = []Tolerance{
	{
		Name: "set_robust_list", Functions: []string{muslCode},
		Why:    "musl goes on without the kernel's help for robust mutexes",
		Source: "musl/src/thread/pthread_mutex_trylock.c __pthread_mutex_trylock_owner, pthread_create.c __pthread_exit",
	}, {
		Name: "prlimit64", Functions: []string{"getrlimit@musl", "setrlimit@musl"}, Errnos: []int{enosys},
		Why:    "musl calls getrlimit and setrlimit",
		Source: "musl/src/misc/getrlimit.c getrlimit, setrlimit.c setrlimit",
	}, {
		Name: "faccessat2", Functions: []string{"faccessat@musl"}, Errnos: []int{enosys},
		Why:    "musl calls faccessat, in a process of its own if need be",
		Source: "musl/src/unistd/faccessat.c faccessat",
	}, {
		Name: "sched_getaffinity", Functions: []string{"sysconf@musl"},
		Why:    "sysconf takes the machine for one with a single processor",
		Source: "musl/src/conf/sysconf.c sysconf",
	}, {
		Name: "membarrier", Functions: []string{muslCode},
		Why:    "musl sends a signal to each thread",
		Source: "musl/src/linux/membarrier.c __membarrier, __membarrier_init",
	}, {
		Name: "mremap", Functions: []string{muslCode}, Wrappers: []string{"pthread_getattr_np"},
		Why:    "realloc copies large blocks",
		Source: "musl/src/malloc/mallocng/realloc.c realloc",
	}, {
		Name: "pipe2", Functions: []string{"pipe2@musl"}, Errnos: []int{enosys},
		Why:    "musl calls pipe and fcntl",
		Source: "musl/src/unistd/pipe2.c pipe2",
	}, {
		Name: "dup3", Functions: []string{"dup3@musl"}, Errnos: []int{enosys},
		Why:    "musl calls dup2 and fcntl",
		Source: "musl/src/unistd/dup3.c __dup3",
	}, {
		Name: "signalfd4", Functions: []string{"signalfd@musl"}, Errnos: []int{enosys},
		Why:    "musl calls signalfd and fcntl",
		Source: "musl/src/linux/signalfd.c signalfd",
	},
}
