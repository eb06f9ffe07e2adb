package module

import (
	"os"
	"testing"
)

// BenchmarkOpen reads redis-server and all of its libraries.
func BenchmarkOpen(b *testing.B) {
	var files [][]byte
	size, code := 0, 0
	paths := closure("redis-server")
	if len(paths) == 0 {
		b.Skip("redis-server is not installed")
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		files = append(files, data)
		size += len(data)
		m, err := Open(path, data)
		if err != nil {
			b.Fatal(err)
		}
		for _, s := range m.Segments {
			if s.Exec {
				code += len(s.Data)
			}
		}
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for _, data := range files {
			if _, err := Open("", data); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(len(files)), "files")
	b.ReportMetric(float64(code), "code-bytes")
}
