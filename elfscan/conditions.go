package elfscan

import "github.com/profcheck/profcheck/elfscan/internal/flow"

// condition is a reason for which calls that are in the text of many Go programs are made by few.
//
// A call in the region of a condition is reported as conditional, unless the binary shows that the
// condition can hold: then it counts like any other. Evidence errs to "can hold". Each entry was
// read in the sources of the releases it names, and witness/ runs a program that triggers it and
// one that does not; for other releases nothing is conditional.
type condition struct {
	id        string
	text      string   // completes "only if ..."
	why       string   // where in Go's sources
	from, to  int      // Go 1.from to 1.to
	functions []string // the region: these and what only they call
	syscalls  []string // of the calls in it, those that are meant; nil for all
	holds     func(*program) bool

	// without tells arguments of calls in the region for the case that the condition does not hold,
	// where the code computes them from what then is zero.
	without []argument
}

// argument is a known argument of a syscall: one of the values.
type argument struct {
	syscall string
	index   int
	values  []uint64
}

var conditions = []condition{
	{
		id: "cpu-profile", text: "a CPU profile is started",
		why:  "runtime/os_linux.go setThreadCPUProfiler: execute and newosproc call it always, but it returns at once while prof.hz is 0, which only SetCPUProfileRate changes",
		from: 21, to: 26,
		functions: []string{"runtime.setThreadCPUProfiler"},
		syscalls:  []string{"timer_create", "timer_settime", "timer_delete"},
		holds: func(p *program) bool {
			return p.hasFunction("runtime.SetCPUProfileRate", "runtime.setcpuprofilerate", "runtime/pprof.StartCPUProfile")
		},
	},
	{
		id: "pidfd", text: "the program starts, finds or signals a process",
		why:  "os/pidfd_linux.go checkPidfd: package os keeps it in a sync.OnceValue, which only the process functions call",
		from: 23, to: 26,
		functions: []string{"os.checkPidfd", "os.checkPidfd.func1", "os.checkPidfd.func2", "os.checkClonePidfd", "syscall.doCheckClonePidfd", "syscall.os_checkClonePidfd"},
		holds: func(p *program) bool {
			return p.hasFunction("os.pidfdWorks", "os.ensurePidfd", "os.getPidfd", "os.pidfdFind",
				"os.startProcess", "os.StartProcess", "os.findProcess", "os.FindProcess")
		},
	},
	{
		id: "no-auxv", text: "the kernel passes no auxiliary vector and /proc/self/auxv cannot be opened",
		why:  "runtime/os_linux.go sysargs: mincore finds the page size when neither gives it",
		from: 21, to: 26,
		functions: []string{"runtime.sysargs"},
		syscalls:  []string{"mincore"},
		holds:     func(*program) bool { return false },
	},
	{
		id: "no-dupfd-cloexec", text: "fcntl knows no F_DUPFD_CLOEXEC (Linux before 2.6.24, or denied)",
		why:  "internal/poll/fd_unix.go DupCloseOnExec: dup is called after fcntl answered EINVAL or ENOSYS",
		from: 21, to: 26,
		functions: []string{"internal/poll.dupCloseOnExecOld"},
		syscalls:  []string{"dup"},
		holds:     func(*program) bool { return false },
	},
	{
		id: "x-sys-mremap", text: "golang.org/x/sys/unix.Mremap is called",
		why:  "golang.org/x/sys/unix/mremap.go: the function stands in a field of the variable behind Mmap and Munmap, which only the method Mremap reads",
		from: 21, to: 26,
		functions: []string{"golang.org/x/sys/unix.mremap"},
		holds: func(p *program) bool {
			return p.hasFunction("golang.org/x/sys/unix.(*mremapMmapper).Mremap", "golang.org/x/sys/unix.Mremap", "golang.org/x/sys/unix.MremapPtr")
		},
	},
	{
		id: "sysprocattr", text: "a process is started with fields of syscall.SysProcAttr set",
		why:  "syscall/exec_linux.go forkAndExecInChild1: each of these calls stands behind a test of a field of sys, which is the zero value unless the program builds one",
		from: 21, to: 26,
		functions: []string{"syscall.forkAndExecInChild1", "syscall.forkAndExecInChild"},
		syscalls: []string{"setsid", "setpgid", "ioctl", "unshare", "mount", "chroot", "setgroups", "setgroups32", "setgid", "setgid32",
			"setuid", "setuid32", "capget", "capset", "prctl", "getppid", "getpid", "kill", "ptrace", "clone3"},
		holds: (*program).buildsSysProcAttr,
		// SIGCHLD | CLONE_VFORK | CLONE_VM, and CLONE_PIDFD for os.ensurePidfd.
		without: []argument{{"clone", 0, []uint64{0x4111, 0x5111}}},
	},
}

// knownResult says what a function returns as its first result, where that is computed in a way that
// is not followed.
type knownResult struct {
	function string
	from, to int // Go 1.from to 1.to
	values   []uint64
	why      string
}

var knownResults = []knownResult{{
	function: "net.favoriteAddrFamily", from: 21, to: 26,
	values: []uint64{2, 10}, // AF_INET, AF_INET6
	why:    "net/ipsock_posix.go: constants, and the method family of TCPAddr, UDPAddr and IPAddr, which returns one of the same two",
}}

func (p *program) lookUpResults() {
	p.results = map[uint64]flow.ValueID{}
	for _, k := range knownResults {
		if p.release < k.from || p.release > k.to {
			continue
		}
		for _, f := range p.tab.functionsNamed(k.function) {
			p.results[p.tab.funcs[f].entry] = p.vs.Intern(flow.Value{Consts: k.values})
		}
	}
}

func (p *program) hasFunction(names ...string) bool {
	for _, n := range names {
		if len(p.tab.functionsNamed(n)) > 0 {
			return true
		}
	}
	return false
}

const sysProcAttr = "syscall.SysProcAttr"

// watchTypes looks up the types whose uses matter for conditions, before the code is walked.
func (p *program) watchTypes() {
	p.watch = map[uint64][]dataRef{}
	for _, a := range p.types.named(sysProcAttr) {
		p.watch[a] = nil
	}
}

// buildsSysProcAttr reports whether the program can pass a syscall.SysProcAttr of its own to a new
// process. Such a value lives in the heap, in static data or on the stack:
//
//   - In the heap it is allocated by its type, or as part of a type that contains it. os.ensurePidfd
//     does so too, and sets PidFD alone.
//   - In static data its pattern of pointers stands at a second place besides
//     syscall.zeroSysProcAttr; it tells arrays, structs around it and compiler's temporaries too.
//   - Under another name there is a struct type with that pattern.
//   - On the stack it can only be if a function outside of the standard library calls
//     os.StartProcess, syscall.StartProcess or syscall.ForkExec: what is put in an exec.Cmd escapes.
func (p *program) buildsSysProcAttr() bool {
	if !p.hasFunction("syscall.forkAndExecInChild1") {
		return true // no names to go by
	}
	types := p.types.named(sysProcAttr)
	if len(types) == 0 {
		return true // its size is not known, so that static data cannot be ruled out
	}
	for _, t := range types {
		for _, ref := range p.watch[t] {
			if !p.inlines(int(ref.fn), ref.target, "os.ensurePidfd") {
				return true
			}
		}
		if p.types.containedByValue(t) || p.types.inDataOutside(t) || p.staticLike(t) > 1 || p.typesLike(t) {
			return true
		}
	}
	for _, name := range []string{"os.StartProcess", "os.startProcess", "syscall.StartProcess", "syscall.ForkExec", "syscall.forkExec", "syscall.forkAndExecInChild"} {
		for _, f := range p.tab.functionsNamed(name) {
			if p.inData(p.tab.funcs[f].entry) {
				return true
			}
			for _, e := range p.in[f] {
				switch packageOf(p.tab.name(int(e.from))) {
				case "os", "os/exec", "syscall":
				default:
					return true
				}
			}
		}
	}
	return false
}

// inlines reports whether the code of fn at address at comes from the function of that name.
func (p *program) inlines(fn int, at uint64, name string) bool {
	for _, fr := range p.tab.frames(fn, at) {
		if fr.function == name {
			return true
		}
	}
	return false
}
