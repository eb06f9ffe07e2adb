package native

import (
	"fmt"
	"slices"

	"github.com/profcheck/profcheck/elfscan/internal/code"
	"github.com/profcheck/profcheck/elfscan/internal/loader"
	"github.com/profcheck/profcheck/finding"
)

// whenUnseen is the condition of what counts only because every function does.
const whenUnseen = "code runs that nothing was seen to lead to"

// conservative analyses twice: what is reached keeps its class, and what all other functions add is
// conditional, as nothing says that it ever runs.
func conservative(c *loader.Closure, facts func(*loader.Loaded) *code.Facts, o Options) *Result {
	o.Conservative = false
	seen := fixpoint(c, facts, o)
	o.Conservative = true
	o.Families = nil // what is sure to load was opened, and functions that nothing leads to open no more
	all := fixpoint(c, facts, o)
	all.Families = seen.Families
	for i := range all.Needs {
		n := &all.Needs[i]
		k := slices.IndexFunc(seen.Needs, func(s Need) bool { return s.Nr == n.Nr })
		if k < 0 {
			n.unseen(nil)
			continue
		}
		n.unseen(seen.Needs[k].Sites)
		n.Class, n.Condition = seen.Needs[k].Class, seen.Needs[k].Condition
	}
	return all
}

// unseen puts the sites that were seen in front of a need and makes all others conditional.
func (n *Need) unseen(seen []Site) {
	key := func(s *Site) string {
		at := s.Path[len(s.Path)-1]
		return fmt.Sprint(at.Module, at.Address, s.Args, s.Always)
	}
	known := map[string]bool{}
	for i := range seen {
		known[key(&seen[i])] = true
	}
	out := slices.Clone(seen)
	for _, s := range n.Sites {
		if !known[key(&s)] {
			s.Class, s.Condition = finding.Conditional, whenUnseen
			out = append(out, s)
		}
	}
	n.Class, n.Condition, n.Sites = finding.Conditional, whenUnseen, out
}
