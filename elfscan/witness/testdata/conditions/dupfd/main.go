// Duplicates a socket, on the first thread: that one's calls of fcntl can be counted.
package main

import (
	"net"
	"runtime"
)

func init() { runtime.LockOSThread() }

func main() {
	l, err := net.Listen("unix", "@profcheck-dupfd")
	if err != nil {
		panic(err)
	}
	f, err := l.(*net.UnixListener).File()
	if err != nil {
		panic(err)
	}
	f.Close()
	l.Close()
}
