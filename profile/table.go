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
	kept    map[condsKey]int   // the conditions of the rules that libseccomp keeps, to index in entries
	within  map[condsKey][]int // each run of conditions inside a longer rule, to indices
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
		t := make(table, min(len(r.Rules), 1024))
		r.tables[a.Name] = t
		absent := map[string]*call{}
		for i := range r.Rules {
			if err := r.add(a, t, absent, i, &d); err != nil {
				return err
			}
		}
		if r.maker != RuntimeGVisor { // there the order of the file is what counts
			r.conflicts(a, t, &budget)
		}
		for _, c := range t {
			c.kept, c.within = nil, nil // they are as large as all the rest, and serve no more
		}
	}
	d.record()
	return nil
}

// add puts a rule into an ABI's table: under its own number, under its multiplexer's, or both. On a
// call that the ABI lacks it has no effect, but libseccomp keeps it all the same, unless the ABI has
// multiplexers, and may refuse the next one for it.
func (r *resolver) add(a *syscalls.Arch, t table, absent map[string]*call, i int, d *drops) error {
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
			if err := r.put(a, t.call(nr), entry{conds(list, a.PointerBits), rule.Action, i, via}, d); err != nil {
				return err
			}
		}
	}
	e := entry{r.narrowed(rule.Conds, a.PointerBits), rule.Action, i, ""}
	if nr, ok := a.Number(rule.Name); ok {
		return r.put(a, t.call(nr), e, d)
	}
	if a.Socketcall || a.IPC || !r.libseccomp() {
		return nil
	}
	if absent[rule.Name] == nil {
		absent[rule.Name] = &call{}
	}
	return r.put(a, absent[rule.Name], e, nil)
}

// call returns the rules of a number, to add to.
func (t table) call(nr int32) *call {
	if t[nr] == nil {
		t[nr] = &call{}
	}
	return t[nr]
}

// put adds an entry by libseccomp's rules: an unconditional rule drops the conditional ones of its
// call, in either order; the first unconditional one wins; the same condition with another action
// is refused (-EEXIST).
func (r *resolver) put(a *syscalls.Arch, c *call, e entry, d *drops) error {
	if r.maker == RuntimeGVisor {
		r.append(a, c, e, d)
		return nil
	}
	d.seen(e)
	switch {
	case c.always():
		first := c.entries[0]
		reason := SkipUncond
		if len(e.conds) == 0 {
			if reason = SkipLater; first.action == e.action {
				reason = SkipDuplicate
			}
		}
		d.add(a, e, reason, first.rule)
		return nil
	case len(e.conds) == 0:
		for _, old := range c.entries {
			d.add(a, old, SkipUncond, e.rule)
		}
		*c = call{entries: []entry{e}}
		return nil
	}
	return r.putCond(a, c, e, d)
}

// putCond adds an entry with conditions. Libseccomp keeps the conditions of a call as a tree, by
// argument. It leaves a rule out if a run of its conditions is an earlier rule, whatever the
// actions: the earlier one decides. A rule that is a run of an earlier rule's conditions takes its
// place if the action is the same; if it is not, and the run is the beginning, the rule is refused
// (-EEXIST). Measured on 2.5.4.
func (r *resolver) putCond(a *syscalls.Arch, c *call, e entry, d *drops) error {
	key := r.key(e.conds)
	if i, ok := c.kept[key]; ok {
		if c.entries[i].action != e.action {
			return r.refuse(SameCondition, a, c.entries[i], e)
		}
		d.add(a, e, SkipDuplicate, c.entries[i].rule)
		return nil
	}
	at := len(c.entries)
	c.entries = append(c.entries, e)
	runs := r.properRuns(e.conds)
	for _, run := range runs {
		if _, ok := c.kept[run]; ok {
			return nil // it stays in entries, for its conflicts, but can never match
		}
	}
	for _, i := range c.within[key] {
		old := r.key(c.entries[i].conds)
		if _, ok := c.kept[old]; !ok {
			continue
		}
		if c.entries[i].action == e.action {
			delete(c.kept, old)
		} else if old.begins(key) {
			return r.refuse(WiderCondition, a, c.entries[i], e)
		}
	}
	if c.kept == nil {
		c.kept, c.within = map[condsKey]int{}, map[condsKey][]int{}
	}
	c.kept[key] = at
	for _, run := range runs {
		c.within[run] = append(c.within[run], at)
	}
	return nil
}

// properRuns returns the keys of the runs of neighbouring conditions, but for the whole. There are
// none for more conditions than a call has arguments: libseccomp takes no argument twice
// (seccomp_rule_add_array, -EINVAL), so it has no tree for those, and they count only as a whole.
func (r *resolver) properRuns(list []Cond) []condsKey {
	if len(list) > maxArg+1 {
		return nil
	}
	var runs []condsKey
	for from := range list {
		for to := from + 1; to <= len(list); to++ {
			if to-from < len(list) {
				runs = append(runs, r.key(list[from:to]))
			}
		}
	}
	return runs
}

// refuse is libseccomp's -EEXIST.
func (r *resolver) refuse(kind LoadKind, a *syscalls.Arch, first, second entry) error {
	one, two := &r.Rules[first.rule], &r.Rules[second.rule]
	name := two.Name
	if second.via != "" {
		name = second.via
	}
	when := ""
	for i, c := range second.conds {
		if i > 0 {
			when += ", "
		}
		when += c.String()
	}
	less := ""
	if kind == WiderCondition {
		less = "for less of it "
	}
	err := r.loadError(kind, two.Pos, fmt.Sprintf("syscalls[%d]", two.Source.Index),
		"%s when %s is %s here and %s%s in syscalls[%d] (on %s)", name, when, two.Action, less, one.Action, one.Source.Index, a)
	err.(*LoadError).First = one.Source
	return err
}

// maxPairs bounds the pairs of rules that conflicts compares, over all ABIs; a pair of rules with
// many conditions counts several times. Docker's profile needs some hundreds.
const maxPairs = 1 << 20

// conflicts lists the pairs of rules on one call with different actions that some arguments match
// both, and the calls whose rules libseccomp may join wrongly. Where the budget runs out, the call as
// a whole counts as a conflict.
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
		r.ordered(a, nr, list)
		longest := 0
		for _, e := range list {
			longest = max(longest, len(e.conds))
		}
		pairs := len(list) * (len(list) - 1) / 2
		if *budget -= pairs * (1 + longest/(maxArg+1)); *budget < 0 {
			r.Conflicts = append(r.Conflicts, Conflict{Kind: ConflictOverlap, Arch: a, Name: name, Nr: nr, First: &r.Rules[list[0].rule]})
			continue
		}
		for j, second := range list {
			for _, first := range list[:j] {
				if first.action == second.action {
					continue
				}
				if args, ok := together(first.conds, second.conds, a.Bits); ok {
					r.Conflicts = append(r.Conflicts, Conflict{ConflictOverlap, a, name, nr, &r.Rules[first.rule], &r.Rules[second.rule], args})
				}
			}
		}
	}
}

// drops collects what put drops, by rule, so that what holds on every ABI is said once.
type drops struct { // nil collects nothing
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

func (d *drops) seen(e entry) {
	if d != nil {
		d.total[dropKey{e.rule, e.via}]++
	}
}

func (d *drops) add(a *syscalls.Arch, e entry, reason Reason, by int) {
	if d == nil {
		return // on a call that the ABI lacks
	}
	if e.via != "" && (reason == SkipDuplicate || d.r.Rules[by].Action == e.action) {
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
