//go:build linux

package profile

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/profcheck/profcheck/syscalls"
)

// A witnessSet is a profile of few rules, on one call each.
type witnessSet struct {
	def    string // the default action, with its errno
	arches []*syscalls.Arch
	rules  []witnessRule
}

type witnessRule struct {
	name   string
	action string // as JSON, with its errno
	args   []Arg
}

// text writes the set in the OCI format.
func (s witnessSet) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"defaultAction":%s,"architectures":[`, s.def)
	for i, a := range s.arches {
		fmt.Fprintf(&b, "%.*s%q", min(i, 1), ",", a.OCI)
	}
	// The plain calls keep clear of another fault of libseccomp's, which concerns filters whose first
	// call is one that the ABI lacks.
	b.WriteString(`],"syscalls":[{"names":["exit_group","getpid","close"],"action":"SCMP_ACT_ALLOW"}`)
	for _, r := range s.rules {
		fmt.Fprintf(&b, `,{"names":[%q],"action":%s,"args":[`, r.name, r.action)
		for j, a := range r.args {
			fmt.Fprintf(&b, `%.*s{"index":%d,"op":%q,"value":%d,"valueTwo":%d}`, min(j, 1), ",", a.Index, a.Op, a.Value, a.ValueTwo)
		}
		b.WriteString("]}")
	}
	b.WriteString("]}")
	return b.String()
}

// A mix says what random sets are made of.
type mix struct {
	ops     []Op
	actions []string
	calls   []string
	most    int  // rules
	args    int  // most conditions of a rule, besides those on an argument that comes twice
	twice   bool // some rules name an argument twice
	bare    bool // some rules have no condition
}

// witnessValues meet in their high words, in their low words, and in neither.
var witnessValues = []uint64{1, 2, 3, 9, 0x100000001, 0x100000003, 0x200000002, 0xffffffff, 0xffffffff00000000}

var witnessMasks = []uint64{1, 3, 0xffffffff, 0xffffffff00000000, 0x100000001, ^uint64(0), 0x7e020000, 0}

// random draws a set.
func (m mix) random(rnd *rand.Rand, arches []*syscalls.Arch) witnessSet {
	s := witnessSet{def: pick(rnd, []string{`"SCMP_ACT_ERRNO"`, `"SCMP_ACT_KILL_PROCESS"`, `"SCMP_ACT_ERRNO","defaultErrnoRet":38`}), arches: arches}
	first := rnd.IntN(len(m.calls))
	for range 1 + rnd.IntN(m.most) {
		r := witnessRule{name: m.calls[(first+rnd.IntN(2))%len(m.calls)], action: pick(rnd, m.actions)}
		for _, index := range rnd.Perm(4)[:rnd.IntN(m.args+1)] {
			r.args = append(r.args, m.arg(rnd, index))
		}
		if len(r.args) == 0 && !m.bare {
			r.args = append(r.args, m.arg(rnd, rnd.IntN(3)))
		}
		if m.twice && len(r.args) > 0 && rnd.IntN(4) == 0 {
			r.args = append(r.args, m.arg(rnd, r.args[0].Index))
		}
		s.rules = append(s.rules, r)
		if rnd.IntN(8) == 0 { // once more, or with another action
			if rnd.IntN(3) == 0 {
				r.action = pick(rnd, m.actions)
			}
			s.rules = append(s.rules, r)
		}
	}
	return s
}

func (m mix) arg(rnd *rand.Rand, index int) Arg {
	a := Arg{Index: index, Op: pick(rnd, m.ops), Value: pick(rnd, witnessValues)}
	if a.Op == MaskedEqual {
		a.Value, a.ValueTwo = pick(rnd, witnessMasks), pick(rnd, witnessValues)
	}
	return a
}
