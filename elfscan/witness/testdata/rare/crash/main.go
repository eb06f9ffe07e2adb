// Gets a fatal signal while several threads have stacks to dump, which they do one after the other
// where GOTRACEBACK=crash is set. The signal goes through a pidfd: a call of kill is the runtime's.
package main

import (
	"os"
	"syscall"
	"time"
)

func main() {
	for i := 0; i < 3; i++ {
		go func() {
			for {
			}
		}()
	}
	time.Sleep(50 * time.Millisecond)
	p, err := os.FindProcess(os.Getpid())
	if err != nil {
		panic(err)
	}
	p.Signal(syscall.SIGQUIT)
	time.Sleep(10 * time.Second)
}
