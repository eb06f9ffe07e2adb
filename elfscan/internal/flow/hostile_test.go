package flow

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/profcheck/profcheck/elfscan/internal/isa"
)

// codeOnly is a program of which only one function's bytes are known.
type codeOnly struct {
	code []byte
	base uint64
}

func (c codeOnly) Word(uint64) (uint64, bool) { return 0, false }
func (c codeOnly) Bytes(addr, n uint64) []byte {
	if off := addr - c.base; off < uint64(len(c.code)) && n <= uint64(len(c.code))-off {
		return c.code[off : off+n]
	}
	return nil
}
func (c codeOnly) Changes(addr uint64) bool       { return addr&8 != 0 }
func (c codeOnly) Stops(target uint64) bool       { return target&15 == 3 }
func (c codeOnly) Twice(uint64) bool              { return false }
func (c codeOnly) Restarts(uint64) bool           { return false }
func (c codeOnly) Result(uint64) (ValueID, bool)  { return 0, false }
func (c codeOnly) StackArgs(uint64) (int64, bool) { return 0, false }
func (c codeOnly) Pointers(ValueID) []uint64      { return nil }

// pieces are instructions of x86-64 that move the stack, pass addresses, store behind pointers and
// jump through tables.
var pieces = [][]byte{
	{0x0f, 0x05}, {0xcd, 0x80}, {0x50}, {0x58}, {0x55}, {0x5d}, {0xc3}, {0x31, 0xc0}, {0x89, 0xc8}, {0x48, 0x89, 0xe7},
	{0x48, 0x83, 0xec, 0x18}, {0x48, 0x83, 0xc4, 0x18}, {0x48, 0x83, 0xe4, 0xf0}, {0x48, 0x29, 0xc4},
	{0x48, 0x89, 0x44, 0x24, 0x08}, {0x48, 0x8b, 0x44, 0x24, 0x08}, {0x48, 0x8d, 0x7c, 0x24, 0x08}, {0x89, 0x07},
	{0x48, 0x89, 0x04, 0xcc}, {0x48, 0x89, 0x44, 0xcc, 0x10}, {0x48, 0x8b, 0x07}, {0x48, 0x8b, 0x40, 0x08},
	{0xff, 0xd0}, {0xff, 0xe0}, {0x48, 0x63, 0x04, 0x81}, {0x48, 0x01, 0xc8}, {0xf3, 0x48, 0xab}, {0x0f, 0x94, 0xc0},
	{0x0f, 0xb6, 0xc0}, {0x48, 0x85, 0xc0}, {0x48, 0x83, 0xf8, 0x05}, {0x48, 0x19, 0xc0}, {0x48, 0x8d, 0x0d, 0x10, 0, 0, 0},
	{0x48, 0x89, 0x3d, 0, 0, 0, 0}, {0xc9}, {0x48, 0x89, 0xe5}, {0x48, 0x89, 0x7d, 0xe8},
}

func hostile(r *rand.Rand, m *isa.Machine, n int) []byte {
	var out []byte
	for len(out) < n {
		if m == isa.ARM64 {
			w := r.Uint32()
			if r.IntN(4) == 0 {
				w = []uint32{0xd4000001, 0xd65f03c0, 0x54000040, 0xf94007e8, 0xa9bf7bfd, 0x910023e0, 0x94000004, 0xd61f0000, 0x38604820}[r.IntN(9)]
			}
			out = append(out, byte(w), byte(w>>8), byte(w>>16), byte(w>>24))
			continue
		}
		switch k := r.IntN(len(pieces) + 8); {
		case k < len(pieces):
			out = append(out, pieces[k]...)
		case k < len(pieces)+5:
			out = append(out, []byte{0xeb, 0x74, 0x75, 0x7c}[r.IntN(4)], byte(r.IntN(256)))
		case k < len(pieces)+7:
			out = append(out, 0xe8, byte(r.IntN(256)), byte(r.IntN(2)), 0, 0)
		default:
			out = append(out, byte(r.Uint32()))
		}
	}
	return out[:n]
}

// Whatever the bytes, following them comes to an end, and no syscall instruction of them is lost.
func TestHostileCode(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for i := range 4000 {
		m := []*isa.Machine{isa.AMD64, isa.AMD64, isa.ARM64}[i%3]
		code := hostile(r, m, 4*(1+r.IntN(200)))
		checkAll(t, m, code)
		if t.Failed() {
			t.Fatalf("%s: % x", m.Name, code)
		}
	}
}

func checkAll(t *testing.T, m *isa.Machine, code []byte) {
	t.Helper()
	const base = 0x401000
	vs := NewValues()
	vs.Pointers = true
	s := Analyse(codeOnly{code, base}, vs, C(m), Func{Start: base, Code: code})
	found := map[uint64]bool{}
	for _, c := range s.Calls {
		found[c.At] = true
	}
	for _, ref := range m.Scan(code, base, nil) {
		if (ref.Kind == isa.RefSyscall || ref.Kind == isa.RefInt80) && !found[ref.At] && !s.Vague {
			t.Errorf("the syscall instruction at %#x is not in the summary", ref.At)
		}
	}
	NeverReturns(m, code, base, func(target uint64) bool { return target&15 == 3 })
}

// Code made to be expensive stays within bounds.
func TestExpensiveCode(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	repeat := func(b ...byte) []byte { return bytes.Repeat(b, MaxCode/len(b)) }
	stores := []byte{}
	for i := range MaxCode / 8 {
		stores = append(stores, 0x89, 0x87, byte(i), byte(i>>8), byte(i>>16), 0, 0x74, 0x80)
	}
	for name, code := range map[string][]byte{
		"pushes and calls": repeat(0x50, 0x48, 0x89, 0xe7, 0xe8, 0, 0, 2, 0),
		"branches":         repeat(0x50, 0x74, 0x02, 0x75, 0x80, 0x0f, 0x05),
		"stores":           stores,
		"backwards":        repeat(0x48, 0xff, 0xc0, 0x74, 0x80),
		"random":           hostile(r, isa.AMD64, MaxCode),
		"random arm64":     hostile(r, isa.ARM64, MaxCode),
	} {
		m := isa.AMD64
		if name == "random arm64" {
			m = isa.ARM64
		}
		start := time.Now()
		checkAll(t, m, code)
		took := time.Since(start)
		t.Logf("%s: %s", name, took)
		if took > 30*time.Second {
			t.Errorf("%s: %s", name, took)
		}
	}
}
