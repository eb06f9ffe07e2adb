package loader

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// server is a program whose configuration names modules of a directory.
type server struct {
	name      string
	condition string   // for modules that its configuration names
	named     []string // their paths
	dirs      []string // where modules are
	prefix    string   // of the names of module files
}

// families are the modules that the configuration names, and the others of the directories, which
// another configuration may name.
func (v *server) families(s *surroundings) []Family {
	var out []Family
	named := s.files(v.named...)
	if named != nil {
		out = append(out, Family{Name: v.name, Condition: v.condition, Named: true, Files: named})
	}
	var others []string
	for _, dir := range v.dirs {
		others = append(others, s.objects(dir, v.prefix)...)
	}
	isNamed := map[string]bool{}
	for _, at := range named {
		isNamed[at] = true
	}
	others = slices.DeleteFunc(s.files(others...), func(at string) bool { return isNamed[at] })
	if len(others) > 0 {
		out = append(out, Family{Name: v.name + ", others", Condition: "another configuration than the root's names the module", Files: others})
	}
	return out
}

// nginxFamilies are the modules of load_module in nginx.conf. The paths of the configuration, of
// modules and the prefix for relative names are compiled in ("nginx -V").
func nginxFamilies(s *surroundings) []Family {
	if !s.programIs("nginx") {
		return nil
	}
	program := s.c.Modules[0]
	conf := firstOf(program.builtIn("--conf-path="), "/etc/nginx/nginx.conf")
	prefix := firstOf(program.builtIn("--prefix="), "/usr/share/nginx")
	v := server{
		name: "nginx modules", condition: "load_module of " + conf,
		dirs: []string{firstOf(program.builtIn("--modules-path="), path.Join(prefix, "modules"))},
	}
	n := confWalk{s: s, base: path.Dir(conf), statement: func(words []string) (include string) {
		switch {
		case len(words) == 2 && words[0] == "include":
			return words[1]
		case len(words) == 2 && words[0] == "load_module":
			v.named = append(v.named, absoluteIn(prefix, words[1]))
		}
		return ""
	}, split: nginxStatements}
	n.file(conf, 0)
	return v.families(s)
}

// nginxStatements are the statements outside of any block.
func nginxStatements(text string) (out [][]string) {
	depth, start := 0, 0
	text = strings.Join(withoutComments(text), "\n")
	for i := range len(text) {
		switch text[i] {
		case '{', '}', ';':
			if depth == 0 && text[i] == ';' {
				out = append(out, unquoted(text[start:i]))
			}
			start = i + 1
		}
		switch text[i] {
		case '{':
			depth++
		case '}':
			depth = max(depth-1, 0)
		}
	}
	return out
}

var lighttpdModule = regexp.MustCompile(`"(mod_[a-z0-9_]+)"`)

// lighttpdFamilies are the modules of server.modules. Three that serve files are added to any list
// (config_set_defaults in configfile.c); some of the others are built into the program.
func lighttpdFamilies(s *surroundings) []Family {
	if !s.programIs("lighttpd") {
		return nil
	}
	const conf = "/etc/lighttpd/lighttpd.conf"
	v := server{name: "lighttpd modules", condition: "server.modules of " + conf, prefix: "mod_"}
	for _, dir := range []string{"/usr/lib/lighttpd", "/usr/lib64/lighttpd", "/usr/local/lib/lighttpd", "/usr/local/lib"} {
		if len(s.objects(dir, "mod_")) > 0 {
			v.dirs = []string{dir}
			break
		}
	}
	if v.dirs == nil {
		return nil
	}
	names := []string{"mod_indexfile", "mod_dirlisting", "mod_staticfile"}
	n := confWalk{s: s, base: path.Dir(conf), statement: func(words []string) (include string) {
		if len(words) == 2 && words[0] == "include" {
			return words[1]
		}
		for _, m := range lighttpdModule.FindAllStringSubmatch(strings.Join(words, " "), -1) {
			names = append(names, m[1])
		}
		return ""
	}, split: func(text string) (out [][]string) {
		for _, line := range withoutComments(text) {
			if words := unquoted(line); len(words) > 0 && words[0] == "include" {
				out = append(out, words)
				continue
			}
			out = append(out, []string{line})
		}
		return out
	}}
	n.file(conf, 0)
	for _, name := range names {
		v.named = append(v.named, path.Join(v.dirs[0], name+".so"))
	}
	return v.families(s)
}

// apacheFamilies are the modules of LoadModule. The root of the configuration is compiled in
// ("apachectl -V"), as Debian, Fedora and the server's own image have it.
func apacheFamilies(s *surroundings) []Family {
	if !s.programIs("apache2", "httpd") {
		return nil
	}
	var conf string
	for _, at := range []string{"/etc/apache2/apache2.conf", "/etc/httpd/conf/httpd.conf", "/usr/local/apache2/conf/httpd.conf", "/etc/apache2/httpd.conf"} {
		if s.r.exists(at) {
			conf = at
			break
		}
	}
	root := strings.TrimSuffix(path.Dir(conf), "/conf")
	v := server{name: "apache modules", condition: "LoadModule of " + conf}
	n := confWalk{s: s, statement: func(words []string) (include string) {
		switch {
		case len(words) >= 2 && words[0] == "serverroot":
			root = words[1]
		case len(words) >= 2 && (words[0] == "include" || words[0] == "includeoptional"):
			return absoluteIn(root, words[1])
		case len(words) >= 3 && words[0] == "loadmodule":
			v.named = append(v.named, absoluteIn(root, words[2]))
		}
		return ""
	}, split: func(text string) (out [][]string) {
		for _, line := range withoutComments(text) {
			if words := unquoted(line); len(words) > 0 {
				words[0] = strings.ToLower(words[0])
				out = append(out, words)
			}
		}
		return out
	}}
	if conf != "" {
		n.file(conf, 0)
	}
	v.dirs = []string{"/usr/lib/apache2/modules", "/usr/lib64/httpd/modules", "/usr/local/apache2/modules", "/usr/lib/apache2"}
	v.prefix = "mod_"
	return v.families(s)
}

// confWalk reads a configuration file with those that it includes.
type confWalk struct {
	s         *surroundings
	base      string // of relative includes
	split     func(text string) [][]string
	statement func(words []string) (include string) // the pattern of files to include, "" if none
	files     int
}

func (w *confWalk) file(at string, depth int) {
	if w.files++; w.files > maxConfFiles || depth > maxConfDepth {
		return
	}
	for _, words := range w.split(w.s.text(at)) {
		pattern := w.statement(words)
		if pattern == "" {
			continue
		}
		for _, f := range w.s.r.glob(absoluteIn(w.base, pattern)) {
			w.file(f, depth+1)
		}
	}
}

// unquoted are the words of a statement without quotes around them.
func unquoted(s string) []string {
	words := strings.Fields(s)
	for i, w := range words {
		words[i] = strings.Trim(w, `"'`)
	}
	return words
}

func absoluteIn(dir, at string) string {
	if strings.HasPrefix(at, "/") {
		return at
	}
	return path.Join("/", dir, at)
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
