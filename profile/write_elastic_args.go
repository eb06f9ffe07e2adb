package profile

import (
	"fmt"
	"math"
	"slices"

	"github.com/profcheck/profcheck/filter"
)

// elasticTests is a call with its action and the lists of conditions of which one must hold; none: always.
type elasticTests struct {
	nr     int32
	name   string
	action string
	lists  [][]Arg
	pos    Pos // of its first rule
}

// tests turns the rules on a number into what a policy can say; false if nothing is left to say.
func (e *elasticWriting) tests(nr int32, entries []entry) (c elasticTests, ok bool) {
	if e.size++; e.size > filter.MaxInsns {
		return c, false
	}
	first := &e.r.Rules[entries[0].rule]
	c = elasticTests{nr: nr, name: e.name(nr, first.Name), pos: first.Pos}
	if c.name == "" {
		e.change(c.pos, "the library does not know %s on %s: it gets the default action", clip(first.Name), e.abi)
		return c, false
	}
	for _, en := range entries {
		rule := &e.r.Rules[en.rule]
		word := e.action(en.action, rule.Source.Pos, fmt.Sprintf("syscalls[%d]", rule.Source.Index))
		if word == "" || word == e.doc.DefaultAction {
			continue // and rules of different actions that overlap are conflicts
		}
		if c.action != "" && word != c.action {
			e.change(rule.Pos, "the library cannot give %s two actions: where it would be %s it gets the default action", c.name, en.action)
			continue
		}
		list, fits := e.list(en.conds)
		if e.size += 2 * len(list); e.size > filter.MaxInsns {
			return c, false
		}
		if !fits {
			e.change(rule.Pos, "the conditions of syscalls[%d] on %s need more than %d of the library's: they are left out", rule.Source.Index, c.name, maxArgs)
			continue
		}
		c.action = word
		if len(list) > 0 {
			c.lists = append(c.lists, list)
		}
	}
	return c, c.action != ""
}

// name is a name that the library has for a number; "" if it has none. The rule's own comes first.
func (e *elasticWriting) name(nr int32, own string) string {
	official, _ := e.abi.NameOf(nr)
	for _, name := range []string{own, official, "fstatat"} { // aarch64's newfstatat
		if n, ok := elasticNumber(e.abi, name); ok && n == nr {
			return name
		}
	}
	return ""
}

// list writes conditions with the library's operations. One on masked bits becomes one for each bit that
// must be set, and one for all that must not.
func (e *elasticWriting) list(conds []Cond) (list []Arg, ok bool) {
	all := narrow(math.MaxUint64, e.abi.PointerBits)
	for _, c := range conds {
		if c.Op != MaskedEqual || c.Mask == all {
			op := c.Op
			if op == MaskedEqual {
				op = Equal
			}
			list = append(list, Arg{Index: c.Arg, Op: op, Value: c.Value})
			continue
		}
		for bit := uint64(1); bit != 0; bit <<= 1 {
			if c.Value&bit != 0 {
				list = append(list, Arg{Index: c.Arg, Op: BitsSet, Value: bit})
			}
		}
		if clear := c.Mask &^ c.Value; clear != 0 {
			list = append(list, Arg{Index: c.Arg, Op: MaskedEqual, Value: clear})
		}
	}
	return list, len(list) <= maxArgs
}

// lowOnly reports whether no condition of a call depends on upper halves of arguments.
func (c elasticTests) lowOnly() bool {
	return !slices.ContainsFunc(c.lists, func(list []Arg) bool {
		return slices.ContainsFunc(list, func(a Arg) bool { return a.Op != MaskedEqual && a.Op != BitsSet || a.Value>>32 != 0 })
	})
}
