//go:build !linux || !(arm || arm64 || mips64le || mipsle || ppc64le || s390x)

// Command guest is the first process of a booted kernel; here it cannot be one.
package main

import "os"

func main() {
	os.Stderr.WriteString("guest: no kernel is booted for this system; see package kernels\n")
	os.Exit(2)
}
