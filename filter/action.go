package filter

import (
	"fmt"
	"strconv"
	"strings"
)

// Action is the value that a filter returns: the action in the upper 16 bits, data in the lower
// 16. The zero value is KillThread. Values compare by meaning only through Base: where several
// filters run, the lowest action wins, compared as signed 32-bit numbers (kernel/seccomp.c
// seccomp_run_filters).
type Action uint32

// The actions, with data 0 (include/uapi/linux/seccomp.h).
const (
	KillProcess Action = 0x80000000
	KillThread  Action = 0x00000000
	Trap        Action = 0x00030000 // SIGSYS with si_errno = data
	Errno       Action = 0x00050000 // the call returns -data and does not run
	UserNotif   Action = 0x7fc00000 // a listener decides; ENOSYS without one
	Trace       Action = 0x7ff00000 // a tracer decides, data is its event message; ENOSYS without one
	Log         Action = 0x7ffc0000 // runs, and is logged
	Allow       Action = 0x7fff0000
)

// MaxErrno is the largest errno that the kernel returns; larger data is cut to it.
const MaxErrno = 4095

var actionNames = map[Action]string{
	KillProcess: "KILL_PROCESS",
	KillThread:  "KILL_THREAD",
	Trap:        "TRAP",
	Errno:       "ERRNO",
	UserNotif:   "USER_NOTIF",
	Trace:       "TRACE",
	Log:         "LOG",
	Allow:       "ALLOW",
}

// actionWords are the spellings that ParseAction takes besides the names themselves.
var actionWords = map[string]Action{
	"KILL":   KillThread, // the old name, and what libseccomp means by it
	"NOTIFY": UserNotif,  // libseccomp's word
}

// Base returns the action without its data.
func (a Action) Base() Action { return a & 0xffff0000 }

// Data returns the 16 data bits.
func (a Action) Data() uint16 { return uint16(a) }

// Known reports whether the kernel knows the action.
func (a Action) Known() bool {
	_, ok := actionNames[a.Base()]
	return ok
}

// Effect returns the action that the kernel carries out when this one is the result: itself, with
// the errno cut to MaxErrno, or KillProcess for an action that the kernel does not know
// (kernel/seccomp.c __seccomp_filter).
func (a Action) Effect() Action {
	switch {
	case !a.Known():
		return KillProcess | a&0xffff
	case a.Base() == Errno:
		return Errno | Action(a.Errno())
	}
	return a
}

// Name returns the name of the action without its data, "ERRNO", or "UNKNOWN" for one that the
// kernel does not know and kills the process for.
func (a Action) Name() string {
	if name, ok := actionNames[a.Base()]; ok {
		return name
	}
	return "UNKNOWN"
}

// String returns the name with the data in parentheses, as it was returned and not cut:
// "ERRNO(1)", "TRACE(7)". Data 0 is shown for ERRNO and TRACE alone, where it means something:
// "ALLOW", "ERRNO(0)". An unknown action shows the whole value: "UNKNOWN(0x00060001)".
func (a Action) String() string {
	if !a.Known() {
		return fmt.Sprintf("UNKNOWN(0x%08x)", uint32(a))
	}
	if base := a.Base(); a.Data() == 0 && base != Errno && base != Trace {
		return a.Name()
	}
	return fmt.Sprintf("%s(%d)", a.Name(), a.Data())
}

// Errno returns the errno that the caller sees for an ERRNO action, 0 to 4095, where 0 fakes a
// success; -1 for every other action.
func (a Action) Errno() int {
	if a.Base() != Errno {
		return -1
	}
	return min(int(a.Data()), MaxErrno)
}

// ErrnoAction returns the ERRNO action with the given number.
func ErrnoAction(n uint16) Action { return Errno | Action(n) }

// ParseAction is the inverse of Action.String. It also takes KILL for KILL_THREAD, NOTIFY for
// USER_NOTIF, an errno by its name, ERRNO(EPERM), and data in hex.
func ParseAction(s string) (Action, error) {
	name, data, hasData := strings.Cut(s, "(")
	if hasData && !strings.HasSuffix(data, ")") {
		return 0, fmt.Errorf("action %q: no closing parenthesis", s)
	}
	data = strings.TrimSuffix(data, ")")
	if name == "UNKNOWN" {
		v, err := strconv.ParseUint(data, 0, 32)
		if err != nil || Action(v).Known() {
			return 0, fmt.Errorf("action %q: no value of an unknown action", s)
		}
		return Action(v), nil
	}
	base, ok := actionByName(name)
	if !ok {
		return 0, fmt.Errorf("action %q: unknown name", s)
	}
	if !hasData {
		return base, nil
	}
	if n, ok := ErrnoNumber(data); ok && base == Errno {
		return base | Action(n), nil
	}
	v, err := strconv.ParseUint(data, 0, 16)
	if err != nil {
		return 0, fmt.Errorf("action %q: data is no 16-bit number", s)
	}
	return base | Action(v), nil
}

func actionByName(name string) (Action, bool) {
	for a, n := range actionNames {
		if n == name {
			return a, true
		}
	}
	a, ok := actionWords[name]
	return a, ok
}
