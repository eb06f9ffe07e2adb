package loader

import (
	"bytes"
	"debug/elf"
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// glibc finds libraries as ld.so(8) of glibc does, see _dl_map_object in elf/dl-load.c. The
// variable LD_LIBRARY_PATH is not set.
type glibc struct {
	system   []string // directories that are compiled into ld.so
	cacheAt  string   // likewise the cache's place
	lib      string   // value of $LIB
	platform string   // value of $PLATFORM

	cache     map[string][]cacheEntry
	hasCache  bool
	cacheRead bool
	conf      []string // directories of ld.so.conf, where there is no cache
	subdirs   subdirs
	subdirsOf map[string]subdirs // that exist in a directory
	confNoted bool
}

const cachePath = "/etc/ld.so.cache"

var (
	release   = regexp.MustCompile(`release version 2\.(\d{1,3})[^0-9]`)
	slashNul  = []byte("/\x00")
	cacheName = []byte("/ld.so.cache\x00")
)

// systemDirs finds the list of directories in the bytes of ld.so: one string after the other, each
// with a final slash (elf/dl-load.c, system_dirs). Distributions differ: Debian has the multiarch
// ones first, Nix has only its own.
func systemDirs(interp []byte) []string {
	for at := 0; ; {
		i := bytes.Index(interp[at:], slashNul)
		if i < 0 {
			return nil
		}
		at += i + len(slashNul)
		first := stringBefore(interp, at-1)
		if !strings.HasPrefix(first, "/") || !strings.Contains(first, "/lib") {
			continue
		}
		dirs := []string{first}
		for rest := interp[at:]; len(dirs) < 16; {
			next, tail, ok := bytes.Cut(rest[:min(len(rest), maxPath)], []byte{0})
			if !ok || len(next) < 2 || next[0] != '/' || next[len(next)-1] != '/' {
				break
			}
			dirs = append(dirs, string(next))
			rest = tail
		}
		return dirs
	}
}

// stringBefore is the printable text that ends at an offset.
func stringBefore(data []byte, end int) string {
	start := end
	for start > 0 && end-start < maxPath && data[start-1] > ' ' && data[start-1] <= '~' {
		start--
	}
	return string(data[start:end])
}

// newGlibc takes what is compiled into an interpreter from its bytes; without, usual values.
func newGlibc(l *linker, interp []byte) *glibc {
	g := &glibc{cacheAt: cachePath, platform: "x86_64", subdirsOf: map[string]subdirs{}}
	multiarch := "x86_64-linux-gnu"
	if l.program.machine == elf.EM_AARCH64 {
		g.platform, multiarch = "aarch64", "aarch64-linux-gnu"
	}
	g.system = systemDirs(interp)
	if len(g.system) == 0 {
		g.system = []string{
			"/lib/" + multiarch + "/", "/usr/lib/" + multiarch + "/", "/lib64/", "/usr/lib64/", "/lib/", "/usr/lib/",
		}
	}
	// $LIB is the last part of the first directory: lib/x86_64-linux-gnu, lib64 or lib.
	g.lib = strings.TrimPrefix(strings.Trim(g.system[0], "/"), "usr/")
	if i := strings.Index("/"+g.lib, "/lib"); i > 0 {
		g.lib = g.lib[i:]
	}
	if i := bytes.Index(interp, cacheName); i >= 0 {
		g.cacheAt = stringBefore(interp, i+len(cacheName)-1)
	}
	minor := 0
	if i := bytes.Index(interp, []byte("release version 2.")); i >= 0 {
		digits := release.FindSubmatch(interp[i:min(len(interp), i+32)])
		if digits != nil {
			minor, _ = strconv.Atoi(string(digits[1]))
		}
	}
	g.subdirs = hwcapSubdirs(l.program.machine, minor)
	return g
}

func (*glibc) own(string) bool { return false }

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
	if len(dirs) == 0 || len(m.Runpath) > 0 && &dirs[0] != &m.Runpath[0] {
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

func (g *glibc) excluded(by *Loaded, at string) bool {
	if by.Flags1&uint64(elf.DF_1_NODEFLIB) == 0 {
		return false
	}
	for _, d := range g.system {
		if strings.HasPrefix(at, d) {
			return true
		}
	}
	return false
}

func (g *glibc) readCache(r *Root) {
	if g.cacheRead {
		return
	}
	g.cacheRead = true
	const maxCache = 64 << 20
	data, err := r.readAtMost(g.cacheAt, maxCache)
	if err == nil {
		g.cache = parseCache(data)
	}
	if g.hasCache = g.cache != nil; !g.hasCache {
		g.conf = r.confDirs()
	}
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

// expand replaces $ORIGIN, $LIB and $PLATFORM, with or without braces.
func (g *glibc) expand(l *linker, name string, by int) string {
	if !strings.Contains(name, "$") {
		return name
	}
	var out strings.Builder
	for name != "" {
		at := strings.IndexByte(name, '$')
		if at < 0 {
			break
		}
		out.WriteString(name[:at])
		name = name[at:]
		value, n := g.variable(l.c.Modules[by], name[1:])
		if n == 0 {
			value, n = "$", 0
		}
		out.WriteString(value)
		name = name[1+n:]
		if out.Len() > maxPath {
			return ""
		}
	}
	out.WriteString(name)
	return out.String()
}

// variable is the value of the variable that a text starts with, and how long its name is.
func (g *glibc) variable(m *Loaded, text string) (string, int) {
	for _, v := range []struct{ name, value string }{
		{"ORIGIN", path.Dir(m.spelled)}, {"LIB", g.lib}, {"PLATFORM", g.platform},
	} {
		if strings.HasPrefix(text, "{"+v.name+"}") {
			return v.value, len(v.name) + 2
		}
		if rest, ok := strings.CutPrefix(text, v.name); ok && !continues(rest) {
			return v.value, len(v.name)
		}
	}
	return "", 0
}

// continues reports whether a text makes the variable's name before it a longer one (is_dst in
// elf/dl-load.c).
func continues(s string) bool {
	if s == "" {
		return false
	}
	c := s[0]
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '_'
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
