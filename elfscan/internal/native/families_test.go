package native

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/elfscan/internal/loader"
	"github.com/profcheck/profcheck/finding"
)

// mounter is a library whose constructor makes a call that nothing else here makes.
func mounter(t *testing.T, name string) string {
	return compile(t, "#include <sys/mount.h>\n__attribute__((constructor)) static void c(void) { mount(\"a\", \"b\", \"c\", 0, 0); }", "-shared", "-fPIC", "-Wl,-soname,"+name)
}

// opening analyses a program of this machine that may open libraries, with families.
func opening(t *testing.T, path string, given []string, families ...loader.Family) *Result {
	t.Helper()
	root, err := loader.NewRoot("")
	if err != nil {
		t.Fatal(err)
	}
	c, err := root.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range given {
		added, err := root.Open(c, g, nil)
		if err != nil || len(added) == 0 {
			t.Fatalf("%s: %v", g, err)
		}
		c.Modules[added[0]].Given = true
	}
	return Analyse(c, facts, Options{
		Open: func(name string, from int) bool {
			added, err := root.Open(c, name, c.Modules[from])
			return err == nil && len(added) > 0
		},
		Families: func() []loader.Family {
			return slices.DeleteFunc(slices.Clone(families), func(f loader.Family) bool {
				return slices.ContainsFunc(c.Modules, func(m *loader.Loaded) bool { return slices.Contains(f.Files, m.Path) })
			})
		},
	})
}

// What only a library needs that may be loaded is conditional, and the condition names it; of a
// library that is known to be loaded nothing is.
func TestOpenedByName(t *testing.T) {
	var libraries []string
	for i := range 5 {
		libraries = append(libraries, mounter(t, fmt.Sprintf("lib%c.so.1", 'a'+i)))
	}
	for n, want := range map[int]string{
		1: "liba.so.1 is loaded (dlopen)", 2: "liba.so.1 or libb.so.1 is loaded (dlopen)", 3: "liba.so.1, libb.so.1 or libc.so.1 is loaded (dlopen)",
		5: "liba.so.1, libb.so.1, libc.so.1 or one of 2 more is loaded (dlopen)",
	} {
		source := "#include <dlfcn.h>\nint main(void) {"
		for _, l := range libraries[:n] {
			source += fmt.Sprintf("dlopen(%q, RTLD_NOW);", l)
		}
		program := compile(t, source+"return 0; }", "-ldl")
		if need := needOf(opening(t, program, nil), "mount"); need == nil || need.Class != finding.Conditional || need.Condition != want {
			t.Errorf("%d libraries: %+v, want %s", n, need, want)
		}
		if need := needOf(opening(t, program, libraries[:1]), "mount"); need == nil || need.Class != finding.Required || need.Condition != "" {
			t.Errorf("%d libraries, one of them given: %+v", n, need)
		}
	}
}

// A family counts once one of the functions is reached that make it load; then what is sure to load is
// opened, and the rest is told.
func TestFamilyTriggers(t *testing.T) {
	library, err := filepath.EvalSymlinks(mounter(t, "libnss_x.so.2"))
	if err != nil {
		t.Fatal(err)
	}
	family := loader.Family{Name: "x", Condition: "somebody says so", Named: true, Triggers: []string{"getpwnam"}, Files: []string{library}}
	looks := compile(t, "#include <pwd.h>\nint main(void) { return getpwnam(\"x\") != 0; }")
	need := needOf(opening(t, looks, nil, family), "mount")
	if need == nil || need.Class != finding.Conditional || !strings.HasSuffix(need.Condition, " is loaded (somebody says so)") {
		t.Errorf("a program that looks users up: %+v", need)
	}
	other := family
	other.Named = false
	if res := opening(t, looks, nil, other); needOf(res, "mount") != nil || len(res.Families) != 1 {
		t.Errorf("a family that may load: %+v, families %+v", needOf(res, "mount"), res.Families)
	}
	idle := compile(t, "#include <stdio.h>\nint main(void) { puts(\"x\"); return 0; }")
	for _, f := range []loader.Family{family, other} {
		if res := opening(t, idle, nil, f); needOf(res, "mount") != nil || len(res.Families) != 0 {
			t.Errorf("a program that looks nothing up: %+v, families %+v", needOf(res, "mount"), res.Families)
		}
	}
}

// A number that only a family's code does not tell is told apart from others.
func TestFamilyUnresolved(t *testing.T) {
	library, err := filepath.EvalSymlinks(compile(t, "#include <unistd.h>\n#include <stdlib.h>\n__attribute__((constructor)) static void c(void) { syscall(atoi(getenv(\"N\"))); }", "-shared", "-fPIC"))
	if err != nil {
		t.Fatal(err)
	}
	family := loader.Family{Name: "x", Condition: "somebody says so", Named: true, Triggers: []string{"getpwnam"}, Files: []string{library}}
	const looks = "#include <pwd.h>\nint main(void) { return getpwnam(\"x\") != 0; }"
	res := opening(t, compile(t, looks), nil, family)
	if len(res.Unresolved) != 1 || !strings.HasSuffix(res.Unresolved[0].Family, " is loaded (somebody says so)") {
		t.Errorf("%+v", res.Unresolved)
	}
	program := compile(t, strings.Replace(looks, "return", fmt.Sprintf("dlopen(%q, 2); return", library), 1), "-ldl")
	for what, res := range map[string]*Result{"given": opening(t, compile(t, looks), []string{library}, family), "opened by name, too": opening(t, program, nil)} {
		if len(res.Unresolved) != 1 || res.Unresolved[0].Family != "" {
			t.Errorf("%s: %+v", what, res.Unresolved)
		}
	}
}

// The names of triggers are those of this machine's libc, as far as it still has them.
func TestTriggersExist(t *testing.T) {
	program := compile(t, "int main(void) { return 0; }")
	_, c := analyse(t, program, Options{})
	if !glibc(c) {
		lack(t, "needs glibc")
	}
	for _, name := range []string{"pthread_cancel", "backtrace", "getpwnam_r", "getgrouplist", "getaddrinfo", "getspnam", "getsgnam", "getservbyname_r", "innetgr", "ether_hostton", "getaliasbyname", "getrpcbyname", "getprotobyname", "getnetbyname"} {
		if _, _, ok := c.LookupName(name); !ok || !slices.Contains(loader.Triggers(), name) {
			t.Errorf("%s: in the libc is %v", name, ok)
		}
	}
}
