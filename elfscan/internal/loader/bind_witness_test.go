package loader

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// bound is one line of LD_DEBUG=bindings.
type bound struct{ from, to, name, version string }

var bindingLine = regexp.MustCompile("binding file (\\S+) \\[0\\] to (\\S+) \\[0\\]: (?:normal|protected) symbol `([^']*)'(?: \\[([^]]*)\\])?")

// bindingsBy lets the loader bind everything without running the program, as "ldd -r" does.
func bindingsBy(t testing.TB, r *Root, interp, program string) map[bound]bool {
	t.Helper()
	cmd := exec.Command(interp, program)
	cmd.Env = cleanEnv("LD_TRACE_LOADED_OBJECTS=1", "LD_WARN=yes", "LD_BIND_NOW=yes", "LD_DEBUG=bindings")
	var errors strings.Builder
	cmd.Stderr = &errors
	_ = cmd.Run()
	resolved := map[string]string{}
	inside := func(p string) string {
		if _, ok := resolved[p]; !ok {
			_, at, err := r.Resolve(p)
			if err != nil {
				t.Errorf("%s: %v", p, err)
			}
			resolved[p] = at
		}
		return resolved[p]
	}
	out := map[bound]bool{}
	for line := range strings.Lines(errors.String()) {
		if m := bindingLine.FindStringSubmatch(line); m != nil && !strings.HasPrefix(m[1], "linux-vdso") {
			out[bound{inside(m[1]), inside(m[2]), m[3], m[4]}] = true
		}
	}
	return out
}

// bindings are ours, of every relocation that names a symbol.
func bindings(c *Closure) map[bound]bool {
	out := map[bound]bool{}
	for i, m := range c.Modules {
		for _, rel := range m.Relocs {
			if rel.Symbol == 0 {
				continue
			}
			ref := &m.Symbols[rel.Symbol]
			if to, _, ok := c.LookupReloc(rel.Kind, ref, i); ok {
				out[bound{m.Path, c.Modules[to].Path, ref.Name, ref.Version}] = true
			}
		}
	}
	return out
}

// Every symbol of a sample of the machine's programs is bound where the loader binds it. It binds
// nothing of itself while tracing, and local symbols are no matter of its search.
func TestSystemBindings(t *testing.T) {
	r := ownRoot(t)
	all := systemPrograms(t)
	var programs []string
	for at, interp := range all {
		if strings.Contains(interp, "/ld-linux") {
			programs = append(programs, at)
		}
	}
	if len(programs) < 10 {
		absentHere(t, "%d dynamic programs in /usr/bin and /usr/sbin, want at least 10", len(programs))
	}
	slices.Sort(programs)
	step := 1 + len(programs)/40
	total := 0
	for i := 0; i < len(programs); i += step {
		total += compareBindings(t, r, all[programs[i]], programs[i])
	}
	for _, name := range []string{"/usr/sbin/nginx", "/usr/bin/redis-check-rdb", "/usr/sbin/haproxy", "/usr/bin/python3.11", "/usr/bin/git", "/usr/bin/apt"} {
		if interp, ok := all[name]; ok {
			total += compareBindings(t, r, interp, name)
		}
	}
	t.Logf("%d bindings", total)
}

func compareBindings(t *testing.T, r *Root, interp, program string) int {
	t.Helper()
	want, got := bindingsBy(t, r, interp, program), bindings(load(t, r, program))
	bad := 0
	for b := range want {
		if !got[b] {
			if bad++; bad < 10 {
				t.Errorf("%s: the loader has %+v, we have not", program, b)
			}
		}
	}
	_, loader, _ := r.Resolve(interp)
	for b := range got {
		if !want[b] && b.from != loader {
			if bad++; bad < 20 {
				t.Errorf("%s: we have %+v, the loader has not", program, b)
			}
		}
	}
	return len(want)
}
