package isa

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// a64agree checks what Scan and Decode say about one word alone against each other.
func a64agree(t *testing.T, word uint32) {
	t.Helper()
	const pc = 0x40000
	code := a64words(word)
	ops, n := ARM64.Decode(code, pc, nil)
	refs := ARM64.Scan(code, pc, nil)
	if (n == 0) != (len(refs) == 1 && refs[0].Kind == RefBad) {
		t.Fatalf("%08x: length %d, refs %v", word, n, refs)
	}
	if n == 0 {
		if len(ops) != 0 {
			t.Fatalf("%08x: not an instruction, but %v", word, ops)
		}
		return
	}
	if n != 4 || len(ops) == 0 {
		t.Fatalf("%08x: length %d, ops %v", word, n, ops)
	}
	var want []Ref
	changed := uint32(0)
	for _, op := range ops {
		changed |= uint32(op.Clobber)
		switch op.Kind {
		case OpCall:
			want = append(want, Ref{At: pc, Target: op.Target, Kind: RefCall})
		case OpJump, OpBranch:
			if op.Target != pc {
				want = append(want, Ref{At: pc, Target: op.Target, Kind: RefJump})
			}
		case OpSyscall:
			want = append(want, Ref{At: pc, Target: 0, Kind: RefSyscall})
			changed = 0
		case OpSet:
			if op.A.Kind == Addr && op.A.Reg == NoReg && word>>31 == 0 {
				want = append(want, Ref{At: pc, Target: uint64(op.A.Value), Kind: RefAddr})
			}
		}
		if op.Dst.Kind == RegOp {
			changed |= 1 << op.Dst.Reg
		}
		a64wellFormed(t, word, op)
	}
	for i, r := range refs {
		// A load of a literal leaves no operand where it goes to the zero register or SIMD; ADR
		// likewise.
		if r.Kind == RefLoad || r.Kind == RefAddr && len(want) <= i {
			continue
		}
		if i >= len(want) || r != want[i] {
			t.Fatalf("%08x: refs %v, want %v", word, refs, want)
		}
	}
	if len(want) > len(refs) {
		t.Fatalf("%08x: refs %v, want %v", word, refs, want)
	}
	a64agreeOnWrites(t, a64(word), changed)
}

// a64agreeOnWrites: Scan must take each register that Decode changes for changed, and no others.
func a64agreeOnWrites(t *testing.T, w a64, changed uint32) {
	t.Helper()
	says := w.writes()
	switch g := w.group(); {
	case g == a64GroupBranch || g == a64GroupBranch+1:
		says = w.writesSystem()
	case g&5 == 4:
		m, _ := w.mem()
		says = m.writes()
	}
	// MOV of a register to itself, and the like, may change nothing.
	if says != changed {
		t.Fatalf("%08x: Scan takes %#x for changed, Decode %#x", uint32(w), says, changed)
	}
}

// a64wellFormed checks that an Op keeps the rules of the package.
func a64wellFormed(t *testing.T, word uint32, op Op) {
	t.Helper()
	for _, o := range []Operand{op.Dst, op.A, op.B} {
		ok := true
		switch o.Kind {
		case RegOp:
			ok = o.Reg < 32
		case Mem, Addr:
			ok = (o.Reg < 32 || o.Reg == NoReg) && (o.Index < 32 && o.Scale > 0 || o.Index == NoReg) &&
				(o.Kind == Addr || o.Size > 0)
		}
		if !ok {
			t.Fatalf("%08x: operand %+v of %+v", word, o, op)
		}
	}
	switch {
	case op.Dst.Kind == RegOp && op.Width != 4 && op.Width != 8,
		op.Dst.Kind == Mem && op.Width != op.Dst.Size,
		op.Kind == OpSignExtend && op.A.Size == 0,
		op.Dst.Kind == Imm || op.Dst.Kind == Addr:
		t.Fatalf("%08x: %+v", word, op)
	}
}

// TestARM64Agreement tries random words of every group.
func TestARM64Agreement(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2_000_000 {
		a64agree(t, r.Uint32())
	}
}

func FuzzARM64(f *testing.F) {
	f.Add(a64words(a64wADRP0, a64wADD0, a64wLDR1, a64wSVC, a64wRET), uint64(0x1000))
	f.Add(a64words(0x54ffffe0, a64wADRP19, 0xb4000062, a64wRET, a64wLDRX1_19), uint64(0))
	f.Add([]byte{0, 1, 2}, ^uint64(0))
	f.Fuzz(func(t *testing.T, code []byte, base uint64) {
		last := base
		for _, r := range ARM64.Scan(code, base, nil) {
			if r.At-base >= uint64(len(code)) || r.At-base < last-base || (r.At-base)%4 != 0 {
				t.Fatalf("%+v is out of order or of code at %#x of %d bytes", r, base, len(code))
			}
			last = r.At
		}
		for i := 0; i < len(code); i += 4 {
			ops, n := ARM64.Decode(code[i:], base+uint64(i), nil)
			if n != 0 && n != 4 || n == 0 && len(ops) != 0 || n > len(code)-i {
				t.Fatalf("at %d: length %d, %v", i, n, ops)
			}
			if n == 4 {
				a64agree(t, binary.LittleEndian.Uint32(code[i:]))
			}
		}
	})
}

func BenchmarkARM64Scan(b *testing.B) {
	code, base, funcs := a64code(b, a64build(b, "web"))
	b.SetBytes(int64(len(code)))
	var refs []Ref
	for b.Loop() {
		for _, f := range funcs {
			refs = ARM64.Scan(code[f.Value-base:f.Value-base+f.Size], f.Value, refs[:0])
		}
	}
}

func BenchmarkARM64Decode(b *testing.B) {
	code, base, _ := a64code(b, a64build(b, "hello"))
	b.SetBytes(int64(len(code)))
	var ops []Op
	for b.Loop() {
		for i := 0; i+4 <= len(code); i += 4 {
			ops, _ = ARM64.Decode(code[i:], base+uint64(i), ops[:0])
		}
	}
}
