package catalog

// Fallback is a call of which ENOSYS is no surprise: it is younger than the kernels that the libraries
// still run on, there is no wrapper by which a program makes it and gets the error, or the wrapper falls
// back itself, and all who are known to make it do something else then. So a caller that cannot be told,
// because the program has no symbols, is most likely one of these.
type Fallback struct {
	Name    string
	Who     string // makes the call, and falls back
	Instead string // what they do then, completes "then ..." for several
	Oldest  string // the oldest kernel that one of them supports
	Source  string // file and function in the source that shows it
}

var fallbacks = []Fallback{
	{
		Name: "clone3", Who: "glibc and Rust's standard library", Instead: "call clone", Oldest: "3.2",
		Source: "glibc/sysdeps/unix/sysv/linux/clone-internal.c __clone_internal; rust/library/std/src/sys/unix/process/process_unix.rs do_fork (releases that have it; later ones leave clone3 to glibc)",
	}, {
		Name: "faccessat2", Who: "glibc and musl", Instead: "call faccessat or look at the permission bits", Oldest: "3.2",
		Source: "glibc/sysdeps/unix/sysv/linux/faccessat.c __faccessat; musl/src/unistd/faccessat.c faccessat",
	}, {
		Name: "statx", Who: "glibc, musl and Rust's standard library", Instead: "call newfstatat", Oldest: "3.2",
		Source: "glibc/sysdeps/unix/sysv/linux/statx.c statx; musl/src/stat/fstatat.c fstatat (1.2.5: src/linux/statx.c); rust/library/std/src/sys/fs/unix.rs try_statx",
	}, {
		Name: "rseq", Who: "glibc", Instead: "goes on without restartable sequences", Oldest: "3.2",
		Source: "glibc/sysdeps/unix/sysv/linux/rseq-internal.h rseq_register_current_thread",
	},
}

// Fallbacks returns all entries. The list must not be changed.
func Fallbacks() []Fallback { return fallbacks }

// FallbackOf returns the entry of a call that is answered with errno, nil if there is none.
func FallbackOf(name string, errno int) *Fallback {
	if errno != enosys {
		return nil
	}
	for i := range fallbacks {
		if fallbacks[i].Name == name {
			return &fallbacks[i]
		}
	}
	return nil
}
