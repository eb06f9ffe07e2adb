package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/report"
)

// The same exit code in every form, for findings and for none, and the same bytes from --also as from a
// run of its own.
func TestEveryFormHasTheExitCode(t *testing.T) {
	workFolder(t)
	for _, c := range []struct {
		command string
		code    int
	}{
		{"lint narrow.json", 1}, {"lint narrow.json --fail-on never", 0}, {"lint docker-default", 0},
		{"hello narrow.json", 1}, {"hello docker-default", 0}, {"mystery narrow.json", 3}, {"test agreed.yaml", 1},
	} {
		args := strings.Fields(c.command)
		all, want := append(args[:len(args):len(args)], "--force"), make(map[string]string)
		for _, f := range report.Formats() {
			direct, stderr, code := runApp(append(args[:len(args):len(args)], "--format", f.Name), nil, nil)
			if args[0] == "test" && f.Name == "sarif" {
				if code != exitUsage || direct != "" {
					t.Errorf("%s in %s: exit code %d", c.command, f.Name, code)
				}
				continue
			}
			if code != c.code || stderr != "" {
				t.Errorf("%s in %s: exit code %d, want %d; stderr %q", c.command, f.Name, code, c.code, stderr)
			}
			all, want[f.Name] = append(all, "--also", f.Name+"="+f.Name+".out"), direct
		}
		if _, stderr, code := runApp(all, nil, nil); code != c.code || stderr != "" {
			t.Errorf("%s in all forms: exit code %d, want %d; stderr %q", c.command, code, c.code, stderr)
		}
		for name, text := range want {
			if also, err := os.ReadFile(name + ".out"); err != nil || string(also) != text {
				t.Errorf("%s: --also %s gives other bytes (%v)", c.command, name, err)
			}
		}
	}
}

// The summary of a job grows; a file of any other name is not touched.
func TestStepSummary(t *testing.T) {
	workFolder(t)
	summary := filepath.Join(t.TempDir(), "summary.md")
	if err := os.WriteFile(summary, []byte("before\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{"lint", "narrow.json", "--format", "markdown", "-o", summary}
	if _, stderr, code := runApp(args, nil, nil); code != exitUsage || !strings.Contains(stderr, "exists") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	env := func(name string) string { return map[string]string{"GITHUB_STEP_SUMMARY": summary}[name] }
	for range 2 {
		if _, stderr, code := runApp(args, nil, env); code != exitFindings || stderr != "" {
			t.Errorf("exit code %d: %s", code, stderr)
		}
	}
	data, err := os.ReadFile(summary)
	if err != nil || !strings.HasPrefix(string(data), "before\n## profcheck\n") || strings.Count(string(data), "## profcheck\n") != 2 {
		t.Errorf("%v: %s", err, data)
	}
}

// The document has the lines that findings point into, as far as they can be read again.
func TestFindingsHaveTheirLines(t *testing.T) {
	workFolder(t)
	lines := func(args ...string) (out []string) {
		t.Helper()
		stdout, stderr, _ := runApp(append(args, "--target", "kernel", "--format", "json"), []byte(narrowProfile), nil)
		var doc report.Lint
		if err := json.Unmarshal([]byte(stdout), &doc); err != nil {
			t.Fatalf("%v: %v %s", args, err, stderr)
		}
		for _, f := range doc.Findings {
			if p := f.Position; p != nil && p.Line > 0 {
				if p.Source == nil {
					t.Errorf("%v: no line for %s", args, p)
					continue
				}
				if s := p.Source; s.Before == 0 && s.Column != p.Column { // ASCII
					t.Errorf("%v: column %d of %s", args, s.Column, p)
				}
				out = append(out, p.Source.Text)
			}
		}
		return out
	}
	want := strings.Split(narrowProfile, "\n")[1]
	for _, name := range []string{"narrow.json", "./narrow.json", "-"} {
		if got := lines("lint", name); len(got) == 0 || got[0] != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := lines("lint", "docker-default"); len(got) == 0 {
		t.Error("nothing points into docker-default")
	}
	if (&App{}).sourceText("nosuch") != nil || (&App{}).sourceText(".") != nil || (&App{}).sourceText("./nosuch.json") != nil {
		t.Error("text of what is no file")
	}
}
