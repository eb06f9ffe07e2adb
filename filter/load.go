package filter

import "fmt"

// The errnos that loading can end with, besides EINVAL.
const (
	esrch  = 3
	enomem = 12
	eacces = 13
	ebusy  = 16
)

// The kernel functions that refuse a filter for what it is attached to.
const (
	funcSetMode  = "kernel/seccomp.c seccomp_set_mode_filter"
	funcAssign   = "kernel/seccomp.c seccomp_may_assign_mode"
	funcListener = "kernel/seccomp.c has_duplicate_listener"
	funcAttach   = "kernel/seccomp.c seccomp_attach_filter"
	funcSync     = "kernel/seccomp.c seccomp_can_sync_threads"
)

// Loader is a thread that loads filters, as far as the kernel's loader looks at it. The zero value
// is a thread without filters and without the right to load any. Whether there is memory left, and
// for a listener a file descriptor, is not asked.
type Loader struct {
	Filters    []Program // attached, oldest first; each as Attach accepted it
	NoNewPrivs bool      // prctl(PR_SET_NO_NEW_PRIVS) was called
	SysAdmin   bool      // CAP_SYS_ADMIN in the thread's own user namespace
	Listener   bool      // one of the filters has a listener
	Diverged   bool      // another thread has a filter that is not among these, or is in strict mode

	// Strict is SECCOMP_MODE_STRICT. The loader would refuse then, but the call to it kills the
	// thread before.
	Strict bool
}

// Attach says what seccomp(SECCOMP_SET_MODE_FILTER, flags, p) would: nil, and the filter is among
// Filters then, or a *VerifyError. prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, p) is the same with
// flags 0. The order of the checks is the kernel's: flags, length, privileges, the program, the
// mode, listeners, the path limit, other threads.
func (l *Loader) Attach(p Program, flags uint32) error {
	if err := checkFlags(flags); err != nil {
		return err
	}
	if err := p.checkLength(); err != nil {
		return err
	}
	if !l.NoNewPrivs && !l.SysAdmin {
		return refuseWith(eacces, funcPrepare, "neither no_new_privs nor CAP_SYS_ADMIN in the own user namespace")
	}
	if err := p.Verify(); err != nil {
		return err
	}
	if l.Strict {
		return refuseWith(einval, funcAssign, "the thread is in strict mode")
	}
	if l.Listener && flags&FlagNewListener != 0 {
		return refuseWith(ebusy, funcListener, "an attached filter has a listener")
	}
	if err := l.checkPath(p); err != nil {
		return err
	}
	if l.Diverged && flags&FlagTSync != 0 {
		errno := 0
		if flags&FlagTSyncESRCH != 0 {
			errno = esrch
		}
		return refuseWith(errno, funcSync, "another thread has filters that this one has not")
	}
	l.Filters = append(l.Filters, p)
	l.Listener = l.Listener || flags&FlagNewListener != 0
	return nil
}

// checkPath refuses one filter more than a path may hold.
func (l *Loader) checkPath(p Program) error {
	own, total := p.KernelLen(), 0
	for _, f := range l.Filters {
		total += f.KernelLen() + PathPenalty
	}
	if own+total <= MaxPath {
		return nil
	}
	if len(l.Filters) == 0 {
		return refuseWith(enomem, funcAttach, "%d eBPF instructions, more than %d", own, MaxPath)
	}
	return refuseWith(enomem, funcAttach, "%d eBPF instructions and %d of the %d attached filters, more than %d together",
		own, total, len(l.Filters), MaxPath)
}

// AttachStrict says what seccomp(SECCOMP_SET_MODE_STRICT) and prctl(PR_SET_SECCOMP,
// SECCOMP_MODE_STRICT) would: nil, and Strict is set then, or a *VerifyError. It needs no
// privileges.
func (l *Loader) AttachStrict() error {
	if len(l.Filters) > 0 {
		return refuseWith(einval, funcAssign, "the thread is in filter mode")
	}
	l.Strict = true
	return nil
}

func refuseWith(errno int, fn, format string, args ...any) error {
	return &VerifyError{PC: -1, Errno: errno, Reason: fmt.Sprintf(format, args...), Func: fn}
}
