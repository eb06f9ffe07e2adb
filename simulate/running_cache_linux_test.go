//go:build linux && amd64

package simulate

import (
	"fmt"
	"math"
	"testing"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// The kernel shows its cache in /proc/PID/seccomp_cache only if it was built with
// CONFIG_SECCOMP_CACHE_DEBUG, which distributions do not set. But it can be seen by the clock: a call
// that is in the cache takes the same time however long the filter is.

// slowed puts a long way, of instructions that the kernel can follow, in front of the end of a filter,
// for numbers above 250: the kernel goes it for each number of its tables when it loads the filter.
func slowed(start ...filter.Insn) filter.Program {
	const long = 3500
	p := append(filter.Program{
		filter.Load(filter.OffsetNr),
		filter.Jump(filter.OpJgtK, 250, 1, 0),
		filter.Stmt(filter.OpJa, long+uint32(len(start))),
	}, start...)
	for i := range uint32(long) {
		p = append(p, filter.Jump(filter.OpJeqK, 1<<20+i, 0, 0))
	}
	return append(p, filter.Return(filter.Allow))
}

func TestConstAllowRunningKernel(t *testing.T) {
	w := newWitness(t)
	if k := runningKernel(t); k.Less(syscalls.Kernel{Major: 5, Minor: 11}) {
		t.Skipf("Linux %v has no cache", k)
	}
	s := filter.Stmt
	starts := map[string]filter.Program{
		"nothing": nil,
		"and k":   {s(filter.OpAndK, 0xfff)}, "ja": {s(filter.OpJa, 0)}, "ld arch": {filter.Load(filter.OffsetArch)},
		"jset k": {filter.Jump(filter.OpJsetK, 1, 0, 0)}, "jgt k": {filter.Jump(filter.OpJgtK, 1, 0, 0)}, "jge k": {filter.Jump(filter.OpJgeK, 1, 0, 0)},
		"ld args": {filter.Load(filter.OffsetArgs)}, "ld ip": {filter.Load(filter.OffsetIP)},
		"ld imm": {s(filter.OpLdImm, 1)}, "ld len": {s(filter.OpLdLen, 0)}, "ldx imm": {s(filter.OpLdxImm, 1)}, "ldx len": {s(filter.OpLdxLen, 0)},
		"st": {s(filter.OpSt, 0)}, "stx": {s(filter.OpStx, 0)}, "ld M": {s(filter.OpSt, 0), s(filter.OpLdMem, 0)},
		"tax": {s(filter.OpTax, 0)}, "txa": {s(filter.OpTxa, 0)}, "neg": {s(filter.OpNeg, 0)},
		"or k": {s(filter.OpOrK, 0)}, "add k": {s(filter.OpAddK, 0)}, "rsh k": {s(filter.OpRshK, 0)}, "xor k": {s(filter.OpXorK, 0)},
		"and x": {s(filter.OpAndX, 0)}, "jeq x": {filter.Jump(filter.OpJeqX, 0, 0, 0)},
	}
	programs := make(map[string]filter.Program)
	for name, start := range starts {
		programs[name] = slowed(start...)
	}
	for name, end := range map[string]filter.Insn{"ALLOW with data": filter.Return(filter.Allow | 1), "LOG": filter.Return(filter.Log)} {
		programs[name] = slowed()
		programs[name][len(programs[name])-1] = end
	}
	programs["ret a"] = append(slowed()[:3503], s(filter.OpAndK, 0), s(filter.OpOrK, uint32(filter.Allow)), s(filter.OpRetA, 0))

	// Numbers that belong to no call, so that nothing runs: in the tables, above them, and of x32.
	calls := []rawCall{{nr: 340}, {nr: 251, way: byInt80}, {nr: 700}, {nr: 0x40000000 | 340}, {nr: 700, way: byInt80}}
	arches := []string{"x86_64", "x86", "x86_64", "x32", "x86"}
	for i, c := range calls {
		if name, ok := syscalls.ByName(arches[i]).NameOf(int32(c.nr)); ok {
			t.Fatalf("%s %d is %s", arches[i], c.nr, name)
		}
	}
	// To be seen beside int 0x80, which alone takes thousands of cycles, seven more filters run.
	var padding Stack
	for range 7 {
		padding = append(padding, slowed())
	}
	var works []work
	var names []string
	for name, p := range programs {
		if err := p.Verify(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		works, names = append(works, work{kind: jobTime, stack: append(padding[:7:7], p), calls: calls}), append(names, name)
	}
	works, names = append(works, work{kind: jobTime, stack: append(padding[:7:7], programs["ld ip"], padding[0]), calls: calls}), append(names, "an older ld ip")

	at := make(map[*work]string)
	for i := range works {
		at[&works[i]] = names[i]
	}
	var clocks [2]clock
	w.ask(t, works, func(work *work, i int, got result) {
		if got.kind != returned {
			t.Errorf("%s: %v", at[work], got)
			return
		}
		cached := work.stack.ConstAllow(syscalls.ByName(arches[i]), int32(calls[i].nr))
		clocks[calls[i].way].add(cached, got.value, fmt.Sprintf("%s, %s %d", at[work], arches[i], calls[i].nr))
	})
	for way, c := range clocks {
		t.Logf("way %d: cycles of %d cached calls at most %d (%s), of %d others at least %d (%s)", way, c.n[true], c.slow, c.slowest, c.n[false], c.fast, c.fastest)
		if c.n[true] < 7 || c.n[false] < 50 || c.slow > c.fast*4/5 {
			t.Error("the clock does not tell cached calls from others as ConstAllow does")
		}
	}
}

// A clock keeps the slowest of the cached calls and the fastest of the others.
type clock struct {
	slow, fast       int32
	slowest, fastest string
	n                map[bool]int
}

func (c *clock) add(cached bool, cycles int32, what string) {
	if c.n == nil {
		c.n, c.fast = make(map[bool]int), math.MaxInt32
	}
	c.n[cached]++
	if cached && cycles > c.slow {
		c.slow, c.slowest = cycles, what
	}
	if !cached && cycles < c.fast {
		c.fast, c.fastest = cycles, what
	}
}
