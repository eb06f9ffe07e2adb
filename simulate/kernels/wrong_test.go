package kernels

import (
	"encoding/binary"
	"maps"
	"slices"
	"testing"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/simulate"
)

// faults are evaluators with one fault each, as others have or had them. A comparison with real
// answers must notice every one of them.
func (b abi) faults() map[string]evaluator {
	var other binary.ByteOrder = binary.BigEndian
	if b.arch().BigEndian {
		other = binary.LittleEndian
	}
	one := func(change func(*filter.Insn)) evaluator {
		return func(s filterStack, d *filter.Data) filter.Action {
			return b.ours(changed(s, change), d)
		}
	}
	return map[string]evaluator{
		"the other byte order": func(s filterStack, d *filter.Data) filter.Action {
			a, _ := simulate.Stack(s).Run(d, other)
			return a
		},
		"shift by X >= 32 gives 0": func(s filterStack, d *filter.Data) filter.Action {
			if b.shiftsFar(s, d) {
				return b.ours(changed(s, func(in *filter.Insn) {
					if in.Code == filter.OpLshX || in.Code == filter.OpRshX {
						*in = filter.Stmt(filter.OpAndK, 0)
					}
				}), d)
			}
			return b.ours(s, d)
		},
		"jgt is jge": one(func(in *filter.Insn) {
			if in.Code == filter.OpJgtX || in.Code == filter.OpJgtK {
				in.Code += filter.OpJgeK - filter.OpJgtK
			}
		}),
		"tax and txa swapped": one(func(in *filter.Insn) {
			switch in.Code {
			case filter.OpTax:
				in.Code = filter.OpTxa
			case filter.OpTxa:
				in.Code = filter.OpTax
			}
		}),
		"ldx len loads A": one(func(in *filter.Insn) {
			if in.Code == filter.OpLdxLen {
				in.Code = filter.OpLdLen
			}
		}),
		"the newest filter decides": func(s filterStack, d *filter.Data) filter.Action {
			return b.ours(s[len(s)-1:], d)
		},
		"the oldest filter's data are kept": func(s filterStack, d *filter.Data) filter.Action {
			s = slices.Clone(s)
			slices.Reverse(s)
			return b.ours(s, d)
		},
		"an unknown action is killing the thread": func(s filterStack, d *filter.Data) filter.Action {
			if a := b.ours(s, d); a.Known() {
				return a
			}
			return filter.KillThread
		},
	}
}

func changed(s filterStack, change func(*filter.Insn)) filterStack {
	q := make(filterStack, len(s))
	for i, p := range s {
		q[i] = slices.Clone(p)
		for pc := range q[i] {
			change(&q[i][pc])
		}
	}
	return q
}

// shiftsFar reports whether all shifts by X that run have an X of 32 or more, and there is one.
func (b abi) shiftsFar(s filterStack, d *filter.Data) bool {
	far := false
	for _, p := range s {
		for _, step := range simulate.Trace(p, d, b.order()).Trace {
			if code := p[step.PC].Code; code == filter.OpLshX || code == filter.OpRshX {
				if step.X < 32 {
					return false
				}
				far = true
			}
		}
	}
	return far
}

// mustNotice fails for a fault that the answers do not show.
func (b abi) mustNotice(t *testing.T, groups []group, answers []outcome, ip uint64) {
	t.Helper()
	faults := b.faults()
	for _, name := range slices.Sorted(maps.Keys(faults)) {
		n := b.compare(groups, answers, ip, faults[name])
		t.Logf("%s: %d disagreements", name, n.Wrong)
		if n.Wrong == 0 && (b.threads() || name != "an unknown action is killing the thread") {
			t.Errorf("the answers do not tell %q from the truth", name)
		}
	}
}
