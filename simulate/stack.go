package simulate

import (
	"encoding/binary"

	"github.com/profcheck/profcheck/filter"
)

// A Stack is the filters of one thread, the oldest first, as they were loaded.
type Stack []filter.Program

// StackResult is what Stack.Trace returns.
type StackResult struct {
	Action  filter.Action // the same that Stack.Run returns
	Decider int           // the same that Stack.Run returns
	Results []Result      // of each filter, by its index in the stack
}

// Run returns what the kernel makes of a call that all filters see, and the index of the filter whose
// value it is. Every filter runs, the newest first; the value with the lowest action wins, compared as
// signed numbers, and of equal actions the newest filter's data stay. The index is -1 where no filter
// decided: the stack is empty, or all of them returned ALLOW, and then their data are gone.
// (kernel/seccomp.c seccomp_run_filters)
func (s Stack) Run(d *filter.Data, order binary.ByteOrder) (a filter.Action, decider int) {
	words := d.Words(order)
	v := undecided
	for i := len(s) - 1; i >= 0; i-- {
		v.add(i, run(s[i], &words))
	}
	return v.action, v.decider
}

// Trace does the same as Run and tells how each filter came to its value.
func (s Stack) Trace(d *filter.Data, order binary.ByteOrder) StackResult {
	results, v := make([]Result, len(s)), undecided
	for i := len(s) - 1; i >= 0; i-- {
		results[i] = Trace(s[i], d, order)
		v.add(i, results[i].Action)
	}
	return StackResult{v.action, v.decider, results}
}

// A verdict is what the filters of a stack have come to so far.
type verdict struct {
	action  filter.Action
	decider int
}

var undecided = verdict{filter.Allow, -1}

// add takes the value of the next older filter.
func (v *verdict) add(i int, a filter.Action) {
	if int32(a.Base()) < int32(v.action.Base()) {
		*v = verdict{a, i}
	}
}
