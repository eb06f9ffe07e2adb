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
	at     []uint64 // ascending: calls, instructions that form an address, syscall instructions
	opened bool     // it stands for the libraries that are opened while the program runs
}

func (c *condition) cuts(at uint64) bool {
	_, ok := slices.BinarySearch(c.at, at)
	return ok
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
		why:  "elf/dl-printf.c writes with writev, which the loader uses for nothing else",
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
		text: "the first thread ends by itself (pthread_exit)",
		why:  "nptl/libc_start_call_main.h: exit without exit_group follows the longjmp of pthread_exit or of a cancellation",
		find: (*program).mainThreadExits,
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
			slices.Sort(at)
			out = append(out, condition{text: f.text, nodes: nodes, at: slices.Compact(at)})
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

// calls calls f for each direct call or jump that fn makes, with the function behind a linkage table.
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
func (p *program) aborts(*resolver) ([]node, []uint64) {
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
	// Functions that do not return and whose last call leads to abort and can lead nowhere else.
	for changed := true; changed; {
		changed = false
		for i := range libc.facts.Funcs {
			n := libc.fn0 + node(i)
			if !family[n] && p.tree.reached(n) && p.doomed(n, family) {
				family[n], changed = true, true
				nodes = append(nodes, n)
			}
		}
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

// doomed reports whether function n of the libc ends in a function of the family whatever it does:
// it holds no return and no way out, and all that it calls last either belongs to the family or
// calls nothing that does not return but the family.
func (p *program) doomed(n node, family map[node]bool) bool {
	_, f := p.fun(n)
	if f.Flags&(code.HasSyscall|code.Stub|code.HasIndirect|code.FallsOut) != 0 || !p.Stops(p.start(n)) {
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
	return fns, nil
}

func (p *program) loaderStarted(r *resolver) ([]node, []uint64) {
	_, at := p.loaderSites(r, "execve")
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
