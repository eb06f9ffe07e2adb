package simulate

import (
	"slices"
	"testing"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/simulate/internal/randbpf"
	"github.com/profcheck/profcheck/syscalls"
)

// followed says from a trace whether the kernel could have come to ALLOW without the call: the trace
// of any one call is enough, for nothing else but the number and the architecture has a part in it.
func followed(p filter.Program, arch *syscalls.Arch, nr int32) bool {
	r := Trace(p, &filter.Data{Nr: nr, Arch: arch.Audit, IP: 1, Args: [6]uint64{5, 4, 3, 2, 1}}, arch.Order())
	for _, s := range r.Trace {
		known := []uint16{filter.OpLdAbs, filter.OpJa, filter.OpJeqK, filter.OpJgtK, filter.OpJgeK, filter.OpJsetK, filter.OpAndK, filter.OpRetK}
		if s.Word > 1 || !slices.Contains(known, p[s.PC].Code) {
			return false
		}
	}
	return r.Action == filter.Allow
}

func TestConstAllow(t *testing.T) {
	g := randbpf.New(41)
	programs := []filter.Program{ownFilter(t)}
	for i := range 1000 {
		programs = append(programs, g.Ladder(0, 5+i%30), g.Filter(randbpf.Shape{Actions: true}))
	}
	seen := make(map[bool]int)
	for _, p := range programs {
		for _, a := range syscalls.Arches() {
			for _, nr := range []int32{0, 1, 16, 41, 56, 135, 250, 4135, 5041, 0x40000001} {
				got := ConstAllow(p, a, nr)
				inTable := !uncached[a.Name] && nr <= lastNumber(a)
				if got != (inTable && followed(p, a, nr)) {
					t.Fatalf("%s %d: %v", a, nr, got)
				}
				seen[got]++
			}
		}
	}
	if seen[true] < 1000 || seen[false] < 1000 {
		t.Errorf("answers %v", seen)
	}
}

func TestConstAllowLimits(t *testing.T) {
	all := filter.Program{filter.Return(filter.Allow)}
	for _, tt := range []struct {
		arch string
		nr   int32
		want bool
	}{
		{"x86_64", 0, true}, {"x86_64", 471, true}, {"x86_64", 600, false}, {"x86_64", -1, false},
		{"x32", 0x40000000, false}, {"x86", 3, true}, {"arm", 0, true}, {"arm", 983041, false}, {"arm", 600, false},
		{"mips", 4001, false}, {"mipsel64", 5000, false}, {"s390x", 3, true}, {"m68k", 3, true}, {"loongarch64", 63, true},
	} {
		if got := ConstAllow(all, syscalls.ByName(tt.arch), tt.nr); got != tt.want {
			t.Errorf("%s %d: %v", tt.arch, tt.nr, got)
		}
	}
	x86 := syscalls.ByName("x86_64")
	for name, p := range map[string]filter.Program{
		"empty": {}, "no end": {filter.Load(0)}, "far": {filter.Stmt(filter.OpJa, 1<<32-1)}, "over the end": {filter.Jump(filter.OpJeqK, 0, 200, 200)},
	} {
		if ConstAllow(p, x86, 1) {
			t.Errorf("%s: allowed", name)
		}
	}
	if (Stack{}).ConstAllow(x86, 1) || !(Stack{all, all}).ConstAllow(x86, 1) || (Stack{all, {filter.Return(filter.Log)}}).ConstAllow(x86, 1) {
		t.Error("stacks")
	}
}
