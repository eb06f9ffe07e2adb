package simulate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// A Direction says how a change of an answer is for the caller, by the kernel's order of
// precedence: KILL_PROCESS < KILL_THREAD < TRAP < ERRNO < USER_NOTIF < TRACE < LOG < ALLOW.
type Direction uint8

const (
	Same    Direction = iota
	Looser            // the new action is further up
	Tighter           // further down
	Changed           // the same action with other data: another errno
)

// String returns "same", "looser", "tighter" or "changed".
func (d Direction) String() string {
	return [...]string{Same: "same", Looser: "looser", Tighter: "tighter", Changed: "changed"}[d&3]
}

// carriedOut is what the kernel makes of an answer: Action.Effect, without the data that it never
// reads.
func carriedOut(a filter.Action) filter.Action {
	a = a.Effect()
	switch a.Base() {
	case filter.Allow, filter.Log, filter.UserNotif:
		return a.Base()
	}
	return a
}

// Compare returns the direction from one answer to another, as the kernel carries them out
// (Action.Effect). Data that it never reads, that of ALLOW, LOG and USER_NOTIF, does not count.
func Compare(old, new filter.Action) Direction {
	old, new = carriedOut(old), carriedOut(new)
	switch {
	case old == new:
		return Same
	case old.Base() == new.Base():
		return Changed
	case int32(new.Base()) > int32(old.Base()):
		return Looser
	}
	return Tighter
}

// A Change is a set of calls that two policies answer differently: those of an ABI with a number of
// a range that satisfy all conditions.
type Change struct {
	Arch      *syscalls.Arch // nil: no architecture that is known, see DiffOthers
	From, To  uint32         // both included; Data.Nr as an unsigned number
	Old, New  filter.Action  // as Policy.Run returns them
	Direction Direction      // never Same
	When      []Cond         // joined by AND; none: always
	Witness   filter.Data    // one of the calls, on which both policies were run
}

// String returns "x86_64 7: ALLOW -> ERRNO(1) if arg0 == 1".
func (c Change) String() string {
	s := fmt.Sprintf("%s %s: %s -> %s", archName(c.Arch), spanString(c.From, c.To), c.Old, c.New)
	for i, w := range c.When {
		s += [2]string{" if ", " and "}[min(i, 1)] + w.String()
	}
	return s
}

func archName(a *syscalls.Arch) string {
	if a == nil {
		return "other architectures"
	}
	return a.Name
}

// An UnknownRange is calls of which it is not known whether two policies answer them alike.
type UnknownRange struct {
	Arch     *syscalls.Arch  // nil: no architecture that is known, see DiffOthers
	From, To uint32          // both included
	When     []Cond          // only for calls that satisfy these; none: any
	Reason   string          // why
	Old, New []filter.Action // every action that can come out, ascending by precedence; nil: any

	// Direction is that of a call on which they do differ, the Witness, if one was found by trying a
	// few; Same if none was.
	Direction Direction
	Witness   filter.Data
}

// String returns "x86_64 7: unknown (the filter has too many paths): ALLOW or ERRNO(1) -> ALLOW".
func (u UnknownRange) String() string {
	list := func(actions []filter.Action) string {
		var parts []string
		for _, a := range actions {
			parts = append(parts, a.String())
		}
		if parts == nil {
			return "any"
		}
		return strings.Join(parts, " or ")
	}
	return fmt.Sprintf("%s %s: unknown (%s): %s -> %s", archName(u.Arch), spanString(u.From, u.To), u.Reason, list(u.Old), list(u.New))
}

// A Difference is all that differs between two policies, by architecture, number and text.
type Difference struct {
	Changes []Change
	Unknown []UnknownRange
}

// The relations between two policies.
const (
	RelationEqual   = "equal"   // proven: they answer every call alike
	RelationLooser  = "looser"  // some calls are looser, none is tighter
	RelationTighter = "tighter" // some are tighter, none is looser
	RelationBoth    = "both"    // some are looser, some tighter
	RelationChanged = "changed" // only data differ
	RelationUnknown = "unknown" // none of these is proven
)

// Relation says how the new policy is to the old one. What is unknown may be anything, and so
// leaves only RelationBoth certain.
func (d *Difference) Relation() string {
	switch looser, tighter := d.has(Looser), d.has(Tighter); {
	case looser && tighter:
		return RelationBoth
	case len(d.Unknown) > 0:
		return RelationUnknown
	case looser:
		return RelationLooser
	case tighter:
		return RelationTighter
	case len(d.Changes) > 0:
		return RelationChanged
	}
	return RelationEqual
}

// has reports whether some call certainly changes in this direction.
func (d *Difference) has(dir Direction) bool {
	return slices.ContainsFunc(d.Changes, func(c Change) bool { return c.Direction == dir }) ||
		slices.ContainsFunc(d.Unknown, func(u UnknownRange) bool { return u.Direction == dir })
}

// Loosens reports whether some call is certainly answered more loosely by the new policy. Where it
// is false and something is unknown, some call may be.
func (d *Difference) Loosens() bool { return d.has(Looser) }

// OnlyNarrows reports whether it is proven that no call is answered more loosely.
func (d *Difference) OnlyNarrows() bool { return !d.Loosens() && len(d.Unknown) == 0 }

// Diff compares two policies on every call of the architectures, all if there are none: every
// number, all arguments, any instruction pointer. Each change comes with a call on which both were
// run. What could not be settled is in Unknown; where Changes and Unknown are both empty the
// policies are proven equal. Upper halves are those of Partition.
//
// A filter has one byte order, and so means something on the architectures of that order alone. The
// error tells of an answer that a run does not confirm, which would be a fault of this package.
func Diff(old, new Policy, arches []*syscalls.Arch) (*Difference, error) {
	if len(arches) == 0 {
		arches = syscalls.Arches()
	}
	code := jointPlan(old, new)
	var d Difference
	for _, arch := range arches {
		calls := callsOf(arch)
		if arch.UpperHalves {
			var wide Difference
			if err := diff(&wide, old, new, code, calls.withUpper()); err != nil {
				return nil, err
			}
			if wide.usesUpper() {
				d.Changes, d.Unknown = append(d.Changes, wide.Changes...), append(d.Unknown, wide.Unknown...)
				continue
			}
		}
		if err := diff(&d, old, new, code, calls); err != nil {
			return nil, err
		}
	}
	return &d, nil
}

// usesUpper reports whether some change depends on upper halves, or may.
func (d *Difference) usesUpper() bool {
	return len(d.Unknown) > 0 || slices.ContainsFunc(d.Changes, func(c Change) bool { return slices.ContainsFunc(c.When, Cond.usesUpper) })
}

// DiffOthers is Diff for all architecture tokens but those of some architectures, all if there are
// none. Changes and unknown ranges have no Arch.
func DiffOthers(old, new Policy, known []*syscalls.Arch, bigEndian bool) (*Difference, error) {
	var d Difference
	if err := diff(&d, old, new, jointPlan(old, new), callsOfOthers(known, bigEndian)); err != nil {
		return nil, err
	}
	return &d, nil
}

func diff(d *Difference, old, new Policy, code *plan, calls scope) error {
	c := comparer{analysis: newAnalysis(code, calls), old: old, new: new, searches: maxSearch, byLeaves: map[string][]finding{}}
	return c.compare(d)
}

// Narrows compares a policy with itself and one more filter loaded behind it. Almost every filter
// can only narrow a stack (Difference.OnlyNarrows); the exception are actions that the kernel does
// not know and kills for, and that a weaker kind of denial takes precedence over.
func Narrows(base Policy, added filter.Program, arches []*syscalls.Arch) (*Difference, error) {
	return Diff(base, base.With(OfPrograms(added)), arches)
}
