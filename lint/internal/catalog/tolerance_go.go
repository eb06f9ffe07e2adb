package catalog

// goTolerances lists only callers which are the sole ones of their function for that call: of a
// public wrapper (syscall.Sendfile, syscall.Getrlimit) another caller may mind. So sendfile and
// prlimit64 are left out, although Go's own callers fall back. Each entry holds for the releases
// 1.21 to 1.26 of Go that have the function.
var goTolerances = []Tolerance{
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
	},
}
