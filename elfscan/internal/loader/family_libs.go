package loader

import (
	"path"
	"regexp"
)

// opensslFamilies are the providers and engines of OpenSSL, from the directories that libcrypto was
// built with ("openssl version -m -e" prints them).
func opensslFamilies(s *surroundings) []Family {
	crypto := s.library("libcrypto.so.")
	if crypto == nil {
		return nil
	}
	var out []Family
	add := func(name, setting, condition string, triggers []string) {
		dir := crypto.builtIn(setting + `: "`)
		if dir == "" {
			return
		}
		if files := s.objects(dir, ""); files != nil {
			out = append(out, Family{Name: name, Condition: condition, Triggers: triggers, Files: files})
		}
	}
	add("openssl providers", "MODULESDIR", "openssl.cnf or the program asks for the provider", providerLoaders)
	add("openssl engines", "ENGINESDIR", "openssl.cnf or the program asks for the engine", engineLoaders)
	return out
}

// saslFamily are the mechanisms of Cyrus SASL: it opens all in its directory when a client or
// server starts with it, seen with curl and LDAP on Debian 12.
func saslFamily(s *surroundings) []Family {
	sasl := s.library("libsasl2.so.")
	if sasl == nil {
		return nil
	}
	files := s.objects(path.Join(path.Dir(sasl.Path), "sasl2"), "")
	if files == nil {
		return nil
	}
	return []Family{{Name: "sasl", Condition: "a peer is authenticated by SASL: all mechanisms of the directory are opened", Named: true, Triggers: saslStarters, Files: files}}
}

var (
	pythonLibrary = regexp.MustCompile(`^libpython(3\.\d+)[a-z]*\.so\b`)
	pythonProgram = regexp.MustCompile(`^python(3\.\d+)[a-z]*$`)
)

// pythonFamily are the extension modules of the standard library, in lib-dynload. Python finds its
// library directory from the program's place and from the prefix it was built with.
func pythonFamily(s *surroundings) []Family {
	if len(s.c.Modules) == 0 {
		return nil
	}
	version := ""
	prefixes := []string{"/usr", "/usr/local", path.Dir(path.Dir(s.c.Modules[0].Path))}
	if m := pythonProgram.FindStringSubmatch(path.Base(s.c.Modules[0].Path)); m != nil {
		version = m[1]
	}
	for _, m := range s.c.Modules {
		if v := pythonLibrary.FindStringSubmatch(m.Soname); v != nil {
			version = v[1]
			prefixes = append(prefixes, path.Dir(path.Dir(m.Path)))
		}
	}
	if version == "" {
		return nil
	}
	var found []string
	for _, prefix := range prefixes {
		for _, lib := range []string{"lib", "lib64"} {
			found = append(found, s.objects(path.Join(prefix, lib, "python"+version, "lib-dynload"), "")...)
		}
	}
	files := s.files(found...)
	if files == nil {
		return nil
	}
	return []Family{{Name: "python " + version, Condition: "a script imports the module", Triggers: pythonStarters, Files: files}}
}
