package native

import (
	"slices"
)

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
