package elfscan

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/profcheck/profcheck/finding"
)

// Unite adds what another program can call that this one starts: the child inherits the filter, so
// a profile is for both. Frames of the child name it as their module. A gap of kind exec that names
// nothing but the children that were united is closed.
func (r *Result) Unite(child *Result) error {
	if child.Arch != r.Arch {
		return fmt.Errorf("%s is for %s, and %s for %s", child.Path, child.Arch.Name, r.Path, r.Arch.Name)
	}
	name := path.Base(child.Path)
	for _, n := range child.Needs {
		n.Sites = slices.Clone(n.Sites)
		for i := range n.Sites {
			n.Sites[i].Path = within(name, n.Sites[i].Path)
		}
		if own := r.Need(n.Nr); own != nil {
			own.unite(n)
			continue
		}
		r.Needs = append(r.Needs, n)
		slices.SortFunc(r.Needs, func(a, b Need) int { return cmp.Compare(a.Nr, b.Nr) })
	}
	for _, u := range child.Unresolved {
		u.Path = within(name, u.Path)
		r.Unresolved = append(r.Unresolved, u)
	}
	r.With = append(r.With, child.Path)
	r.closeGaps(child)
	for _, g := range child.Gaps {
		g.Detail, g.Path = name+" "+g.Detail, within(name, g.Path)
		r.Gaps = append(r.Gaps, g)
	}
	return nil
}

// within names the module of the frames that are a child's own.
func within(name string, p finding.Path) finding.Path {
	p = slices.Clone(p)
	for i := range p {
		if p[i].Module == "" {
			p[i].Module = name
		}
	}
	return p
}

// unite adds the sites of other code: the class is the one whose denial weighs most, and of two
// conditions one is enough.
func (n *Need) unite(other Need) {
	switch {
	case classOrder[other.Class] < classOrder[n.Class]:
		n.Class, n.Condition, n.Detail = other.Class, other.Condition, other.Detail
		n.Sites = append(other.Sites, n.Sites...)
	default:
		if n.Class == other.Class && n.Condition != other.Condition {
			n.Condition += ", or " + other.Condition
		}
		n.Sites = append(slices.Clip(n.Sites), other.Sites...)
	}
	for i := range n.Args {
		a, b := n.Args[i], other.Args[i]
		n.Args[i] = Values{}
		if a.Known && b.Known {
			all := slices.Concat(a.Consts, b.Consts)
			slices.Sort(all)
			if all = slices.Compact(all); len(all) <= maxUnited {
				n.Args[i] = Values{Known: true, Consts: all}
			}
		}
	}
}

// maxUnited bounds the constants of an argument over several programs.
const maxUnited = 256

// closeGaps takes out what r starts if it names nothing but programs that were united.
func (r *Result) closeGaps(child *Result) {
	r.united = append(r.united, child.Path)
	r.united = append(r.united, child.Script...)
	if len(child.Modules) > 0 && len(child.Script) == 0 {
		r.united = append(r.united, child.Modules[0].Path)
	}
	strange := func(name string) bool {
		return !slices.ContainsFunc(r.united, func(u string) bool {
			return u == name || !strings.Contains(name, "/") && path.Base(u) == name // found by PATH
		})
	}
	r.Gaps = slices.DeleteFunc(r.Gaps, func(g Gap) bool {
		return g.Kind == GapExec && len(g.Names) > 0 && !slices.ContainsFunc(g.Names, strange)
	})
}
