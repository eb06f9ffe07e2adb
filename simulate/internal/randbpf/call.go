package randbpf

import (
	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

const (
	x32Bit     = 0x40000000
	armPrivate = 0x0f0000 // __ARM_NR_BASE of arch/arm/include/uapi/asm/unistd.h
)

// Data makes a call of an ABI with a number that no kernel has, and with arguments that the program
// may care about. Arguments have the width of the ABI's registers (on MIPS o32 the caller must
// account for the sign, see syscalls.Arch.Bits). The instruction pointer is 0.
func (g *Generator) Data(a *syscalls.Arch, p filter.Program) filter.Data {
	d := filter.Data{Nr: g.Number(a), Arch: a.Audit}
	for i := range d.Args {
		d.Args[i] = uint64(g.argWord(p))
		if a.Bits == 64 {
			d.Args[i] |= uint64(g.argWord(p)) << 32
		}
	}
	return d
}

// Number returns a number that no kernel has for the ABI and that reaches a filter unchanged.
//
// 64-bit x86 cuts the register to 32 bits and hands negative numbers and those of x32 to the filter.
// S390 keeps 16 bits (arch/s390/kernel/syscall.c __do_syscall). ARM sends a process SIGILL for
// numbers from its private ones on, negative ones included (arch/arm/kernel/traps.c arm_syscall).
func (g *Generator) Number(a *syscalls.Arch) int32 {
	switch {
	case a.Name == "arm":
		return LetThroughBelow + g.rng.Int32N(armPrivate-LetThroughBelow)
	case a.Name == "s390" || a.Name == "s390x":
		return LetThroughBelow + g.rng.Int32N(1<<16-LetThroughBelow)
	case a.Name == "x32":
		return x32Bit + 2000 + g.rng.Int32N(1<<20)
	}
	switch g.rng.IntN(4) {
	case 0:
		return -1 - g.rng.Int32N(1<<20)
	case 1:
		if a.Name == "x86_64" {
			return x32Bit + 2000 + g.rng.Int32N(1<<20)
		}
		return 1<<20 + g.rng.Int32N(1<<30)
	}
	return a.Base + 3*LetThroughBelow + g.rng.Int32N(1<<16) // above the bases of all three ABIs of MIPS
}

// argWord is half an argument: often near a constant of the program.
func (g *Generator) argWord(p filter.Program) uint32 {
	if len(p) == 0 || g.rng.IntN(3) != 0 {
		return g.Word()
	}
	return p[g.rng.IntN(len(p))].K + g.rng.Uint32N(3) - 1
}
