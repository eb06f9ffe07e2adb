package randbpf

import (
	"math/rand/v2"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// LetThroughBelow is the number, relative to an ABI's base, below which LetThrough allows all.
const LetThroughBelow = 600

// A Generator makes random programs and calls. It is not safe for concurrent use.
type Generator struct{ rng *rand.Rand }

// New returns the generator that this seed always gives.
func New(seed uint64) *Generator { return &Generator{rand.New(rand.NewPCG(seed, 0x5ec0))} }

// A Shape says what kind of filter is wanted. The zero value is a filter of 8 to 48 instructions
// whose outcomes are all visible, but for a division by X = 0, which kills the thread.
type Shape struct {
	Prefix  filter.Program // goes in front as it is, such as LetThrough; the rest is what follows it
	Size    int            // instructions after the prefix, at least 8; 0: 8 to 48 at random
	IP      bool           // also load the words of the instruction pointer
	Actions bool           // also return every action with random data, unknown ones included
	Raw     bool           // also return A as it stands, which is mostly an unknown action
}

// Actions are all that a filter can return: the actions that kernels know, and three values that
// none does, of which one is lower than ERRNO, one higher, and one the lowest of all.
func Actions() []filter.Action {
	return []filter.Action{
		filter.KillProcess, filter.KillThread, filter.Trap, filter.Errno,
		filter.UserNotif, filter.Trace, filter.Log, filter.Allow,
		0x00040000, 0x00060000, 0x80010000,
	}
}

// LetThrough begins a filter that allows every number below LetThroughBelow above the ABI's base,
// whatever comes after it, so that a process whose runtime makes calls of its own stays alive. The
// private calls of ARM are let through, too. It leaves the number in A.
func LetThrough(a *syscalls.Arch) filter.Program {
	below := func(from, to uint32) filter.Program {
		return filter.Program{
			filter.Jump(filter.OpJgeK, from, 0, 2),
			filter.Jump(filter.OpJgeK, to, 1, 0),
			filter.Return(filter.Allow),
		}
	}
	p := append(filter.Program{filter.Load(filter.OffsetNr)}, below(uint32(a.Base), uint32(a.Base)+LetThroughBelow)...)
	if a.Name == "arm" {
		p = append(p, below(armPrivate, armPrivate+0x10000)...)
	}
	return p
}

// Filter makes a program that passes Verify.
func (g *Generator) Filter(s Shape) filter.Program {
	size := s.Size
	if size == 0 {
		size = 8 + g.rng.IntN(41)
	}
	w := g.writer(s, len(s.Prefix)+max(size, 8))
	if g.rng.IntN(4) != 0 { // three of four know their registers and memory to be arguments
		for _, in := range g.opening(s) {
			if len(w.p)+len(tail) < w.size {
				w.put(in)
			}
		}
	}
	for len(w.p)+len(tail) < w.size {
		g.next(w, s)
	}
	for _, in := range g.visible() {
		w.put(in)
	}
	return w.p
}

// Stack makes n filters, oldest first, each of this shape.
func (g *Generator) Stack(n int, s Shape) []filter.Program {
	stack := make([]filter.Program, n)
	for i := range stack {
		stack[i] = g.Filter(s)
	}
	return stack
}

// tail ends a program: 12 bits of A become the errno. The first k is set anew for each program.
var tail = [...]filter.Insn{
	{Code: filter.OpRshK},
	{Code: filter.OpAndK, K: 0xfff},
	{Code: filter.OpOrK, K: uint32(filter.Errno)},
	{Code: filter.OpRetA},
}

func (g *Generator) visible() [4]filter.Insn {
	end := tail
	end[0].K = []uint32{0, 12, 20}[g.rng.IntN(3)]
	return end
}

// opening puts words of the call into A, X and memory.
func (g *Generator) opening(s Shape) filter.Program {
	return filter.Program{
		filter.Load(g.offset(s)), filter.Stmt(filter.OpTax, g.junk()), filter.Stmt(filter.OpSt, uint32(g.rng.IntN(filter.MemWords))),
		filter.Load(g.offset(s)), filter.Stmt(filter.OpStx, uint32(g.rng.IntN(filter.MemWords))),
	}
}

// next adds one random instruction, or a return with what makes it visible.
func (g *Generator) next(w *writer, s Shape) {
	code := opcodes[g.rng.IntN(len(opcodes))]
	in := filter.Insn{Code: code, Jt: uint8(g.junk()), Jf: uint8(g.junk()), K: g.Word()}
	left := w.size - len(w.p) - 1 // instructions after this one
	switch code {
	case filter.OpLdAbs:
		in.K = g.offset(s)
	case filter.OpDivK:
		in.K = max(in.K, 1)
	case filter.OpLshK, filter.OpRshK:
		in.K %= 32
	case filter.OpSt, filter.OpStx:
		in.K %= filter.MemWords
	case filter.OpLdMem, filter.OpLdxMem:
		k, ok := g.written(w.valid())
		if !ok {
			return
		}
		in.K = k
	case filter.OpJa:
		in.K = uint32(g.distance(left))
	case filter.OpRetK:
		if g.rng.IntN(3) != 0 {
			return // else few programs would get far
		}
		in.K = uint32(filter.Errno) | uint32(g.rng.IntN(1<<13))
		if s.Actions {
			in.K = uint32(Actions()[g.rng.IntN(len(Actions()))]) | uint32(g.data())
		}
	case filter.OpRetA:
		if g.rng.IntN(3) != 0 {
			return
		}
		if s.Raw && g.rng.IntN(4) == 0 {
			break
		}
		if left < 2*len(tail) {
			return
		}
		for _, in := range g.visible() {
			w.put(in)
		}
		return
	}
	if jumps(code) {
		in.Jt, in.Jf = uint8(min(g.distance(left), 255)), uint8(min(g.distance(left), 255))
	}
	w.put(in)
}

// distance is how far a jump goes with left instructions after it: mostly not far.
func (g *Generator) distance(left int) int {
	if g.rng.IntN(8) == 0 {
		return g.rng.IntN(left)
	}
	return g.rng.IntN(min(left, 4))
}

// offset is one of the words that the shape allows, mostly of the first two arguments.
func (g *Generator) offset(s Shape) uint32 {
	if g.rng.IntN(2) == 0 {
		return uint32(filter.OffsetArgs + 4*g.rng.IntN(4))
	}
	for {
		if k := uint32(4 * g.rng.IntN(filter.DataSize/4)); s.IP || k != filter.OffsetIP && k != filter.OffsetIP+4 {
			return k
		}
	}
}

// junk is what stands in fields that an instruction does not use: the kernel ignores it.
func (g *Generator) junk() uint32 {
	if g.rng.IntN(2) == 0 {
		return 0
	}
	return g.rng.Uint32()
}

// data is the lower half of an action.
func (g *Generator) data() uint16 {
	return []uint16{0, 1, 38, 4095, 4096, 0xffff, uint16(g.rng.Uint32())}[g.rng.IntN(7)]
}

// written picks one word of a set of scratch memory.
func (g *Generator) written(set uint16) (uint32, bool) {
	if set == 0 {
		return 0, false
	}
	for {
		if k := g.rng.Uint32N(filter.MemWords); set>>k&1 != 0 {
			return k, true
		}
	}
}

// edges are numbers at which arithmetic and comparisons change.
var edges = [...]uint32{
	0, 1, 2, 3, 5, 31, 32, 33, 40, 63, 64, 0xff, 0xfff, 0xffff, 0x10000, 0x7e020000,
	0x7ffffffe, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff,
}

// Word returns a number of 32 bits: often one at which something changes, often a small one.
func (g *Generator) Word() uint32 {
	switch g.rng.IntN(4) {
	case 0:
		return g.rng.Uint32()
	case 1:
		return g.rng.Uint32() >> g.rng.IntN(32)
	}
	return edges[g.rng.IntN(len(edges))]
}

// Ladder makes a program as compilers of filters do: one load of the number, n comparisons with
// constants from base on, some of them far away, a look at an argument here and there, and returns of
// all kinds.
func (g *Generator) Ladder(base uint32, n int) filter.Program {
	p := filter.Program{filter.Load(filter.OffsetNr)}
	tests := []uint16{filter.OpJeqK, filter.OpJeqK, filter.OpJeqK, filter.OpJgtK, filter.OpJgeK, filter.OpJsetK}
	const ends = 6
	for i := range n {
		left := n - i - 1 + ends
		in := filter.Jump(tests[g.rng.IntN(len(tests))], base+g.rng.Uint32N(500), uint8(min(g.distance(left), 255)), 0)
		switch g.rng.IntN(12) {
		case 0:
			in.K = g.Word()
		case 1:
			in = filter.Stmt(filter.OpJa, uint32(g.rng.IntN(min(left, 3))))
		case 2:
			in.Jt, in.Jf = in.Jf, in.Jt
		}
		p = append(p, in)
	}
	p = append(p, filter.Load(filter.OffsetArgs), filter.Jump(filter.OpJeqK, 1, 1, 0))
	for range ends - 3 {
		p = append(p, filter.Return(Actions()[g.rng.IntN(len(Actions()))]|filter.Action(g.data())))
	}
	return append(p, filter.Return(filter.Allow))
}
