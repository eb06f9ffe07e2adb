package elfscan

import (
	"slices"
	"strings"
)

// protExec is PROT_EXEC (mman.h), the same for all architectures.
const protExec = 4

// makesCode says what a program does that makes memory executable: it may write code there, which
// nobody can read before.
const (
	makesCode   = "makes memory executable: code that it writes there was not seen"
	mayMakeCode = "may make memory executable, by a protection that is not constant: code that it writes there was not seen"
)

// ownMapping reports whether a function maps memory in a way whose protection is never known: the
// runtime does for the vDSO, as that asks, and the packages for system calls do through a variable, in
// every program.
func ownMapping(function string) bool {
	return strings.HasPrefix(function, "runtime.") || strings.HasPrefix(function, "syscall.") || strings.HasPrefix(function, "golang.org/x/sys/unix.")
}

// addCode tells where a Go program makes memory executable.
func (p *program) addCode(res *Result, byNr map[int32][]candidate, pr *prover) {
	var gap *Gap
	for _, name := range []string{"mmap", "mprotect", "pkey_mprotect"} {
		nr, ok := p.arch.Number(name)
		if !ok {
			continue
		}
		for _, c := range byNr[nr] {
			prot := c.args[2]
			switch {
			case slices.ContainsFunc(prot.Consts, func(v uint64) bool { return v&protExec != 0 }):
				res.Gaps = append(res.Gaps, Gap{Kind: GapCode, Detail: makesCode, Path: pr.path(c.hop)})
				return
			case !prot.Known && gap == nil && !ownMapping(p.tab.name(c.hop.fn)):
				gap = &Gap{Kind: GapCode, Detail: mayMakeCode, Path: pr.path(c.hop)}
			}
		}
	}
	if gap != nil {
		res.Gaps = append(res.Gaps, *gap)
	}
}
