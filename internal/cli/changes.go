package cli

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/report"
	"github.com/profcheck/profcheck/simulate"
	"github.com/profcheck/profcheck/syscalls"
)

// one compares both sides on one architecture: syscall by syscall, and in between the ranges of
// numbers without a name.
func (d *comparison) one(abi *syscalls.Arch) (changes []report.Change, unknown []report.Unread, err error) {
	before, after, err := d.policies(abi)
	var refused *profile.LoadError
	switch {
	case errors.As(err, &refused) && !slices.Contains(d.named, abi):
		last := int32(-1)
		return nil, []report.Unread{{Arch: abi.Name, To: &last, Reason: err.Error()}}, nil
	case err != nil:
		return nil, nil, err
	}
	found, err := simulate.Diff(before, after, []*syscalls.Arch{abi})
	if err != nil {
		return nil, nil, err
	}
	for _, c := range found.Changes {
		for _, p := range pieces(abi, c.From, c.To) {
			w := c.Witness
			if nr := uint32(w.Nr); nr < p.from || nr > p.to {
				w.Nr = int32(p.from)
			}
			confirmed := before.Run(&w, abi.Order()).Effect() == c.Old.Effect() && after.Run(&w, abi.Order()).Effect() == c.New.Effect()
			switch {
			case confirmed:
				changes = append(changes, changeDoc(c, p, w))
			case p.name != "":
				return nil, nil, fmt.Errorf("%s: a run does not confirm what was found for %s on %s; please report this", d.after.name, p.name, abi)
			}
			// A range without names can have conditions on the number; then the piece with the
			// witness stands for it.
		}
	}
	for _, u := range found.Unknown {
		if u.Direction != simulate.Same { // a call was found all the same, and both sides run on it
			w := u.Witness
			nr := uint32(w.Nr)
			c := simulate.Change{
				Arch: abi, From: nr, To: nr, Direction: u.Direction, When: u.When, Witness: w,
				Old: before.Run(&w, abi.Order()), New: after.Run(&w, abi.Order()),
			}
			name, _ := abi.NameOf(w.Nr)
			doc := changeDoc(c, piece{nr, nr, name}, w)
			doc.Partly = true
			changes = append(changes, doc)
		}
		for _, p := range pieces(abi, u.From, u.To) {
			unknown = append(unknown, report.Unread{
				Arch: abi.Name, Syscall: p.name, Nr: int32(p.from), To: p.end(), When: whenText(u.When), Reason: u.Reason,
			})
		}
	}
	slices.SortStableFunc(changes, func(a, b report.Change) int { return compareNr(a.Nr, b.Nr) })
	conflicts, err := d.conflicts(abi)
	return changes, append(unknown, conflicts...), err
}

// compareNr orders numbers as unsigned ones.
func compareNr(a, b int32) int {
	switch {
	case uint32(a) < uint32(b):
		return -1
	case uint32(a) > uint32(b):
		return 1
	}
	return 0
}

// piece is one syscall, or a range of numbers without a name.
type piece struct {
	from, to uint32
	name     string
}

func (p piece) end() *int32 {
	if p.from == p.to {
		return nil
	}
	end := int32(p.to)
	return &end
}

// pieces cuts a range of numbers at the syscalls of an ABI.
func pieces(abi *syscalls.Arch, from, to uint32) (out []piece) {
	calls := abi.Syscalls() // ascending, and none of them negative
	at, _ := slices.BinarySearchFunc(calls, from, func(s syscalls.Syscall, nr uint32) int { return compareNr(s.Nr, int32(nr)) })
	for _, s := range calls[at:] {
		nr := uint32(s.Nr)
		if nr > to {
			break
		}
		if nr > from {
			out = append(out, piece{from, nr - 1, ""})
		}
		out = append(out, piece{nr, nr, s.Name})
		if nr == to {
			return out
		}
		from = nr + 1
	}
	return append(out, piece{from, to, ""})
}

func changeDoc(c simulate.Change, p piece, w filter.Data) report.Change {
	before, now := c.Old.Effect(), c.New.Effect()
	arch := otherTokens
	if c.Arch != nil {
		arch = c.Arch.Name
	}
	doc := report.Change{
		Arch: arch, Syscall: p.name, Nr: int32(p.from), To: p.end(), Direction: c.Direction.String(),
		Old: before.String(), New: now.String(), OldErrno: errnoName(before), NewErrno: errnoName(now), When: whenText(c.When),
		Witness: &report.Witness{Arch: arch, Syscall: p.name, Nr: w.Nr, IP: report.Hex(w.IP)},
	}
	for _, arg := range w.Args {
		doc.Witness.Args = append(doc.Witness.Args, report.Hex(arg))
	}
	return doc
}

// conflicts are the calls on whose answer no proof may rest, on either side.
func (d *comparison) conflicts(abi *syscalls.Arch) (out []report.Unread, err error) {
	all := make(map[int32]profile.Conflict)
	for _, v := range []*view{d.before, d.after} {
		some, err := v.conflicts(abi)
		if err != nil {
			return nil, err
		}
		maps.Copy(all, some)
	}
	for _, nr := range slices.Sorted(maps.Keys(all)) {
		c := all[nr]
		out = append(out, report.Unread{
			Arch: abi.Name, Syscall: c.Name, Nr: nr,
			Reason: c.Why() + ": " + conflictPlaces(c),
		})
	}
	return out, nil
}
