package loader

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// absent ends a test for want of something of the machine; under CI that is a failure.
func absentHere(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// tool is the path of a program that a test needs.
func tool(t testing.TB, name string) string {
	t.Helper()
	at, err := exec.LookPath(name)
	if err != nil {
		absentHere(t, "no %s: %v", name, err)
	}
	return at
}

func ownRoot(t testing.TB) *Root {
	t.Helper()
	r, err := NewRoot("/")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func load(t testing.TB, r *Root, program string) *Closure {
	t.Helper()
	c, err := r.Load(program)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// cleanEnv is an environment in which the loader has no instructions.
func cleanEnv(more ...string) []string {
	return append([]string{"PATH=" + DefaultPath}, more...)
}

// systemPrograms are the dynamic programs of the machine's directories, without links, by their
// interpreter.
func systemPrograms(t testing.TB) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, dir := range []string{"/usr/bin", "/usr/sbin"} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			absentHere(t, "programs to compare with: %v", err)
		}
		for _, e := range entries {
			at := filepath.Join(dir, e.Name())
			if !e.Type().IsRegular() {
				continue
			}
			if interp := interpreterOf(at); interp != "" {
				out[at] = interp
			}
		}
	}
	return out
}

// interpreterOf is PT_INTERP by the standard library's reader.
func interpreterOf(at string) string {
	f, err := elf.Open(at)
	if err != nil {
		return ""
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			data := make([]byte, p.Filesz)
			if _, err := p.ReadAt(data, 0); err == nil {
				return strings.TrimRight(string(data), "\x00")
			}
		}
	}
	return ""
}

var listed = regexp.MustCompile(`^\t(?:(\S+) => )?(\S.*?)(?: \(0x[0-9a-f]+\))?$`)

// listedBy is what a loader says it maps, in its order; "name: not found" for what is missing.
func listedBy(cmd *exec.Cmd) []string {
	cmd.Env = cleanEnv("LD_TRACE_LOADED_OBJECTS=1")
	out, _ := cmd.Output() // the exit code says that something is missing, and so does the text
	var list []string
	for line := range strings.Lines(string(out)) {
		m := listed.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		switch {
		case m == nil:
			list = append(list, "unread: "+line)
		case m[2] == "not found":
			list = append(list, m[1]+": not found")
		case m[2] == "statically linked", strings.HasPrefix(m[2], "linux-vdso"), strings.HasPrefix(m[2], "linux-gate"):
		default:
			list = append(list, m[2])
		}
	}
	return list
}

// paths are the modules of a closure after the program.
func paths(c *Closure) (out []string) {
	for _, m := range c.Modules[1:] {
		if m.VariantOf < 0 {
			out = append(out, m.Path)
		}
	}
	return out
}

// compareList compares our closure with a loader's list, which may have links in its paths.
func compareList(t testing.TB, r *Root, program string, list []string) {
	t.Helper()
	c, err := r.Load(program)
	if err != nil {
		t.Errorf("%s: %v", program, err)
		return
	}
	var want, absent []string
	for _, p := range list {
		if name, ok := strings.CutSuffix(p, ": not found"); ok {
			absent = append(absent, name)
			continue
		}
		_, inside, err := r.Resolve(p)
		if err != nil {
			t.Errorf("%s: the loader's %s: %v", program, p, err)
		}
		want = append(want, inside)
	}
	if got := paths(c); !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", program, got, want)
	}
	for _, m := range c.Missing {
		if m.Reason == "not found" && !slices.Contains(absent, m.Name) {
			t.Errorf("%s: %+v is not missing for the loader", program, m)
		}
	}
	for _, name := range absent {
		if !slices.ContainsFunc(c.Missing, func(m Missing) bool { return m.Name == name }) {
			t.Errorf("%s: %s is missing for the loader, ours has %v", program, name, c.Missing)
		}
	}
}

// The closures of all programs of the machine are what their own interpreters list.
func TestSystemClosures(t *testing.T) {
	r := ownRoot(t)
	compared := 0
	for at, interp := range systemPrograms(t) {
		if !strings.Contains(interp, "/ld-linux") || testing.Short() && compared >= 50 {
			continue
		}
		compareList(t, r, at, listedBy(exec.Command(interp, at)))
		compared++
	}
	if compared == 0 {
		absentHere(t, "no dynamic programs in /usr/bin")
	}
	t.Logf("%d programs", compared)
}
