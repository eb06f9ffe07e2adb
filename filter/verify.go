package filter

import "fmt"

// Limits of the loader.
const (
	MaxInsns = 4096 // BPF_MAXINSNS of include/uapi/linux/bpf_common.h
	MemWords = 16   // BPF_MEMWORDS of include/uapi/linux/filter.h
)

const einval = 22

// VerifyError says why the loader refuses a program.
type VerifyError struct {
	PC int // the instruction to blame, -1 if it is the whole program or what it is attached to
	// Errno is what seccomp(2) fails with, by its generic number, EINVAL for all that Verify finds.
	// It is 0 where the call returns the id of a thread that cannot take the filter.
	Errno  int
	Reason string // lower case, without the position
	Func   string // the kernel function that refuses, "net/core/filter.c bpf_check_classic"
}

// Error returns position, reason, errno and kernel function in one line.
func (e *VerifyError) Error() string {
	where := "filter"
	if e.PC >= 0 {
		where = fmt.Sprintf("filter: instruction %d", e.PC)
	}
	what := "the id of that thread"
	if e.Errno != 0 {
		what = ErrnoName(e.Errno)
	}
	return fmt.Sprintf("%s: %s: %s by %s", where, e.Reason, what, e.Func)
}

// The kernel functions that refuse programs, in the order in which they look at them.
const (
	funcPrepare = "kernel/seccomp.c seccomp_prepare_filter"
	funcClassic = "net/core/filter.c bpf_check_classic"
	funcMemory  = "net/core/filter.c check_load_and_stores"
	funcSeccomp = "kernel/seccomp.c seccomp_check_filter"
)

func refuse(pc int, fn, format string, args ...any) error {
	return &VerifyError{PC: pc, Errno: einval, Reason: fmt.Sprintf(format, args...), Func: fn}
}

// Verify returns nil for a program that the kernel would load, and otherwise a *VerifyError with
// the first reason in the kernel's own order: the length, each instruction as classic BPF, the
// scratch memory, and then what seccomp allows of classic BPF. What depends on the
// process is Loader's: privileges, flags, and how much all filters of a process may be together.
func (p Program) Verify() error {
	if err := p.checkLength(); err != nil {
		return err
	}
	for pc := range p {
		if err := p.checkClassic(pc); err != nil {
			return err
		}
	}
	last := len(p) - 1
	if code := p[last].Code; code != OpRetK && code != OpRetA {
		return refuse(last, funcClassic, "the last instruction is no ret")
	}
	if err := p.checkMemory(); err != nil {
		return err
	}
	for pc, in := range p {
		if err := checkSeccomp(pc, in); err != nil {
			return err
		}
	}
	return nil
}

// checkLength is the one check of the program that comes before that of the privileges.
func (p Program) checkLength() error {
	if len(p) == 0 {
		return refuse(-1, funcPrepare, "no instructions")
	}
	if len(p) > MaxInsns {
		return refuse(-1, funcPrepare, "%d instructions, more than %d", len(p), MaxInsns)
	}
	return nil
}

// checkClassic repeats what bpf_check_classic asks of the instruction at pc.
func (p Program) checkClassic(pc int) error {
	in := p[pc]
	if !classicAllows(in.Code) {
		return refuse(pc, funcClassic, "code 0x%02x does not exist", in.Code)
	}
	switch in.Code {
	case OpDivK, codeModK:
		if in.K == 0 {
			return refuse(pc, funcClassic, "division by the constant 0")
		}
	case OpLshK, OpRshK:
		if in.K >= 32 {
			return refuse(pc, funcClassic, "shift by %d, more than 31", in.K)
		}
	case OpLdMem, OpLdxMem, OpSt, OpStx:
		if in.K >= MemWords {
			return refuse(pc, funcClassic, "M[%d] does not exist, the last is M[%d]", in.K, MemWords-1)
		}
	case OpLdAbs, codeLdAbsH, codeLdAbsB:
		if in.K >= ancillary && !isAncillary(in.K) {
			return refuse(pc, funcClassic, "offset 0x%x does not exist", in.K)
		}
	}
	return p.checkJump(pc)
}

// checkJump refuses jumps that leave the program. The arithmetic is 64 bits wide, where the
// kernel's comparison cannot wrap either.
func (p Program) checkJump(pc int) error {
	in, left := p[pc], uint64(len(p)-pc-1)
	switch in.Code {
	case OpJa:
		if uint64(in.K) >= left {
			return refuse(pc, funcClassic, "jump of %d leaves the program", in.K)
		}
	case OpJeqK, OpJeqX, OpJgtK, OpJgtX, OpJgeK, OpJgeX, OpJsetK, OpJsetX:
		if uint64(in.Jt) >= left {
			return refuse(pc, funcClassic, "true branch of %d leaves the program", in.Jt)
		}
		if uint64(in.Jf) >= left {
			return refuse(pc, funcClassic, "false branch of %d leaves the program", in.Jf)
		}
	}
	return nil
}

// checkMemory refuses loads of scratch words that some path has not written. It is the kernel's
// single pass: a jump passes its set of written words on to its targets, and what follows an
// unconditional jump or any other branch starts as if everything were written. A ret does not end
// the set, and so a load that no path reaches may be accepted or refused.
func (p Program) checkMemory() error {
	masks := make([]uint16, len(p))
	for i := range masks {
		masks[i] = 0xffff
	}
	valid := uint16(0)
	for pc, in := range p {
		valid &= masks[pc]
		next := pc + 1
		switch in.Code {
		case OpSt, OpStx:
			valid |= 1 << in.K
		case OpLdMem, OpLdxMem:
			if valid&(1<<in.K) == 0 {
				return refuse(pc, funcMemory, "load of M[%d], which is not written on every path", in.K)
			}
		case OpJa:
			masks[next+int(in.K)] &= valid
			valid = 0xffff
		case OpJeqK, OpJeqX, OpJgtK, OpJgtX, OpJgeK, OpJgeX, OpJsetK, OpJsetX:
			masks[next+int(in.Jt)] &= valid
			masks[next+int(in.Jf)] &= valid
			valid = 0xffff
		}
	}
	return nil
}

// checkSeccomp refuses what classic BPF has and seccomp has not.
func checkSeccomp(pc int, in Insn) error {
	if !seccompAllows(in.Code) {
		return refuse(pc, funcSeccomp, "code 0x%02x (%s) is not for seccomp", in.Code, classicOnly[in.Code])
	}
	if in.Code == OpLdAbs && (in.K >= DataSize || in.K%4 != 0) {
		return refuse(pc, funcSeccomp, "offset %d is not that of a word of seccomp_data", in.K)
	}
	return nil
}
