package simulate

import (
	"sync"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// uncached are the ABIs for which the kernel keeps no cache: MIPS has none (its asm/seccomp.h does not
// define SECCOMP_ARCH_NATIVE), and the numbers of x32 lie outside that of x86_64.
var uncached = map[string]bool{
	"x32": true, "mips": true, "mipsel": true, "mips64": true, "mipsel64": true, "mips64n32": true, "mipsel64n32": true,
}

// ConstAllow reports whether the kernel finds, when it loads a filter, that a call is always allowed,
// and so never runs the filter for it (since 5.11). It changes no answer, only what a call costs. Of a
// stack, every filter must be found so.
//
// The kernel (kernel/seccomp.c seccomp_is_const_allow) follows the filter with the number and the
// architecture alone. It understands loads of these two words, ja, comparisons of A with k, and k, and
// ret k, and gives up on everything else, even on what could not matter. The value must be ALLOW with
// no data. Numbers above the ABI's table are not cached: here the table is that of package syscalls,
// and so of its newest kernel. The answer is that of the 64-bit kernel of the ABI's Host, which keeps a
// cache for the native and for the compat ABI. That the calls of System.Exempt are in the cache of every
// filter, which is how the kernel exempts them, is not counted here.
func ConstAllow(p filter.Program, arch *syscalls.Arch, nr int32) bool {
	if uncached[arch.Name] || nr < 0 || nr > lastNumber(arch) {
		return false
	}
	var a uint32
	for pc := 0; pc < len(p); pc++ {
		in := p[pc]
		switch in.Code {
		case filter.OpLdAbs:
			switch in.K {
			case filter.OffsetNr:
				a = uint32(nr)
			case filter.OffsetArch:
				a = arch.Audit
			default:
				return false
			}
		case filter.OpJa:
			if in.K >= uint32(len(p)) {
				return false
			}
			pc += int(in.K)
		case filter.OpJeqK, filter.OpJgtK, filter.OpJgeK, filter.OpJsetK:
			if compare(in.Code, a, in.K) {
				pc += int(in.Jt)
			} else {
				pc += int(in.Jf)
			}
		case filter.OpAndK:
			a &= in.K
		case filter.OpRetK:
			return filter.Action(in.K) == filter.Allow
		default:
			return false
		}
	}
	return false
}

// ConstAllow reports whether the kernel skips all filters of the stack for a call: each of them must
// be found to allow it always. A stack of no filters is not run, and so has nothing to skip.
func (s Stack) ConstAllow(arch *syscalls.Arch, nr int32) bool {
	for _, p := range s {
		if !ConstAllow(p, arch, nr) {
			return false
		}
	}
	return len(s) > 0
}

// lastNumber is the last number of an ABI's table, without ARM's private calls, which the kernel
// keeps elsewhere.
func lastNumber(arch *syscalls.Arch) int32 { return lastNumbers()[arch] }

var lastNumbers = sync.OnceValue(func() map[*syscalls.Arch]int32 {
	const armPrivate = 0x0f0000
	last := make(map[*syscalls.Arch]int32)
	for _, arch := range syscalls.Arches() {
		for _, c := range arch.Syscalls() {
			if c.Nr-arch.Base < armPrivate {
				last[arch] = c.Nr
			}
		}
	}
	return last
})
