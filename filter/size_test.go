package filter

import (
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

// measured is how many copies of equal filters a Linux 6.18 kernel took before ENOMEM.
func measured() map[string]struct {
	p      Program
	copies int
} {
	return map[string]struct {
		p      Program
		copies int
	}{
		"one ret":         {Program{Return(Allow)}, 3641},
		"4096 ret":        {repeat(4095, Return(Allow), Return(Allow)), 3},
		"4096 small jeq":  {repeat(4095, Jump(OpJeqK, 1, 0, 0), Return(Allow)), 7},
		"4096 large jeq":  {repeat(4095, Jump(OpJeqK, 1<<31, 0, 0), Return(Allow)), 3},
		"4096 loads":      {repeat(4095, Load(0), Return(Allow)), 7},
		"100 divisions":   {append(repeat(100, Stmt(OpLdxImm, 1)), repeat(100, Stmt(OpDivX, 0), Return(Allow))...), 53},
		"both branches":   {append(repeat(1000, Jump(OpJgtK, 7, 1, 2)), Return(Allow), Return(Allow), Return(Allow)), 16},
		"jset turned":     {append(repeat(1000, Jump(OpJsetX, 0, 0, 1)), Return(Allow), Return(Allow)), 16},
		"jge turned":      {append(repeat(1000, Jump(OpJgeX, 0, 0, 1)), Return(Allow), Return(Allow)), 32},
		"jge turned high": {append(repeat(1000, Jump(OpJgeK, 1<<31, 0, 1)), Return(Allow), Return(Allow)), 16},
	}
}

func TestCopies(t *testing.T) {
	var scenarios [][]step
	names := make([]string, 0)
	for name, m := range measured() {
		if got := m.p.Size().Copies; got != m.copies {
			t.Errorf("%s: %d copies of %d, want %d", name, got, m.p.KernelLen(), m.copies)
		}
		l := Loader{NoNewPrivs: true}
		n := 0
		for l.Attach(m.p, 0) == nil {
			n++
		}
		if n != m.copies {
			t.Errorf("%s: %d attached, want %d", name, n, m.copies)
		}
		scenario := []step{{kind: stepNoNewPrivs}}
		for range m.copies + 2 {
			scenario = append(scenario, attach(m.p, 0))
		}
		scenarios = append(scenarios, scenario)
		names = append(names, name)
	}
	notBlinded(t)
	for i, answers := range askLoader(t, scenarios, true) {
		if n := slices.Index(answers, -enomem); n != len(answers)-2 {
			t.Errorf("%s: the kernel took %d", names[i], n-1)
		}
	}
}

// TestPathRunningKernel finds out KernelLen of random programs exactly: filled up with loads until
// the path is full to the last instruction they are accepted, and with one load more they are not.
func TestPathRunningKernel(t *testing.T) {
	notBlinded(t)
	rng := rand.New(rand.NewPCG(31, 32))
	count := 300
	if os.Getenv("PROFCHECK_FULL") != "" {
		count = 5000
	}
	jump, large := Jump(OpJeqK, 0, 0, 0), Jump(OpJeqK, 1<<31, 0, 0)
	bases := [][]Program{
		slices.Repeat([]Program{repeat(4095, jump, Return(Allow))}, 7),
		slices.Repeat([]Program{{Return(Allow)}}, 3200),
		append(slices.Repeat([]Program{repeat(2047, large, Return(Allow))}, 6), repeat(4095, jump, Return(Allow))),
	}
	for i, base := range bases {
		room := MaxPath
		for _, f := range base {
			room -= f.KernelLen() + PathPenalty
		}
		var programs []Program
		var want []int
		for len(programs) < 2*count {
			p := validProgram(rng, 4+rng.IntN(60))
			fill := room - p.KernelLen()
			if err := p.Verify(); err != nil || fill < 0 || fill+1+len(p) > MaxInsns {
				t.Fatalf("base %d: %v, %d left of %d", i, err, fill, room)
			}
			programs = append(programs, append(repeat(fill, Load(0)), p...), append(repeat(fill+1, Load(0)), p...))
			want = append(want, 0, enomem)
		}
		for j, errno := range askKernel(t, base, programs) {
			if int(errno) != want[j] {
				t.Errorf("base %d, program %d of %d: the kernel says %s, want %s: %v", i, j, programs[j].KernelLen(), ErrnoName(int(errno)), ErrnoName(want[j]), programs[j][room-programs[j].KernelLen():])
			}
			if t.Failed() && j > 50 {
				break
			}
		}
	}
}

// validProgram returns a random program of n instructions or a few more that loads, with every
// code that seccomp allows.
func validProgram(rng *rand.Rand, n int) Program {
	codes := Opcodes()
	p := Program{}
	for i := range uint32(MemWords) {
		p = append(p, Stmt(OpSt, i))
	}
	for len(p) < n+MemWords {
		left := n + MemWords - len(p)
		in := Insn{Code: codes[rng.IntN(len(codes))], K: rng.Uint32() >> (rng.IntN(2) * 30)}
		switch shapes[in.Code].form {
		case formWord:
			in.K = uint32(rng.IntN(16) * 4)
		case formMem:
			in.K %= MemWords
		case formJump:
			in.K %= uint32(left)
		case formBranchK, formBranchX:
			in.Jt, in.Jf = uint8(rng.IntN(min(left, 3))), uint8(rng.IntN(min(left, 3)))
		}
		switch in.Code {
		case OpLshK, OpRshK:
			in.K %= 32
		case OpDivK:
			in.K = max(in.K, 1)
		}
		p = append(p, in)
	}
	return append(p, Return(Allow))
}

func TestSize(t *testing.T) {
	for _, tt := range []struct {
		p    Program
		want SizeInfo
	}{
		{Program{}, SizeInfo{0, 0, 3, 0, 4681}},
		{Program{Return(Allow)}, SizeInfo{1, 8, 5, 1, 3641}},
		{Program{Load(0), Jump(OpJeqK, 1, 2, 0), Load(4), Stmt(OpTax, 0), Stmt(OpRetA, 0)}, SizeInfo{5, 40, 8, 5, 2731}},
		{Program{Load(0), Jump(OpJeqK, 1, 2, 1), Load(4), Stmt(OpTax, 0), Stmt(OpRetA, 0)}, SizeInfo{5, 40, 9, 4, 2520}},
		{Program{Stmt(OpJa, 1), Return(Allow), Return(Allow)}, SizeInfo{3, 24, 8, 2, 2731}},
		{Program{Stmt(OpJa, 0xffffffff), Jump(OpJsetX, 0, 255, 255)}, SizeInfo{2, 16, 6, 1, 3277}},
	} {
		if got := tt.p.Size(); got != tt.want {
			t.Errorf("%v: got %+v, want %+v", tt.p, got, tt.want)
		}
	}
	// Every way through small programs, one after the other.
	rng := rand.New(rand.NewPCG(61, 62))
	for range 500 {
		p := validProgram(rng, 10)
		if got, want := p.Size().LongestPath, p.walk(0); got != want {
			t.Fatalf("longest path %d, want %d: %v", got, want, p)
		}
	}
	// A long program whose ways are too many to walk.
	p := append(repeat(4000, Jump(OpJeqX, 0, 1, 0)), Return(Allow), Return(Allow))
	if got := p.Size().LongestPath; got != 4001 {
		t.Errorf("longest path %d", got)
	}
}

// walk returns the length of the longest way from an instruction of a program that loads.
func (p Program) walk(pc int) int {
	in := p[pc]
	switch {
	case in.Code&classMask == ClassRet:
		return 1
	case in.Code == OpJa:
		return 1 + p.walk(pc+1+int(in.K))
	case in.Code&classMask == ClassJmp:
		return 1 + max(p.walk(pc+1+int(in.Jt)), p.walk(pc+1+int(in.Jf)))
	}
	return 1 + p.walk(pc+1)
}
