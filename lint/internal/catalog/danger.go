package catalog

import (
	"slices"
	"strings"
)

// Danger is a family of system calls that do the same kind of harm, gravest first.
type Danger struct {
	Key    string   // short name: "io_uring", "mount"
	Rank   int      // 1 to 100, higher is graver; unique
	Names  []string // the calls, the most telling first
	Caps   []string // capabilities that gate them, any one suffices; nil: the kernel asks for none
	Why    string   // what an attacker gets, a clause without full stop
	Source string
}

// Sources that several entries share.
const (
	dockerDoc = "https://docs.docker.com/engine/security/seccomp/"
	manCaps   = "https://man7.org/linux/man-pages/man7/capabilities.7.html"
	uringDoc  = "https://github.com/moby/moby/pull/46762"
)

// dangers is in descending rank; a test holds it to that.
var dangers = []Danger{
	{
		Key: "kexec", Rank: 100, Names: []string{"kexec_load", "kexec_file_load"}, Caps: []string{"CAP_SYS_BOOT"},
		Why:    "loads another kernel to boot into",
		Source: manCaps,
	}, {
		Key: "module", Rank: 98, Names: []string{"init_module", "finit_module", "delete_module", "create_module"},
		Caps:   []string{"CAP_SYS_MODULE"},
		Why:    "puts code into the kernel or takes it out",
		Source: manCaps,
	}, {
		Key: "bpf", Rank: 96, Names: []string{"bpf"}, Caps: []string{"CAP_SYS_ADMIN", "CAP_BPF"},
		Why:    "loads programs that the kernel runs, through a verifier with a long record of faults",
		Source: dockerDoc,
	}, {
		Key: "handle", Rank: 94, Names: []string{"open_by_handle_at"}, Caps: []string{"CAP_DAC_READ_SEARCH"},
		Why:    "opens files by inode number, outside of the container's root",
		Source: dockerDoc,
	}, {
		Key: "io_uring", Rank: 92, Names: []string{"io_uring_setup", "io_uring_enter", "io_uring_register"},
		Why:    "does file and network operations in rings that no seccomp filter sees",
		Source: uringDoc,
	}, {
		Key: "mount", Rank: 90, Names: []string{
			"mount", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick", "open_tree", "open_tree_attr",
			"mount_setattr", "pivot_root", "umount2", "umount",
		},
		Caps:   []string{"CAP_SYS_ADMIN"},
		Why:    "changes what the file system looks like",
		Source: dockerDoc,
	}, {
		Key: "namespace", Rank: 88, Names: []string{"unshare", "setns", "clone3"}, Caps: []string{"CAP_SYS_ADMIN"},
		Why:    "makes or enters namespaces; in a new user namespace a process has every capability",
		Source: dockerDoc,
	}, {
		Key: "rawio", Rank: 86, Names: []string{"iopl", "ioperm"}, Caps: []string{"CAP_SYS_RAWIO"},
		Why:    "gives access to the machine's I/O ports",
		Source: manCaps,
	}, {
		Key: "ptrace", Rank: 84, Names: []string{
			"ptrace", "process_vm_writev", "process_vm_readv", "pidfd_getfd", "process_madvise", "kcmp",
		},
		Caps:   []string{"CAP_SYS_PTRACE"},
		Why:    "reads and changes other processes",
		Source: "https://docs.kernel.org/userspace-api/seccomp_filter.html",
	}, {
		Key: "userfaultfd", Rank: 82, Names: []string{"userfaultfd"}, Caps: []string{"CAP_SYS_PTRACE"},
		Why:    "stops the kernel in the middle of a copy, which turns races into certainties",
		Source: "https://man7.org/linux/man-pages/man2/userfaultfd.2.html",
	}, {
		Key: "perf", Rank: 80, Names: []string{"perf_event_open"}, Caps: []string{"CAP_SYS_ADMIN", "CAP_PERFMON"},
		Why:    "measures the kernel and other processes of the host",
		Source: dockerDoc,
	}, {
		Key: "keyring", Rank: 78, Names: []string{"keyctl", "add_key", "request_key"},
		Why:    "reaches the kernel's keyrings, which are not namespaced",
		Source: dockerDoc,
	}, {
		Key: "boot", Rank: 76, Names: []string{"reboot", "swapon", "swapoff"}, Caps: []string{"CAP_SYS_BOOT", "CAP_SYS_ADMIN"},
		Why:    "stops the machine or changes its swap space",
		Source: manCaps,
	}, {
		Key: "obsolete", Rank: 74, Names: []string{
			"uselib", "vm86", "vm86old", "nfsservctl", "_sysctl", "sysfs", "ustat", "get_kernel_syms", "query_module",
		},
		Why:    "old code that hardly anything calls and hardly anybody tests",
		Source: dockerDoc,
	}, {
		Key: "handlename", Rank: 72, Names: []string{"name_to_handle_at", "lookup_dcookie", "fanotify_init"},
		Caps:   []string{"CAP_DAC_READ_SEARCH", "CAP_SYS_ADMIN"},
		Why:    "names or watches files beyond the paths that a process can see",
		Source: manCaps,
	}, {
		Key: "ldt", Rank: 70, Names: []string{"modify_ldt", "set_thread_area", "subpage_prot", "switch_endian"},
		Why:    "changes processor state that only old emulators need",
		Source: dockerDoc,
	}, {
		Key: "log", Rank: 68, Names: []string{"syslog"}, Caps: []string{"CAP_SYSLOG"},
		Why:    "reads the kernel's log with the addresses in it",
		Source: manCaps,
	}, {
		Key: "accounting", Rank: 66, Names: []string{"acct", "quotactl", "quotactl_fd"},
		Caps:   []string{"CAP_SYS_PACCT", "CAP_SYS_ADMIN"},
		Why:    "changes accounting and quotas of the whole machine",
		Source: dockerDoc,
	}, {
		Key: "time", Rank: 64, Names: []string{
			"settimeofday", "clock_settime", "clock_settime64", "stime", "adjtimex", "clock_adjtime", "clock_adjtime64",
		},
		Caps:   []string{"CAP_SYS_TIME"},
		Why:    "sets the machine's clock, which is not namespaced",
		Source: dockerDoc,
	}, {
		Key: "host", Rank: 62, Names: []string{"sethostname", "setdomainname"}, Caps: []string{"CAP_SYS_ADMIN"},
		Why:    "renames the host",
		Source: manCaps,
	}, {
		Key: "personality", Rank: 60, Names: []string{"personality"},
		Why:    "turns off address randomisation and other protections of the next program",
		Source: dockerDoc,
	}, {
		Key: "root", Rank: 58, Names: []string{"chroot"}, Caps: []string{"CAP_SYS_CHROOT"},
		Why:    "changes the root directory, a known way out of a careless chroot",
		Source: manCaps,
	}, {
		Key: "device", Rank: 56, Names: []string{"mknod", "mknodat"}, Caps: []string{"CAP_MKNOD"},
		Why:    "makes device files",
		Source: manCaps,
	}, {
		Key: "numa", Rank: 54, Names: []string{
			"move_pages", "migrate_pages", "mbind", "set_mempolicy", "set_mempolicy_home_node", "get_mempolicy",
		},
		Caps:   []string{"CAP_SYS_NICE"},
		Why:    "moves memory of this and other processes between nodes",
		Source: dockerDoc,
	}, {
		Key: "memory", Rank: 52, Names: []string{"memfd_create", "memfd_secret", "remap_file_pages"},
		Why:    "holds files that exist only in memory, programs to execute among them",
		Source: "https://man7.org/linux/man-pages/man2/memfd_create.2.html",
	}, {
		Key: "splice", Rank: 50, Names: []string{"vmsplice", "splice", "tee"},
		Why:    "hands pages of files to pipes by reference, the ground of CVE-2022-0847",
		Source: "https://nvd.nist.gov/vuln/detail/CVE-2022-0847",
	}, {
		Key: "execute", Rank: 48, Names: []string{"execveat", "execve"},
		Why:    "starts other programs",
		Source: "https://man7.org/linux/man-pages/man2/execve.2.html",
	}, {
		Key: "identity", Rank: 46, Names: []string{
			"setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups", "setfsuid", "setfsgid",
			"setuid32", "setgid32", "setreuid32", "setregid32", "setresuid32", "setresgid32", "setgroups32",
			"setfsuid32", "setfsgid32", "capset",
		},
		Caps:   []string{"CAP_SETUID", "CAP_SETGID"},
		Why:    "takes on another identity or capability set",
		Source: manCaps,
	}, {
		Key: "aio", Rank: 44, Names: []string{"io_submit", "io_setup", "io_pgetevents", "io_pgetevents_time64", "io_getevents", "io_destroy", "io_cancel"},
		Why:    "does file operations that arguments of the call do not show",
		Source: "https://man7.org/linux/man-pages/man2/io_submit.2.html",
	}, {
		Key: "signal", Rank: 42, Names: []string{
			"pidfd_send_signal", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "kill", "tkill", "process_mrelease",
		},
		Caps:   []string{"CAP_KILL"},
		Why:    "reaches other processes of the same user",
		Source: manCaps,
	}, {
		Key: "network", Rank: 40, Names: []string{"socketcall", "socket", "socketpair", "bind", "listen", "connect", "accept", "accept4"},
		Why:    "opens the network and a large part of the kernel with it",
		Source: "https://man7.org/linux/man-pages/man2/socket.2.html",
	}, {
		Key: "sysv", Rank: 38, Names: []string{
			"ipc", "shmat", "shmget", "shmctl", "shmdt", "msgget", "msgsnd", "msgrcv", "msgctl", "semget", "semop",
			"semctl", "semtimedop", "semtimedop_time64",
		},
		Why:    "shares memory and messages with other processes of the IPC namespace",
		Source: "https://man7.org/linux/man-pages/man7/sysvipc.7.html",
	}, {
		Key: "device-control", Rank: 36, Names: []string{"ioctl"},
		Why:    "talks to drivers in as many dialects as there are drivers",
		Source: "https://man7.org/linux/man-pages/man2/ioctl.2.html",
	},
}

// Dangers returns all entries in descending rank. The list must not be changed.
func Dangers() []Danger { return dangers }

// DangerOf returns the entry that names a call, nil if there is none.
func DangerOf(name string) *Danger { return byName[name] }

// DangerByKey returns the entry with this key. It panics on a key that does not exist, which is a
// mistake in the program that every test would show.
func DangerByKey(key string) *Danger {
	for i := range dangers {
		if dangers[i].Key == key {
			return &dangers[i]
		}
	}
	panic("catalog: no danger " + key)
}

// Rank returns the rank of a call, 0 if the catalogue does not know it.
func Rank(name string) int {
	if d := byName[name]; d != nil {
		return d.Rank
	}
	return 0
}

// Compare orders names of calls: the gravest danger first, in it the most telling call first, and
// what the catalogue does not know last and by the alphabet.
func Compare(a, b string) int {
	da, db := byName[a], byName[b]
	switch {
	case da == nil && db == nil:
		return strings.Compare(a, b)
	case da == db:
		return slices.Index(da.Names, a) - slices.Index(da.Names, b)
	}
	return Rank(b) - Rank(a)
}

// byName finds the entry that names a call.
var byName = func() map[string]*Danger {
	m := make(map[string]*Danger)
	for i := range dangers {
		for _, name := range dangers[i].Names {
			m[name] = &dangers[i]
		}
	}
	return m
}()
