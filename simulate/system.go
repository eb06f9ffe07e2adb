package simulate

import (
	"fmt"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// System is what lies around the filters: the kernel's release and who watches the thread. The zero
// value is the newest kernel, with nobody watching. Nothing of it takes part in proofs.
type System struct {
	Kernel   syscalls.Kernel // zero: the newest in the tables
	Tracer   bool            // a tracer that asked for PTRACE_O_TRACESECCOMP
	Listener bool            // somebody holds the listener of the filter that decided
	LogFlag  bool            // the filter that decided was loaded with SECCOMP_FILTER_FLAG_LOG
}

// before reports whether the kernel is older than a release.
func (s System) before(major, minor int) bool {
	k := s.Kernel
	if k == (syscalls.Kernel{}) {
		k = syscalls.NewestKernel()
	}
	return k.Less(syscalls.Kernel{Major: major, Minor: minor})
}

// exemptions are calls that the kernel puts into programs itself and that seccomp does not judge:
// filters do not see them, and strict mode allows them. Only the native calls of the ABI are meant.
var exemptions = []struct {
	arch, call   string
	major, minor int
	origin       string
}{
	// It came without the exemption in 6.11; 6.12.14 and 6.13.3 have the exemption, too.
	{"x86_64", "uretprobe", 6, 14, "kernel/seccomp.c seccomp_is_const_allow and mode1_syscalls, commit cf6cb56ef244"},
	{"x86_64", "uprobe", 6, 18, "kernel/seccomp.c seccomp_uprobe_exception and mode1_syscalls, new with the call"},
}

// Exempt reports whether the kernel lets a call through whatever filters say, in strict mode, too, and
// why. It goes by releases as they came out; stable ones may have it earlier.
func (s System) Exempt(arch *syscalls.Arch, nr int32) (reason string, ok bool) {
	for _, e := range exemptions {
		if e.arch != arch.Name || s.before(e.major, e.minor) {
			continue
		}
		if n, known := arch.Number(e.call); known && n == nr {
			return fmt.Sprintf("%s is the kernel's own call: no filter is asked from Linux %d.%d on (%s)", e.call, e.major, e.minor, e.origin), true
		}
	}
	return "", false
}

// EffectKind is what becomes of a call, seen from the program.
type EffectKind uint8

// The kinds of effects.
const (
	Runs         EffectKind = iota // the kernel carries the call out
	Fails                          // the call returns -Errno and is not carried out; Errno 0 looks like success
	Signal                         // the thread gets SIGSYS instead; without a handler that ends the process
	KillsThread                    // the thread dies; the process too, if it was the last one
	KillsProcess                   // the process dies by SIGSYS
	Asks                           // a tracer or a listener decides
)

var effectNames = [...]string{"runs", "fails", "signal", "kills the thread", "kills the process", "asks"}

// String returns a word or two for messages.
func (k EffectKind) String() string {
	if int(k) < len(effectNames) {
		return effectNames[k]
	}
	return fmt.Sprintf("EffectKind(%d)", uint8(k))
}

// Effect is what the kernel makes of the value that filters returned.
type Effect struct {
	Kind   EffectKind
	Errno  int    // of Fails: 0 to 4095; -1 otherwise
	Logged bool   // a record goes to the audit log, unless an administrator has changed actions_logged
	Signal string // "SIGSYS" where the thread or the process gets it; "" otherwise
	Text   string // one line for people
}

// Effect returns what the kernel makes of a final value (kernel/seccomp.c __seccomp_filter and
// seccomp_log). Actions that the release does not know kill.
func (s System) Effect(a filter.Action) Effect {
	known := a.Known()
	switch base := a.Base(); {
	case base == filter.KillProcess || base == filter.Log:
		known = !s.before(4, 14)
	case base == filter.UserNotif:
		known = !s.before(5, 0)
	}
	if !known {
		return s.unknown(a)
	}
	switch a.Base() {
	case filter.Allow:
		return Effect{Kind: Runs, Errno: -1, Text: "the call runs"}
	case filter.Log:
		return Effect{Kind: Runs, Errno: -1, Logged: true, Text: "the call runs and is logged"}
	case filter.Errno:
		return s.fails(a.Errno(), "the filter says so")
	case filter.Trap:
		return Effect{Kind: Signal, Errno: -1, Logged: s.LogFlag, Signal: "SIGSYS",
			Text: fmt.Sprintf("the call does not run, the thread gets SIGSYS with si_errno %d", a.Data())}
	case filter.Trace:
		return s.asks(s.Tracer, "tracer", fmt.Sprintf("a tracer decides, event message %d", a.Data()))
	case filter.UserNotif:
		return s.asks(s.Listener, "listener", "the holder of the listener decides")
	case filter.KillProcess:
		return Effect{Kind: KillsProcess, Errno: -1, Logged: true, Signal: "SIGSYS", Text: "the process is killed by SIGSYS"}
	}
	return Effect{Kind: KillsThread, Errno: -1, Logged: true, Signal: "SIGSYS", Text: "the thread is killed by SIGSYS"}
}

// unknown is the end of the thread up to 5.9, of the process since (commit 4d671d922d51).
func (s System) unknown(a filter.Action) Effect {
	e := Effect{Kind: KillsProcess, Errno: -1, Logged: true, Signal: "SIGSYS"}
	whom := "process"
	if s.before(5, 10) {
		e.Kind, whom = KillsThread, "thread"
	}
	e.Text = fmt.Sprintf("the kernel does not know the action %#08x: the %s is killed by SIGSYS", uint32(a), whom)
	return e
}

func (s System) fails(errno int, why string) Effect {
	e := Effect{Kind: Fails, Errno: errno, Logged: s.LogFlag}
	switch name := filter.ErrnoName(errno); {
	case errno == 0:
		e.Text = "the call does not run and returns 0"
	case name != "":
		e.Text = fmt.Sprintf("the call does not run and fails with %s: %s", name, why)
	default:
		e.Text = fmt.Sprintf("the call does not run and fails with errno %d: %s", errno, why)
	}
	return e
}

const enosys = 38

func (s System) asks(present bool, who, text string) Effect {
	if !present {
		return s.fails(enosys, "there is no "+who)
	}
	return Effect{Kind: Asks, Errno: -1, Logged: s.LogFlag, Text: text}
}
