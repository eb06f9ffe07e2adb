package loader

import (
	"bytes"
	"debug/elf"
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
	if g.cache == nil {
		g.conf = r.confDirs()
	}
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
