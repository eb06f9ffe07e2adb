package elfscan

import (
	"slices"
	"strings"
	"testing"
)

// What a program calls by a name that is not constant may be any function of what is loaded: the scan
// says so. A constant name leads to its function instead.
func TestCallsByName(t *testing.T) {
	const top = "#include <dlfcn.h>\n#include <string.h>\n#include <stdio.h>\n#include <sys/times.h>\nstruct tms t; typedef long (*call)(void *);\n"
	for name, c := range map[string]struct {
		source string
		flags  []string
		want   string // the gap
		times  bool   // whether times is needed
	}{
		"nothing":          {"int main(void) { puts(\"x\"); return 0; }", nil, "", false},
		"constant":         {"int main(void) { return ((call)dlsym(RTLD_DEFAULT, \"times\"))(&t); }", nil, "", true},
		"one of two":       {"int main(int c, char **v) { return ((call)dlsym(RTLD_DEFAULT, c > 1 ? \"times\" : \"getpid\"))(&t); }", nil, "", true},
		"wrapper":          {"__attribute__((noinline)) static call f(const char *n) { return (call)dlsym(RTLD_DEFAULT, n); }\nint main(void) { return f(\"times\")(&t); }", nil, "", true},
		"argument":         {"int main(int c, char **v) { return ((call)dlsym(RTLD_DEFAULT, v[1]))(&t); }", nil, callsByName, false},
		"version":          {"int main(int c, char **v) { return ((call)dlvsym(RTLD_DEFAULT, v[1], \"GLIBC_2.2.5\"))(&t); }", nil, callsByName, false},
		"argument or not":  {"int main(int c, char **v) { return ((call)dlsym(RTLD_DEFAULT, c > 1 ? v[1] : \"times\"))(&t); }", nil, callsByName, true},
		"made up":          {"int main(int c, char **v) { char n[9] = \"tim\"; strcat(n, \"es\"); return ((call)dlsym(dlopen(0, 2), n))(&t); }", nil, callsByName, false},
		"stripped":         {"int main(int c, char **v) { return ((call)dlsym(RTLD_DEFAULT, v[1]))(&t); }", []string{"-s"}, callsByName, false},
		"pointer in code":  {"void *(*volatile look)(void *, const char *);\nint main(int c, char **v) { look = dlsym; return ((call)look(RTLD_DEFAULT, v[1]))(&t); }", nil, callsByName, false},
		"pointer in data":  {"void *(*volatile look)(void *, const char *) = dlsym;\nint main(int c, char **v) { return ((call)look(RTLD_DEFAULT, v[1]))(&t); }", nil, callsByName, false},
		"not called":       {"int unused(char **v) { return ((call)dlsym(RTLD_DEFAULT, v[1]))(&t); }\nint main(void) { return 0; }", nil, "", false},
		"with its library": {"int main(int c, char **v) { return ((call)dlsym(dlopen(v[1], 2), v[2]))(&t); }", nil, bothByName, false},
	} {
		r, err := Scan(gcc(t, "p", top+c.source, c.flags...))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, g := range r.Gaps {
			if strings.Contains(g.Detail, "by names") && g.Kind != GapExec {
				got = append(got, g.Detail)
				if len(g.Path) < 2 {
					t.Errorf("%s: the path is %v", name, g.Path)
				}
			}
		}
		if want := []string{c.want}; c.want == "" && len(got) > 0 || c.want != "" && !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if r.need(t, "times") != nil != c.times || !r.Complete() {
			t.Errorf("%s: complete is %v, times is needed: %v", name, r.Complete(), r.need(t, "times") != nil)
		}
	}
}
