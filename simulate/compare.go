package simulate

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/profcheck/profcheck/filter"
)

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
	c.try(&u)
	d.addUnknown(u, first)
}

// tries is how many calls of an unknown range are tried.
const tries = 16

// try looks for a call of an unknown range on which the policies differ.
func (c *comparer) try(u *UnknownRange) {
	for n := range uint64(tries) {
		d := filter.Data{Nr: int32(u.From), Arch: uint32(c.scope.tokens[0].lo)}
		for i := range d.Args {
			if d.Args[i] = wish(n, i); c.scope.narrow {
				d.Args[i] &= max32
			}
		}
		if dir := Compare(c.old.Run(&d, c.order()), c.new.Run(&d, c.order())); dir != Same && (Region{When: u.When}).HoldsFor(&d) {
			u.Direction, u.Witness = dir, d
			return
		}
	}
}

func (s *scope) order() binary.ByteOrder {
	if s.bigEndian {
		return binary.BigEndian
	}
	return binary.LittleEndian
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
		if last.To+1 == u.From && last.Reason == u.Reason && slices.Equal(last.Old, u.Old) && slices.Equal(last.New, u.New) && last.Direction == u.Direction &&
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
	order := c.order()
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
