package elfscan

import (
	"fmt"
	"path"
	"strings"

	"github.com/profcheck/profcheck/elfscan/internal/loader"
	"github.com/profcheck/profcheck/elfscan/internal/native"
	"github.com/profcheck/profcheck/finding"
)

// families lists what the process may load by rules that are known: modules of the name service, of
// PAM, of servers and the like.
func (a *analysis) families() []loader.Family {
	return a.root.Families(a.Closure)
}

// familyGaps says what of these was not read. What the configuration in the root names, and could not
// be opened, stands apart from what another configuration could: which of that a program uses depends
// on what it is asked to do.
func familyGaps(families []loader.Family) []Gap {
	named := Gap{Kind: GapDlopen, Detail: "may load what the root's configuration names: "}
	other := Gap{Kind: GapDlopen, Detail: "can be told to load "}
	for _, f := range families {
		g := &other
		if f.Named {
			g = &named
		}
		if len(g.Names) > 0 {
			g.Detail += "; "
		}
		g.Detail += familyText(f)
		g.Names = append(g.Names, f.Files...)
	}
	var out []Gap
	for _, g := range []Gap{named, other} {
		if len(g.Names) > 0 {
			out = append(out, g)
		}
	}
	return out
}

// doubt tells of a place whose number is not known if only what a family loads leads to it. It does
// not make the scan incomplete, as no file of a family does that is not read at all: whether it is
// loaded depends on what the program is asked to do.
func (a *analysis) doubt(out *outcome, at finding.Frame, u native.Unresolved, way finding.Path) {
	out.Gaps = append(out.Gaps, Gap{Kind: GapDlopen, Names: []string{at.Module}, Path: way,
		Detail: fmt.Sprintf("%s makes calls that are not known (%s at %#x: %s), if %s", at.Module, at.Function, at.Address, u.Reason, u.Family)})
}

// familyText names the files of a family, if they are few, and the condition.
func familyText(f loader.Family) string {
	const few = 3
	if len(f.Files) > few {
		return fmt.Sprintf("%d files of %s (%s)", len(f.Files), f.Name, f.Condition)
	}
	var names []string
	for _, file := range f.Files {
		names = append(names, path.Base(file))
	}
	return strings.Join(names, ", ") + " (" + f.Condition + ")"
}
