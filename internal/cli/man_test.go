package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// manPages writes the pages into a new folder and returns them by name.
func manPages(t *testing.T, epoch string) (dir string, pages map[string]string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "man1")
	app := &App{Args: []string{"man", dir}, Stdout: &bytes.Buffer{}, Stderr: &bytes.Buffer{}}
	app.Getenv = func(name string) string {
		if name == "SOURCE_DATE_EPOCH" {
			return epoch
		}
		return ""
	}
	if code := app.Run(); code != 0 {
		t.Fatalf("exit code %d: %s", code, app.Stderr)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	pages = make(map[string]string)
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		pages[e.Name()] = string(data)
	}
	return dir, pages
}

// Every command has its page, the same at any time, and a date if one is given.
func TestManPages(t *testing.T) {
	_, pages := manPages(t, "")
	_, again := manPages(t, "")
	for name, text := range pages {
		if again[name] != text {
			t.Errorf("%s is another one each time", name)
		}
		if !regexp.MustCompile(`^\.TH "PROFCHECK[A-Z\\-]*" "1" "" "profcheck [^"]+" "profcheck manual"\n`).MatchString(text) {
			t.Errorf("%s begins with %q", name, text[:min(len(text), 80)])
		}
	}
	for _, command := range commandNames {
		if _, ok := pages["profcheck-"+command+".1"]; !ok && command != "help" {
			t.Errorf("no page for %s", command)
		}
	}
	if _, ok := pages["profcheck-completion-bash.1"]; !ok {
		t.Error("no page for completion bash")
	}
	lint := pages["profcheck-lint.1"]
	for _, want := range []string{
		".SH \"NAME\"\nprofcheck-lint \\- is this profile safe", "\n.B \"\\-\\-fail\\-on string\"\n", "(default error)", "profcheck lint profile.json\n", ".SH \"EXIT STATUS\"", "profcheck(1)",
	} {
		if !strings.Contains(strings.ReplaceAll(lint, `profcheck\-lint`, "profcheck-lint"), want) {
			t.Errorf("profcheck-lint.1 has no %q:\n%s", want, lint)
		}
	}
	if _, dated := manPages(t, "1700000000"); !strings.Contains(dated["profcheck.1"], `"1" "2023-11-14"`) {
		t.Errorf("no date in %s", dated["profcheck.1"][:80])
	}
}

// Pages that are there already stay, and a date that is none is refused.
func TestManRefuses(t *testing.T) {
	dir, _ := manPages(t, "")
	for _, c := range []struct {
		name, epoch string
		args        []string
		code        int
	}{
		{"pages that are there", "", []string{"man", dir}, exitUnknown},
		{"the same, forced", "", []string{"man", dir, "--force"}, exitOK},
		{"no folder", "", []string{"man"}, exitUsage},
		{"another form", "", []string{"man", dir, "--format", "json"}, exitUsage},
		{"no date", "yesterday", []string{"man", dir, "--force"}, exitUsage},
		{"a date too far", "253402300800", []string{"man", dir, "--force"}, exitUsage},
	} {
		var stderr bytes.Buffer
		app := &App{Args: c.args, Stdout: &bytes.Buffer{}, Stderr: &stderr, Getenv: func(name string) string {
			if name == "SOURCE_DATE_EPOCH" {
				return c.epoch
			}
			return ""
		}}
		if code := app.Run(); code != c.code {
			t.Errorf("%s: exit code %d, want %d: %s", c.name, code, c.code, &stderr)
		}
	}
}

// witness returns the path of a program that is a witness of a test.
func witness(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is missing: %v", name, err)
		}
		t.Skipf("%s is missing: %v", name, err)
	}
	return path
}

// mandoc and groff read the pages without a word of warning, and a page with a fault is one that they
// warn about.
func TestManFormatters(t *testing.T) {
	dir, pages := manPages(t, "1700000000")
	var files []string
	for name := range pages {
		files = append(files, filepath.Join(dir, name))
	}
	slices.Sort(files)
	bad := filepath.Join(dir, "bad.1")
	if err := os.WriteFile(bad, []byte(".TH BAD 1 2023-11-14\n.SH NAME\nbad \\- page\n.RE\n.SHH\n\\[nosuch]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][]string{
		{"mandoc", "-Tlint", "-Wwarning"},
		{"groff", "-man", "-Tutf8", "-ww", "-z"},
	} {
		t.Run(c[0], func(t *testing.T) {
			path := witness(t, c[0])
			run := func(files ...string) string {
				cmd := exec.Command(path, append(slices.Clone(c[1:]), files...)...)
				cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
				out, err := cmd.CombinedOutput()
				if err != nil && len(out) == 0 {
					t.Fatal(err)
				}
				return string(out)
			}
			for _, f := range files { // one by one: groff would take them for one document
				if out := run(f); out != "" {
					t.Errorf("%s:\n%s", filepath.Base(f), out)
				}
			}
			if run(bad) == "" {
				t.Errorf("%s has nothing against a bad page", c[0])
			}
		})
	}
}

// The shells themselves read what completion writes.
func TestCompletionScripts(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		t.Run(shell, func(t *testing.T) {
			path := witness(t, shell)
			var out, stderr bytes.Buffer
			app := &App{Args: []string{"completion", shell}, Stdout: &out, Stderr: &stderr}
			if code := app.Run(); code != 0 || out.Len() == 0 {
				t.Fatalf("exit code %d: %s", code, &stderr)
			}
			file := filepath.Join(t.TempDir(), "profcheck."+shell)
			check := func(text string) error {
				if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
				return exec.Command(path, "-n", file).Run() // reads without running
			}
			if err := check(out.String()); err != nil {
				t.Errorf("%s does not take the script: %v", shell, err)
			}
			if check(out.String()+"\nif true; then (\n") == nil {
				t.Errorf("%s -n takes anything", shell)
			}
		})
	}
}
