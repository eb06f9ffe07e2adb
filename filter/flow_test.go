package filter

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/profcheck/profcheck/syscalls"
)

// TestFlowHolds runs programs and asks at each instruction whether what flow says of it is true: the
// call's architecture is among those that come here, and A is the word that it is said to be.
func TestFlowHolds(t *testing.T) {
	rng := rand.New(rand.NewPCG(51, 52))
	var programs []Program
	for range 300 {
		programs = append(programs, flowProgram(rng))
	}
	for _, p := range programs {
		checkFlow(t, rng, p)
	}
	verdicts(t, func(row int, accept bool, p Program) {
		if accept && row%4 == 0 {
			checkFlow(t, rng, p)
		}
	})
	for _, f := range sharedFilters(t) {
		checkFlow(t, rng, f.p)
	}
}

// flowProgram is a random program that loads and tests words, the architecture more than others.
func flowProgram(rng *rand.Rand) Program {
	p := validProgram(rng, 40)
	arches := syscalls.Arches()
	for i := MemWords; i < len(p)-1; i++ {
		switch rng.IntN(5) {
		case 0:
			p[i] = Load(uint32(rng.IntN(3)) * 4)
		case 1:
			p[i] = Stmt(OpAndK, uint32(0xffff)<<rng.IntN(20))
		case 2, 3:
			left := len(p) - i - 1
			p[i] = Jump([]uint16{OpJeqK, OpJgtK, OpJgeK, OpJsetK}[rng.IntN(4)], arches[rng.IntN(len(arches))].Audit, uint8(rng.IntN(left)%5), uint8(rng.IntN(left)%5))
		}
	}
	return p
}

func checkFlow(t *testing.T, rng *rand.Rand, p Program) {
	t.Helper()
	facts := p.flow(1<<len(tokens) - 1)
	arches := syscalls.Arches()
	for range 60 {
		arch := arches[rng.IntN(len(arches))]
		d := Data{Nr: int32(rng.IntN(500)), Arch: arch.Audit, IP: rng.Uint64()}
		for i := range d.Args {
			d.Args[i] = rng.Uint64() >> rng.IntN(64)
		}
		words := d.Words(binary.LittleEndian)
		at := tokenSet(1) << slices.Index(tokens, d.Arch)
		steps(p, &words, func(pc int, a uint32) {
			f := facts[pc]
			if !f.reached || f.tokens&at == 0 {
				t.Fatalf("%s reaches instruction %d, which says %+v:\n%s", arch, pc, f, Disassemble(p, nil))
			}
			if f.word >= 0 && words[f.word]&f.mask != a {
				t.Fatalf("A is %#x at instruction %d, which says %+v:\n%s", a, pc, f, Disassemble(p, nil))
			}
		})
	}
}

// steps runs a program that loads and shows A before each instruction. It knows what decides jumps
// in this test, and gives M and the results of arithmetic arbitrary values.
func steps(p Program, words *[16]uint32, show func(pc int, a uint32)) {
	var a, x uint32
	for pc := 0; pc < len(p); pc++ {
		in := p[pc]
		show(pc, a)
		s := shapes[in.Code]
		switch {
		case s.form == formRetK || s.form == formRetA:
			return
		case s.form == formWord:
			a = words[in.K/4]
		case in.Code == OpAndK:
			a &= in.K
		case in.Code == OpTax:
			x = a
		case s.form == formJump:
			pc += int(in.K)
		case s.form.branches():
			operand := in.K
			if s.form == formBranchX {
				operand = x
			}
			if compare(in.Code, a, operand) {
				pc += int(in.Jt)
			} else {
				pc += int(in.Jf)
			}
		case in.Code&classMask == ClassSt || in.Code&classMask == ClassStx:
		case in.Code&classMask == ClassLdx:
			x = in.K
		default:
			a = a*0x9e3779b1 + in.K + 1
		}
	}
}
