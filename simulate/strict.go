package simulate

import "github.com/profcheck/profcheck/syscalls"

// strictReturn names the call that strict mode allows an ABI besides read, write and exit, where it is
// not rt_sigreturn (arch/*/include/asm/seccomp.h, include/asm-generic/seccomp.h): the return from a
// signal handler.
//
// It is what the 64-bit kernel of the ABI's Host does. A 32-bit kernel for PowerPC of its own allows
// rt_sigreturn instead.
var strictReturn = map[string]string{
	"x86":   "sigreturn",
	"ppc":   "sigreturn",
	"s390":  "sigreturn",
	"s390x": "sigreturn",
}

// Strict reports whether SECCOMP_MODE_STRICT allows a number. Every other one ends the thread by
// SIGKILL (kernel/seccomp.c __secure_computing_strict). Calls that are exempt from seccomp, see
// System.Exempt, are not among them.
//
// Of x32 it allows nothing: the kernel looks its numbers up in the list of 32-bit x86, which has none
// with bit 0x40000000.
func Strict(arch *syscalls.Arch, nr int32) bool {
	if arch.Name == "x32" {
		return false
	}
	last := strictReturn[arch.Name]
	if last == "" {
		last = "rt_sigreturn"
	}
	for _, name := range []string{"read", "write", "exit", last} {
		if n, ok := arch.Number(name); ok && n == nr {
			return true
		}
	}
	return false
}
