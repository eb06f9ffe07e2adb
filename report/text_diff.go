package report

import (
	"fmt"
	"slices"
	"strings"
)

// relationWords say what a relation is, as the beginning of a text.
var relationWords = map[string]string{
	Equal: "equal", Looser: "looser", Tighter: "tighter", Both: "looser and tighter",
	Changed: "changed", RelationOff: "unknown",
}

var relationStyles = map[string]style{
	Equal: green, Tighter: green, Looser: red, Both: red, Changed: yellow, RelationOff: yellow,
}

func (p *printer) diff(d *Diff) {
	mark, lead := relationStyles[d.Relation], relationWords[d.Relation]
	text := fmt.Sprintf(": %s against %s", d.New.title(), d.Old.title())
	if d.Equality {
		text = fmt.Sprintf(": %s and %s", d.Old.title(), d.New.title())
		if len(d.Changes) > 0 {
			mark, lead = red, "not equal"
		}
	}
	switch {
	case d.Relation == Equal:
		text += ": the same answer to every call, proven for " + archList(d.Arches)
	case len(d.Changes) > 0 && len(d.Unknown) > 0:
		text += ": it could not be told for all calls; " + countChanges(d.Changes)
	case len(d.Changes) > 0:
		text += ": " + countChanges(d.Changes)
	case len(d.Unknown) > 0:
		text += ": it could not be told for all calls, and nothing was found"
	}
	p.lead(mark, lead, text)
	if d.Narrows {
		p.line("it can only narrow: %s is %s with more filters on top, and the strictest answer counts", d.New.Name, d.Old.Name)
	}
	for _, g := range groupChanges(d.Changes, p.verbose) {
		p.blank()
		p.changes(g)
	}
	if len(d.Unknown) > 0 {
		p.blank()
		p.unread(d.Unknown)
	}
	if d.Rest != "" {
		p.blank()
		p.line("%s", d.Rest)
	}
	if t := d.target(); t != nil {
		p.blank()
		p.target(*t)
	}
}

// unread lists what could not be told by its reason; --verbose has a line for each.
func (p *printer) unread(list []Unread) {
	var reasons []string
	where := make(map[string][]string)
	for _, u := range list {
		text := u.what() + " on " + u.Arch
		if p.verbose && u.When != "" {
			text += " if " + u.When
		}
		if p.verbose {
			p.lead(yellow, "unknown", ": "+text+": "+u.Reason)
			continue
		}
		if where[u.Reason] == nil {
			reasons = append(reasons, u.Reason)
		}
		if !slices.Contains(where[u.Reason], text) {
			where[u.Reason] = append(where[u.Reason], text)
		}
	}
	for _, r := range reasons {
		list := where[r]
		if len(list) > listed {
			list = []string{count(len(list), "call") + " and ranges of numbers on " + words(archesOf(list)) + " (--verbose lists them)"}
		}
		p.names("", yellow, "unknown: "+r, list)
	}
}

// archesOf returns the architectures behind the last " on " of each text.
func archesOf(texts []string) (arches []string) {
	for _, t := range texts {
		if a := t[strings.LastIndex(t, " ")+1:]; !slices.Contains(arches, a) {
			arches = append(arches, a)
		}
	}
	return arches
}

// target is what one line can say was assumed of both sides, or of the one that has a target; nil if
// they differ.
func (d *Diff) target() *Target {
	a, b := d.Old.Target, d.New.Target
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	case a.runtime() == b.runtime() && a.Kernel == b.Kernel && slices.Equal(a.Caps, b.Caps):
		return b
	}
	return nil
}

func (s Subject) title() string {
	if s.Target == nil {
		return s.Name
	}
	return fmt.Sprintf("%s (%s)", s.Name, s.Target.runtime())
}

func (u Unread) what() string {
	if u.Syscall != "" {
		return u.Syscall
	}
	return numbers(u.Nr, u.To)
}

// what names the call or the numbers that changed.
func (c Change) what() string {
	if c.Syscall != "" {
		return c.Syscall
	}
	return numbers(c.Nr, c.To)
}

func archList(arches []string) string {
	if len(arches) > 4 {
		return fmt.Sprintf("%d architectures", len(arches))
	}
	return words(arches)
}

// countChanges says how many calls changed in which direction, over all architectures.
func countChanges(changes []Change) string {
	var parts []string
	for _, direction := range directions {
		seen := make(map[string]bool)
		for _, c := range changes {
			if c.Direction == direction {
				seen[c.what()] = true
			}
		}
		if len(seen) > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", count(len(seen), "call"), direction))
		}
	}
	return strings.Join(parts, ", ")
}

// changeGroup are calls that change in the same way on the same architectures.
type changeGroup struct {
	direction, old, new, when string
	arches                    []string
	names                     []string
	witness                   *Witness
}

// groupChanges joins what changes in the same way: first the calls of an architecture, then the
// architectures with equal lists. apart keeps architectures apart.
func groupChanges(changes []Change, apart bool) []*changeGroup {
	var list []*changeGroup
	byKey := make(map[string]*changeGroup)
	for _, c := range changes {
		before, now := withErrno(c.Old, c.OldErrno), withErrno(c.New, c.NewErrno)
		key := strings.Join([]string{c.Arch, c.Direction, before, now, c.When}, "\x00")
		g := byKey[key]
		if g == nil {
			g = &changeGroup{direction: c.Direction, old: before, new: now, when: c.When, arches: []string{c.Arch}, witness: c.Witness}
			byKey[key] = g
			list = append(list, g)
		}
		if name := c.what(); !slices.Contains(g.names, name) {
			g.names = append(g.names, name)
		}
	}
	var out []*changeGroup
	joined := make(map[string]*changeGroup)
	for _, g := range list {
		sorted := slices.Sorted(slices.Values(g.names))
		key := strings.Join([]string{g.direction, g.old, g.new, g.when, strings.Join(sorted, ",")}, "\x00")
		if first := joined[key]; first != nil && !apart {
			first.arches = append(first.arches, g.arches...)
			continue
		}
		joined[key] = g
		out = append(out, g)
	}
	slices.SortStableFunc(out, func(a, b *changeGroup) int {
		return slices.Index(directions, a.direction) - slices.Index(directions, b.direction)
	})
	return out
}

// listed is how many calls with the same change are named without --verbose.
const listed = 60

var directionStyles = map[string]style{Looser: red, Tighter: green, Changed: yellow}

func (p *printer) changes(g *changeGroup) {
	text := fmt.Sprintf("%s -> %s", g.old, g.new)
	if g.when != "" {
		text += " if " + g.when
	}
	rest := fmt.Sprintf("  %s, on %s", text, strings.Join(g.arches, ", "))
	if len(g.names) == 1 {
		p.lead(directionStyles[g.direction], g.direction, "  "+g.names[0]+":"+rest[1:])
	} else {
		p.lead(directionStyles[g.direction], g.direction, rest)
		list := g.names
		if len(list) > listed && !p.verbose {
			list = append(slices.Clone(list[:listed]), fmt.Sprintf("and %d more (--verbose)", len(list)-listed))
		}
		p.names("", plain, fmt.Sprintf("    %d calls", len(g.names)), list)
	}
	if w := g.witness; w != nil {
		name := w.Syscall
		if name == "" {
			name = numbers(w.Nr, nil)
		}
		text := fmt.Sprintf("%s(%s) on %s", name, argumentList(w.Args), w.Arch)
		if w.IP != 0 {
			text += ", called from " + w.IP.String()
		}
		p.line("    shown by: %s", text)
	}
}
