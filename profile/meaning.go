package profile

import (
	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// Meaning returns what the target answers to a call, evaluated directly from the rules: it is the
// reference that Compile implements. nr is as seccomp_data carries it, so for x86_64 and x32, which
// share their token, the number alone tells the two apart. On ABIs with 32-bit pointers only the
// low words of args count. Overlapping conditions with different actions are decided in file order;
// Conflicts lists them.
func (r *Resolved) Meaning(arch *syscalls.Arch, nr int32, args [6]uint64) filter.Action {
	if r.Disabled {
		return filter.Allow
	}
	action, c, bits := r.decide(arch.Audit, nr)
	if c == nil {
		return action
	}
	for _, e := range c.entries {
		if e.matches(args, bits) {
			return e.action
		}
	}
	return r.Default
}

func (e *entry) matches(args [6]uint64, pointerBits int) bool {
	for _, c := range e.conds {
		if !c.holds(narrow(args[c.Arg], pointerBits)) {
			return false
		}
	}
	return true
}

// decide answers a token and number: with the action, or with the rules that look at arguments and
// the width of pointers of their ABI.
func (r *Resolved) decide(token uint32, nr int32) (filter.Action, *call, int) {
	if r.stubbed(token, nr) {
		return enosys(r.Target.Host), nil, 0
	}
	if !r.covered(token, nr) {
		return r.BadArch, nil, 0
	}
	for _, a := range r.Arches {
		if a.Audit != token {
			continue
		}
		if c := r.tables[a.Name][nr]; c != nil {
			if c.always() {
				return c.entries[0].action, nil, 0
			}
			return 0, c, a.PointerBits
		}
	}
	return r.Default, nil, 0
}
