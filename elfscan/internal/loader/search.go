package loader

import (
	"debug/elf"
	"io/fs"
	"strings"
)

// search is one lookup by name.
type search struct {
	g        *glibc
	l        *linker
	name     string
	variants []found
	skipped  string // why a candidate was passed over
}

// find implements rules.
func (g *glibc) find(l *linker, name string, by int) (found, []found, string) {
	s := &search{g: g, l: l, name: name}
	if strings.Contains(name, "/") {
		f, verdict := s.try(name)
		if verdict == absent {
			return found{}, nil, s.why()
		}
		return f, nil, verdict.reason()
	}
	for _, stage := range []func(int) (found, verdict){s.rpath, s.runpath, s.fromCache, s.defaults} {
		f, verdict := stage(by)
		if verdict == absent {
			continue
		}
		return f, s.variants, verdict.reason()
	}
	// Only files for newer processors: these machines have the program run, and no others.
	if len(s.variants) > 0 {
		last := len(s.variants) - 1
		return s.variants[last], s.variants[:last], ""
	}
	return found{}, nil, s.why()
}

func (s *search) why() string {
	if s.skipped != "" {
		return s.skipped
	}
	return "not found"
}

// verdict is what came of a candidate: absent to go on, usable, or the reason to give up.
type verdict string

const (
	absent verdict = "absent"
	usable verdict = ""
)

func (v verdict) reason() string { return string(v) }

// try looks at one candidate as open_verify does: what is not there, or is for another class or
// machine, is passed over, but a file that is no library at all ends the search.
func (s *search) try(spelled string) (found, verdict) {
	spelled = s.l.absolute(spelled)
	info, inside, err := s.l.root.stat(spelled)
	if err != nil {
		return found{}, absent
	}
	if !info.Mode().IsRegular() {
		return found{}, verdict(spelled + ": cannot read file data")
	}
	head, err := s.l.root.readHead(inside, headerSize)
	if err != nil {
		if isPermission(err) {
			return found{}, absent
		}
		return found{}, verdict(spelled + ": " + err.Error())
	}
	h, reason := headerOf(head)
	if reason != "" {
		return found{}, verdict(spelled + ": " + reason)
	}
	skip, reason := h.fits(s.l.program)
	switch {
	case skip:
		if s.skipped == "" {
			s.skipped = "not found; " + spelled + " is passed over: " + reason
		}
		return found{}, absent
	case reason != "":
		return found{}, verdict(spelled + ": " + reason)
	}
	return found{spelled, inside, info}, usable
}

// dirs looks in directories, first in their subdirectories for certain processors.
func (s *search) dirs(dirs []string) (found, verdict) {
	for _, dir := range dirs {
		sub := s.g.existing(s.l, dir)
		for _, v := range sub.variants {
			if f, verdict := s.try(join(dir, v+"/"+s.name)); verdict == usable {
				s.variants = append(s.variants, f)
			}
		}
		for _, b := range sub.always {
			if f, verdict := s.try(join(dir, b+"/"+s.name)); verdict != absent {
				return f, verdict
			}
		}
		if f, verdict := s.try(join(dir, s.name)); verdict != absent {
			return f, verdict
		}
	}
	return found{}, absent
}

// rpath looks in the DT_RPATH of the asking module, of what loaded it and so on, at last of the
// program; all that only if the asking module has no DT_RUNPATH. A module that has both tags counts
// as one without DT_RPATH.
func (s *search) rpath(by int) (found, verdict) {
	modules := s.l.c.Modules
	if len(modules[by].Runpath) > 0 {
		return found{}, absent
	}
	sawProgram := false
	for i := by; i >= 0; i = modules[i].parent {
		sawProgram = sawProgram || i == 0
		if f, verdict := s.ofModule(i, modules[i].Rpath); verdict != absent {
			return f, verdict
		}
	}
	if !sawProgram {
		return s.ofModule(0, modules[0].Rpath)
	}
	return found{}, absent
}

func (s *search) ofModule(i int, dirs []string) (found, verdict) {
	m := s.l.c.Modules[i]
	if len(dirs) == 0 || !s.l.root.spend(len(dirs)) || len(m.Runpath) > 0 && &dirs[0] != &m.Runpath[0] {
		return found{}, absent
	}
	expanded := make([]string, 0, len(dirs))
	for _, d := range dirs {
		if d == "" {
			d = "." // an empty element is the working directory
		}
		expanded = append(expanded, s.g.expand(s.l, d, i))
	}
	return s.dirs(expanded)
}

// runpath looks in the DT_RUNPATH of the asking module.
func (s *search) runpath(by int) (found, verdict) {
	return s.ofModule(by, s.l.c.Modules[by].Runpath)
}

// fromCache looks in ld.so.cache. A module with DF_1_NODEFLIB gets nothing from there that is in a
// system directory.
func (s *search) fromCache(by int) (found, verdict) {
	s.g.readCache(s.l.root)
	var first, rest []cacheEntry
	if !s.l.root.spend(len(s.g.cache[s.name])) {
		return found{}, absent
	}
	for _, e := range s.g.cache[s.name] {
		if !e.usable(s.l.program) {
			continue
		}
		if e.Hwcaps == "" {
			first = append(first, e)
		} else {
			rest = append(rest, e)
		}
	}
	for _, e := range rest {
		if s.g.excluded(s.l.c.Modules[by], e.Path) {
			continue
		}
		if f, verdict := s.try(e.Path); verdict == usable {
			s.variants = append(s.variants, f)
		}
	}
	// Only one entry is tried, the first.
	if len(first) == 0 || s.g.excluded(s.l.c.Modules[by], first[0].Path) {
		return found{}, absent
	}
	return s.try(first[0].Path)
}

// defaults looks in the system directories. Where ldconfig has not been run, what it would have
// found counts as well: images are often completed at their first start.
func (s *search) defaults(by int) (found, verdict) {
	if s.l.c.Modules[by].Flags1&uint64(elf.DF_1_NODEFLIB) != 0 {
		return found{}, absent
	}
	if f, verdict := s.dirs(s.g.system); verdict != absent {
		return f, verdict
	}
	f, verdict := s.dirs(s.g.conf)
	if verdict == usable && !s.g.confNoted {
		s.g.confNoted = true
		s.l.c.Notes = append(s.l.c.Notes, "no usable "+s.g.cacheAt+": libraries such as "+f.spelled+" were found by /etc/ld.so.conf, and the loader finds them once ldconfig has run")
	}
	return f, verdict
}

// absolute makes a path that is relative to the working directory absolute, without touching its
// components: "x/../y" is not "y" if x is a link.
func (l *linker) absolute(p string) string {
	if strings.HasPrefix(p, "/") {
		return p
	}
	return join(l.root.cwd, p)
}

func join(dir, name string) string { return strings.TrimRight(dir, "/") + "/" + name }

func isPermission(err error) bool {
	return err == fs.ErrPermission || strings.Contains(err.Error(), fs.ErrPermission.Error())
}
