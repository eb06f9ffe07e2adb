//go:build linux && (arm || arm64 || mips64le || mipsle || ppc64le)

package main

import "syscall"

// strictCall makes a call in strict mode.
//
//go:nosplit
func strictCall(c *call) (uintptr, syscall.Errno) {
	x := &c.args
	r, _, errno := syscall.RawSyscall6(uintptr(c.nr), uintptr(x[0]), uintptr(x[1]), uintptr(x[2]), uintptr(x[3]), uintptr(x[4]), uintptr(x[5]))
	return r, errno
}
