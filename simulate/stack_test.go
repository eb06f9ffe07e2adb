package simulate

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/simulate/internal/randbpf"
	"github.com/profcheck/profcheck/syscalls"
)

func TestStack(t *testing.T) {
	ret := func(a filter.Action) filter.Program { return filter.Program{filter.Return(a)} }
	for _, tt := range []struct {
		name    string
		s       Stack // oldest first
		want    filter.Action
		decider int
	}{
		{"empty", nil, filter.Allow, -1},
		{"all allow, data are lost", Stack{ret(filter.Allow | 7), ret(filter.Allow | 8)}, filter.Allow, -1},
		{"lowest wins", Stack{ret(filter.ErrnoAction(1)), ret(filter.Trace | 2)}, filter.ErrnoAction(1), 0},
		{"newest keeps its data", Stack{ret(filter.ErrnoAction(1)), ret(filter.ErrnoAction(2))}, filter.ErrnoAction(2), 1},
		{"data do not count", Stack{ret(filter.ErrnoAction(0)), ret(filter.ErrnoAction(9))}, filter.ErrnoAction(9), 1},
		{"KILL_PROCESS is lowest, being negative", Stack{ret(filter.KillProcess), ret(filter.KillThread)}, filter.KillProcess, 0},
		{"unknown below ERRNO", Stack{ret(0x00040000), ret(filter.ErrnoAction(1))}, 0x00040000, 0},
		{"unknown above ERRNO", Stack{ret(0x00060000), ret(filter.ErrnoAction(1))}, filter.ErrnoAction(1), 1},
		{"unknown and negative", Stack{ret(0x80010000), ret(filter.KillThread)}, 0x80010000, 0},
		{"LOG in the middle", Stack{ret(filter.Allow), ret(filter.Log | 3), ret(filter.Allow)}, filter.Log | 3, 1},
	} {
		got, decider := tt.s.Run(&filter.Data{}, binary.LittleEndian)
		if got != tt.want || decider != tt.decider {
			t.Errorf("%s: %v by %d, want %v by %d", tt.name, got, decider, tt.want, tt.decider)
		}
		r := tt.s.Trace(&filter.Data{}, binary.LittleEndian)
		if r.Action != tt.want || r.Decider != tt.decider || len(r.Results) != len(tt.s) {
			t.Errorf("%s: traced %v by %d, %d results", tt.name, r.Action, r.Decider, len(r.Results))
		}
		for i, one := range r.Results {
			if one.Action != Run(tt.s[i], &filter.Data{}, nil) || len(one.Trace) != 1 {
				t.Errorf("%s: filter %d: %+v", tt.name, i, one)
			}
		}
	}
}

// A further filter can only lower the action, whatever it is; that is why a stack narrows.
func TestStackOnlyLowers(t *testing.T) {
	g, rng := randbpf.New(31), rand.New(rand.NewPCG(31, 1))
	arch := syscalls.ByName("x86_64")
	lower := 0
	for range 3000 {
		s := Stack(g.Stack(1+rng.IntN(4), randbpf.Shape{IP: true, Actions: true, Raw: true}))
		d := g.Data(arch, s[0])
		all, decider := s.Run(&d, nil)
		for i, p := range s {
			if a := Run(p, &d, nil); int32(all.Base()) > int32(a.Base()) {
				t.Fatalf("%v, although filter %d returns %v", all, i, a)
			}
		}
		if decider >= 0 && Run(s[decider], &d, nil) != all {
			t.Fatalf("%v is not what filter %d returns", all, decider)
		}
		before, _ := s[:len(s)-1].Run(&d, nil)
		if int32(all.Base()) > int32(before.Base()) {
			t.Fatalf("%v after one more filter, was %v", all, before)
		}
		if all.Base() != before.Base() {
			lower++
		}
	}
	if lower < 300 {
		t.Errorf("the last filter lowered %d of 3000 only", lower)
	}
}

func TestStackDoesNotAllocate(t *testing.T) {
	s := Stack{{filter.Return(filter.Allow)}, {filter.Return(filter.Trace)}}
	d := &filter.Data{}
	if n := testing.AllocsPerRun(100, func() { s.Run(d, binary.BigEndian) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
