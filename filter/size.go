package filter

// The limit of a path: all filters of a process together (kernel/seccomp.c MAX_INSNS_PER_PATH,
// seccomp_attach_filter).
const (
	MaxPath     = 32768 // sum of KernelLen over the filters, with PathPenalty for each but the newest
	PathPenalty = 4
)

// kernelPrologue is what the translation puts in front: A and X are zeroed, and the pointer to
// seccomp_data is moved to a register of its own.
const kernelPrologue = 3

// KernelLen returns the number of eBPF instructions into which the kernel translates the program,
// prog->len (net/core/filter.c bpf_convert_filter). It is what the limit of a path counts; memory
// and time go with it, too. The numbers are those of Linux 6. Where the administrator
// has constants blinded in compiled filters (net.core.bpf_jit_harden), the kernel counts more.
func (p Program) KernelLen() int {
	n := kernelPrologue
	for _, in := range p {
		n += in.kernelLen()
	}
	return n
}

func (in Insn) kernelLen() int {
	switch in.Code {
	case OpRetK:
		return 2 // the value has to be moved to the result
	case OpDivX:
		return 5 // X is widened, compared with 0, and the way out is two more
	case OpJeqK, OpJeqX, OpJgtK, OpJgtX, OpJgeK, OpJgeX, OpJsetK, OpJsetX:
	default:
		return 1
	}
	n := 1
	if in.Code&SrcX == 0 && in.K >= 1<<31 {
		n++ // eBPF would extend the constant's sign, and so a register takes it
	}
	// One eBPF jump goes on with the next instruction otherwise. Where the true branch is the next
	// instruction, it is turned around, for which there is no form of jset.
	jset := in.Code&aluMask == OpJsetK&aluMask
	if in.Jf != 0 && (in.Jt != 0 || jset) {
		n++
	}
	return n
}

// SizeInfo is how large a program is and how long it runs.
type SizeInfo struct {
	Insns       int // as it is handed to the kernel
	Bytes       int // of these instructions
	KernelLen   int // see Program.KernelLen
	LongestPath int // the most instructions that one run executes, as handed to the kernel, ret included
	Copies      int // how many times the program could be attached before the path limit
}

// Size measures a program. The longest path is taken over the jumps as they stand, whether or not
// there are calls that take all of them. For a program that does not load the numbers mean nothing,
// but there are some.
func (p Program) Size() SizeInfo {
	n := p.KernelLen()
	s := SizeInfo{Insns: len(p), Bytes: len(p) * InsnSize, KernelLen: n, Copies: (MaxPath + PathPenalty) / (n + PathPenalty)}
	// Jumps only go forward, so that what follows an instruction is known when its turn comes.
	longest := make([]int, len(p)+1)
	from := func(pc int, skip uint32) int { return longest[min(uint64(pc)+1+uint64(skip), uint64(len(p)))] }
	for pc := len(p) - 1; pc >= 0; pc-- {
		in := p[pc]
		rest := 0
		switch s := shapes[in.Code]; {
		case s.form == formRetK || s.form == formRetA:
		case s.form == formJump:
			rest = from(pc, in.K)
		case s.form.branches():
			rest = max(from(pc, uint32(in.Jt)), from(pc, uint32(in.Jf)))
		default:
			rest = from(pc, 0)
		}
		longest[pc] = 1 + rest
	}
	s.LongestPath = longest[0]
	return s
}
