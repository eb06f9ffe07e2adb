package simulate

import (
	"encoding/binary"
	"errors"
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
	has := func(dir Direction) bool {
		return slices.ContainsFunc(d.Changes, func(c Change) bool { return c.Direction == dir })
	}
	switch looser, tighter := has(Looser), has(Tighter); {
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

// Loosens reports whether some call is certainly answered more loosely by the new policy. Where it
// is false and something is unknown, some call may be.
func (d *Difference) Loosens() bool {
	return slices.ContainsFunc(d.Changes, func(c Change) bool { return c.Direction == Looser })
}

// OnlyNarrows reports whether it is proven that no call is answered more loosely.
func (d *Difference) OnlyNarrows() bool { return !d.Loosens() && len(d.Unknown) == 0 }

// Diff compares two policies on every call of the architectures, all if there are none: every
// number, all arguments, any instruction pointer. Each change comes with a call on which both were
// run. What could not be settled is in Unknown; where Changes and Unknown are both empty the
// policies are proven equal.
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
		if err := diff(&d, old, new, code, callsOf(arch)); err != nil {
			return nil, err
		}
	}
	return &d, nil
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

// A finding is what a list of leaves has to report: a change, or what is unknown.
type finding struct {
	old, new filter.Action
	when     []Cond
	text     string
	data     filter.Data // the witness, but for the number
	unknown  string      // the reason, if it is not known whether there is a witness
}

// A comparer turns an analysis of a joint plan into changes.
type comparer struct {
	*analysis
	old, new Policy
	searches int // work that is left for witnesses
	byLeaves map[string][]finding
}

func (c *comparer) compare(d *Difference) error {
	firstChange, firstUnknown := len(d.Changes), len(d.Unknown)
	for _, p := range c.pieces() {
		if len(p.lost) > 0 {
			c.lostPiece(p, d, firstUnknown)
		}
		for _, f := range c.findings(p) {
			if err := c.report(p, f, d, firstChange, firstUnknown); err != nil {
				return err
			}
		}
	}
	return nil
}

// lostPiece reports what is unknown of a piece, unless both sides can only answer in one way.
func (c *comparer) lostPiece(p piece, d *Difference, first int) {
	// What both sides have in common answers both alike.
	lost := slices.DeleteFunc(slices.Clone(p.lost), func(l lostPath) bool { return l.pc >= c.both && l.answer[0] == l.answer[1] })
	if len(lost) == 0 {
		return
	}
	t := c.tailsOf(lost)
	u := UnknownRange{Arch: c.arch, From: uint32(p.lo), To: uint32(p.hi), Reason: t.reason}
	if !t.answer[0].any {
		u.Old = t.answer[0].sorted()
	}
	if !t.answer[1].any {
		u.New = t.answer[1].sorted()
	}
	if len(u.Old) > 0 && len(u.New) > 0 && allSame(u.Old, u.New) {
		return
	}
	d.addUnknown(u, first)
}

// allSame reports whether all actions of both lists are carried out alike.
func allSame(lists ...[]filter.Action) bool {
	for _, list := range lists {
		for _, a := range list {
			if Compare(lists[0][0], a) != Same {
				return false
			}
		}
	}
	return true
}

func (d *Difference) addUnknown(u UnknownRange, first int) {
	if n := len(d.Unknown) - 1; n >= first {
		last := &d.Unknown[n]
		if last.To+1 == u.From && last.Reason == u.Reason && slices.Equal(last.Old, u.Old) && slices.Equal(last.New, u.New) &&
			len(last.When) == 0 && len(u.When) == 0 {
			last.To = u.To
			return
		}
	}
	d.Unknown = append(d.Unknown, u)
}

// findings returns what a piece has to report of paths that ended.
func (c *comparer) findings(p piece) []finding {
	differs := func(l *path) bool { return Compare(l.answer[0], l.answer[1]) != Same }
	if !slices.ContainsFunc(p.leaves, differs) {
		return nil
	}
	key := c.keyOf(p.leaves)
	asks := slices.ContainsFunc(p.leaves, (*path).asksNumber)
	if list, ok := c.byLeaves[key]; ok && !asks {
		return list
	}
	var list []finding
	first := p.leaves[0]
	if len(p.lost) == 0 && !slices.ContainsFunc(p.leaves, func(l *path) bool { return l.answer != first.answer }) {
		list = []finding{{old: first.answer[0], new: first.answer[1], data: filter.Data{Arch: uint32(c.scope.tokens[0].lo)}}}
	} else {
		leaves := slices.DeleteFunc(slices.Clone(p.leaves), func(l *path) bool { return !differs(l) })
		if !c.afford(leaves) {
			return tooMany(leaves)
		}
		for _, cell := range c.cells(leaves) {
			if f, ok := c.finding(p, Region{cell.answer[0], c.conditions(cell)}, cell.answer); ok {
				list = append(list, f)
			}
		}
		slices.SortFunc(list, func(f, g finding) int { return strings.Compare(f.text, g.text) })
	}
	if !asks {
		c.byLeaves[key] = list
	}
	return list
}

// tooMany is what is said of more leaves than there is work left for: one finding for each change
// of the answer.
func tooMany(leaves []*path) (list []finding) {
	seen := map[[2]filter.Action]bool{}
	for _, l := range leaves {
		if !seen[l.answer] {
			seen[l.answer] = true
			list = append(list, finding{old: l.answer[0], new: l.answer[1], unknown: tooManyEnds})
		}
	}
	return list
}

// finding looks for a witness in a region. It is false if there certainly is none.
func (c *comparer) finding(p piece, r Region, answer [2]filter.Action) (finding, bool) {
	f := finding{old: answer[0], new: answer[1], when: r.When, text: r.String() + " " + answer[1].String()}
	var err error
	left := min(c.searches, maxSearch/64)
	before := left
	f.data, err = c.witnessWithin(&left, r, set{p.span})
	c.searches -= before - left
	switch {
	case errors.Is(err, ErrEmpty):
		return f, false
	case err != nil:
		f.unknown = "no call was found that satisfies the conditions"
	}
	return f, true
}

// report adds a finding for a piece, or extends the one that ends where the piece starts.
func (c *comparer) report(p piece, f finding, d *Difference, firstChange, firstUnknown int) error {
	if f.unknown != "" {
		d.addUnknown(UnknownRange{Arch: c.arch, From: uint32(p.lo), To: uint32(p.hi), When: f.when, Reason: f.unknown,
			Old: []filter.Action{f.old}, New: []filter.Action{f.new}}, firstUnknown)
		return nil
	}
	change := Change{Arch: c.arch, From: uint32(p.lo), To: uint32(p.hi), Old: f.old, New: f.new,
		Direction: Compare(f.old, f.new), When: f.when, Witness: f.data}
	if c.merger.tokens == nil {
		change.Witness.Arch = uint32(c.scope.tokens[0].lo)
	}
	if nr := uint64(uint32(f.data.Nr)); nr < p.lo || nr > p.hi { // the finding is that of another piece
		change.Witness.Nr = int32(uint32(p.lo))
	}
	w := &change.Witness
	order := binary.ByteOrder(binary.LittleEndian)
	if c.bigEndian {
		order = binary.BigEndian
	}
	if got := [2]filter.Action{c.old.Run(w, order), c.new.Run(w, order)}; got != [2]filter.Action{f.old, f.new} {
		return fmt.Errorf("simulate: %s: a run of the witness %+v gives %s -> %s", change, *w, got[0], got[1])
	}
	for i := len(d.Changes) - 1; i >= firstChange; i-- {
		last := &d.Changes[i]
		if last.To+1 == change.From && last.Old == change.Old && last.New == change.New && sameConds(last.When, change.When) {
			last.To = change.To
			return nil
		}
		if uint64(last.To)+1 < p.lo { // all before end earlier still, or have their own numbers
			break
		}
	}
	d.Changes = append(d.Changes, change)
	return nil
}

func sameConds(a, b []Cond) bool {
	return slices.EqualFunc(a, b, func(a, b Cond) bool { return a.String() == b.String() })
}
