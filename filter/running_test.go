package filter

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

// TestVerifyRunningKernel asks the kernel under the test about each rule at its limit, every code
// of the low 9 bits, and random programs with one field changed.
func TestVerifyRunningKernel(t *testing.T) {
	var programs []Program
	for _, r := range refusals() {
		programs = append(programs, r.p)
	}
	for _, p := range acceptances() {
		programs = append(programs, p)
	}
	for code := range uint16(0x200) {
		for _, k := range []uint32{0, 4, 31} {
			programs = append(programs, Program{Stmt(OpSt, 0), Stmt(OpSt, 4), Stmt(code, k), Return(Allow), Return(Allow), Return(Allow), Return(Allow), Return(Allow)})
		}
	}
	compareVerdicts(t, programs, askKernel(t, nil, programs), Program.Verify)
}

// TestVerifyManyRunningKernel asks the kernel about many programs: random ones of the whole
// instruction set and those recorded, with up to three fields changed, and random bytes.
func TestVerifyManyRunningKernel(t *testing.T) {
	rounds := 4
	if os.Getenv("PROFCHECK_FULL") != "" {
		rounds = 40
	}
	var recorded []Program
	verdicts(t, func(_ int, _ bool, p Program) { recorded = append(recorded, p) })
	rng := rand.New(rand.NewPCG(1, 2))
	total := 0
	for range rounds {
		var programs []Program
		for i := range 55000 {
			var p Program
			switch i % 11 {
			case 0:
				p = anyProgram(rng)
			case 1, 2, 3:
				p = slices.Clone(recorded[rng.IntN(len(recorded))])
				for range 1 + rng.IntN(3) {
					mutate(rng, p)
				}
			case 4:
				p = validProgram(rng, 1+rng.IntN(60))
				mutate(rng, p)
			case 5:
				p = validProgram(rng, 1+rng.IntN(20))[rng.IntN(MemWords):]
			default:
				p = mutated(rng)
			}
			programs = append(programs, p)
		}
		total += len(programs)
		compareVerdicts(t, programs, askKernel(t, nil, programs), Program.Verify)
	}
	if total < 200000 {
		t.Errorf("only %d programs", total)
	}
}

// compareVerdicts fails for each program on which judge and the kernel differ.
func compareVerdicts(t *testing.T, programs []Program, kernel []byte, judge func(Program) error) {
	accepted := 0
	for i, p := range programs {
		want := 0
		var verr *VerifyError
		if errors.As(judge(p), &verr) {
			want = verr.Errno
		} else {
			accepted++
		}
		if int(kernel[i]) != want {
			if t.Failed() && i > 100 {
				continue
			}
			t.Errorf("program %d %v: kernel says %q, Verify %v", i, p, ErrnoName(int(kernel[i])), judge(p))
		}
	}
	if accepted == 0 || accepted == len(programs) {
		t.Errorf("%d of %d accepted: only one verdict was tried", accepted, len(programs))
	}
	t.Logf("%d programs, %d accepted", len(programs), accepted)
}

// TestRunningKernelCanDisagree is the twin: where Verify refuses, the kernel must have refused on
// its own account, and so an answer for another program must not fit.
func TestRunningKernelCanDisagree(t *testing.T) {
	list := refusals()
	var good, bad []Program
	for _, r := range list {
		bad = append(bad, r.p)
		good = append(good, Program{Return(Allow)})
	}
	if got := askKernel(t, nil, good); slices.Max(got) != 0 {
		t.Errorf("the kernel refuses the smallest program: %v", got)
	}
	if got := askKernel(t, nil, bad); slices.Min(got) != einval {
		t.Errorf("the kernel accepts a refused program: %v", got)
	}
}

// mutated returns a random program of the whole instruction set with, mostly, one field changed.
func mutated(rng *rand.Rand) Program {
	codes := Opcodes()
	n := 2 + rng.IntN(12)
	p := Program{Stmt(OpSt, 0), Stmt(OpStx, 1)}
	for len(p) < n {
		left := n - len(p)
		in := Insn{Code: codes[rng.IntN(len(codes))], K: rng.Uint32()}
		switch in.Code {
		case OpLdAbs:
			in.K = uint32(rng.IntN(16) * 4)
		case OpLshK, OpRshK:
			in.K %= 32
		case OpLdMem, OpLdxMem, OpSt, OpStx:
			in.K %= 3
		case OpJa:
			in.K %= uint32(left)
		}
		if in.Code&classMask == ClassJmp && in.Code != OpJa {
			in.Jt, in.Jf = uint8(rng.IntN(left)), uint8(rng.IntN(left))
		}
		p = append(p, in)
	}
	p = append(p, Return(Allow))
	mutate(rng, p)
	return p
}

// mutate changes one field of one instruction, mostly.
func mutate(rng *rand.Rand, p Program) {
	n := len(p)
	at := &p[rng.IntN(n)]
	edges := []uint32{0, 1, 2, 3, 15, 16, 31, 32, 60, 63, 64, uint32(n), 0x7fffffff, 0x80000000, 0xfffff000, 0xffffffff}
	switch rng.IntN(5) {
	case 0:
		at.Code = uint16(rng.IntN(0x100))
	case 1:
		at.K = edges[rng.IntN(len(edges))]
	case 2:
		at.Jt = uint8(rng.IntN(n + 2))
	case 3:
		at.Jf = uint8(rng.IntN(n + 2))
	}
}

// encodePrograms is what the child of askKernel reads: for each program its length in
// instructions, 32 bits, and the instructions.
func encodePrograms(programs []Program) []byte {
	var b []byte
	for _, p := range programs {
		b = binary.NativeEndian.AppendUint32(b, uint32(len(p)))
		b = append(b, p.Encode(binary.NativeEndian)...)
	}
	return b
}
