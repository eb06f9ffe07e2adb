package elfscan

import (
	"os"
	"path/filepath"
	"runtime"
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

// A static program with glibc inside loads libraries as any other does, also if it is stripped of the
// names by which that is seen; one that does not ask for it gets no note for what glibc links in.
func TestStaticLoads(t *testing.T) {
	const top = "#include <dlfcn.h>\n#include <stdio.h>\nvoid *volatile v;\n"
	for name, c := range map[string]struct{ source, want string }{
		"nothing":   {"int main(void) { puts(\"x\"); return 0; }", ""},
		"wide":      {"#include <wchar.h>\n#include <locale.h>\nint main(void) { setlocale(LC_ALL, \"\"); wprintf(L\"x\"); return 0; }", ""},
		"load":      {"int main(int c, char **a) { v = dlopen(a[1], RTLD_NOW); return 0; }", loadsByName},
		"space":     {"int main(int c, char **a) { v = dlmopen(LM_ID_NEWLM, a[1], RTLD_NOW); return 0; }", loadsByName},
		"call":      {"int main(int c, char **a) { v = dlopen(a[1], RTLD_NOW); return ((int (*)(void))dlsym(v, a[2]))(); }", bothByName},
		"only call": {"int main(int c, char **a) { return ((int (*)(void))dlsym(RTLD_DEFAULT, a[2]))(); }", callsByName},
		"constant":  {"int main(void) { v = dlopen(\"libnone.so.7\", RTLD_NOW); return ((int (*)(void))dlsym(v, \"none\"))(); }", "opens libraries that are not there: libnone.so.7"},
		"pointers":  {"struct { int x; void *(*o)(const char *, int); } volatile p = {1, dlopen};\nint main(int c, char **a) { v = p.o(a[1], RTLD_NOW); return 0; }", loadsByName},
	} {
		for _, flags := range [][]string{{"-static"}, {"-static", "-s"}, {"-static-pie", "-s"}} {
			r, err := Scan(gcc(t, "p", top+c.source, flags...))
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, g := range r.Gaps {
				if g.Kind == GapDlopen || g.Kind == GapCode {
					got += g.Detail
				}
			}
			if got != c.want {
				t.Errorf("%s, %v: %q, want %q", name, flags, got, c.want)
			}
		}
	}
}

// What nsswitch.conf names counts for a static program that asks the name services.
func TestStaticNameService(t *testing.T) {
	root := t.TempDir()
	put := func(at, from, text string) {
		t.Helper()
		if from != "" {
			data, err := os.ReadFile(from)
			if err != nil {
				t.Fatal(err)
			}
			text = string(data)
		}
		at = filepath.Join(root, at)
		if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	number := map[string]string{"amd64": `mov $165, %eax; syscall`, "arm64": `mov x8, 40; svc 0`}[runtime.GOARCH]
	put("lib64/libnss_x.so.2", gcc(t, "x", `__attribute__((constructor)) static void c(void) { __asm__ volatile("`+number+`"); }`, "-shared", "-fPIC", "-nostdlib", "-Wl,-soname,libnss_x.so.2"), "")
	put("etc/nsswitch.conf", "", "passwd: files x\n")
	for _, c := range []struct {
		call string
		want bool
	}{{"getpwuid(7)", true}, {"getpwnam(\"x\")", true}, {"getgrgid(7)", false}, {"getpid()", false}} {
		for _, flags := range [][]string{{"-static"}, {"-static", "-s"}, {"-static-pie", "-s"}} {
			put("p", gcc(t, "p", "#include <pwd.h>\n#include <grp.h>\n#include <unistd.h>\nlong volatile v;\nint main(void) { v = (long)"+c.call+"; return 0; }", flags...), "")
			r, err := Options{Root: root}.Scan("/p")
			if err != nil {
				t.Fatal(err)
			}
			if n := r.need(t, "mount"); n != nil != c.want || n != nil && !strings.Contains(n.Condition, "names x for passwd") {
				t.Errorf("%s, %v: mount is %+v, gaps %+v", c.call, flags, n, r.Gaps)
			}
		}
	}
}
