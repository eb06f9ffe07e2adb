package simulate

import (
	"encoding/binary"
	"testing"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// maxNr is the end of the numbers over which the benchmarks take their mean.
const maxNr = 600

// personality is the number on x86_64 that linearFilter leaves to others.
const personality = 135

// linearFilter puts the numbers that the tree filter allows without a look at the arguments one
// after the other, as libseccomp does without its optimiser.
func linearFilter(tree filter.Program) filter.Program {
	arch := syscalls.ByName("x86_64")
	p := filter.Program{filter.Load(filter.OffsetArch)}
	p = append(p, filter.Jump(filter.OpJeqK, arch.Audit, 1, 0), filter.Return(filter.KillThread), filter.Load(filter.OffsetNr))
	for nr := range int32(maxNr) {
		d := filter.Data{Nr: nr, Arch: arch.Audit}
		if a := Run(tree, &d, binary.LittleEndian); a == filter.Allow && nr != personality {
			p = append(p, filter.Jump(filter.OpJeqK, uint32(nr), 0, 1), filter.Return(a))
		}
	}
	return append(p, filter.Return(filter.ErrnoAction(1)))
}

// benchmarkTable asks for all calls of x86_64 with unknown arguments, as a table does.
func benchmarkTable(b *testing.B, p filter.Program) {
	arch := syscalls.ByName("x86_64")
	calls := arch.Syscalls()
	b.ReportMetric(float64(len(calls)), "syscalls")
	b.ReportAllocs()
	for b.Loop() {
		depends := 0
		for _, c := range calls {
			regions, err := Outcomes(p, arch, c.Nr, [6][]uint64{})
			if err != nil {
				b.Fatal(c.Name, err)
			}
			if len(regions) > 1 {
				depends++
			}
		}
		if depends == 0 {
			b.Fatal("nothing depends on arguments")
		}
	}
}

func BenchmarkOutcomesTree(b *testing.B) { benchmarkTable(b, mobyFilter(b)) }

// BenchmarkOutcomesLinear adds to the linear filter what depends on arguments.
func BenchmarkOutcomesLinear(b *testing.B) {
	arch := syscalls.ByName("x86_64")
	linear := linearFilter(mobyFilter(b))
	var rules []rule
	for _, v := range []uint64{0, 8, 0x20000, 0x20008, 0xffffffff} {
		rules = append(rules, rule{[]comparison{{arg: 0, op: "==", v: v}}, filter.Allow})
	}
	tail := compileRules(arch, personality, rules, filter.ErrnoAction(1))[4:]
	benchmarkTable(b, append(linear[:len(linear)-1:len(linear)-1], tail...))
}
