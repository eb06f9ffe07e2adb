package profile

import (
	"github.com/profcheck/profcheck/filter"
)

// The library's filter departs from what its groups say. Where a call is found by its number and its
// arguments do not match, the word of an argument that was looked at last stays in the accumulator, and
// it, not the number, is what the calls after it in the policy are compared with: clone with a flag
// word of 59 is then taken for execve on x86_64. So the filter is made here as the library makes it,
// not from the meaning.

// An elasticCall is one number of a group, with the lists of conditions of which one must hold; none:
// always.
type elasticCall struct {
	nr    int32
	lists [][]Arg
}

// elasticProgram makes the filter of a policy.
func (r *Resolved) elasticProgram() (filter.Program, error) {
	abi, rules := r.Arches[0], r.Profile.Rules
	c := &compiler{emitter: newEmitter(), order: abi.Order()}
	next := leaf(r.Default)
	for end := len(rules); end > 0; {
		start := end - 1
		for start > 0 && rules[start-1].group == rules[end-1].group {
			start--
		}
		var calls []elasticCall
		at := map[int32]int{}
		for i := range rules[start:end] {
			rule := &rules[start+i]
			for _, n := range rule.Names {
				nr, _ := elasticNumber(abi, n.Text) // Resolve has found it
				if k, ok := at[nr]; ok {
					calls[k].lists = append(calls[k].lists, rule.Args)
					continue
				}
				at[nr] = len(calls)
				call := elasticCall{nr: nr}
				if len(rule.Args) > 0 {
					call.lists = [][]Arg{rule.Args}
				}
				calls = append(calls, call)
			}
		}
		action := leaf(rules[start].Action.Value(rules[start].ErrnoRet))
		for i := len(calls) - 1; i >= 0; i-- {
			next = c.elasticCall(calls[i], action, next)
		}
		end = start
	}
	if r.x32 != 0 {
		next = c.jump(filter.OpJgeK, x32Bit, leaf(r.x32), next)
	}
	native := c.before(filter.OpLdAbs, filter.OffsetNr, next)
	begin := c.before(filter.OpLdAbs, filter.OffsetArch, c.jump(filter.OpJeqK, abi.Audit, native, leaf(r.Default)))
	p := c.program(begin)
	if c.full() || len(p) > filter.MaxInsns {
		return nil, &SizeError{Profile: r.Profile.Name, Limit: filter.MaxInsns}
	}
	return p, nil
}

// elasticCall writes the test for one call.
func (c *compiler) elasticCall(call elasticCall, action, next target) target {
	found := action
	if len(call.lists) > 0 {
		found = next
	}
	for i := len(call.lists) - 1; i >= 0; i-- {
		fail := found
		found = action
		for k := len(call.lists[i]) - 1; k >= 0; k-- {
			found = c.elasticTest(call.lists[i][k], found, fail)
		}
	}
	return c.jump(filter.OpJeqK, uint32(call.nr), found, next)
}

// elasticTest writes a condition: the high word first, and the low one where that leaves it open.
func (c *compiler) elasticTest(a Arg, yes, no target) target {
	hi, lo := uint32(a.Value>>32), uint32(a.Value)
	low := func(code uint16, holds, fails target) target {
		return c.before(filter.OpLdAbs, filter.ArgLow(a.Index, c.order), c.jump(code, lo, holds, fails))
	}
	equal := func(t target) target { return c.jump(filter.OpJeqK, hi, t, no) } // after the others
	var t target
	switch a.Op {
	case Equal:
		t = equal(low(filter.OpJeqK, yes, no))
	case NotEqual:
		t = c.jump(filter.OpJeqK, hi, low(filter.OpJeqK, no, yes), yes)
	case Greater:
		t = c.jump(filter.OpJgtK, hi, yes, equal(low(filter.OpJgtK, yes, no)))
	case GreaterEqual:
		t = c.jump(filter.OpJgtK, hi, yes, equal(low(filter.OpJgeK, yes, no)))
	case Less:
		t = c.jump(filter.OpJgeK, hi, equal(low(filter.OpJgeK, no, yes)), yes)
	case LessEqual:
		t = c.jump(filter.OpJgeK, hi, equal(low(filter.OpJgtK, no, yes)), yes)
	case BitsSet:
		t = c.jump(filter.OpJsetK, hi, yes, low(filter.OpJsetK, yes, no))
	case MaskedEqual:
		t = c.jump(filter.OpJsetK, hi, no, low(filter.OpJsetK, no, yes))
	}
	return c.before(filter.OpLdAbs, filter.ArgHigh(a.Index, c.order), t)
}
