// Makes a call on all threads, by a wrapper of package syscall and by hand.
package main

import (
	"os"
	"syscall"
)

func main() {
	if err := syscall.Setgid(os.Getgid()); err != nil {
		panic(err)
	}
	const prSetNoNewPrivs = 38
	if _, _, errno := syscall.AllThreadsSyscall6(syscall.SYS_PRCTL, prSetNoNewPrivs, 1, 0, 0, 0, 0); errno != 0 {
		panic(errno)
	}
	if _, _, errno := syscall.AllThreadsSyscall(syscall.SYS_UMASK, 0o22, 0, 0); errno != 0 {
		panic(errno)
	}
}
