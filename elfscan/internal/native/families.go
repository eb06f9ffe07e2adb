package native

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/profcheck/profcheck/elfscan/internal/loader"
)

// triggered reports whether one of the functions is reached that make a family's code load.
func (p *program) triggered(f *loader.Family) bool {
	return len(f.Triggers) == 0 || p.anyReached(f.Triggers...)
}

// openFamilies opens what the libraries load by rules of their own, where these say which files they
// are.
func (p *program) openFamilies() {
	if p.o.Families == nil || p.o.Open == nil {
		return
	}
	families := p.o.Families()
	for i := range families {
		f := &families[i]
		if !f.Named || !p.triggered(f) {
			continue
		}
		for _, file := range f.Files {
			if !p.tried[file] {
				p.tried[file] = true
				p.family[file] = f
				p.o.Open(file, 0)
			}
		}
	}
}

// families are those that count and whose files were not opened.
func (p *program) families() []loader.Family {
	if p.o.Families == nil {
		return nil
	}
	return slices.DeleteFunc(p.o.Families(), func(f loader.Family) bool { return len(f.Files) == 0 || !p.triggered(&f) })
}

// givenModules are the modules that are loaded while the program runs, whatever else is, with what
// they need.
func (p *program) givenModules() map[int]bool {
	given := map[int]bool{}
	for _, m := range p.mods {
		if m.Given {
			p.withNeeds(m, given)
		}
	}
	return given
}

// withNeeds adds an opened module to a set, with the opened ones that come with it.
func (p *program) withNeeds(m *mapped, to map[int]bool) {
	if !m.Opened || to[m.index] {
		return
	}
	to[m.index] = true
	for _, next := range slices.Concat(m.Needs, m.Variants) {
		if next >= 0 && next < len(p.mods) {
			p.withNeeds(p.mods[next], to)
		}
	}
}

// whenLoaded ends the condition of a library that the program opens by name.
const whenLoaded = " is loaded (dlopen)"

// openings are the conditions of libraries that are opened while the program runs: one for each
// that it opens, with what that one needs, and one for each family.
func (p *program) openings() []condition {
	var out []condition
	covered := map[int]bool{}
	byText := map[string]int{}
	add := func(m *mapped) {
		members := map[int]bool{}
		p.withNeeds(m, members)
		text := p.library(m) + whenLoaded
		f := p.family[m.Path]
		if f != nil {
			text = familyText(f)
		}
		i, ok := byText[text]
		if !ok {
			i = len(out)
			byText[text] = i
			out = append(out, condition{text: text, family: f != nil})
		}
		for k := range p.starts.opened {
			if members[k] {
				covered[k] = true
				out[i].roots = append(out[i].roots, p.starts.opened[k]...)
			}
		}
	}
	for _, m := range p.mods {
		if p.starts.opened[m.index] != nil && (!p.needed(m) || p.family[m.Path] != nil) {
			add(m)
		}
	}
	for _, m := range p.mods {
		if p.starts.opened[m.index] != nil && !covered[m.index] {
			add(m) // they need each other
		}
	}
	return out
}

// familyText names the files of a family, up to a few, and why they are loaded.
func familyText(f *loader.Family) string {
	var names []string
	for _, file := range f.Files {
		names = append(names, path.Base(file))
	}
	return anyLoaded(names) + " (" + f.Condition + ")"
}

// maxNamed bounds the libraries that a condition names.
const maxNamed = 3

// anyLoaded says that one of some libraries is loaded.
func anyLoaded(names []string) string {
	switch n := len(names); {
	case n == 1:
		return names[0] + " is loaded"
	case n <= maxNamed:
		return strings.Join(names[:n-1], ", ") + " or " + names[n-1] + " is loaded"
	default:
		return fmt.Sprintf("%s or one of %d more is loaded", strings.Join(names[:maxNamed], ", "), n-maxNamed)
	}
}

// brief makes one alternative of all those that name a library that is opened by name.
func brief(condition string) string {
	if strings.Count(condition, whenLoaded) < 2 {
		return condition
	}
	var names, out []string
	for text := range strings.SplitSeq(condition, orElse) {
		if name, ok := strings.CutSuffix(text, whenLoaded); ok {
			names = append(names, name)
		} else {
			out = append(out, text)
		}
	}
	return strings.Join(append(out, anyLoaded(names)+" (dlopen)"), orElse)
}
