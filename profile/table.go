package profile

import (
	"fmt"
	"math"
	"slices"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// A table holds the rules of one ABI by number. A call that is not in it gets the default action.
type table map[int32]*call

// A call holds the rules of one number in file order. Either all have conditions, or there is one
// and it has none.
type call struct {
	entries []entry
	keys    map[string]int // condKey to index in entries
}

type entry struct {
	conds  []Cond // narrowed to the ABI, by argument
	action filter.Action
	rule   int    // index in Resolved.Rules
	via    string // the multiplexer that it was made for, "" for the call itself
}

func (c *call) always() bool { return len(c.entries) == 1 && len(c.entries[0].conds) == 0 }

// build makes the tables and finds what is dropped and what conflicts.
func (r *resolver) build() error {
	r.tables = map[string]table{}
	d := drops{r: r, at: map[dropKey]*drop{}, total: map[dropKey]int{}}
	budget := maxPairs
	for _, a := range r.Arches {
		t := table{}
		r.tables[a.Name] = t
		for i := range r.Rules {
			if err := r.add(a, t, i, &d); err != nil {
				return err
			}
		}
		r.conflicts(a, t, &budget)
	}
	d.record()
	return nil
}

// add puts a rule into an ABI's table: under its own number, under its multiplexer's, or both.
func (r *resolver) add(a *syscalls.Arch, t table, i int, d *drops) error {
	rule := &r.Rules[i]
	if rule.Source.ABIs != nil && !slices.Contains(rule.Source.ABIs, a.Name) {
		return nil
	}
	if via, value := r.multiplexer(a, rule.Name); via != "" {
		if nr, ok := a.Number(via); ok {
			list := []Cond{{0, Equal, math.MaxUint64, value}}
			for _, c := range rule.Conds {
				if c.Arg != 0 {
					list = append(list, c)
				}
			}
			if err := r.put(a, t, nr, entry{conds(list, a.PointerBits), rule.Action, i, via}, d); err != nil {
				return err
			}
		}
	}
	if nr, ok := a.Number(rule.Name); ok {
		return r.put(a, t, nr, entry{conds(rule.Conds, a.PointerBits), rule.Action, i, ""}, d)
	}
	return nil
}

// put adds an entry by libseccomp's rules: an unconditional rule drops the conditional ones of its
// call, in either order; the first unconditional one wins; the same condition with another action
// is refused (-EEXIST).
func (r *resolver) put(a *syscalls.Arch, t table, nr int32, e entry, d *drops) error {
	c := t[nr]
	if c == nil {
		c = &call{keys: map[string]int{}}
		t[nr] = c
	}
	d.seen(e)
	key := condKey(e.conds)
	switch other, same := c.keys[key]; {
	case c.always():
		first := c.entries[0]
		reason := SkipUncond
		if len(e.conds) == 0 {
			if reason = SkipLater; first.action == e.action {
				reason = SkipDuplicate
			}
		}
		d.add(a, e, reason, first.rule)
	case len(e.conds) == 0:
		for _, old := range c.entries {
			d.add(a, old, SkipUncond, e.rule)
		}
		*c = call{entries: []entry{e}}
	case same && c.entries[other].action != e.action:
		return r.sameCondition(a, nr, c.entries[other], e)
	case same:
		d.add(a, e, SkipDuplicate, c.entries[other].rule)
	default:
		c.keys[key] = len(c.entries)
		c.entries = append(c.entries, e)
	}
	return nil
}

func (r *resolver) sameCondition(a *syscalls.Arch, nr int32, first, second entry) error {
	one, two := &r.Rules[first.rule], &r.Rules[second.rule]
	name, _ := a.NameOf(nr)
	when := ""
	for i, c := range second.conds {
		if i > 0 {
			when += ", "
		}
		when += c.String()
	}
	err := r.loadError(SameCondition, two.Pos, fmt.Sprintf("rules[%d]", two.Source.Index),
		"%s when %s is %s here and %s in rules[%d] (on %s)", name, when, two.Action, one.Action, one.Source.Index, a)
	err.(*LoadError).First = one.Source
	return err
}

// maxPairs bounds the pairs of rules that conflicts compares, over all ABIs. Docker's profile needs
// some hundreds.
const maxPairs = 1 << 20

// conflicts lists the pairs of rules on one call with different actions that some arguments match
// both. Where the budget runs out, the call as a whole counts as a conflict.
func (r *resolver) conflicts(a *syscalls.Arch, t table, budget *int) {
	numbers := make([]int32, 0, len(t))
	for nr, c := range t {
		if len(c.entries) > 1 {
			numbers = append(numbers, nr)
		}
	}
	slices.Sort(numbers)
	for _, nr := range numbers {
		name, _ := a.NameOf(nr)
		list := t[nr].entries
		if *budget -= len(list) * (len(list) - 1) / 2; *budget < 0 {
			r.Conflicts = append(r.Conflicts, Conflict{Arch: a, Name: name, Nr: nr, First: &r.Rules[list[0].rule]})
			continue
		}
		for j, second := range list {
			for _, first := range list[:j] {
				if first.action == second.action {
					continue
				}
				if args, ok := together(first.conds, second.conds); ok {
					r.Conflicts = append(r.Conflicts, Conflict{a, name, nr, &r.Rules[first.rule], &r.Rules[second.rule], args})
				}
			}
		}
	}
}

// drops collects what put drops, by rule, so that what holds on every ABI is said once.
type drops struct {
	r     *resolver
	order []dropKey
	at    map[dropKey]*drop
	total map[dropKey]int // ABIs that have the rule
}

type dropKey struct {
	rule int
	via  string
}

type drop struct {
	reason Reason
	by     int
	arches []string
}

func (d *drops) seen(e entry) { d.total[dropKey{e.rule, e.via}]++ }

func (d *drops) add(a *syscalls.Arch, e entry, reason Reason, by int) {
	if e.via != "" && reason == SkipDuplicate {
		return // every condition on socket's first argument becomes the same rule on socketcall
	}
	key := dropKey{e.rule, e.via}
	if d.at[key] == nil {
		d.at[key] = &drop{reason: reason, by: by}
		d.order = append(d.order, key)
	}
	d.at[key].arches = append(d.at[key].arches, a.Name)
}

func (d *drops) record() {
	for _, key := range d.order {
		rule, what := &d.r.Rules[key.rule], d.at[key]
		s := Skip{Name: rule.Name, Reason: what.reason, Pos: rule.Pos, Conds: rule.Conds, Via: key.via, By: &d.r.Rules[what.by]}
		if len(what.arches) == d.total[key] {
			d.r.skip(rule.Source, s)
			continue
		}
		for _, a := range what.arches {
			s.Arch = a
			d.r.skip(rule.Source, s)
		}
	}
}
