// Looks up a process, which makes package os try whether pidfds work.
package main

import (
	"os"
	"syscall"
)

func main() {
	p, err := os.FindProcess(os.Getpid())
	if err != nil {
		panic(err)
	}
	if err := p.Signal(syscall.Signal(0)); err != nil {
		panic(err)
	}
}
