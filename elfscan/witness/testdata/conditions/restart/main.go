// Starts itself to sleep for half a second. With the argument "stop" the sleeper is stopped and
// continued meanwhile.
package main

import (
	"os"
	"os/exec"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "sleep" {
		left := syscall.Timespec{Nsec: 500e6}
		syscall.Nanosleep(&left, nil)
		return
	}
	cmd := exec.Command("/proc/self/exe", "sleep")
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	time.Sleep(200 * time.Millisecond)
	if len(os.Args) > 1 && os.Args[1] == "stop" {
		cmd.Process.Signal(syscall.SIGSTOP)
		time.Sleep(50 * time.Millisecond)
		cmd.Process.Signal(syscall.SIGCONT)
	}
	cmd.Wait()
}
