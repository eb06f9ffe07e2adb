// Ends threads, takes and sends signals, gives memory back, and starts itself with pipes.
package main

import (
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// The first thread never exits, so main keeps it to itself.
func init() { runtime.LockOSThread() }

func main() {
	if len(os.Args) > 1 {
		io.Copy(os.Stdout, os.Stdin)
		return
	}
	done := make(chan bool)
	go func() {
		runtime.LockOSThread() // and ends locked: the thread exits
		done <- true
	}()
	<-done
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	check(syscall.Kill(os.Getpid(), syscall.SIGUSR1))
	<-signals
	signal.Ignore(syscall.SIGHUP)
	signal.Reset()
	keep := make([][]byte, 100)
	for i := range keep {
		keep[i] = make([]byte, 1<<20)
		for j := 0; j < len(keep[i]); j += 4096 {
			keep[i][j] = 1
		}
	}
	keep = nil
	debug.FreeOSMemory()
	cmd := exec.Command("/proc/self/exe", "child")
	cmd.Stdin = strings.NewReader("x")
	out, err := cmd.Output()
	check(err)
	os.Stdout.Write(out)
	slow := exec.Command("/proc/self/exe", "child")
	_, err = slow.StdinPipe()
	check(err)
	check(slow.Start())
	check(slow.Process.Kill())
	slow.Wait()
	time.Sleep(time.Millisecond)
}
