package loader

import (
	"bytes"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/profcheck/profcheck/elfscan/internal/module"
)

// glibcRelease is the minor version of glibc 2 by the versions that its C library defines, 0 if the
// closure has none.
func (s *surroundings) glibcRelease() int {
	libc := s.library("libc.so.6")
	if libc == nil {
		return 0
	}
	newest := 0
	for _, v := range libc.bind.defines {
		text, ok := strings.CutPrefix(v, "GLIBC_2.")
		minor, err := strconv.Atoi(text)
		if ok && err == nil {
			newest = max(newest, minor)
		}
	}
	return newest
}

// nssFamilies are the modules of the name service switch: libnss_X.so.2 for each service X of
// nsswitch.conf(5). glibc 2.34 took "files" and "dns" into libc (its NEWS). Without the file, or for
// a database that is not in it, only these two are used (nss/nss_database.c). libnss_systemd is
// what id, nginx and lighttpd were seen to open on Debian 12.
func nssFamilies(s *surroundings) []Family {
	libc, builtIn := s.library("libc.so.6"), s.glibcRelease() >= 34
	switch program := s.staticGlibc(); {
	case libc != nil && s.glibcRelease() > 0:
	case program != nil && program.holds("/etc/nsswitch.conf\x00"):
		libc, builtIn = program, program.holds("_nss_files_")
	default:
		return nil
	}
	databases := parseNsswitch(s.text("/etc/nsswitch.conf"))
	if len(databases) == 0 {
		databases = []database{{"hosts", []string{"dns", "files"}}, {"passwd", []string{"files"}}}
	}
	var out []Family
	by := map[string][]string{} // the databases of each service
	var services []string
	for _, d := range databases {
		for _, service := range d.services {
			if by[service] == nil {
				services = append(services, service)
			}
			by[service] = append(by[service], d.name)
		}
	}
	for _, service := range services {
		if builtIn && (service == "files" || service == "dns") {
			continue
		}
		if files := s.opened("libnss_"+service+".so.2", libc); files != nil {
			out = append(out, Family{
				Name:      "nss " + service,
				Condition: "/etc/nsswitch.conf names " + service + " for " + strings.Join(by[service], ", "),
				Named:     true, Triggers: lookups(by[service]), Files: files,
			})
		}
	}
	return out
}

// staticGlibc is the program if it has glibc inside, with the part of its loader that opens libraries,
// nil otherwise. A text of that part tells, as such programs are stripped more often than not.
func (s *surroundings) staticGlibc() *Loaded {
	if len(s.c.Modules) == 0 {
		return nil
	}
	if m := s.c.Modules[0]; m.Module.Interp == "" && len(m.Needed) == 0 && m.holds("invalid mode for dlopen()\x00") {
		return m
	}
	return nil
}

// holds reports whether a module's image has a text in it.
func (m *Loaded) holds(text string) bool {
	return slices.ContainsFunc(m.Segments, func(s module.Segment) bool { return bytes.Contains(s.Data, []byte(text)) })
}

// database is a line of nsswitch.conf.
type database struct {
	name     string
	services []string
}

const maxServices = 100

// parseNsswitch reads nsswitch.conf: a database, a colon, services with actions in brackets between
// them.
func parseNsswitch(text string) []database {
	var out []database
	for _, line := range withoutComments(text) {
		name, list, ok := strings.Cut(line, ":")
		if !ok || len(out) >= maxServices {
			continue
		}
		d := database{name: strings.TrimSpace(name)}
		inAction := false
		for _, r := range strings.FieldsFunc(spaced(list), func(r rune) bool { return r == ' ' || r == '\t' || r == '\r' }) {
			switch {
			case r == "[":
				inAction = true
			case r == "]":
				inAction = false
			case !inAction && !strings.ContainsAny(r, "/\x00") && !slices.Contains(d.services, r) && len(d.services) < maxServices:
				d.services = append(d.services, r)
			}
		}
		out = append(out, d)
	}
	return out
}

// spaced puts spaces around brackets: they need none in the file.
func spaced(s string) string {
	return strings.NewReplacer("[", " [ ", "]", " ] ").Replace(s)
}

// libgccFamily is the unwinder that glibc opens when a thread is cancelled or ends by pthread_exit,
// and for backtrace(3): __libc_unwind_link_get in misc/unwind-link.c.
func libgccFamily(s *surroundings) []Family {
	libc := s.library("libc.so.6")
	if libc == nil {
		return nil
	}
	files := s.opened("libgcc_s.so.1", libc)
	if files == nil {
		return nil
	}
	return []Family{{Name: "libgcc_s", Condition: "a thread is cancelled, pthread_exit or backtrace is called", Named: true, Triggers: unwinders, Files: files}}
}

// gconvFamily names the character set converters of glibc. They are not listed: they add nothing to
// what libc itself calls (measured with all of Debian 12's, glibc 2.36).
func gconvFamily(s *surroundings) []Family {
	if s.library("libc.so.6") == nil {
		return nil
	}
	return []Family{{Name: "gconv", Condition: "text is converted by iconv: the converters add no system calls"}}
}

// pamFamily are the modules that the services of pam.d(5) name. A name without a directory is below
// "security" beside libpam.
func pamFamily(s *surroundings) []Family {
	pam := s.library("libpam.so.")
	if pam == nil {
		return nil
	}
	var found []string
	add := func(text string, hasService bool) {
		for _, module := range pamModules(text, hasService) {
			if !strings.HasPrefix(module, "/") {
				module = path.Join(path.Dir(pam.Path), "security", module)
			}
			found = append(found, module)
		}
	}
	add(s.text("/etc/pam.conf"), true)
	for _, dir := range []string{"/etc/pam.d", "/usr/lib/pam.d"} {
		for _, name := range s.r.readDir(dir) {
			add(s.text(path.Join(dir, name)), false)
		}
	}
	slices.Sort(found)
	files := s.files(slices.Compact(found)...)
	if files == nil {
		return nil
	}
	return []Family{{Name: "pam", Condition: "a user is authenticated: a service of /etc/pam.d names the module", Named: true, Triggers: pamStarters, Files: files}}
}

// pamModules are the module paths in a file of services: type, control (a word or brackets), path.
func pamModules(text string, hasService bool) []string {
	var out []string
	for _, line := range withoutComments(strings.ReplaceAll(text, "\\\n", " ")) {
		if hasService {
			_, line, _ = strings.Cut(strings.ReplaceAll(line, "\t", " "), " ")
		}
		fields := strings.Fields(line)
		if len(fields) < 3 || strings.HasPrefix(fields[0], "@") {
			continue
		}
		i := 1
		if strings.HasPrefix(fields[1], "[") {
			for i < len(fields)-1 && !strings.HasSuffix(fields[i], "]") {
				i++
			}
		}
		control := fields[1]
		if i+1 < len(fields) && control != "include" && control != "substack" {
			out = append(out, fields[i+1])
		}
	}
	return out
}
