package profile

import (
	"fmt"
	"slices"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// A StartCall is a call that the runtime itself makes after it has loaded the filter and before the
// container's program runs.
type StartCall struct {
	Name string
	ABI  *syscalls.Arch // the runtime's own, which is the host's, whatever the program's is
	Need StartNeed
	// Fallback names calls that the runtime makes instead when a StartTolerated one gives an error,
	// and that then must be allowed; those that it needs anyway are not repeated.
	Fallback []string
	// Older is the Fallback of releases before another; nil where the target's Version is given or
	// they have none of their own. Without it, such a release does not start the container.
	Older *Older
	// Since names the releases of runc that make the call, as the first of each line of releases: "1.2.8",
	// "1.3.3", "1.4.0" and all later ones. It is nil if all do, or if the target's Version is given.
	Since  []string
	Why    string // what the runtime does with it
	Origin string // how it is known
}

// Older is a Fallback that only releases of runc before Before have: "1.2.0".
type Older struct {
	Before   string
	Fallback []string
}

// StartNeed says what a denial of a StartCall does.
type StartNeed string

const (
	// StartRequired: denied in any way, the container does not start.
	StartRequired StartNeed = "required"
	// StartTolerated: the runtime goes on after an error, but not if it is killed for the call.
	StartTolerated StartNeed = "tolerated"
	// StartSometimes: the call depends on timing; denied, some starts fail.
	StartSometimes StartNeed = "sometimes"
)

// A StartEffect is what an action for a StartCall does to the start of a container.
type StartEffect int

// The effects, in rising order.
const (
	Starts  StartEffect = iota
	MayFail             // some starts fail, or an outside agent decides
	NoStart             // no start succeeds
)

// Effect tells what the start comes to if the filter answers the call with an action, and allows its
// Fallback. TRACE counts as the error that it is without a tracer.
func (c StartCall) Effect(a filter.Action) StartEffect {
	killed := false
	switch a.Base() {
	case filter.Allow, filter.Log:
		return Starts
	case filter.UserNotif:
		return MayFail
	case filter.Errno, filter.Trace:
	default:
		killed = true
	}
	switch {
	case c.Need == StartSometimes:
		return MayFail
	case c.Need == StartTolerated && !killed:
		return Starts
	}
	return NoStart
}

// A startRow is a StartCall of the table with the releases of runc that make it.
type startRow struct {
	name    string
	late    StartNeed // with noNewPrivileges, where runc loads the filter last; "" if not made then
	early   StartNeed // without, where it loads the filter before it gives up its privileges
	since   []version // the first release of each line that has it; none: all
	until   version   // the first release without it; zero: none
	instead []string  // see StartCall.Fallback
	why     string
}

const (
	req  = StartRequired
	tol  = StartTolerated
	some = StartSometimes
)

// startOrigin names the measurements behind startRows. Each call was denied alone, with ERRNO (EPERM
// and ENOSYS) and with KILL_PROCESS, several times, for a container whose program is two
// instructions; the order of the calls is that of strace and libcontainer/standard_init_linux.go.
const startOrigin = "measured one by one on x86_64 with runc 1.1.5 (Debian), 1.3.0, 1.4.2 and 1.5.2"

// handles lists the releases that look closer at what they open in /proc (CVE-2025-31133 and
// following; the first of each line is from security-profiles-operator #3041).
var handles = []version{{1, 2, 8}, {1, 3, 3}, {1, 4, 0}}

var startRows = []startRow{
	{name: "execve", late: req, early: req, why: "starts the program"},
	{name: "close", late: req, early: req, why: "closes the pipe to its parent and the log pipe"},
	{name: "openat", late: req, early: req, why: "opens the exec fifo and the list of its descriptors in /proc"},
	{name: "write", late: req, early: req, why: "writes to the exec fifo that it is about to start the program"},
	{name: "fstatfs", late: req, early: req, why: "makes sure that the list of its descriptors is in procfs"},
	{name: "getdents64", late: req, early: req, why: "lists its descriptors, to close those that the program must not get"},
	{name: "fstat", late: req, early: req, since: handles, why: "makes sure what it opened in /proc is what it asked for"},
	{name: "statx", late: req, early: req, since: handles, why: "gets the mount of what it opened in /proc"},

	{name: "capget", early: req, why: "reads its capabilities before it drops them"},
	{name: "capset", early: req, why: "drops its capabilities"},
	{name: "chdir", early: req, why: "goes to the container's working directory"},
	{name: "fstat", early: req, why: "looks at the owner of stdin, stdout and stderr"},
	{name: "getcwd", early: req, why: "makes sure that the working directory is inside the container"},
	{name: "getppid", early: req, why: "makes sure that its parent still lives"},
	{name: "newfstatat", early: req, why: "looks for the program and at /dev/null"},
	{name: "prctl", early: req, why: "drops capabilities from the bounding set and keeps the others over setuid"},
	{name: "read", early: req, why: "reads files in /proc"},
	{name: "setgid", early: req, why: "takes the container's group"},
	{name: "setgroups", early: req, why: "takes the container's additional groups"},
	{name: "setuid", early: req, why: "takes the container's user"},

	{name: "openat2", late: tol, early: tol, since: handles, instead: []string{"fcntl", "readlinkat"}, why: "opens files in /proc safely; falls back to openat"},
	{name: "fcntl", late: tol, early: tol, since: []version{{1, 2, 0}}, why: "marks and inspects descriptors"},
	{name: "fcntl", early: tol, why: "marks descriptors to be closed"},
	{name: "epoll_ctl", late: tol, early: tol, until: version{1, 4, 0}, why: "Go's runtime asks whether an opened file can be polled"},
	{name: "epoll_ctl", early: tol, why: "Go's runtime asks whether an opened file can be polled"},
	{name: "getpid", late: tol, early: tol, until: version{1, 2, 0}, why: "fills in the state that hooks get"},
	{name: "getpid", early: tol, why: "Go's runtime, before it sends itself a signal"},
	// Before 1.2 the error of faccessat, which runc calls instead, ends the start. It calls it only
	// if it looks like no set-user-ID program: where the filter lets exactly one of getuid and
	// geteuid through, or of getgid and getegid, they differ and the start goes on by accident.
	{name: "faccessat2", early: tol, until: version{1, 2, 0}, instead: []string{"faccessat"}, why: "asks whether the program may be run"},
	{name: "faccessat2", early: tol, why: "asks whether the program may be run"},
	{name: "close_range", early: tol, since: []version{{1, 2, 0}}, why: "marks all descriptors to be closed; falls back to a loop"},
	{name: "tgkill", early: tol, since: []version{{1, 2, 0}}, why: "Go's runtime, when it sets user and groups on all threads"},

	{name: "futex", late: some, early: some, why: "Go's runtime wakes another thread"},
	{name: "rt_sigreturn", late: some, early: some, why: "Go's runtime returns from the signal that preempts a goroutine"},
}

// narrowNames gives the names that Go, and C, use on a host whose own ABI has 32 bits and splits the call.
// They are inferred from Go's syscall package, not measured.
var narrowNames = map[string]string{
	"fstatfs": "fstatfs64", "fstat": "fstat64", "newfstatat": "fstatat64", "fcntl": "fcntl64",
	"setgid": "setgid32", "setgroups": "setgroups32", "setuid": "setuid32",
	"setresgid": "setresgid32", "setresuid": "setresuid32",
}

// StartCalls lists the calls that the runtime of a target makes between loading the filter and
// starting the program, by release of runc or crun. Without a
// Version they are those of the newest release, with what older ones call instead in Older. None are made
// for the kernel target, and under gVisor. A target without NoNewPrivs, which is Docker's default, needs more: runc
// then loads the filter while it still has privileges to drop. The calls are those of the host's
// ABI.
func StartCalls(t Target) []StartCall {
	t, err := t.complete()
	if err != nil {
		return nil
	}
	rows, origin := startRows, startOrigin
	switch t.Maker() {
	case RuntimeKernel, RuntimeGVisor: // gVisor's own calls are made outside of the container
		return nil
	case RuntimeSystemd: // SystemCallFilter= comes last
		rows, origin = []startRow{{name: "execve", late: req, early: req, why: "starts the program"}}, "systemd src/core/execute.c exec_child"
	case RuntimeCrun:
		rows, origin = crunStartRows, crunStartOrigin
	}
	v, _ := parseVersion(t.Version) // complete has checked it
	var list []StartCall
	for _, row := range rows {
		need := row.early
		if t.NoNewPrivs {
			need = row.late
		}
		name := row.name
		if narrow, ok := narrowNames[name]; ok && t.Host.Bits == 32 {
			name = narrow
		}
		_, exists := t.Host.Number(name)
		known := slices.ContainsFunc(list, func(c StartCall) bool { return c.Name == name })
		if need == "" || !row.in(v) || !exists || known {
			continue
		}
		c := StartCall{Name: name, ABI: t.Host, Need: need, Fallback: row.instead, Why: row.why, Origin: origin}
		if t.Version == "" && t.Maker() == RuntimeRunc {
			c.Older = olderFallback(row)
			c.Since = row.firsts(t.NoNewPrivs)
		}
		list = append(list, c)
	}
	return list
}

// olderFallback finds what releases before those of a row call instead.
func olderFallback(row startRow) *Older {
	for _, old := range startRows {
		if old.name == row.name && old.until != (version{}) && old.instead != nil {
			return &Older{fmt.Sprintf("%d.%d.%d", old.until[0], old.until[1], old.until[2]), old.instead}
		}
	}
	return nil
}

// firsts names the first releases of a row; nil if another row says that earlier ones make the call, too.
func (row startRow) firsts(noNewPrivs bool) []string {
	for _, other := range startRows {
		if other.name == row.name && other.since == nil && (!noNewPrivs && other.early != "" || noNewPrivs && other.late != "") {
			return nil
		}
	}
	var out []string
	for _, v := range row.since {
		out = append(out, fmt.Sprintf("%d.%d.%d", v[0], v[1], v[2]))
	}
	return out
}

// in reports whether a release makes the call. since names the first of each line of releases that
// got it; the last of them and everything later has it.
func (row startRow) in(v version) bool {
	if row.until != (version{}) && !v.less(row.until) {
		return false
	}
	for i, first := range row.since {
		if !v.less(first) && (i == len(row.since)-1 || v[0] == first[0] && v[1] == first[1]) {
			return true
		}
	}
	return len(row.since) == 0
}
