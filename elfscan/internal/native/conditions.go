package native

// condition is a reason for which code that is reached runs in few processes only. It names the
// ways into that code: functions that run only if it holds, and instructions that do. What else can
// only be reached through these is conditional, and nothing more: calls that have another way keep
// their class.
type condition struct {
	text   string // completes "only if ..."
	nodes  []node
	at     []uint64 // calls, instructions that form an address, syscall instructions
	roots  []node   // of libraries that are opened while the program runs, and come with it
	family bool     // these are loaded by a family's rules
}

// finder finds the ways into the code of one condition; none if the condition may hold from the
// start, or if the libc is not known well enough.
type finder struct {
	text string
	why  string // where in the sources
	find func(p *program, r *resolver) ([]node, []uint64)
}

// finders are the conditions that are known. Each was read in the sources that it names; where it
// goes by the shape of code, other code of that shape would be found as well, so that the shape
// must be the reason.
var finders = []finder{
	{
		text: "the program aborts (abort, failed assertion, stack check)",
		why:  "abort and its like end the process because something is wrong with it; a program that raises or handles signals itself reaches these calls without them",
		find: (*program).aborts,
	},
	{
		text: "a mutex has a priority ceiling (PTHREAD_PRIO_PROTECT)",
		why:  "nptl/tpp.c: pthread_mutex_lock and its like change the scheduling of the thread for such mutexes alone, and pthread_mutexattr_setprotocol is what makes them",
		find: (*program).priorityCeiling,
	},
	{
		text: "LD_PROFILE is set",
		why:  "elf/dl-profile.c: the loader counts samples for the library that LD_PROFILE names; it has no other use for the profiling timer",
		find: (*program).loaderProfiles,
	},
	{
		text: "the loader prints a message (of an error, for LD_DEBUG and its like)",
		why:  "elf/dl-printf.c writes with writev, and names its file for LD_DEBUG_OUTPUT and its lines by the process; the loader has no other use for writev and getpid",
		find: (*program).loaderPrints,
	},
	{
		text: whenLoaderStarted,
		why:  "elf/rtld.c rtld_chain_load: the loader executes a static program that is named on its command line",
		find: (*program).loaderStarted,
	},
	{
		text: "a path that the loader searches names $ORIGIN",
		why:  "elf/dl-origin.c: readlink finds where the program lies, for RPATH, RUNPATH, LD_LIBRARY_PATH and their like",
		find: (*program).loaderOrigin,
	},
	{
		text: "a library is loaded by a relative path (LD_LIBRARY_PATH, LD_PRELOAD, dlopen)",
		why:  "elf/dl-object.c _dl_new_object: the loader asks for the working directory to complete such a path",
		find: (*program).loaderRelative,
	},
	{
		text: "exit_group fails, which only a filter makes it do",
		why:  "sysdeps/unix/sysv/linux/_exit.c: behind exit_group stands exit",
		find: (*program).exitFails,
	},
	{
		text: "the first thread ends by itself (pthread_exit)",
		why:  "nptl/libc_start_call_main.h: exit without exit_group follows the longjmp of pthread_exit or of a cancellation",
		find: (*program).mainThreadExits,
	},
	{
		text: "a thread is created with a scheduling policy of its own (pthread_attr_setinheritsched)",
		why:  "nptl/pthread_create.c: the scheduling of a new thread is looked at for attributes with PTHREAD_EXPLICIT_SCHED alone",
		find: func(p *program, r *resolver) ([]node, []uint64) {
			return p.threadAttribute(r, []string{"pthread_attr_setinheritsched", "pthread_getattr_np", "pthread_setattr_default_np"}, "sched_getparam", "sched_getscheduler", "sched_setscheduler", "tgkill")
		},
	},
	{
		text: "a thread is created for some processors (pthread_attr_setaffinity_np)",
		why:  "nptl/pthread_create.c: a new thread gets its affinity from attributes that have one",
		find: func(p *program, r *resolver) ([]node, []uint64) {
			return p.threadAttribute(r, []string{"pthread_attr_setaffinity_np", "pthread_getattr_np", "pthread_setattr_default_np"}, "sched_setaffinity", "tgkill")
		},
	},
	{
		text: "a thread registered a service of Sun RPC (svc_register)",
		why:  "sunrpc/svc.c __rpc_thread_svc_cleanup: a thread that ends unregisters its services, of which only svc_register makes any",
		find: (*program).rpcServices,
	},
	{
		text: "glob expands ~ (GLOB_TILDE)",
		why:  "posix/glob.c: glob asks for users' directories for patterns with a tilde and with that flag alone",
		find: (*program).globTilde,
	},
	{
		text: "GCONV_PATH is set",
		why:  "iconv/gconv_conf.c __gconv_get_path: the working directory is asked for to complete what GCONV_PATH names",
		find: (*program).converterPath,
	},
	{
		text: "GLIBC_TUNABLES sets glibc.malloc.hugetlb",
		why:  "malloc/arena.c ptmalloc_init, sysdeps/unix/sysv/linux/malloc-hugepages.c: huge pages are looked for and asked for with that tunable alone",
		find: (*program).hugePages,
	},
	{
		text: "posix_spawn is asked to change the child's session, group, identity or scheduling (posix_spawnattr_setflags)",
		why:  "sysdeps/unix/sysv/linux/spawni.c __spawni_child: each stands behind a test of a flag",
		find: (*program).spawnFlags,
	},
	{
		text: "posix_spawn is asked to change the child's directory (posix_spawn_file_actions_addchdir_np)",
		why:  "sysdeps/unix/sysv/linux/spawni.c __spawni_child: for such file actions",
		find: func(p *program, r *resolver) ([]node, []uint64) {
			return p.spawnAction(r, []string{"posix_spawn_file_actions_addchdir_np", "posix_spawn_file_actions_addfchdir_np", "posix_spawn_file_actions_addchdir", "posix_spawn_file_actions_addfchdir"}, "chdir", "fchdir")
		},
	},
	{
		text: "posix_spawn is asked to close all of the child's files (posix_spawn_file_actions_addclosefrom_np)",
		why:  "sysdeps/unix/sysv/linux/spawni.c __spawni_child: for such file actions",
		find: func(p *program, r *resolver) ([]node, []uint64) {
			return p.spawnAction(r, []string{"posix_spawn_file_actions_addclosefrom_np"}, "close_range")
		},
	},
	{
		text: "the loader ends before the program starts",
		why:  "elf/rtld.c: it prints diagnostics or a fatal error and exits; functions that end in _exit whatever they do",
		find: (*program).loaderEnds,
	},
	{
		text: "message catalogues lie in a relative directory (bindtextdomain)",
		why:  "intl/dcigettext.c: the working directory is asked for if the directory of a catalogue does not begin with a slash",
		find: (*program).relativeCatalogues,
	},
	{
		text: "the kernel (before Linux 5.8) or a filter hides faccessat2",
		why:  "sysdeps/unix/sysv/linux/faccessat.c: the identity of the process is asked for after ENOSYS alone",
		find: (*program).oldAccess,
	},
	{
		text: "getrandom fails (before Linux 3.17 or where a filter denies it)",
		why:  "OpenSSL, providers/implementations/rands/seeding/rand_unix.c wait_random_seeded: waits for /dev/random before it reads /dev/urandom, for want of getrandom",
		find: (*program).noRandom,
	},
	{
		text: "a host or network name is looked up",
		why:  "nss/nss_module.c: the functions of nss_dns are built into libc since 2.34, and those for other databases than hosts and networks do not exist",
		find: (*program).namesLookedUp,
	},
}

const whenLoaderStarted = "the loader itself is started as a program"

// conditions are those that do not hold from the start.
func (p *program) conditions(r *resolver) []condition {
	out := p.openings()
	if p.o.Off&Conditions != 0 {
		return out
	}
	for _, f := range finders {
		nodes, at := f.find(p, r)
		if len(nodes)+len(at) > 0 {
			out = append(out, condition{text: f.text, nodes: nodes, at: at})
		}
	}
	return out
}
