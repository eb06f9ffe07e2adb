package simulate

import (
	"encoding/binary"
	"reflect"
	"slices"

	"github.com/profcheck/profcheck/filter"
)

// A Policy is what decides about calls: filters and rules, one or a stack of them. The zero value,
// an empty stack, allows everything.
type Policy struct {
	units []unit // oldest first
}

// A unit is one filter, or rules in the place of one.
type unit struct {
	program filter.Program
	rules   *filter.Rules // nil: the program
}

// OfPrograms is the policy of a stack of filters, in the order in which they were loaded. They must
// have passed Verify.
//
// The answer of several filters, and of one, is what the kernel makes of it (kernel/seccomp.c
// seccomp_run_filters): it starts with ALLOW and takes the answers from the newest filter to the
// oldest wherever the action, as a signed number, is less. So the data of ALLOW is always 0.
func OfPrograms(oldestFirst ...filter.Program) Policy {
	var p Policy
	for _, program := range oldestFirst {
		p.units = append(p.units, unit{program: program})
	}
	return p
}

// OfRules is the policy that rules mean, as if a filter did exactly what they say. The tokens and
// stretches of r must be as filter.Rules describes them; r must not change any more.
func OfRules(r *filter.Rules) Policy { return Policy{units: []unit{{rules: r}}} }

// With is the policy under which a newer one was loaded too.
func (p Policy) With(newer Policy) Policy {
	return Policy{units: slices.Concat(p.units, newer.units)}
}

// Run returns what the policy answers for one call: the value that the kernel carries out as
// Action.Effect. The order is that of the machine; nil is little-endian.
func (p Policy) Run(d *filter.Data, order binary.ByteOrder) filter.Action {
	words := d.Words(order)
	result := filter.Allow
	for _, u := range slices.Backward(p.units) {
		var a filter.Action
		if u.rules != nil {
			a, _ = u.rules.Answer(d)
		} else {
			a = run(u.program, &words)
		}
		result = fold(result, a)
	}
	return result
}

// fold is what the kernel has after the answer a of the next older filter.
func fold(sofar, a filter.Action) filter.Action {
	if int32(a.Base()) < int32(sofar.Base()) {
		return a
	}
	return sofar
}

// same reports whether two units are the same filter or rules.
func (u unit) same(v unit) bool {
	if u.rules != nil || v.rules != nil {
		return u.rules == v.rules || u.rules != nil && v.rules != nil && reflect.DeepEqual(u.rules, v.rules)
	}
	return slices.Equal(u.program, v.program)
}

// plan is the policy alone, on the old side.
func (p Policy) plan() *plan {
	var r plan
	for _, u := range slices.Backward(p.units) {
		r.add(u, oldSide)
	}
	r.finish()
	return &r
}

// jointPlan is both policies. The oldest units that they share run once, for both.
func jointPlan(old, new Policy) *plan {
	shared := 0
	for shared < min(len(old.units), len(new.units)) && old.units[shared].same(new.units[shared]) {
		shared++
	}
	var r plan
	for _, u := range slices.Backward(old.units[shared:]) {
		r.add(u, oldSide)
	}
	for _, u := range slices.Backward(new.units[shared:]) {
		r.add(u, newSide)
	}
	r.both = int32(len(r.code))
	for _, u := range slices.Backward(old.units[:shared]) {
		r.add(u, oldSide|newSide)
	}
	r.finish()
	return &r
}
