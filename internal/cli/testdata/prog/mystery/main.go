// Command mystery makes a call whose number no scan can know.
package main

import (
	"os"
	"strconv"
	"syscall"
)

func main() {
	nr, err := strconv.Atoi(os.Getenv("NR"))
	if err != nil {
		panic(err)
	}
	_, _, _ = syscall.RawSyscall(uintptr(nr), 0, 0, 0)
}
