package elfscan

import (
	"fmt"
	"path"
	"strings"

	"github.com/profcheck/profcheck/elfscan/internal/loader"
)

// familyGaps says what the process may load by rules that are known: modules of the name service, of
// PAM, of servers and the like. What the configuration in the root names stands apart from what
// another configuration could. None of it is read unless it is given as a plugin: which of it a
// program uses depends on what it is asked to do.
func (p *process) familyGaps() []Gap {
	named := Gap{Kind: GapDlopen, Detail: "may load what the root's configuration names: "}
	other := Gap{Kind: GapDlopen, Detail: "can be told to load "}
	for _, f := range p.root.Families(p.Closure) {
		if len(f.Files) == 0 {
			continue // of no use to a scan
		}
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
