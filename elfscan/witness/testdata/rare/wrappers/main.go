// Makes calls through wrappers of its own: numbers come from a parameter, a table, a branch, and
// through a closure.
package main

import (
	"os"
	"syscall"
)

//go:noinline
func call(trap uintptr) uintptr {
	r, _, _ := syscall.Syscall(trap, 0, 0, 0)
	return r
}

//go:noinline
func outer(pad int, trap uintptr) uintptr { return call(trap) + uintptr(pad) }

//go:noinline
func raw(trap, a uintptr) uintptr {
	r, _, _ := syscall.RawSyscall6(trap, a, 0, 0, 0, 0, 0)
	return r
}

func main() {
	call(syscall.SYS_GETPPID)
	outer(1, syscall.SYS_GETEUID)
	raw(syscall.SYS_GETPGID, 0)
	var trap uintptr = syscall.SYS_GETEGID
	if len(os.Args) > 1 {
		trap = syscall.SYS_GETSID
	}
	outer(2, trap)
	func() { raw(syscall.SYS_PERSONALITY, 0xffffffff) }()
}
