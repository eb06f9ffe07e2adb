package profile

import (
	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// Meaning returns what the target answers to a call, evaluated directly from the rules: it is the
// reference that Compile implements, and Meant the same as data. nr is as seccomp_data carries it,
// so for x86_64 and x32, which share their token, the number alone tells the two apart. On ABIs with
// 32-bit pointers only the low words of args count. Overlapping conditions with different actions
// are decided in file order; Conflicts lists them.
func (r *Resolved) Meaning(arch *syscalls.Arch, nr int32, args [6]uint64) filter.Action {
	if r.Disabled {
		return filter.Allow
	}
	action, c := r.decide(arch.Audit, nr)
	if c == nil {
		return action
	}
	for _, e := range c.entries {
		if e.matches(args) {
			return e.action
		}
	}
	return action
}

// matches compares as the conditions stand: they are narrowed to the ABI, so that their masks leave
// out the words that do not count.
func (e *entry) matches(args [6]uint64) bool {
	for _, c := range e.conds {
		if !c.holds(args[c.Arg] & c.Mask) {
			return false
		}
	}
	return true
}

// decide answers a token and number: with the rules of its call and the action if none matches, or
// with the action alone.
func (r *Resolved) decide(token uint32, nr int32) (filter.Action, *call) {
	if r.stubbed(token, nr) {
		return enosys(r.Target.Host), nil
	}
	if r.guarded(token, nr) {
		return r.x32, nil
	}
	if !r.covered(token, nr) {
		return r.BadArch, nil
	}
	for _, a := range r.Arches {
		if a.Audit == token {
			if c := r.tables[a.Name][nr]; c != nil {
				return r.Default, c
			}
		}
	}
	return r.Default, nil
}
