package cli

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write what the scripts gave instead of comparing it")

// TestScripts runs the commands of testdata/script/*.txt in process. A script is
//
//	# a comment
//	$ profcheck lint a.json < stdin.json
//	| a line of stdout
//	! a line of stderr
//	= 1                       the exit code, if it is not 0
//	-- a.json --
//	the text of a file in the folder where the commands run
//
// In an expected line, ... stands for any text, and alone for any number of lines. A line
// `env NAME=VALUE` sets a variable for the commands below it, with $WORK for the folder; `link NAME
// TARGET` makes a symbolic link, and `damage PATTERN` changes the last byte of files. The programs of
// testdata/prog are in the folder as well, see programs, and a copy of the repository's
// testdata/native/root as root.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/script/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			file, err := filepath.Abs(file)
			if err != nil {
				t.Fatal(err)
			}
			s := readScript(t, file)
			dir := t.TempDir()
			for _, f := range s.files {
				if err := os.WriteFile(filepath.Join(dir, f.name), []byte(f.text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if strings.Contains(s.text(), "hello") || strings.Contains(s.text(), "mystery") {
				for name, path := range programs(t) {
					if err := os.Symlink(path, filepath.Join(dir, name)); err != nil {
						t.Fatal(err)
					}
				}
			}
			if strings.Contains(s.text(), "--root root") {
				if err := os.CopyFS(filepath.Join(dir, "root"), os.DirFS(packageFile("..", "..", "testdata", "native", "root"))); err != nil {
					t.Fatal(err)
				}
			}
			t.Chdir(dir)
			s.run(t)
			if *update {
				if err := os.WriteFile(file, []byte(s.text()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// script is a parsed script: blocks of lines that are commands with what they give, or anything
// else.
type script struct {
	blocks []*block
	files  []struct{ name, text string }
	env    map[string]string
}

type block struct {
	line           int    // in the script
	verbatim       string // a comment, an env line, a blank one
	command        string
	stdout, stderr []string
	code           int
}

func readScript(t *testing.T, file string) *script {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := &script{env: make(map[string]string)}
	var last *block
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		line = strings.TrimSuffix(line, "\n")
		if name, ok := strings.CutPrefix(line, "-- "); ok && strings.HasSuffix(name, " --") {
			s.files = append(s.files, struct{ name, text string }{strings.TrimSuffix(name, " --"), ""})
			continue
		}
		if len(s.files) > 0 {
			s.files[len(s.files)-1].text += line + "\n"
			continue
		}
		kind, rest, _ := strings.Cut(line, " ")
		switch kind {
		case "$":
			last = &block{line: n, command: rest}
			s.blocks = append(s.blocks, last)
		case "|":
			last.stdout = append(last.stdout, rest)
		case "!":
			last.stderr = append(last.stderr, rest)
		case "=":
			if _, err := fmt.Sscan(rest, &last.code); err != nil {
				t.Fatalf("%s:%d: %v", file, n, err)
			}
		case "", "#", "env", "link", "damage":
			s.blocks = append(s.blocks, &block{line: n, verbatim: line})
		default:
			t.Fatalf("%s:%d: no script line: %q", file, n, line)
		}
	}
	return s
}

// text is the inverse of readScript.
func (s *script) text() string {
	var b strings.Builder
	for _, k := range s.blocks {
		if k.command == "" {
			b.WriteString(k.verbatim + "\n")
			continue
		}
		b.WriteString("$ " + k.command + "\n")
		for _, l := range k.stdout {
			b.WriteString(strings.TrimRight("| "+l, " ") + "\n")
		}
		for _, l := range k.stderr {
			b.WriteString(strings.TrimRight("! "+l, " ") + "\n")
		}
		if k.code != 0 {
			fmt.Fprintf(&b, "= %d\n", k.code)
		}
	}
	for _, f := range s.files {
		b.WriteString("-- " + f.name + " --\n" + f.text)
	}
	return b.String()
}

// run runs the commands and compares, or with -update takes over, what they give.
func (s *script) run(t *testing.T) {
	t.Helper()
	for _, k := range s.blocks {
		if err := s.prepare(k.verbatim); err != nil {
			t.Fatalf("line %d: %v", k.line, err)
		}
		if k.command == "" {
			continue
		}
		command, input, _ := strings.Cut(k.command, " < ")
		words := strings.Fields(command)
		if len(words) == 0 || words[0] != "profcheck" {
			t.Fatalf("line %d: not profcheck: %q", k.line, k.command)
		}
		var stdin []byte
		if input != "" {
			data, err := os.ReadFile(input)
			if err != nil {
				t.Fatal(err)
			}
			stdin = data
		}
		stdout, stderr, code := runApp(words[1:], stdin, func(name string) string { return s.env[name] })
		if *update {
			if !match(k.stdout, lines(stdout)) {
				k.stdout = lines(stdout)
			}
			if !match(k.stderr, lines(stderr)) {
				k.stderr = lines(stderr)
			}
			k.code = code
			continue
		}
		if code != k.code {
			t.Errorf("line %d: %s: exit code %d, want %d", k.line, k.command, code, k.code)
		}
		if !match(k.stdout, lines(stdout)) {
			t.Errorf("line %d: %s: stdout\n%s\nwant\n%s", k.line, k.command, stdout, strings.Join(k.stdout, "\n"))
		}
		if !match(k.stderr, lines(stderr)) {
			t.Errorf("line %d: %s: stderr\n%s\nwant\n%s", k.line, k.command, stderr, strings.Join(k.stderr, "\n"))
		}
	}
}

// prepare carries out a line that is no command.
func (s *script) prepare(line string) error {
	kind, rest, _ := strings.Cut(line, " ")
	switch kind {
	case "env":
		name, value, _ := strings.Cut(rest, "=")
		dir, err := os.Getwd()
		if err != nil {
			return err
		}
		s.env[name] = strings.ReplaceAll(value, "$WORK", dir)
	case "link":
		name, target, _ := strings.Cut(rest, " ")
		return os.Symlink(target, name)
	case "damage":
		files, err := filepath.Glob(rest)
		if err != nil || len(files) == 0 {
			return fmt.Errorf("no files %s: %w", rest, err)
		}
		for _, f := range files {
			data, err := os.ReadFile(f)
			if err != nil {
				return err
			}
			data[len(data)-1] ^= 0xff
			if err := os.WriteFile(f, data, 0o600); err != nil {
				return err
			}
		}
	}
	return nil
}

// testDay is today for all commands that tests run: the last day of which ignores can be told.
var testDay = time.Date(2026, time.June, 15, 23, 59, 0, 0, time.UTC)

// runApp runs one command in process.
func runApp(args []string, stdin []byte, env func(string) string) (stdout, stderr string, code int) {
	var out, errs bytes.Buffer
	app := &App{Args: args, Stdin: bytes.NewReader(stdin), Stdout: &out, Stderr: &errs, Getenv: env, Now: func() time.Time { return testDay }}
	code = app.Run()
	return out.String(), errs.String(), code
}

// lines splits a text; a missing newline at the end shows as a line of its own.
func lines(text string) []string {
	if text == "" {
		return nil
	}
	if !strings.HasSuffix(text, "\n") {
		text += "\n(no newline at the end)\n"
	}
	out := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i := range out {
		out[i] = strings.TrimRight(out[i], " ")
	}
	return out
}

// match compares lines with patterns, in which ... alone is any number of lines.
func match(want, got []string) bool {
	if len(want) == 0 {
		return len(got) == 0
	}
	if strings.TrimSpace(want[0]) == "..." {
		for i := range len(got) + 1 {
			if match(want[1:], got[i:]) {
				return true
			}
		}
		return false
	}
	return len(got) > 0 && matchLine(want[0], got[0]) && match(want[1:], got[1:])
}

// matchLine compares a line with a pattern, in which ... is any text.
func matchLine(want, got string) bool {
	parts := strings.Split(want, "...")
	rest, ok := strings.CutPrefix(got, parts[0])
	if !ok || len(parts) == 1 {
		return ok && rest == ""
	}
	for _, p := range parts[1 : len(parts)-1] {
		_, after, found := strings.Cut(rest, p)
		if !found {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, parts[len(parts)-1])
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		want, got string
		ok        bool
	}{
		{"a", "a", true}, {"a", "b", false}, {"a", "ab", false}, {"", "", true}, {"", "a", false},
		{"a...c", "abc", true}, {"a...c", "ac", true}, {"a...c", "abd", false}, {"...", "", true},
		{"a\n...\nz", "a\nb\nc\nz", true}, {"a\n...\nz", "a\nz", true}, {"a\n...\nz", "a\nb", false},
		{"...a...b...", "xaxbx", true}, {"...a...b...", "xbxax", false}, {"a...a", "a", false},
	} {
		if got := match(lines(c.want+"\n"), lines(c.got+"\n")); got != c.ok {
			t.Errorf("match(%q, %q) = %v", c.want, c.got, got)
		}
	}
}

var built struct {
	once  sync.Once
	dir   string
	paths map[string]string
	err   error
}

// programs builds the programs of testdata/prog, once for all tests, and returns their paths by
// name: hello and mystery for amd64, hello.arm64. It needs nothing but Go.
func programs(t *testing.T) map[string]string {
	t.Helper()
	built.once.Do(func() {
		built.paths = make(map[string]string)
		if built.dir, built.err = os.MkdirTemp("", "profcheck-test-"); built.err != nil {
			return
		}
		for name, what := range map[string][2]string{
			"hello": {"hello", "amd64"}, "mystery": {"mystery", "amd64"}, "hello.arm64": {"hello", "arm64"},
		} {
			path := filepath.Join(built.dir, name)
			cmd := exec.Command("go", "build", "-o", path, "./"+what[0])
			cmd.Dir = packageFile("testdata", "prog")
			cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+what[1], "CGO_ENABLED=0")
			if out, err := cmd.CombinedOutput(); err != nil {
				built.err = fmt.Errorf("%s: %w\n%s", name, err, out)
				return
			}
			built.paths[name] = path
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.paths
}

// packageDir is the folder of this package, which tests may leave.
var packageDir = func() string {
	dir, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	return dir
}()

func packageFile(path ...string) string {
	return filepath.Join(append([]string{packageDir}, path...)...)
}

func TestMain(m *testing.M) {
	code := m.Run()
	if built.dir != "" {
		os.RemoveAll(built.dir)
	}
	os.Exit(code)
}
