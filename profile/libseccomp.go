package profile

import (
	"slices"
	"strings"

	"github.com/profcheck/profcheck/syscalls"
)

// A name that libseccomp does not know has no effect in a profile: runc and crun leave it out, and the
// call gets the default action, however new the kernel is. So a rule can be right for one host and
// idle on the next. Which libseccomp a host has, the profile does not say.

// A libseccompRelease is a release with the names that it was the first to know.
type libseccompRelease struct {
	version string
	names   string
}

// libseccompOrigin says how it is known.
const libseccompOrigin = "src/arch-*-syscalls.c, and src/syscalls.csv since 2.5.0, of each release from 2.3.0 to 2.6.1"

// libseccompReleases are the releases that were looked at, by number, which is not the order in which
// they were made: 2.4.4 came after 2.5.0, 2.5.6 after 2.6.0. Each has all names of those before it. A name
// of the table of syscalls that is not here was there in 2.3.0 already.
var libseccompReleases = []libseccompRelease{
	{"2.3.0", ""},
	{"2.3.1", ""},
	{"2.3.2", "pkey_alloc pkey_free pkey_mprotect preadv2 pwritev2"},
	{"2.3.3", "get_tls s390_guarded_storage s390_sthyi statx"},
	{"2.4.0", "io_pgetevents rseq"},
	{"2.4.1", ""},
	{"2.4.2", `clock_adjtime64 clock_getres_time64 clock_gettime64 clock_nanosleep_time64 clock_settime64
		clone3 fsconfig fsmount fsopen fspick futex_time64 io_pgetevents_time64 io_uring_enter
		io_uring_register io_uring_setup move_mount mq_timedreceive_time64 mq_timedsend_time64
		open_tree pidfd_open pidfd_send_signal ppoll_time64 pselect6_time64 recvmmsg_time64
		rt_sigtimedwait_time64 sched_rr_get_interval_time64 semtimedop_time64 timer_gettime64
		timer_settime64 timerfd_gettime64 timerfd_settime64 utimensat_time64`},
	{"2.4.3", ""},
	{"2.4.4", "faccessat2 openat2 pidfd_getfd"},
	{"2.5.0", "riscv_flush_icache"},
	{"2.5.1", ""},
	{"2.5.2", `close_range epoll_pwait2 landlock_add_rule landlock_create_ruleset landlock_restrict_self
		memfd_secret mount_setattr process_madvise quotactl_fd`},
	{"2.5.3", "process_mrelease"},
	{"2.5.4", "futex_waitv set_mempolicy_home_node"},
	{"2.5.5", "cachestat fchmodat2 futex_requeue futex_wait futex_wake map_shadow_stack"},
	{"2.5.6", `getxattrat listmount listxattrat lsm_get_self_attr lsm_list_modules lsm_set_self_attr mseal
		removexattrat riscv_hwprobe setxattrat statmount uretprobe`},
	{"2.6.0", "atomic_barrier atomic_cmpxchg_32 getpagesize"},
	{"2.6.1", "file_getattr file_setattr listns open_tree_attr rseq_slice_yield uprobe"},
}

// libseccompSince gives the first release of each name that came after the first of the list.
var libseccompSince = func() map[string]string {
	since := map[string]string{}
	for _, r := range libseccompReleases {
		for _, name := range strings.Fields(r.names) {
			since[name] = r.version
		}
	}
	return since
}()

// LibseccompOrigin says where LibseccompKnows has it from.
func LibseccompOrigin() string { return libseccompOrigin }

// LibseccompReleases lists the releases of libseccomp whose names are known, "2.3.0" first.
func LibseccompReleases() (list []string) {
	for _, r := range libseccompReleases {
		list = append(list, r.version)
	}
	return list
}

// LibseccompSince returns the first release that knows a syscall by name, by its number. "2.3.0" means
// that release or an earlier one. Not ok: no release of the list knows it.
func LibseccompSince(name string) (version string, ok bool) {
	if version, ok = libseccompSince[name]; ok {
		return version, true
	}
	if !syscalls.Known(name) {
		return "", false
	}
	return libseccompReleases[0].version, true
}

// LibseccompKnows reports whether a release of libseccomp, "2.5.4", knows a syscall by name, as its
// authors made it. A distribution may have added names of later releases to it: Debian 12's 2.5.4 knows
// those of 2.5.5 (measured), so an unknown name is no proof for a host of its own. ok is
// false where there is no source for an answer: for a release before the first of LibseccompReleases,
// for what is no version, and for a name that a release outside of the list may or may not know.
func LibseccompKnows(name, version string) (known, ok bool) {
	v, err := parseVersion(version)
	if first, _ := parseVersion(libseccompReleases[0].version); err != nil || version == "" || v.less(first) {
		return false, false
	}
	if since, ok := LibseccompSince(name); ok {
		if s, _ := parseVersion(since); !v.less(s) {
			return true, true
		}
	}
	return false, slices.ContainsFunc(libseccompReleases, func(r libseccompRelease) bool {
		listed, _ := parseVersion(r.version)
		return listed == v
	})
}
