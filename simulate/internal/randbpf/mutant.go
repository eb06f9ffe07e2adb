package randbpf

import "github.com/profcheck/profcheck/filter"

// Mutant makes a program for a validator: a random filter with up to three changes, or instructions
// at random. About half of them load.
func (g *Generator) Mutant() filter.Program {
	if g.rng.IntN(4) == 0 {
		return g.soup()
	}
	p := g.Filter(Shape{IP: true, Actions: true, Raw: true, Size: 8 + g.rng.IntN(17)})
	for range g.rng.IntN(4) {
		p = g.mutate(p)
	}
	return p
}

// soup is instructions at random that end in a return: the loader mostly objects to a jump, or to a
// load of unwritten memory.
func (g *Generator) soup() filter.Program {
	p := make(filter.Program, 1+g.rng.IntN(12))
	for i := range p {
		p[i] = g.insn()
	}
	return append(p, filter.Return(filter.Allow))
}

func (g *Generator) insn() filter.Insn {
	in := filter.Insn{
		Code: opcodes[g.rng.IntN(len(opcodes))],
		Jt:   uint8(g.rng.IntN(8)),
		Jf:   uint8(g.rng.IntN(8)),
		K:    g.rng.Uint32N(68),
	}
	if in.Code == filter.OpLdAbs && g.rng.IntN(4) != 0 {
		in.K &^= 3
	}
	return in
}

// mutate changes one thing, in a way that a validator may or may not care about.
func (g *Generator) mutate(p filter.Program) filter.Program {
	at := g.rng.IntN(len(p))
	in := &p[at]
	switch g.rng.IntN(10) {
	case 0:
		in.Code = g.code()
	case 1:
		in.K = g.Word()
	case 2:
		in.Jt, in.Jf = uint8(g.rng.Uint32()), uint8(g.rng.Uint32())
	case 3:
		in.K = uint32(filter.DataSize) - 8 + g.rng.Uint32N(12) // around the end of seccomp_data
	case 4:
		p = p[:max(len(p)-1, 1)] // mostly no return at the end
	case 5:
		p = append(p[:at], p[at+1:]...) // jumps over it now go one further
		if len(p) == 0 {
			p = filter.Program{g.insn()}
		}
	case 6:
		p[len(p)-1] = g.insn()
	case 7:
		*in = filter.Jump(filter.OpJeqK, g.Word(), uint8(len(p)-at-1-g.rng.IntN(3)), uint8(len(p)-at-1-g.rng.IntN(3)))
	case 8:
		*in = filter.Stmt(filter.OpJa, uint32(len(p)-at-1-g.rng.IntN(3)))
	case 9:
		*in = filter.Stmt([]uint16{filter.OpLdMem, filter.OpLdxMem, filter.OpSt, filter.OpStx}[g.rng.IntN(4)], g.rng.Uint32N(18))
	}
	return p
}

// code is any of the 16 bits: one of classic BPF's, one that differs from a good one by a bit, or
// any at all.
func (g *Generator) code() uint16 {
	switch g.rng.IntN(4) {
	case 0:
		return uint16(g.rng.Uint32N(0x100))
	case 1:
		return opcodes[g.rng.IntN(len(opcodes))] ^ 1<<g.rng.IntN(16)
	case 2:
		return []uint16{0x94, 0x9c, 0x28, 0x30, 0x40, 0x48, 0x50, 0xb1, 0x0e, 0x1e, 0x8c}[g.rng.IntN(11)]
	}
	return uint16(g.rng.Uint32())
}
