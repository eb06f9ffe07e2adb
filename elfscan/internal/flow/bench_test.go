package flow

import "testing"

// BenchmarkLibc follows every function of the machine's C library that holds a syscall instruction.
func BenchmarkLibc(b *testing.B) {
	o := openObject(b, "/lib/x86_64-linux-gnu/libc.so.6")
	var fns []Func
	size := 0
	for _, f := range o.funcs {
		if o.sites[f.Start] > 0 {
			fns = append(fns, o.fn(f.Start))
			size += int(f.End - f.Start)
		}
	}
	for _, f := range fns { // what the host looks up once
		Analyse(o, o.vs, o.conv, f)
	}
	b.ReportAllocs()
	for b.Loop() {
		vs := NewValues()
		vs.Pointers = true
		for _, f := range fns {
			Analyse(o, vs, o.conv, f)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(fns)), "ns/function")
	b.ReportMetric(float64(size)/float64(len(fns)), "bytes/function")
}
