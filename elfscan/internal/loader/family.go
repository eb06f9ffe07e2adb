package loader

import (
	"bytes"
	"path"
	"slices"
	"strings"
)

// Family is code of one kind that a program may load while it runs.
type Family struct {
	Name      string
	Condition string // what makes the files load, for people
	// Named says that the configuration inside the root names these very files, or that they are
	// always loaded together: without, any of them may or may not be used.
	Named bool
	// Triggers are exported functions of which one has to run before any of it is loaded; nil if the
	// program loads it by itself.
	Triggers []string
	Files    []string // in the root, absolute, without links
}

// families are the rules. Each looks for its trigger in the closure, a library or the program
// itself, and returns nothing without.
var families = []func(*surroundings) []Family{
	nssFamilies, libgccFamily, gconvFamily, pamFamily, opensslFamilies, saslFamily, pythonFamily,
	nginxFamilies, lighttpdFamilies, apacheFamilies,
}

// Families lists what a program may load by the rules of the libraries and servers that this
// package knows. Files that the closure has already are left out.
func (r *Root) Families(c *Closure) []Family {
	s := &surroundings{r: r, c: c}
	loaded := map[string]bool{}
	for _, m := range c.Modules {
		loaded[m.Path] = true
	}
	var out []Family
	for _, rule := range families {
		for _, f := range rule(s) {
			hadFiles := len(f.Files) > 0
			f.Files = slices.DeleteFunc(f.Files, func(at string) bool { return loaded[at] })
			if len(f.Files) > 0 || !hadFiles {
				out = append(out, f)
			}
		}
	}
	return out
}

// surroundings are what a rule looks at.
type surroundings struct {
	r *Root
	c *Closure
}

// library is the module with a soname that starts so, nil if there is none.
func (s *surroundings) library(prefix string) *Loaded {
	for _, m := range s.c.Modules {
		if strings.HasPrefix(m.Soname, prefix) {
			return m
		}
	}
	return nil
}

// programIs reports whether the program's file has one of these names.
func (s *surroundings) programIs(names ...string) bool {
	return len(s.c.Modules) > 0 && slices.Contains(names, path.Base(s.c.Modules[0].Path))
}

// files resolves paths, and leaves out what is not there.
func (s *surroundings) files(paths ...string) []string {
	var out []string
	seen := map[string]bool{}
	for _, p := range paths {
		info, inside, err := s.r.stat(p)
		if err == nil && info.Mode().IsRegular() && !seen[inside] {
			seen[inside] = true
			out = append(out, inside)
		}
	}
	return out
}

// objects are the shared objects in a directory.
func (s *surroundings) objects(dir, prefix string) []string {
	var found []string
	for _, name := range s.r.readDir(dir) {
		if strings.HasPrefix(name, prefix) && (strings.HasSuffix(name, ".so") || strings.Contains(name, ".so.")) {
			found = append(found, path.Join(dir, name))
		}
	}
	return s.files(found...)
}

// text is a configuration file, "" if there is none.
func (s *surroundings) text(at string) string {
	text, _ := s.r.readText(at)
	return text
}

// opened is where dlopen would find a name for a module, as a list for Family.Files.
func (s *surroundings) opened(name string, from *Loaded) []string {
	l := s.c.linker
	if l == nil {
		return nil
	}
	by := max(slices.Index(s.c.Modules, from), 0)
	if i, ok := l.names[name]; ok {
		return []string{s.c.Modules[i].Path}
	}
	f, _, reason := l.rules.find(l, name, by)
	if reason != "" {
		return nil
	}
	return []string{f.inside}
}

// builtIn is a setting compiled into a module: the printable text after a prefix, up to a quote or
// a space.
func (m *Loaded) builtIn(prefix string) string {
	for _, s := range m.Segments {
		i := bytes.Index(s.Data, []byte(prefix))
		if i < 0 {
			continue
		}
		value := s.Data[i+len(prefix):]
		value = value[:min(len(value), maxPath)]
		end := bytes.IndexFunc(value, func(c rune) bool { return c <= ' ' || c > '~' || c == '"' || c == '\'' })
		if end > 0 {
			return string(value[:end])
		}
	}
	return ""
}

// withoutComments are the lines of a configuration file, from which comments of "#" are cut.
func withoutComments(text string) []string {
	var out []string
	for line := range strings.SplitSeq(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}
