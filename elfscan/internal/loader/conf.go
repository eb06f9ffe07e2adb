package loader

import (
	"path"
	"strings"
)

// Limits for ld.so.conf: ldconfig itself has 10 for nested includes.
const (
	maxConfDepth = 10
	maxConfFiles = 1000
	maxConfSize  = 1 << 20
	maxConfDirs  = 1000
)

// confDirs are the directories that /etc/ld.so.conf names, with the files that it includes, as
// ldconfig reads it.
func (r *Root) confDirs() []string {
	c := confReader{root: r}
	c.file("/etc/ld.so.conf", 0)
	return c.dirs
}

type confReader struct {
	root  *Root
	dirs  []string
	files int
}

func (c *confReader) file(name string, depth int) {
	if c.files++; c.files > maxConfFiles || depth > maxConfDepth {
		return
	}
	text, err := c.root.readText(name)
	if err != nil {
		return
	}
	dirs, includes := parseConf(text, name)
	for i, d := range dirs {
		// An include stands between the directories, at its place.
		if d != "" {
			if len(c.dirs) < maxConfDirs {
				c.dirs = append(c.dirs, d)
			}
			continue
		}
		for _, f := range c.root.glob(includes[i]) {
			c.file(f, depth+1)
		}
	}
}

// parseConf reads the lines of one file: dirs[i] is a directory, or "" where includes[i] is the
// pattern of files to include.
func parseConf(text, name string) (dirs []string, includes map[int]string) {
	includes = map[int]string{}
	for line := range strings.SplitSeq(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		line = strings.Trim(line, " \t\r\f\v")
		word, rest, _ := strings.Cut(strings.ReplaceAll(line, "\t", " "), " ")
		switch {
		case word == "include":
			for pattern := range strings.FieldsSeq(rest) {
				if !strings.HasPrefix(pattern, "/") {
					pattern = path.Join(path.Dir(name), pattern)
				}
				includes[len(dirs)] = pattern
				dirs = append(dirs, "")
			}
		case word == "hwcap":
			// Read and ignored since glibc 2.33.
		case strings.HasPrefix(line, "/"):
			dir, _, _ := strings.Cut(line, "=") // "=libc6" is the type that older systems needed
			dirs = append(dirs, path.Clean(strings.TrimRight(dir, " \t")))
		}
	}
	return dirs, includes
}

// glob lists the files inside the root that match a pattern of absolute path, sorted. Wildcards
// are of path.Match; none may cross a slash.
func (r *Root) glob(pattern string) []string {
	found := []string{"/"}
	for part := range strings.SplitSeq(strings.TrimPrefix(path.Clean(pattern), "/"), "/") {
		var next []string
		for _, dir := range found {
			if len(next) > maxConfFiles {
				break
			}
			if !strings.ContainsAny(part, `*?[\`) {
				if at := path.Join(dir, part); r.exists(at) {
					next = append(next, at)
				}
				continue
			}
			for _, name := range r.readDir(dir) {
				if ok, err := path.Match(part, name); err == nil && ok && (name[0] != '.' || part[0] == '.') {
					next = append(next, path.Join(dir, name))
				}
			}
		}
		if found = next; len(found) > maxConfFiles {
			return found[:maxConfFiles]
		}
	}
	return found
}

func (r *Root) exists(path string) bool {
	_, _, err := r.Resolve(path)
	return err == nil
}
