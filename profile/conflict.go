package profile

import (
	"fmt"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// ConflictKind says why nobody can tell from the file what a filter answers to a call.
type ConflictKind string

const (
	// ConflictOverlap: two rules match the same arguments with different actions.
	ConflictOverlap ConflictKind = "overlap"
	// ConflictOrdered: libseccomp joins the rules of a call into one tree of 32-bit comparisons, and
	// does not always keep what they say where one of them has an ordered comparison (NE, LT, LE, GT,
	// GE) and more conditions, or where ordered comparisons of one argument differ in the upper word.
	// It may allow more or less than the rules, refuse them, or not come to an end at all. Measured on
	// 2.5.4.
	ConflictOrdered ConflictKind = "ordered"
)

// Why returns the reason in words for people, without the rules' places.
func (c Conflict) Why() string {
	if c.Kind == ConflictOrdered {
		return "libseccomp does not always keep the meaning of several rules with ordered comparisons"
	}
	return "rules overlap with different actions, which a runtime may decide either way"
}

// String returns one line for people.
func (c Conflict) String() string {
	if c.First == nil || c.Second == nil {
		return fmt.Sprintf("%s on %s: %s", c.Name, c.Arch, c.Why())
	}
	return fmt.Sprintf("%s on %s: %s: %s and %s", c.Name, c.Arch, c.Why(), c.First.Pos, c.Second.Pos)
}

// ordered lists, as ConflictOrdered, a call of an ABI that libseccomp may answer otherwise than its
// rules say. What it does depends on the order and the number of the rules and on its release, so
// every call of the kind counts, though most of them are answered well.
func (r *resolver) ordered(a *syscalls.Arch, nr int32, list []entry) {
	if !r.libseccomp() || len(list) < 2 {
		return
	}
	first, second, ok := doubtful(list, a.Bits == 64)
	if !ok {
		return
	}
	args, ok := together(list[first].conds, list[second].conds, a.Bits)
	if !ok {
		args, _ = together(list[first].conds, nil, a.Bits)
	}
	name, _ := a.NameOf(nr)
	r.Conflicts = append(r.Conflicts, Conflict{ConflictOrdered, a, name, nr, &r.Rules[list[first].rule], &r.Rules[list[second].rule], args})
}

// doubtful finds two rules of a call that libseccomp may join wrongly, in file order.
func doubtful(list []entry, words64 bool) (first, second int, ok bool) {
	for i, e := range list {
		if len(e.conds) > 1 && e.ordered() {
			if i == 0 {
				return 0, 1, true
			}
			return 0, i, true
		}
	}
	// What is left to look at has one condition if it has an ordered one.
	if !words64 {
		return 0, 0, false
	}
	// By argument: the first rule that compares it by order, and the upper word there.
	looks := map[int]int{}
	for i, e := range list {
		for _, c := range e.conds {
			if !c.Op.ordered() || c.Op == NotEqual {
				continue
			}
			j, ok := looks[c.Arg]
			if !ok {
				looks[c.Arg] = i
			} else if list[j].conds[0].Value>>32 != c.Value>>32 {
				return j, i, true
			}
		}
	}
	return 0, 0, false
}

func (e *entry) ordered() bool {
	for _, c := range e.conds {
		if c.Op.ordered() {
			return true
		}
	}
	return false
}

// maxErrno is the first errno that libseccomp refuses, with EINVAL: MAX_ERRNO of include/linux/err.h
// itself is not taken (src/system.c sys_chk_seccomp_action; measured on 2.5.4).
const maxErrno = 4095

// largeErrno refuses an ERRNO action that libseccomp refuses.
func (r *resolver) largeErrno(a filter.Action, pos Pos, path string) error {
	if !r.libseccomp() || a.Base() != filter.Errno || a.Data() < maxErrno {
		return nil
	}
	return r.loadError(ErrnoTooLarge, pos, path, "errno %d, and libseccomp takes none above %d", a.Data(), maxErrno-1)
}

// ordered reports whether libseccomp makes of a comparison something else than one test for equality.
func (o Op) ordered() bool { return o != Equal && o != MaskedEqual }
