//go:build linux && (arm || arm64 || mips64le || mipsle || ppc64le || s390x)

package main

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"unsafe"
)

// siginfo is what onSigsys, in assembly, was told last; its first word is the signal, and 0 when there
// was none. It is made of numbers of 64 bits for the sake of their alignment.
var siginfo [4]uint64

func siginfoWords() *[8]uint32 { return (*[8]uint32)(unsafe.Pointer(&siginfo)) }

// sigsysAddress returns the address of onSigsys.
func sigsysAddress() uintptr

const (
	saSiginfo = 4
	wordSize  = int(unsafe.Sizeof(uintptr(0)))
)

var (
	isMIPS     = strings.HasPrefix(runtime.GOARCH, "mips")
	sigsetSize = map[bool]uintptr{false: 8, true: 16}[isMIPS]
)

// catchSigsys puts onSigsys in the place of the runtime's handler, which ends the program. It takes
// the stack that the runtime has for signals.
func catchSigsys() error {
	const saOnStack = 0x08000000
	var sa [40]byte // struct sigaction of the kernel, more than its size
	put := func(at int, v uintptr) {
		if wordSize == 8 {
			binary.NativeEndian.PutUint64(sa[at:], uint64(v))
		} else {
			binary.NativeEndian.PutUint32(sa[at:], uint32(v))
		}
	}
	if isMIPS { // int flags, handler, mask
		binary.NativeEndian.PutUint32(sa[0:], 8|saOnStack) // SA_SIGINFO is 8 there
		put(wordSize, sigsysAddress())
	} else { // handler, long flags, restorer, mask
		put(0, sigsysAddress())
		put(wordSize, saSiginfo|saOnStack)
	}
	_, _, errno := syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(syscall.SIGSYS), uintptr(unsafe.Pointer(&sa)), 0, sigsetSize, 0, 0)
	if errno != 0 {
		return fmt.Errorf("a handler for SIGSYS: %w", errno)
	}
	return nil
}

// info is what a SIGSYS of seccomp tells.
type info struct{ errno, syscall, arch uint32 }

// signalInfo reads what is in siginfo: signal, errno, code (MIPS: code, errno), and behind an address the
// number and the architecture.
func signalInfo() info {
	words := siginfoWords()
	si := info{errno: words[1]}
	if isMIPS {
		si.errno = words[2]
	}
	at := 4 // the address is at word 3
	if wordSize == 8 {
		at = 6 // and there at word 4 and 5
	}
	si.syscall, si.arch = words[at], words[at+1]
	return si
}

// returnAllow is the smallest filter that lets all through.
func returnAllow() []byte {
	b := make([]byte, 8)
	binary.NativeEndian.PutUint16(b, 0x06)
	binary.NativeEndian.PutUint32(b[4:], 0x7fff0000)
	return b
}
