package catalog

import "slices"

// families are calls that do the same work, so that a program or a library uses one or the other
// depending on its age, its libc and the architecture. Origin: the pairs of old and new calls in
// syscalls(2) and the *at, *64, *32 and *_time64 forms that libraries choose between.
var families = [][]string{
	{"open", "openat", "openat2", "creat"},
	{"stat", "lstat", "fstat", "newfstatat", "stat64", "lstat64", "fstat64", "fstatat64", "statx", "oldstat", "oldlstat", "oldfstat"},
	{"access", "faccessat", "faccessat2"},
	{"chmod", "fchmod", "fchmodat", "fchmodat2"},
	{"chown", "fchown", "lchown", "fchownat", "chown32", "fchown32", "lchown32"},
	{"rename", "renameat", "renameat2"},
	{"link", "linkat"}, {"unlink", "unlinkat", "rmdir"}, {"symlink", "symlinkat"}, {"readlink", "readlinkat"},
	{"mkdir", "mkdirat"}, {"mknod", "mknodat"},
	{"fork", "vfork", "clone", "clone3"},
	{"execve", "execveat"},
	{"read", "readv", "pread64", "preadv", "preadv2"},
	{"write", "writev", "pwrite64", "pwritev", "pwritev2"},
	{"poll", "ppoll", "ppoll_time64"}, {"select", "_newselect", "pselect6", "pselect6_time64"},
	{"epoll_create", "epoll_create1"}, {"epoll_wait", "epoll_pwait", "epoll_pwait2"},
	{"pipe", "pipe2"}, {"dup", "dup2", "dup3"}, {"eventfd", "eventfd2"}, {"signalfd", "signalfd4"},
	{"inotify_init", "inotify_init1"}, {"accept", "accept4"},
	{"send", "sendto", "sendmsg", "sendmmsg"}, {"recv", "recvfrom", "recvmsg", "recvmmsg", "recvmmsg_time64"},
	{"getdents", "getdents64"}, {"wait4", "waitid", "waitpid"},
	{"nanosleep", "clock_nanosleep", "clock_nanosleep_time64"},
	{"clock_gettime", "clock_gettime64", "gettimeofday", "time"},
	{"getrlimit", "ugetrlimit", "setrlimit", "prlimit64"},
	{"mmap", "mmap2"}, {"mprotect", "pkey_mprotect"}, {"umount", "umount2"},
	{"init_module", "finit_module"}, {"kexec_load", "kexec_file_load"},
	{"futex", "futex_time64"}, {"quotactl", "quotactl_fd"},
	{"utime", "utimes", "futimesat", "utimensat", "utimensat_time64"},
	{"close", "close_range"}, {"sendfile", "sendfile64"}, {"fcntl", "fcntl64"},
	{"lseek", "_llseek"}, {"truncate", "truncate64"}, {"ftruncate", "ftruncate64"},
	{"statfs", "statfs64"}, {"fstatfs", "fstatfs64"}, {"sigreturn", "rt_sigreturn"},
	{"exit", "exit_group"}, {"sync_file_range", "sync_file_range2", "arm_sync_file_range"},
}

// Siblings returns the other calls that do the work of this one, nil if there are none.
func Siblings(name string) []string {
	var out []string
	for _, f := range families {
		if !slices.Contains(f, name) {
			continue
		}
		for _, other := range f {
			if other != name && !slices.Contains(out, other) {
				out = append(out, other)
			}
		}
	}
	return out
}

// wrappers are names of library functions and of older tables that are no names of calls, with
// the calls that they stand for. Origin: the "C library/kernel differences" of the manual pages.
var wrappers = map[string][]string{
	"_exit": {"exit_group"}, "abort": {"rt_sigprocmask", "tgkill"},
	"fstatat": {"newfstatat", "fstatat64"}, "newstat": {"stat"}, "newfstat": {"fstat"}, "newlstat": {"lstat"},
	"pread": {"pread64"}, "pwrite": {"pwrite64"}, "statvfs": {"statfs"}, "fstatvfs": {"fstatfs"},
	"pselect": {"pselect6"}, "sigwaitinfo": {"rt_sigtimedwait"}, "sigtimedwait": {"rt_sigtimedwait"},
	"sigqueue": {"rt_sigqueueinfo"}, "newuname": {"uname"},
	"prlimit": {"prlimit64"}, "lchmod": {"fchmodat2"}, "mkfifo": {"mknod", "mknodat"},
	"posix_fadvise": {"fadvise64"}, "posix_fallocate": {"fallocate"}, "llseek": {"_llseek"},
	"sysctl": {"_sysctl"}, "wait": {"wait4"}, "wait3": {"wait4"},
	"sleep": {"clock_nanosleep"}, "usleep": {"clock_nanosleep"},
	"initgroups": {"setgroups"}, "readdirent": {"getdents64"}, "keyctl_chown": {"keyctl"},
	"shm_open": {"openat"}, "sem_open": {"openat"},
	"posix_spawn": {"clone", "clone3"}, "fexecve": {"execveat"},
}

// KernelNames returns the calls that a C library name stands for, nil if it is not one that the
// catalogue knows. The calls differ from libc to libc; these are glibc's.
func KernelNames(word string) []string { return wrappers[word] }
