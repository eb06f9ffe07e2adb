package isa

import (
	"debug/elf"
	"testing"
)

// goText returns the machine code of the go command and its address.
func goText(t testing.TB) ([]byte, uint64) {
	t.Helper()
	f, err := elf.Open(goCommand())
	if err != nil || f.Machine != elf.EM_X86_64 {
		skipOrFail(t, "no x86-64 go command to read")
	}
	defer f.Close()
	s := f.Section(".text")
	if s == nil {
		t.Fatal("go command without .text")
	}
	code, err := s.Data()
	if err != nil {
		t.Fatal(err)
	}
	return code, s.Addr
}

// BenchmarkAMD64Scan reports MB/s of machine code.
func BenchmarkAMD64Scan(b *testing.B) {
	code, base := goText(b)
	refs := AMD64.Scan(code, base, nil)
	b.SetBytes(int64(len(code)))
	b.ResetTimer()
	for range b.N {
		refs = AMD64.Scan(code, base, refs[:0])
	}
}

// BenchmarkAMD64Decode does the same for Decode.
func BenchmarkAMD64Decode(b *testing.B) {
	code, base := goText(b)
	var ops []Op
	b.SetBytes(int64(len(code)))
	for range b.N {
		for i := 0; i < len(code); {
			var n int
			ops, n = AMD64.Decode(code[i:], base+uint64(i), ops[:0])
			i += max(n, 1)
		}
	}
}
