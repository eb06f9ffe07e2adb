package native

// judged are the arguments by whose value filters tell calls apart, as bits by position: operations,
// flags, families, protections. They are followed up through wrappers; other arguments are known
// where the function that makes the call puts a constant there. To follow them all costs ten times
// as much, most of it for the operation of futex, which is read from memory in the end.
var judged = map[string]uint8{
	"arch_prctl": 1 << 0, "bpf": 1 << 0, "clone": 1 << 0, "fcntl": 1 << 1, "fcntl64": 1 << 1, "getsockopt": 1<<1 | 1<<2,
	"ioctl": 1 << 1, "kcmp": 1 << 2, "keyctl": 1 << 0, "madvise": 1 << 2, "memfd_create": 1 << 1, "mknod": 1 << 1, "mknodat": 1 << 2,
	"mmap": 1<<2 | 1<<3, "mmap2": 1<<2 | 1<<3, "mount": 1 << 3, "mprotect": 1 << 2, "open": 1 << 1, "openat": 1 << 2, "personality": 1 << 0,
	"pkey_mprotect": 1 << 2, "prctl": 1<<0 | 1<<1, "prlimit64": 1 << 1, "ptrace": 1 << 0, "quotactl": 1 << 0, "reboot": 1 << 2,
	"sched_setscheduler": 1 << 1, "seccomp": 1<<0 | 1<<1, "setns": 1 << 1, "shmat": 1 << 2, "setpriority": 1 << 0, "setsockopt": 1<<1 | 1<<2,
	"socket": 1<<0 | 1<<1 | 1<<2, "socketcall": 1 << 0, "socketpair": 1<<0 | 1<<1 | 1<<2, "syslog": 1 << 0, "umount2": 1 << 1,
	"unshare": 1 << 0, "userfaultfd": 1 << 0,
}
