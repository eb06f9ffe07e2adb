package profile

import (
	"math"
	"slices"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// Meant returns Meaning as data: for every token of the given ABIs, by default all of Arches, every
// number, with the cases in the order in which they decide. ABIs that are not given get the bad-arch
// action, even if Arches has them, as with Compile. A Case's Rule is the Index of the profile's Rule.
// A disabled profile has no tokens, and everything else is allowed.
func (r *Resolved) Meant(arches ...*syscalls.Arch) *filter.Rules {
	if r.Disabled {
		return &filter.Rules{Other: filter.Allow}
	}
	r = r.only(arches)
	rules := &filter.Rules{Other: r.BadArch}
	done := map[*call][]filter.Case{}
	for _, a := range r.Arches {
		if slices.ContainsFunc(rules.Tokens, func(t filter.Token) bool { return t.Arch == a.Audit }) {
			continue
		}
		rules.Tokens = append(rules.Tokens, filter.Token{Arch: a.Audit, Stretches: r.stretches(a.Audit, done)})
	}
	return rules
}

// only returns r for some of its ABIs; none given are all.
func (r *Resolved) only(arches []*syscalls.Arch) *Resolved {
	if len(arches) == 0 {
		return r
	}
	some := *r
	some.Arches = slices.DeleteFunc(slices.Clone(r.Arches), func(a *syscalls.Arch) bool { return !slices.Contains(arches, a) })
	return &some
}

// stretches asks decide about every number of a token.
func (r *Resolved) stretches(token uint32, done map[*call][]filter.Case) []filter.Stretch {
	starts := r.cuts(token)
	for _, a := range r.Arches {
		if a.Audit != token {
			continue
		}
		for nr := range r.tables[a.Name] {
			starts = append(starts, uint32(nr))
			if next := uint32(nr) + 1; next != 0 {
				starts = append(starts, next)
			}
		}
	}
	slices.Sort(starts)
	var list []filter.Stretch
	for _, start := range slices.Compact(starts) {
		action, c := r.decide(token, int32(start))
		s := filter.Stretch{From: start, To: math.MaxUint32, Else: action}
		if c != nil {
			if done[c] == nil {
				done[c] = r.cases(c)
			}
			s.Cases = done[c]
		}
		if last := len(list) - 1; last >= 0 {
			if sameStretch(list[last], s) {
				continue
			}
			list[last].To = start - 1
		}
		list = append(list, s)
	}
	return list
}

// sameStretch compares what is not about arguments: calls with conditions are not often alike, and
// neighbours all the less.
func sameStretch(a, b filter.Stretch) bool {
	if len(a.Cases) == 0 && len(b.Cases) == 0 {
		return a.Else == b.Else
	}
	plain := func(s filter.Stretch) bool { return len(s.Cases) == 1 && len(s.Cases[0].Tests) == 0 }
	return plain(a) && plain(b) && a.Cases[0].Action == b.Cases[0].Action && a.Cases[0].Rule == b.Cases[0].Rule
}

// cases writes the rules of a call as data. They are narrowed to the ABI already.
func (r *Resolved) cases(c *call) []filter.Case {
	list := make([]filter.Case, len(c.entries))
	for i, e := range c.entries {
		list[i] = filter.Case{Action: e.action, Rule: r.Rules[e.rule].Source.Index}
		for _, cond := range e.conds {
			list[i].Tests = append(list[i].Tests, filter.Test{Arg: cond.Arg, Op: testOps[cond.Op], Mask: cond.Mask, Value: cond.Value})
		}
	}
	return list
}

var testOps = map[Op]filter.TestOp{
	NotEqual: filter.TestNe, Less: filter.TestLt, LessEqual: filter.TestLe, Equal: filter.TestEq,
	GreaterEqual: filter.TestGe, Greater: filter.TestGt, MaskedEqual: filter.TestEq,
}
