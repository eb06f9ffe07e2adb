package loader

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What the kernel runs for a script is what Program says: its interpreter prints /proc/self/exe.
func TestScriptsAsTheKernel(t *testing.T) {
	readlink, err := filepath.EvalSymlinks(tool(t, "readlink"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(4, 4))
	var files []string
	add := func(first string) {
		at := filepath.Join(dir, fmt.Sprintf("s%d", len(files)))
		if err := os.WriteFile(at, []byte(first), 0o755); err != nil {
			t.Fatal(err)
		}
		files = append(files, at)
	}
	const arg = " /proc/self/exe"
	for _, first := range []string{
		"#!" + readlink + arg + "\n", "#! \t" + readlink + "\t" + arg + " \t\n", "#!" + readlink + arg, "#!" + readlink + arg + "\r\n",
		"#!\n", "#!", "#! \t \n", "#!\x00\n", "#!" + readlink + "\x00x" + arg + "\n", "#!/no/such" + arg + "\n", "# !" + readlink + "\n", "plain text\n",
		"#!" + readlink + "\r\n", "#!" + dir + "\n", "#!" + strings.Repeat(" ", 300) + readlink + arg + "\n",
	} {
		add(first)
	}
	// Lines around the size that the kernel looks at, with and without an argument. The name has
	// slashes to fill it.
	for n := 240; n < 262; n++ {
		name := strings.Repeat("/", n-2-len(readlink)-len(arg)) + readlink
		for _, end := range []string{"\n", "", " more\n", "\x00"} {
			add("#!" + name + arg + end)
			add("#!" + strings.Repeat("/", len(arg)) + name + end)
		}
	}
	// Chains of scripts, which the kernel follows to a depth.
	add("#!" + readlink + arg + "\n")
	for range 8 {
		add("#!" + files[len(files)-1] + arg + "\n")
	}
	for range 100 {
		parts := []string{readlink, arg, " ", "\t", "\n", "\x00", "#!", "/"}
		var b strings.Builder
		b.WriteString("#!")
		for range 1 + rng.IntN(6) {
			b.WriteString(parts[rng.IntN(len(parts))])
		}
		add(b.String())
	}
	ran := 0
	for _, at := range files {
		ran += compareScript(t, at)
	}
	if ran < 20 {
		t.Errorf("%d of %d scripts ran: too few", ran, len(files))
	}
}

func compareScript(t *testing.T, at string) (ran int) {
	t.Helper()
	text, err := os.ReadFile(at)
	if err != nil {
		t.Fatal(err)
	}
	p, ours := ownRoot(t).Program(at)
	cmd := exec.Command(at)
	cmd.Env = cleanEnv(inert + "=1") // a line may name /proc/self/exe as the interpreter: this test
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		// The kernel refuses. A file that is no script is the program itself for us: whoever
		// reads it says that it is none.
		if ours == nil && p.Path != at {
			t.Errorf("%.40q (%d bytes): the kernel says %v, we have %+v", text, len(text), err, p)
		}
		return 0
	}
	if ours != nil {
		t.Errorf("%.40q (%d bytes): the kernel runs it, we have %v", text, len(text), ours)
		return 1
	}
	// Without the argument, or with a shorter one, readlink prints nothing of use.
	line, _, _ := strings.Cut(string(out), "\n")
	if strings.HasPrefix(line, "/") && line != p.Path {
		t.Errorf("%.40q (%d bytes): the kernel runs %s, we have %+v", text, len(text), line, p)
	}
	return 1
}

func TestProgramInRoot(t *testing.T) {
	dir := t.TempDir()
	write := func(at, text string, mode fs.FileMode) {
		at = filepath.Join(dir, at)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("usr/bin/tool", "\x7fELF", 0o755)
	write("usr/sbin/tool", "\x7fELF", 0o644) // comes first, but nobody can run it
	write("usr/bin/env", "\x7fELF", 0o755)
	write("app/run", "#!/usr/bin/env tool\n", 0o755)
	write("app/split", "#!/usr/bin/env -S -u X A=1 tool -v\n", 0o755)
	write("app/again", "#!/app/run x\n", 0o755)
	write("app/lost", "#!/usr/bin/env nothing\n", 0o755)
	write("app/a", "#!/app/b\n", 0o755)
	write("app/b", "#!/app/a\n", 0o755)
	write("data", "x", 0o644)
	if err := os.Symlink("/usr/bin/tool", filepath.Join(dir, "app/link")); err != nil {
		t.Fatal(err)
	}
	r, err := NewRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	const tool = "/usr/bin/tool"
	for arg, want := range map[string]string{
		"tool": "[]", "/usr/bin/tool": "[]", "/app/link": "[]", "app/link": "[]", "../../app/link": "[]",
		"/app/run": "[/app/run /usr/bin/env]", "app/split": "[/app/split /usr/bin/env]",
		"/app/again": "[/app/again /app/run /usr/bin/env]",
	} {
		p, err := r.Program(arg)
		if err != nil || p.Path != tool || fmt.Sprint(p.Script) != want || p.Host != filepath.Join(r.dir, tool) {
			t.Errorf("%s: %+v, %v; want %s by %s", arg, p, err, tool, want)
		}
	}
	for arg, want := range map[string]string{
		"": "no program", "none": "none: not in /usr/local/sbin:", "/app/lost": "/app/lost: nothing: not in", "/app/a": "/app/a: 6 scripts",
		"/app": "not a regular file", "data": "not in", "run": "not in",
	} {
		if p, err := r.Program(arg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v, %v; want an error with %q", arg, p, err, want)
		}
	}
}
