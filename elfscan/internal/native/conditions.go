package native

import (
	"slices"
	"strings"

	"github.com/profcheck/profcheck/elfscan/internal/code"
)

// condition is a reason for which code that is reached runs in few processes only. It names the
// ways into that code: functions that run only if it holds, and instructions that do. What else can
// only be reached through these is conditional, and nothing more: calls that have another way keep
// their class.
type condition struct {
	text   string // completes "only if ..."
	nodes  []node
	at     []uint64 // calls, instructions that form an address, syscall instructions
	opened bool     // it stands for the libraries that are opened while the program runs
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
		text: "the loader prints a message (an error, or for LD_DEBUG and its like)",
		why:  "elf/dl-printf.c writes with writev, and names its file for LD_DEBUG_OUTPUT and its lines by the process; the loader has no other use for writev and getpid",
		find: (*program).loaderPrints,
	},
	{
		text: "the loader itself is started as a program",
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
			return p.threadAttribute(r, []string{"pthread_attr_setinheritsched", "pthread_setattr_default_np"}, "sched_getparam", "sched_getscheduler", "sched_setscheduler", "tgkill")
		},
	},
	{
		text: "a thread is created for some processors (pthread_attr_setaffinity_np)",
		why:  "nptl/pthread_create.c: a new thread gets its affinity from attributes that have one",
		find: func(p *program, r *resolver) ([]node, []uint64) {
			return p.threadAttribute(r, []string{"pthread_attr_setaffinity_np", "pthread_setattr_default_np"}, "sched_setaffinity", "tgkill")
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
		text: "the kernel has no faccessat2 (before Linux 5.8)",
		why:  "sysdeps/unix/sysv/linux/faccessat.c: the identity of the process is asked for after ENOSYS alone",
		find: (*program).oldAccess,
	},
	{
		text: "getrandom fails (kernels before 3.17)",
		why:  "OpenSSL, providers/implementations/rands/seeding/rand_unix.c wait_random_seeded: waits for /dev/random before it reads /dev/urandom, for want of getrandom",
		find: (*program).noRandom,
	},
	{
		text: "a host or network name is looked up",
		why:  "nss/nss_module.c: the functions of nss_dns are built into libc since 2.34, and those for other databases than hosts and networks do not exist",
		find: (*program).namesLookedUp,
	},
}

const whenOpened = "a library is loaded that the program opens while it runs"

// conditions are those that do not hold from the start.
func (p *program) conditions(r *resolver) []condition {
	var out []condition
	if len(p.starts.opened) > 0 {
		out = append(out, condition{text: whenOpened, opened: true})
	}
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

// entriesOf returns the functions that modules export, or programs have, under some names.
func (p *program) entriesOf(names ...string) []node {
	var out []node
	for _, name := range names {
		for _, a := range p.named(name) {
			if n := p.function(a); n != none && p.start(n) == a {
				out = append(out, n)
			}
		}
	}
	return out
}

func (p *program) anyReached(names ...string) bool {
	return slices.ContainsFunc(p.entriesOf(names...), p.tree.reached)
}

// used reports whether one of some functions of the libc can be called from elsewhere.
func (p *program) used(names ...string) bool {
	return slices.ContainsFunc(p.entriesOf(names...), func(n node) bool {
		if !p.tree.reached(n) {
			return false
		}
		m := p.owner(n)
		return m.index == 0 || p.unseen(n) != "" || slices.ContainsFunc(p.callersOf(n), func(c node) bool { return p.owner(c) != m })
	})
}

// eachCall calls f for each direct call or jump that fn makes, with the function behind a linkage table.
func (p *program) eachCall(fn node, f func(to node, at uint64)) {
	for _, e := range p.out(fn) {
		if e.kind == edgeCall && int(e.to) < p.funcs {
			f(p.behind(e.to), e.at)
		}
	}
}

// interp is the loader among the modules, nil if there is none.
func (p *program) interp() *mapped {
	for _, m := range p.mods {
		if m.Interp {
			return m
		}
	}
	return nil
}

// abortFamily are functions that end the process because something is wrong with it, as glibc and
// musl export them.
var abortFamily = []string{"abort", "__assert_fail", "__assert_perror_fail", "__assert", "__stack_chk_fail", "__chk_fail", "__fortify_fail", "__libc_fatal", "__longjmp_chk"}

// raisers send a signal to the calling thread.
var raisers = []string{"raise", "gsignal"}

// aborts finds the functions that end in abort, and in the libc the calls that raise SIGABRT or, for
// a message catalogue that divides by zero (intl/plural-eval.c), SIGFPE.
func (p *program) aborts(r *resolver) ([]node, []uint64) {
	var nodes []node
	family := map[node]bool{}
	for _, n := range p.entriesOf(abortFamily...) {
		if !family[n] {
			family[n] = true
			nodes = append(nodes, n)
		}
	}
	if len(nodes) == 0 {
		return nil, nil
	}
	libc := p.owner(nodes[0])
	ending := p.makers(r, "exit", "exit_group", "execve", "execveat", "rt_sigreturn")
	for _, u := range r.failed {
		ending[u.hop.origin().fn] = true
	}
	// Functions that do not return and whose last call leads to abort and can lead nowhere else.
	for changed := true; changed; {
		changed = false
		for i := range libc.facts.Funcs {
			n := libc.fn0 + node(i)
			if !family[n] && p.tree.reached(n) && p.doomed(n, family, ending) {
				family[n], changed = true, true
				nodes = append(nodes, n)
			}
		}
	}
	if m := p.messenger(r, family); m != none {
		nodes = append(nodes, m)
	}
	var at []uint64
	for _, n := range p.entriesOf(raisers...) {
		if p.owner(n) != libc {
			continue
		}
		for _, caller := range p.callersOf(n) {
			if p.owner(caller) != libc {
				continue
			}
			sum := p.summary(caller)
			for i := range sum.Calls {
				c := &sum.Calls[i]
				if sig, ok := p.vs.IsConst(c.Regs[p.conv.Params[0]]); ok && len(sig) == 1 && (sig[0] == 6 || sig[0] == 8) && p.leads(c, n) {
					at = append(at, c.At)
				}
			}
		}
	}
	return nodes, at
}

// doAbort is the flag of __libc_message (include/stdio.h enum __libc_message_action).
const doAbort = 1

// messenger finds __libc_message, which writes with writev and then calls abort if its first argument
// says so, if that is what all its callers want.
func (p *program) messenger(r *resolver, family map[node]bool) node {
	for n := range p.makers(r, "writev") {
		libc := p.owner(n)
		if p.exportedAt(libc, n) || !p.tree.reached(n) || !p.mayAbort(n, family) {
			continue
		}
		actions, ok := p.argument(n, 0)
		if ok && len(actions) > 0 && !slices.ContainsFunc(actions, func(v uint64) bool { return v&doAbort == 0 }) {
			return n
		}
	}
	return none
}

// doomed reports whether function n of the libc ends in a function of the family whatever it does:
// it holds no return and no way out, and all that it calls last either belongs to the family or
// calls nothing that does not return but the family. Functions that make a call that does not return
// are in ending.
func (p *program) doomed(n node, family, ending map[node]bool) bool {
	_, f := p.fun(n)
	if f.Flags&(code.Stub|code.HasIndirect|code.FallsOut) != 0 || ending[n] || !p.Stops(p.start(n)) {
		return false
	}
	ends := 0
	for _, e := range p.out(n) {
		if int(e.to) >= p.funcs || e.kind != edgeCall {
			continue
		}
		to := p.behind(e.to)
		switch {
		case family[to]:
			ends++
		case p.Stops(p.start(to)):
			return false
		case p.mayAbort(to, family):
			ends++
		}
	}
	return ends > 0
}

// mayAbort reports whether function n calls the family, and nothing else that does not return.
func (p *program) mayAbort(n node, family map[node]bool) bool {
	may := false
	for _, e := range p.out(n) {
		if int(e.to) >= p.funcs || e.kind != edgeCall {
			continue
		}
		to := p.behind(e.to)
		if family[to] {
			may = true
		} else if p.Stops(p.start(to)) {
			return false
		}
	}
	return may
}

// ceilingSetters make mutexes with a priority ceiling.
var ceilingSetters = []string{"pthread_mutexattr_setprotocol", "pthread_mutexattr_setprioceiling", "pthread_mutex_setprioceiling"}

var mutexFunctions = []string{"pthread_mutex_lock", "pthread_mutex_trylock", "pthread_mutex_timedlock", "pthread_mutex_clocklock", "pthread_mutex_unlock", "pthread_mutex_init", "pthread_mutex_destroy", "pthread_cond_wait", "pthread_cond_timedwait"}

var schedulers = []string{"sched_setscheduler", "sched_getscheduler", "sched_getparam", "sched_setparam", "sched_get_priority_min", "sched_get_priority_max"}

// priorityCeiling finds the functions that mutex functions call to ask for or change priorities: in
// the same module, not exported, called by mutex functions or what these call, and calling the
// scheduler's functions.
func (p *program) priorityCeiling(*resolver) ([]node, []uint64) {
	if p.anyReached(ceilingSetters...) {
		return nil, nil
	}
	mutex := p.entriesOf(mutexFunctions...)
	if len(mutex) == 0 {
		return nil, nil
	}
	libc := p.owner(mutex[0])
	var nodes []node
	for _, s := range p.entriesOf(schedulers...) {
		if p.owner(s) != libc {
			continue
		}
		for _, caller := range p.callersOf(s) {
			if p.owner(caller) == libc && !slices.Contains(nodes, caller) && !p.exportedAt(libc, caller) && p.serves(caller, mutex) {
				nodes = append(nodes, caller)
			}
		}
	}
	return nodes, nil
}

// serves reports whether function n is called by one of users, or by a function that only they and
// functions of its kind call.
func (p *program) serves(n node, users []node) bool {
	for _, c := range p.callersOf(n) {
		if slices.Contains(users, c) {
			return true
		}
		if c != n {
			for _, d := range p.callersOf(c) {
				if slices.Contains(users, d) {
					return true
				}
			}
		}
	}
	return false
}

// exportedAt reports whether m exports a function that begins where n does.
func (p *program) exportedAt(m *mapped, n node) bool {
	if m.exported == nil {
		m.exported = map[uint64]bool{}
		for i := range m.Symbols {
			if sym := &m.Symbols[i]; exported(sym) {
				m.exported[sym.Addr] = true
			}
		}
	}
	return m.exported[p.start(n)-m.base]
}

// loaderSites returns the syscall instructions in the loader whose number is that of name.
func (p *program) loaderSites(r *resolver, name string) (fns []node, at []uint64) {
	m := p.interp()
	nr, ok := p.arch.Number(name)
	if m == nil || !ok || !p.glibcLoader(m) {
		return nil, nil
	}
	for _, f := range slices.Concat(r.found, r.claims) {
		o := f.hop.origin()
		if f.nr == uint64(nr) && p.owner(o.fn) == m {
			if !slices.Contains(fns, f.known.fn) {
				fns = append(fns, f.known.fn)
			}
			at = append(at, o.at)
		}
	}
	return fns, at
}

// glibcLoader reports whether m is glibc's dynamic loader, which is not the libc itself.
func (p *program) glibcLoader(m *mapped) bool {
	if !m.Interp {
		return false
	}
	for i := range m.Symbols {
		if m.Symbols[i].Name == "_rtld_global" {
			return true
		}
	}
	return false
}

func (p *program) loaderProfiles(r *resolver) ([]node, []uint64) {
	fns, _ := p.loaderSites(r, "setitimer")
	var nodes []node
	for _, f := range fns {
		nodes = append(nodes, p.callersOf(f)...) // the wrapper itself, and the profiler that calls it
	}
	return nodes, nil
}

func (p *program) loaderPrints(r *resolver) ([]node, []uint64) {
	fns, _ := p.loaderSites(r, "writev")
	_, at := p.loaderSites(r, "getpid")
	return fns, at
}

func (p *program) loaderStarted(r *resolver) ([]node, []uint64) {
	_, at := p.loaderSites(r, "execve")
	return nil, at
}

func (p *program) loaderRelative(r *resolver) ([]node, []uint64) {
	for _, m := range p.mods {
		for _, dir := range slices.Concat(m.Rpath, m.Runpath) {
			if !strings.HasPrefix(dir, "/") && !strings.HasPrefix(dir, "$") {
				return nil, nil
			}
		}
		for _, name := range m.Needed {
			if strings.Contains(name, "/") && !strings.HasPrefix(name, "/") && !strings.HasPrefix(name, "$") {
				return nil, nil
			}
		}
	}
	_, at := p.loaderSites(r, "getcwd")
	return nil, at
}

func (p *program) loaderOrigin(r *resolver) ([]node, []uint64) {
	for _, m := range p.mods {
		for _, dir := range slices.Concat(m.Rpath, m.Runpath, m.Needed) {
			if strings.Contains(dir, "$ORIGIN") || strings.Contains(dir, "${ORIGIN}") {
				return nil, nil
			}
		}
	}
	_, at := p.loaderSites(r, "readlink")
	_, more := p.loaderSites(r, "readlinkat")
	return nil, append(at, more...)
}

// threadEnders make the longjmp behind which the first thread ends by itself.
var threadEnders = []string{"pthread_exit", "thrd_exit", "pthread_cancel"}

func (p *program) mainThreadExits(r *resolver) ([]node, []uint64) {
	nr, ok := p.arch.Number("exit")
	if !ok || p.anyReached(threadEnders...) {
		return nil, nil
	}
	starters := p.entriesOf("__libc_start_main")
	var at []uint64
	for _, f := range slices.Concat(r.found, r.claims) {
		o := f.hop.origin()
		if f.nr != uint64(nr) || len(starters) == 0 {
			continue
		}
		if slices.ContainsFunc(p.callersOf(o.fn), func(c node) bool { return slices.Contains(starters, c) }) {
			at = append(at, o.at)
		}
	}
	return nil, at
}

// resolvers are the functions that ask for the names of hosts and networks.
var resolvers = []string{"getaddrinfo", "getnameinfo", "gethostbyname", "gethostbyname2", "gethostbyname_r", "gethostbyname2_r",
	"gethostbyaddr", "gethostbyaddr_r", "gethostent", "gethostent_r", "getnetbyname", "getnetbyname_r", "getnetbyaddr", "getnetbyaddr_r",
	"getnetent", "getnetent_r", "sethostent", "setnetent", "getaddrinfo_a", "rcmd", "rcmd_af", "rexec", "rexec_af", "ruserok", "ruserok_af", "iruserok", "iruserok_af"}

// dnsFunctions are those of nss_dns as libc exports them for itself.
var dnsFunctions = []string{"_nss_dns_getcanonname_r", "_nss_dns_gethostbyname_r", "_nss_dns_gethostbyname2_r", "_nss_dns_gethostbyname3_r",
	"_nss_dns_gethostbyname4_r", "_nss_dns_gethostbyaddr_r", "_nss_dns_gethostbyaddr2_r", "_nss_dns_getnetbyname_r", "_nss_dns_getnetbyaddr_r"}

// namesLookedUp finds where libc forms the addresses of the functions of nss_dns, for its table.
func (p *program) namesLookedUp(*resolver) ([]node, []uint64) {
	if p.anyReached(resolvers...) {
		return nil, nil
	}
	var at []uint64
	for _, n := range p.entriesOf(dnsFunctions...) {
		for _, in := range p.in(n) {
			if in.kind == edgeCall {
				return nil, nil
			}
			for _, e := range p.out(in.from) {
				if e.to == n {
					at = append(at, e.at)
				}
			}
		}
	}
	return nil, at
}

// threadAttribute finds the calls of the given names in pthread_create and in the functions that only
// it calls, unless one of the setters is reached.
func (p *program) threadAttribute(r *resolver, setters []string, names ...string) ([]node, []uint64) {
	if p.used(setters...) {
		return nil, nil
	}
	creators := p.entriesOf("pthread_create")
	nrs := map[uint64]bool{}
	for _, name := range names {
		if nr, ok := p.arch.Number(name); ok {
			nrs[uint64(nr)] = true
		}
	}
	var at []uint64
	for _, f := range r.claims {
		fn := f.known.fn
		if !nrs[f.nr] || len(creators) == 0 || p.owner(fn) != p.owner(creators[0]) {
			continue
		}
		if slices.Contains(creators, fn) || !p.exportedAt(p.owner(fn), fn) && p.onlyCalledBy(fn, creators) {
			at = append(at, f.known.at)
		}
	}
	return nil, at
}

// onlyCalledBy reports whether function n is called, and by some of users alone.
func (p *program) onlyCalledBy(n node, users []node) bool {
	callers := 0
	for _, c := range p.callersOf(n) {
		if c == n {
			continue
		}
		if callers++; !slices.Contains(users, c) {
			return false
		}
	}
	return callers > 0 && p.unseen(n) == ""
}

// callsTo returns the places at which some functions call n.
func (p *program) callsTo(n node, from func(node) bool) []uint64 {
	var at []uint64
	for _, c := range p.callersOf(n) {
		if c == n || !from(c) {
			continue
		}
		p.eachCall(c, func(to node, a uint64) {
			if to == n {
				at = append(at, a)
			}
		})
	}
	return at
}

// rpcRegistrars register a service.
var rpcRegistrars = []string{"svc_register", "registerrpc"}

func (p *program) rpcServices(*resolver) ([]node, []uint64) {
	if p.anyReached(rpcRegistrars...) {
		return nil, nil
	}
	var at []uint64
	for _, n := range p.entriesOf("svc_unregister") {
		libc := p.owner(n)
		at = append(at, p.callsTo(n, func(c node) bool { return p.owner(c) == libc && !p.exportedAt(libc, c) })...)
	}
	return nil, at
}

// tildeFlags are GLOB_TILDE and GLOB_TILDE_CHECK (glob.h).
const tildeFlags = 1<<12 | 1<<14

var globs = []string{"glob", "glob64"}

// globTilde finds the calls by which glob asks for users, if all flags that it gets are known and
// none asks for it.
func (p *program) globTilde(*resolver) ([]node, []uint64) {
	users := p.entriesOf("getlogin_r", "getpwnam_r", "getpwnam")
	var at []uint64
	for _, n := range p.entriesOf(globs...) {
		if !p.tree.reached(n) {
			continue
		}
		flags, ok := p.argument(n, 1)
		if !ok || slices.ContainsFunc(flags, func(v uint64) bool { return v&tildeFlags != 0 }) {
			return nil, nil
		}
		for _, u := range users {
			at = append(at, p.callsTo(u, func(c node) bool { return c == n })...)
		}
	}
	return nil, at
}

// argument returns what the callers of function n pass as a parameter, if all of it is known. What n
// passes to itself does not count.
func (p *program) argument(n node, param int) ([]uint64, bool) {
	if param >= len(p.conv.Params) {
		return nil, false
	}
	r := p.newResolver()
	r.text, r.skip = true, n
	r.push(&hop{fn: n, at: p.start(n), nr: p.vs.RegParam(p.conv.Params[param])})
	r.run()
	if len(r.failed) > 0 {
		return nil, false
	}
	var out []uint64
	for _, f := range r.found {
		out = append(out, f.nr)
	}
	return out, true
}

func (p *program) relativeCatalogues(*resolver) ([]node, []uint64) {
	for _, n := range p.entriesOf("bindtextdomain") {
		if !p.tree.reached(n) {
			continue
		}
		dirs, ok := p.argument(n, 1)
		if !ok {
			return nil, nil
		}
		for _, d := range dirs {
			if s, _ := p.textAt(d); d != 0 && !strings.HasPrefix(s, "/") {
				return nil, nil
			}
		}
	}
	translators := p.entriesOf("dcgettext", "dgettext", "dcngettext", "dngettext")
	var at []uint64
	for _, n := range p.entriesOf("getcwd") {
		at = append(at, p.callsTo(n, func(c node) bool {
			return p.owner(c) == p.owner(n) && !p.exportedAt(p.owner(c), c) && slices.ContainsFunc(p.callersOf(c), func(d node) bool { return slices.Contains(translators, d) })
		})...)
	}
	return nil, at
}

// identities ask who the process is.
var identities = []string{"getuid", "geteuid", "getgid", "getegid", "group_member"}

func (p *program) oldAccess(r *resolver) ([]node, []uint64) {
	var at []uint64
	access := p.entriesOf("faccessat")
	for _, name := range identities {
		for _, n := range p.entriesOf(name) {
			at = append(at, p.callsTo(n, func(c node) bool { return slices.Contains(access, c) })...)
		}
		nr, ok := p.arch.Number(name)
		for _, f := range r.claims {
			if ok && f.nr == uint64(nr) && slices.Contains(access, f.known.fn) {
				at = append(at, f.known.at)
			}
		}
	}
	return nil, at
}

func (p *program) noRandom(*resolver) ([]node, []uint64) {
	crypto := p.entriesOf("RAND_poll")
	if len(crypto) == 0 {
		return nil, nil
	}
	m := p.owner(crypto[0])
	var nodes []node
	for _, n := range p.entriesOf("shmget") {
		for _, c := range p.callersOf(n) {
			if p.owner(c) == m && !p.exportedAt(m, c) {
				nodes = append(nodes, c)
			}
		}
	}
	return nodes, nil
}

// makers are the functions that make one of some syscalls by themselves.
func (p *program) makers(r *resolver, names ...string) map[node]bool {
	out := map[node]bool{}
	for _, name := range names {
		nr, ok := p.arch.Number(name)
		for _, f := range r.claims {
			if ok && f.nr == uint64(nr) {
				out[f.hop.origin().fn] = true
			}
		}
	}
	return out
}

// exitFails finds exit behind exit_group, in the libc's and the loader's _exit.
func (p *program) exitFails(r *resolver) ([]node, []uint64) {
	group := p.makers(r, "exit_group")
	exits := p.entriesOf("_exit", "_Exit")
	nr, ok := p.arch.Number("exit")
	var at []uint64
	for _, f := range r.claims {
		o := f.hop.origin()
		if !ok || f.nr != uint64(nr) || !group[o.fn] || f.hop.next != nil {
			continue
		}
		if slices.Contains(exits, o.fn) || p.glibcLoader(p.owner(o.fn)) {
			at = append(at, o.at)
		}
	}
	return nil, at
}

// converterPath finds the function of the libc that asks for the working directory and splits paths
// at their colons.
func (p *program) converterPath(*resolver) ([]node, []uint64) {
	splitters := p.entriesOf("strtok_r", "__strtok_r")
	var at []uint64
	for _, n := range p.entriesOf("getcwd") {
		at = append(at, p.callsTo(n, func(c node) bool {
			return p.owner(c) == p.owner(n) && !p.exportedAt(p.owner(c), c) && p.callsOne(c, splitters)
		})...)
	}
	return nil, at
}

// callsOne reports whether function n calls one of others.
func (p *program) callsOne(n node, others []node) bool {
	found := false
	p.eachCall(n, func(to node, _ uint64) {
		found = found || slices.Contains(others, to)
	})
	return found
}

// formsText reports whether function n forms the address of a string that begins with prefix.
func (p *program) formsText(n node, prefix string) bool {
	m, f := p.fun(n)
	for _, r := range m.facts.Refs[f.First : f.First+f.N] {
		if r.Kind == code.Addr {
			if s, ok := p.textAt(m.base + r.Target); ok && strings.HasPrefix(s, prefix) {
				return true
			}
		}
	}
	return false
}

// loaderEnds finds functions of the loader that do not return, because the last thing that they do
// is to exit the process, and that cannot leave otherwise: neither they nor what they call has
// calls or jumps through pointers.
func (p *program) loaderEnds(r *resolver) ([]node, []uint64) {
	m := p.interp()
	if m == nil || !p.glibcLoader(m) {
		return nil, nil
	}
	ends := map[node]bool{}
	for n := range p.makers(r, "exit_group") {
		if p.owner(n) == m && p.Stops(p.start(n)) {
			ends[n] = true
		}
	}
	var nodes []node
	for changed := true; changed; {
		changed = false
		for i := range m.facts.Funcs {
			n := m.fn0 + node(i)
			if ends[n] || !p.tree.reached(n) || p.root[n] || !p.endsIn(n, ends) {
				continue
			}
			ends[n], changed = true, true
			nodes = append(nodes, n)
		}
	}
	return nodes, nil
}

// endsIn reports whether function n does not return, calls one of ends, nothing else that does not
// return, and nothing that may go elsewhere.
func (p *program) endsIn(n node, ends map[node]bool) bool {
	if !p.Stops(p.start(n)) || !p.tame(n, ends, 0, map[node]bool{}) {
		return false
	}
	found := false
	p.eachCall(n, func(to node, _ uint64) {
		found = found || ends[to]
	})
	return found
}

// tame reports whether all that function n leads to, up to ends, goes by direct calls.
func (p *program) tame(n node, ends map[node]bool, depth int, seen map[node]bool) bool {
	if seen[n] || ends[n] {
		return true
	}
	seen[n] = true
	_, f := p.fun(n)
	if depth > maxDepth || len(seen) > 200 || f.Flags&(code.HasIndirect|code.FallsOut) != 0 {
		return false
	}
	ok := true
	p.eachCall(n, func(to node, _ uint64) {
		ok = ok && p.tame(to, ends, depth+1, seen)
	})
	return ok
}

// hugeAdvice is MADV_HUGEPAGE.
const hugeAdvice = 14

// hugePages finds the functions of the libc that read about huge pages, and the calls by which it
// asks for them.
func (p *program) hugePages(*resolver) ([]node, []uint64) {
	advisers := p.entriesOf("madvise")
	if len(advisers) == 0 {
		return nil, nil
	}
	var nodes []node
	var at []uint64
	libc := p.owner(advisers[0])
	for i := range libc.facts.Funcs {
		n := libc.fn0 + node(i)
		if p.tree.reached(n) && p.formsText(n, "/sys/kernel/mm/") && !p.exportedAt(libc, n) {
			nodes = append(nodes, n)
		}
	}
	if len(nodes) == 0 {
		return nil, nil // a libc without the tunable
	}
	for _, c := range p.callersOf(advisers[0]) {
		if p.owner(c) != libc {
			continue
		}
		sum := p.summary(c)
		for i := range sum.Calls {
			call := &sum.Calls[i]
			if v, ok := p.vs.IsConst(call.Regs[p.conv.Params[2]]); ok && len(v) == 1 && v[0] == hugeAdvice && p.leads(call, advisers[0]) {
				at = append(at, call.At)
			}
		}
	}
	return nodes, at
}

// spawnChild finds the function that runs in the child of posix_spawn: not exported, and makes or
// calls all that posix_spawn can ask for.
func (p *program) spawnChild(r *resolver) node {
	sets := p.entriesOf("sched_setparam")
	if len(sets) == 0 || !p.tree.reached(sets[0]) {
		return none
	}
	sessions := p.entriesOf("setsid")
	groups := p.makers(r, "setresgid")
	for _, c := range p.callersOf(sets[0]) {
		if p.owner(c) == p.owner(sets[0]) && !p.exportedAt(p.owner(c), c) && p.callsOne(c, sessions) && groups[c] {
			return c
		}
	}
	return none
}

// spawnCalls finds where the child of posix_spawn makes or calls some syscalls.
func (p *program) spawnCalls(r *resolver, names ...string) (at []uint64) {
	child := p.spawnChild(r)
	if child == none {
		return nil
	}
	for _, name := range names {
		nr, ok := p.arch.Number(name)
		for _, f := range r.claims {
			if ok && f.nr == uint64(nr) && f.known.fn == child {
				at = append(at, f.known.at)
			}
		}
		for _, n := range p.entriesOf(name) {
			at = append(at, p.callsTo(n, func(c node) bool { return c == child })...)
		}
	}
	return at
}

// spawnBits are the flags of posix_spawnattr_setflags that change more than signals: RESETIDS,
// SETPGROUP, SETSCHEDPARAM, SETSCHEDULER and SETSID (spawn.h).
const spawnBits = 0x01 | 0x02 | 0x10 | 0x20 | 0x80

var spawnNames = []string{"setsid", "setpgid", "getpgid", "sched_setparam", "sched_setscheduler", "setresuid", "setresgid", "getuid", "getgid"}

func (p *program) spawnFlags(r *resolver) ([]node, []uint64) {
	for _, n := range p.entriesOf("posix_spawnattr_setflags") {
		if !p.tree.reached(n) {
			continue
		}
		flags, ok := p.argument(n, 1)
		if !ok || slices.ContainsFunc(flags, func(v uint64) bool { return v&spawnBits != 0 }) {
			return nil, nil
		}
	}
	return nil, p.spawnCalls(r, spawnNames...)
}

func (p *program) spawnAction(r *resolver, setters []string, names ...string) ([]node, []uint64) {
	if p.anyReached(setters...) {
		return nil, nil
	}
	return nil, p.spawnCalls(r, names...)
}
