package native

import (
	"os"
	"testing"

	"github.com/profcheck/profcheck/elfscan/internal/loader"
)

// BenchmarkAnalyse measures linking, reachability and values over the closure of a large server, or
// of the program BENCH; its code has been read before.
func BenchmarkAnalyse(b *testing.B) {
	prog := os.Getenv("BENCH")
	if prog == "" {
		prog = "/usr/bin/redis-server"
	}
	root, err := loader.NewRoot("")
	if err != nil {
		b.Fatal(err)
	}
	c, err := root.Load(prog)
	if err != nil {
		b.Skip(err)
	}
	for _, l := range c.Modules {
		facts(l)
	}
	b.ReportAllocs()
	for b.Loop() {
		if res := Analyse(c, facts, Options{}); len(res.Needs) == 0 {
			b.Fatal("nothing")
		}
	}
}
