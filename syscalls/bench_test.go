package syscalls

import "testing"

func BenchmarkNumber(b *testing.B) {
	a := ByName("x86_64")
	for b.Loop() {
		if _, ok := a.Number("openat"); !ok {
			b.Fatal("no openat")
		}
	}
}

func BenchmarkNameOf(b *testing.B) {
	a := ByName("x86_64")
	for b.Loop() {
		if _, ok := a.NameOf(257); !ok {
			b.Fatal("no 257")
		}
	}
}
