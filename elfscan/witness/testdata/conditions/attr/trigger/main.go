// Starts itself with attributes for the child. The test puts others in the place of Setsid.
package main

import (
	"os"
	"syscall"
)

func main() {
	if len(os.Args) > 1 {
		return
	}
	p, err := os.StartProcess("/proc/self/exe", []string{"child", "child"}, &os.ProcAttr{
		Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		println(err.Error())
		os.Exit(1)
	}
	p.Wait()
}
