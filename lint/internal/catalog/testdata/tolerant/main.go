// Command tolerant does what makes Go's own packages use the calls whose failure they tolerate. It
// prints "ok" if all of it works.
package main

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"syscall"
	"time"
)

func main() {
	if err := work(os.Args[1]); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("ok")
}

func work(dir string) error {
	// Profile the processor, on several threads.
	if err := pprof.StartCPUProfile(io.Discard); err != nil {
		return err
	}
	done := make(chan bool)
	for range 4 {
		go func() {
			for start := time.Now(); time.Since(start) < 5*time.Millisecond; {
			}
			done <- true
		}()
	}
	for range 4 {
		<-done
	}
	pprof.StopCPUProfile()

	// Take memory and give it back.
	block := bytes.Repeat([]byte{1}, 64<<20)
	runtime.KeepAlive(block)
	block = nil
	debug.FreeOSMemory()

	// Start a program and wait for it.
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if len(os.Args) == 2 {
		if err := exec.Command(self, dir, "child").Run(); err != nil {
			return fmt.Errorf("run: %w", err)
		}
	}

	// Copy a file, ask for access with a flag, draw random bytes.
	if err := copyFile(filepath.Join(dir, fmt.Sprint("copy", os.Getpid())), self); err != nil {
		return fmt.Errorf("copy: %w", err)
	}
	const atEaccess = 0x200
	if err := syscall.Faccessat(-100, self, 1, atEaccess); err != nil {
		return fmt.Errorf("access: %w", err)
	}
	_, err = rand.Read(make([]byte, 32))
	return err
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	return out.Close()
}
