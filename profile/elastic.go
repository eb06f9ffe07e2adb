package profile

import (
	"fmt"
	"math"
	"slices"

	"github.com/profcheck/profcheck/syscalls"
)

// What go-seccomp-bpf makes of a policy is its own: the library is part of the program that loads the
// filter, and no libseccomp is in it. The first group that matches decides. The filter is for one
// architecture, the program's; calls of all others get the default action, so that under a denylist they
// are open, and numbers of x32 get ENOSYS.

// elasticArches are the architectures that the library has tables for.
func elasticArches() (list []*syscalls.Arch) {
	for _, name := range []string{"x86_64", "x86", "aarch64", "arm"} {
		list = append(list, syscalls.ByName(name))
	}
	return list
}

// elasticLacks lists calls that came after Linux 6.15, of which its tables are, and other names that they
// lack.
var elasticLacks = map[string][]string{
	"x86_64":  {"file_getattr", "file_setattr", "listns", "rseq_slice_yield", "uprobe"},
	"x86":     {"file_getattr", "file_setattr", "listns", "rseq_slice_yield"},
	"arm":     {"file_getattr", "file_setattr", "listns", "rseq_slice_yield"},
	"aarch64": {"file_getattr", "file_setattr", "listns", "rseq_slice_yield", "newfstatat"},
}

// elasticMore has the names that its table of aarch64 has besides: a generic table has them.
var elasticMore = map[string]int32{
	"fstatat": 79, "arch_specific_syscall": 244,
	"clock_gettime64": 403, "clock_settime64": 404, "clock_adjtime64": 405, "clock_getres_time64": 406,
	"clock_nanosleep_time64": 407, "timer_gettime64": 408, "timer_settime64": 409, "timerfd_gettime64": 410,
	"timerfd_settime64": 411, "utimensat_time64": 412, "pselect6_time64": 413, "ppoll_time64": 414,
	"io_pgetevents_time64": 416, "recvmmsg_time64": 417, "mq_timedsend_time64": 418, "mq_timedreceive_time64": 419,
	"semtimedop_time64": 420, "rt_sigtimedwait_time64": 421, "futex_time64": 422, "sched_rr_get_interval_time64": 423,
}

// elasticNumber finds a call in the library's tables.
func elasticNumber(a *syscalls.Arch, name string) (int32, bool) {
	if nr, ok := elasticMore[name]; ok && a.Name == "aarch64" {
		return nr, true
	}
	if slices.Contains(elasticLacks[a.Name], name) {
		return 0, false
	}
	return a.Number(name)
}

// resolveElastic is Resolve for a policy of go-seccomp-bpf. Its target is the kernel, as the program loads the
// filter itself.
func (p *Profile) resolveElastic(t Target) (*Resolved, error) {
	r := &resolver{p: p, Resolved: &Resolved{Target: t, Profile: p}}
	if t.Runtime != RuntimeKernel {
		return nil, r.loadError(WrongReader, p.Pos, "", "a policy of go-seccomp-bpf, which the program itself loads (target %s)", RuntimeKernel)
	}
	if err := r.errnos(); err != nil {
		return nil, err
	}
	abi := t.ABI
	if abi.Base == x32Bit {
		abi = t.Host
	}
	if !slices.Contains(elasticArches(), abi) {
		return nil, r.elasticError(UnknownArch, p.Pos, "", "it has tables for 386, amd64, arm and arm64, not for %s", abi)
	}
	r.Arches = []*syscalls.Arch{abi}
	r.Default = p.DefaultAction.Value(p.DefaultErrnoRet)
	r.BadArch = r.Default
	if sharesToken(abi) {
		r.x32 = enosys(t.Host)
	}
	calls := table{}
	r.tables = map[string]table{abi.Name: calls}
	d := drops{r: r, at: map[dropKey]*drop{}, total: map[dropKey]int{}}
	for i := range p.Rules {
		rule := &p.Rules[i]
		var list []Cond
		for _, a := range rule.Args {
			list = append(list, elasticCond(a))
		}
		slices.SortStableFunc(list, func(a, b Cond) int { return a.Arg - b.Arg })
		for _, n := range rule.Names {
			nr, ok := elasticNumber(abi, n.Text)
			if !ok {
				return nil, r.elasticError(UnknownName, n.Pos, fmt.Sprintf("syscalls[%d]", i), "it has no syscall %q on %s", clip(n.Text), abi)
			}
			if len(r.Rules) >= maxRules {
				return nil, r.elasticError(TooManyRules, n.Pos, "", "more than %d rules", maxRules)
			}
			r.Rules = append(r.Rules, ResolvedRule{Name: n.Text, Action: r.value(rule), Conds: list, Source: rule, Pos: n.Pos})
			r.append(abi, calls.call(nr), entry{list, r.value(rule), len(r.Rules) - 1, ""}, &d)
		}
	}
	d.record()
	return r.Resolved, nil
}

func (r *resolver) elasticError(kind LoadKind, pos Pos, path, format string, args ...any) error {
	err := r.loadError(kind, pos, path, format, args...)
	err.(*LoadError).Runtime = "go-seccomp-bpf"
	return err
}

// elasticCond is cond for the library's operations, all of which are on 64 bits.
func elasticCond(a Arg) Cond {
	switch a.Op {
	case BitsSet:
		return Cond{a.Index, NotEqual, a.Value, 0}
	case MaskedEqual:
		return Cond{a.Index, MaskedEqual, a.Value, 0}
	}
	return Cond{a.Index, a.Op, math.MaxUint64, a.Value}
}

// guarded reports whether a number is one of those that get the answer for x32.
func (r *Resolved) guarded(token uint32, nr int32) bool {
	return r.x32 != 0 && token == r.Arches[0].Audit && uint32(nr) >= x32Bit
}
