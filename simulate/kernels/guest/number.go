//go:build linux && (arm || arm64 || mips64le || mipsle || ppc64le || s390x)

package main

import "runtime"

// sysSeccomp is the number of seccomp(2), which package syscall does not have for every port.
var sysSeccomp = map[string]uintptr{
	"arm": 383, "arm64": 277, "mips64le": 5312, "mipsle": 4352, "ppc64le": 358, "s390x": 348,
}[runtime.GOARCH]
