package catalog

import (
	"regexp"
	"slices"
	"strings"
)

// Tolerance is a caller that lives with the failure of a call, so that a filter which answers with
// an error number costs nothing but the work that the caller does instead. It says nothing on
// filters that kill: those never return to the caller.
type Tolerance struct {
	Name      string   // the call
	Functions []string // functions of the caller, closures of them count, too; or glibcLoader
	Errnos    []int    // the answers that are tolerated, in the generic numbering; nil: any
	Why       string   // what happens instead, a clause without full stop
	Source    string   // file and function in the source that shows it
}

// Error numbers that the entries name, in the generic numbering (x86, arm; see asm-generic/errno.h).
const (
	eperm  = 1
	enosys = 38
)

// glibcLoader stands in Functions for the program interpreter of glibc, whatever its path is.
const glibcLoader = "(glibc's loader)"

// glibcLoaders matches the file names of glibc's program interpreters: ld-linux-x86-64.so.2,
// ld-linux.so.3, ld64.so.2, ld.so.1. That of musl is called ld-musl-x86_64.so.1 and minds.
var glibcLoaders = regexp.MustCompile(`(^|/)ld(-linux[a-z0-9_-]*|64)?\.so\.[0-9]$`)

// tolerances lists only callers which are the sole ones of their function for that call: of a
// public wrapper (syscall.Sendfile, syscall.Getrlimit) another caller may mind. So sendfile and
// prlimit64 are left out, although Go's own callers fall back. Each entry holds for the releases
// 1.21 to 1.26 of Go that have the function.
var tolerances = []Tolerance{
	{
		Name: "prctl", Functions: []string{"runtime.setVMAName"},
		Why:    "the Go runtime goes on without names for its memory areas",
		Source: "go/src/runtime/set_vma_name_linux.go setVMAName (1.25 and later)",
	}, {
		Name: "sched_getaffinity", Functions: []string{"runtime.sched_getaffinity", "runtime.getproccount", "runtime.getCPUCount"},
		Why:    "the Go runtime takes the machine for one with a single processor",
		Source: "go/src/runtime/os_linux.go getproccount, getCPUCount",
	}, {
		Name: "sched_yield", Functions: []string{"runtime.osyield"},
		Why:    "the Go runtime spins on without giving up the processor",
		Source: "go/src/runtime/sys_linux_amd64.s osyield, which has no result",
	}, {
		Name: "madvise", Functions: []string{"runtime.madvise"},
		Why:    "the Go runtime gives memory back by mapping over it, and goes on without huge pages",
		Source: "go/src/runtime/mem_linux.go sysUnusedOS, sysHugePageOS, sysNoHugePageOS, sysHugePageCollapseOS",
	}, {
		Name: "timer_create", Functions: []string{"runtime.timer_create"},
		Why:    "the CPU profiler uses setitimer for the whole process",
		Source: "go/src/runtime/os_linux.go setThreadCPUProfiler",
	}, {
		Name: "getrandom", Functions: []string{"internal/syscall/unix.GetRandom"}, Errnos: []int{enosys},
		Why:    "crypto/rand reads /dev/urandom",
		Source: "go/src/crypto/internal/sysrand/rand_getrandom.go read; before 1.24 crypto/rand/rand_unix.go",
	}, {
		Name: "copy_file_range", Functions: []string{"internal/syscall/unix.CopyFileRange", "internal/poll.copyFileRange"},
		Errnos: []int{eperm, 5, 18, 22, enosys, 95}, // EIO, EXDEV, EINVAL, EOPNOTSUPP
		Why:    "os.File copies through a buffer",
		Source: "go/src/internal/poll/copy_file_range_linux.go handleCopyFileRangeErr",
	}, {
		Name: "faccessat2", Functions: []string{"syscall.faccessat2"}, Errnos: []int{eperm, enosys},
		Why:    "syscall.Faccessat looks at the permission bits",
		Source: "go/src/syscall/syscall_linux.go Faccessat",
	}, {
		Name: "capget", Functions: []string{"syscall.isCapDacOverrideSet"},
		Why:    "syscall.Faccessat takes CAP_DAC_OVERRIDE for not given",
		Source: "go/src/syscall/syscall_linux.go isCapDacOverrideSet",
	}, {
		Name: "pidfd_open", Functions: []string{"internal/syscall/unix.PidFDOpen"},
		Why:    "os.Process waits and signals by process number",
		Source: "go/src/os/pidfd_linux.go checkPidfd, on which pidfdFind depends (1.23 and later)",
	}, {
		Name: "pidfd_send_signal", Functions: []string{"internal/syscall/unix.PidFDSendSignal"},
		Why:    "os.Process waits and signals by process number",
		Source: "go/src/os/pidfd_linux.go checkPidfd, on which pidfdSendSignal depends (1.23 and later)",
	}, {
		Name: "waitid", Errnos: []int{enosys},
		Functions: []string{
			"internal/syscall/unix.Waitid", "os.(*Process).blockUntilWaitable", "os.(*Process).pidfdWait", "os.checkPidfd",
		},
		Why:    "os.Process waits with wait4 alone",
		Source: "go/src/os/wait_waitid.go blockUntilWaitable and os/pidfd_linux.go checkPidfd",
	}, {
		Name: "waitid", Functions: []string{"os.checkPidfd"},
		Why:    "os.Process waits by process number",
		Source: "go/src/os/pidfd_linux.go checkPidfd (1.23 and later)",
	}, {
		Name: "clone", Functions: []string{"syscall.doCheckClonePidfd"},
		Why:    "os.Process waits and signals by process number",
		Source: "go/src/syscall/exec_linux.go os_checkClonePidfd, for os/pidfd_linux.go checkPidfd (1.23 and later)",
	}, {
		Name: "rseq", Functions: []string{glibcLoader},
		Why:    "glibc goes on without restartable sequences",
		Source: "glibc/sysdeps/unix/sysv/linux/rseq-internal.h rseq_register_current_thread",
	}, {
		Name: "set_robust_list", Functions: []string{glibcLoader},
		Why:    "glibc goes on without robust mutexes",
		Source: "glibc/sysdeps/nptl/dl_tls_init_tp.c __tls_init_tp",
	}, {
		Name: "access", Functions: []string{glibcLoader},
		Why:    "the loader goes on without /etc/ld.so.preload",
		Source: "glibc/elf/rtld.c dl_main",
	}, {
		Name: "faccessat", Functions: []string{glibcLoader},
		Why:    "the loader goes on without /etc/ld.so.preload",
		Source: "glibc/elf/rtld.c dl_main, on ABIs without access",
	},
}

// Tolerances returns all entries. The list must not be changed.
func Tolerances() []Tolerance { return tolerances }

// Tolerated returns the entry by which a call from one of these functions may fail with errno, nil
// if there is none. An errno of 0 is a faked success and is never tolerated: the caller goes on as
// if the work were done. MIPS and PA-RISC number errors differently: their callers translate errno.
func Tolerated(name string, errno int, functions []string) *Tolerance {
	if errno == 0 {
		return nil
	}
	for i := range tolerances {
		t := &tolerances[i]
		if t.Name != name || t.Errnos != nil && !slices.Contains(t.Errnos, errno) {
			continue
		}
		for _, f := range functions {
			if t.caller(f) {
				return t
			}
		}
	}
	return nil
}

// caller reports whether a function, or the one that a closure belongs to, is named by the entry.
func (t *Tolerance) caller(function string) bool {
	return slices.ContainsFunc(t.Functions, func(f string) bool {
		if f == glibcLoader {
			return glibcLoaders.MatchString(function)
		}
		rest, ok := strings.CutPrefix(function, f)
		return ok && (rest == "" || strings.HasPrefix(rest, ".func"))
	})
}
