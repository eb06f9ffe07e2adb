package profiletest

import (
	"slices"

	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/syscalls"
)

// cover notes which rules decide calls of a range of numbers whose arguments fulfil the conditions.
func (r *runner) cover(l *loaded, n span[uint32], conds []bound, answers []answer) {
	if l.resolved == nil || l.resolved.Disabled {
		return
	}
	for _, call := range l.arch.Syscalls() {
		nr := uint32(call.Nr)
		if nr < n.from || nr > n.to {
			continue
		}
		for i := range answers {
			if a := &answers[i]; uint32(a.witness.Nr) <= nr && nr <= a.to {
				d := a.witness
				d.Nr = call.Nr
				r.decides(l.decider(&d))
			}
		}
		r.coverRules(l, call, conds)
	}
}

// coverRules looks for calls that the rules with conditions decide, which witnesses need not show.
func (r *runner) coverRules(l *loaded, call syscalls.Syscall, conds []bound) {
	for _, rule := range l.byName(call.Name) {
		if r.decided[rule.Source][call.Name] || len(rule.Conds) == 0 {
			continue
		}
		both := slices.Clone(conds)
		for _, c := range rule.Conds {
			both = append(both, l.bindRule(c))
		}
		list, err := l.answers(l.arch, call.Nr, both)
		if err != nil {
			continue // not known to be reached
		}
		for i := range list {
			r.decides(l.decider(&list[i].witness))
		}
	}
}

// decides notes what decider found.
func (r *runner) decides(rule *profile.ResolvedRule, _ string) {
	if rule == nil {
		return
	}
	if r.decided[rule.Source] == nil {
		r.decided[rule.Source] = make(map[string]bool)
	}
	r.decided[rule.Source][rule.Name] = true
}

// byName lists the rules about a syscall.
func (l *loaded) byName(name string) []*profile.ResolvedRule {
	if l.rules == nil {
		l.rules = make(map[string][]*profile.ResolvedRule)
		for i := range l.resolved.Rules {
			rule := &l.resolved.Rules[i]
			l.rules[rule.Name] = append(l.rules[rule.Name], rule)
		}
	}
	return l.rules[name]
}

// bindRule turns the condition of a rule into one of ours. Where pointers have 32 bits, rules look at
// the low word only.
func (l *loaded) bindRule(c profile.Cond) bound {
	top := registers(l.arch)
	if l.arch.PointerBits == 32 {
		top = 1<<32 - 1
	}
	b := bound{arg: c.Arg, mask: c.Mask & top}
	v := c.Value & top
	switch c.Op {
	case profile.Equal, profile.MaskedEqual:
		b.spans = []span[uint64]{{v, v}}
	case profile.NotEqual:
		b.spans = complement([]span[uint64]{{v, v}}, top)
	case profile.Greater, profile.LessEqual:
		b.spans = []span[uint64]{{0, v}}
	default:
		b.spans = []span[uint64]{{v, top}}
	}
	if c.Op == profile.Greater || c.Op == profile.Less {
		b.spans = complement(b.spans, top)
	}
	return b
}

// finish adds the coverage to the result.
func (r *runner) finish() *Result {
	s := r.subject
	for _, c := range s.filters {
		r.result.Coverage.Filters = append(r.result.Coverage.Filters, FilterCoverage{c.arch, c.target, c.program, slices.Clone(c.reached)})
	}
	if s.profile == nil {
		return r.result
	}
	enforced := make(map[*profile.Rule]map[string]bool)
	for _, l := range s.loaded {
		for i := range l.resolved.Rules {
			rule := &l.resolved.Rules[i]
			if enforced[rule.Source] == nil {
				enforced[rule.Source] = make(map[string]bool)
			}
			enforced[rule.Source][rule.Name] = true
		}
	}
	for i := range s.profile.Rules {
		rule := &s.profile.Rules[i]
		c := RuleCoverage{Rule: rule, Enforced: enforced[rule] != nil, Reached: r.decided[rule] != nil}
		for _, name := range rule.Names {
			if enforced[rule][name.Text] && !r.decided[rule][name.Text] && !slices.Contains(c.Missed, name.Text) {
				c.Missed = append(c.Missed, name.Text)
			}
		}
		r.result.Coverage.Rules = append(r.result.Coverage.Rules, c)
	}
	return r.result
}
