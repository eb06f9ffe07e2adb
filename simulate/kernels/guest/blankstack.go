//go:build linux && s390x

package main

import (
	"syscall"
	"unsafe"
)

// blankStack is what a return from a signal finds: nothing but zeros. Whatever else is on a stack may
// ask for a mode of addressing at which qemu gives up.
var blankStack [512]uint64

// syscallOnStack makes a call with the stack pointer sp and six equal arguments.
func syscallOnStack(sp, nr, arg uintptr) (r uintptr)

// strictCall makes a call in strict mode.
//
//go:nosplit
func strictCall(c *call) (uintptr, syscall.Errno) {
	r := syscallOnStack(uintptr(unsafe.Pointer(&blankStack)), uintptr(c.nr), uintptr(c.args[0]))
	if e := -r; e > 0 && e <= 4095 {
		return ^uintptr(0), syscall.Errno(e)
	}
	return r, 0
}
