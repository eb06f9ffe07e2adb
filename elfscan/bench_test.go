package elfscan

import (
	"os"
	"testing"
)

// BenchmarkScan reports MB/s of executable code.
func BenchmarkScan(b *testing.B) {
	for _, c := range []struct {
		name string
		src  source
	}{{"hello", helloSource}, {"http", httpSource}} {
		path := build(b, c.src, "amd64")
		data, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		_, tab := tableOf(b, data)
		first, last := tab.span()
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(last - first))
			b.ReportAllocs()
			for b.Loop() {
				scan(b, path)
			}
		})
	}
}

// BenchmarkWalk is the part that reads all code.
func BenchmarkWalk(b *testing.B) {
	data, err := os.ReadFile(build(b, httpSource, "amd64"))
	if err != nil {
		b.Fatal(err)
	}
	im, tab := tableOf(b, data)
	first, last := tab.span()
	b.SetBytes(int64(last - first))
	for b.Loop() {
		p := newProgram(im, tab)
		p.watchTypes()
		p.walk()
	}
}
