package loader

import (
	"errors"
	"fmt"
	"path"
	"strings"
)

// Open maps a library as dlopen would for a module of the closure, nil for the program, together
// with what it needs. It returns the library's index first, then those of all that is new; none if
// the library was not found, which is noted in Missing. A library that is there already gives its
// index.
func (r *Root) Open(c *Closure, name string, from *Loaded) ([]int, error) {
	l := c.linker
	if l == nil || l.root != r {
		return nil, errors.New("open " + name + ": the closure is not of this root")
	}
	by := 0
	for i, m := range c.Modules {
		if m == from {
			by = i
		}
	}
	before := len(c.Modules)
	j, reason := l.object(name, by)
	if reason != "" {
		l.missing(name, by, reason)
		if l.tooMany || r.Spent() {
			return nil, fmt.Errorf("open %s: %s", name, reason)
		}
		return nil, nil
	}
	if j < before {
		return []int{j}, nil
	}
	m := c.Modules[j]
	// The module that calls dlopen lends its search path for this one name only.
	m.Opened, m.parent, m.group = true, -1, j
	l.breadthFirst(j)
	l.variants()
	l.checkVersions(before)
	c.index.Store(nil)
	added := []int{j}
	for i := before; i < len(c.Modules); i++ {
		n := c.Modules[i]
		n.Opened = true
		if n.group < 0 {
			n.group = j
		}
		if i != j {
			added = append(added, i)
		}
	}
	return added, nil
}

// OpenDir opens all files of a directory that are shared objects by their names, as for --plugin.
func (r *Root) OpenDir(c *Closure, dir string) ([]int, error) {
	var added []int
	for _, name := range r.readDir(dir) {
		if !strings.HasSuffix(name, ".so") && !strings.Contains(name, ".so.") {
			continue
		}
		got, err := r.Open(c, path.Join(dir, name), nil)
		if err != nil {
			return added, err
		}
		added = append(added, got...)
	}
	return added, nil
}
