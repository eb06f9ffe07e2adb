package simulate

import (
	"encoding/binary"
	"testing"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/syscalls"
)

// The benchmarks of one evaluation take its mean over all numbers from 0 to maxNr, in that order.
// Tree is what libseccomp made of Docker's default profile for amd64, Own is what package profile
// makes of it for the same ABIs, Linear has one comparison after the other.

func benchCalls() []filter.Data {
	calls := make([]filter.Data, maxNr)
	for i := range calls {
		calls[i] = filter.Data{Nr: int32(i), Arch: 0xc000003e}
	}
	return calls
}

func benchmarkEach(b *testing.B, p filter.Program, calls int, run func(call int)) {
	b.Helper()
	if err := p.Verify(); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		run(n)
		if n++; n == calls {
			n = 0
		}
	}
	b.ReportMetric(float64(len(p)), "insns")
}

func benchmarkRun(b *testing.B, p filter.Program) {
	calls := benchCalls()
	benchmarkEach(b, p, len(calls), func(i int) { Run(p, &calls[i], binary.LittleEndian) })
}

func benchmarkMachine(b *testing.B, p filter.Program) {
	calls, m := benchCalls(), NewMachine(p, binary.LittleEndian)
	benchmarkEach(b, p, len(calls), func(i int) { m.Run(&calls[i]) })
}

// benchmarkTrace is for comparison: the price of a trace when it is asked for.
func benchmarkTrace(b *testing.B, p filter.Program) {
	calls := benchCalls()
	benchmarkEach(b, p, len(calls), func(i int) { Trace(p, &calls[i], binary.LittleEndian) })
}

// benchmarkXNet runs the VM of golang.org/x/net/bpf, which loads big-endian words. The bytes are laid
// out before the clock starts.
func benchmarkXNet(b *testing.B, p filter.Program) {
	vm, err := xnetVM(p)
	if err != nil {
		b.Fatal(err)
	}
	calls := benchCalls()
	inputs := make([][]byte, len(calls))
	for i := range inputs {
		inputs[i] = xnetInput(&calls[i], binary.LittleEndian)
	}
	benchmarkEach(b, p, len(calls), func(i int) {
		if _, err := vm.Run(inputs[i]); err != nil {
			b.Fatal(err)
		}
	})
}

// ownFilter is our own compilation of Docker's default profile.
func ownFilter(t testing.TB) filter.Program {
	t.Helper()
	p, err := profile.Open("docker-default")
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Resolve(p.DefaultTarget(syscalls.ByName("x86_64")))
	if err != nil {
		t.Fatal(err)
	}
	out, err := r.Compile()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func BenchmarkRunTree(b *testing.B)       { benchmarkRun(b, mobyFilter(b)) }
func BenchmarkRunOwn(b *testing.B)        { benchmarkRun(b, ownFilter(b)) }
func BenchmarkRunLinear(b *testing.B)     { benchmarkRun(b, linearFilter(mobyFilter(b))) }
func BenchmarkMachineTree(b *testing.B)   { benchmarkMachine(b, mobyFilter(b)) }
func BenchmarkMachineOwn(b *testing.B)    { benchmarkMachine(b, ownFilter(b)) }
func BenchmarkMachineLinear(b *testing.B) { benchmarkMachine(b, linearFilter(mobyFilter(b))) }
func BenchmarkXNetTree(b *testing.B)      { benchmarkXNet(b, mobyFilter(b)) }
func BenchmarkXNetOwn(b *testing.B)       { benchmarkXNet(b, ownFilter(b)) }
func BenchmarkXNetLinear(b *testing.B)    { benchmarkXNet(b, linearFilter(mobyFilter(b))) }
func BenchmarkTraceTree(b *testing.B)     { benchmarkTrace(b, mobyFilter(b)) }

// BenchmarkMachineUntabled is the tree without its tables: what the instructions alone cost.
func BenchmarkMachineUntabled(b *testing.B) {
	p := mobyFilter(b)
	m := &Machine{ops: make([]op, len(p))}
	for pc, in := range p {
		m.ops[pc] = prepare(in, false)
	}
	calls := benchCalls()
	benchmarkEach(b, p, len(calls), func(i int) { m.Run(&calls[i]) })
}

// BenchmarkNewMachine is what the preparation costs.
func BenchmarkNewMachine(b *testing.B) {
	p := mobyFilter(b)
	benchmarkEach(b, p, 1, func(int) { NewMachine(p, binary.LittleEndian) })
}

func BenchmarkNewMachineLinear(b *testing.B) {
	p := linearFilter(mobyFilter(b))
	benchmarkEach(b, p, 1, func(int) { NewMachine(p, binary.LittleEndian) })
}
