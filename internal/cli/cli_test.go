package cli

import (
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/profcheck/profcheck/elfscan"
	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/lint"
	"github.com/profcheck/profcheck/report"
	"github.com/profcheck/profcheck/syscalls"
)

// The words that a misspelt command is compared with are the commands.
func TestCommandNames(t *testing.T) {
	root := (&App{Stdout: io.Discard, Stderr: io.Discard}).root()
	root.InitDefaultHelpCmd()
	var names []string
	for _, c := range root.Commands() {
		names = append(names, c.Name())
		if c.Short == "" {
			t.Errorf("%s: no description", c.Name())
		}
	}
	want := slices.Clone(commandNames)
	slices.Sort(want)
	slices.Sort(names)
	if !slices.Equal(names, want) {
		t.Errorf("commandNames is %v, the commands are %v", want, names)
	}
}

// Every flag says what it is for, and every help can be read.
func TestHelp(t *testing.T) {
	root := (&App{Stdout: io.Discard, Stderr: io.Discard}).root()
	for _, c := range append([]*cobra.Command{root}, root.Commands()...) {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s --%s: no description", c.Name(), f.Name)
			}
		})
		args := []string{"--help"}
		if c != root {
			args = []string{c.Name(), "--help"}
		}
		stdout, stderr, code := runApp(args, nil, nil)
		if code != 0 || stderr != "" || !strings.Contains(stdout, "Usage:") {
			t.Errorf("%v: exit code %d, stderr %q", args, code, stderr)
		}
	}
}

func TestOutputFile(t *testing.T) {
	t.Chdir(t.TempDir())
	want, _, _ := runApp([]string{"profiles"}, nil, nil)
	run := func(wantCode int, wantErr string, args ...string) {
		t.Helper()
		stdout, stderr, code := runApp(args, nil, nil)
		if stdout != "" || stderr != wantErr || code != wantCode {
			t.Errorf("%v: exit code %d, stdout %q, stderr %q", args, code, stdout, stderr)
		}
	}
	content := func() string {
		data, err := os.ReadFile("out")
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	run(0, "", "profiles", "-o", "out")
	if content() != want {
		t.Errorf("the file holds %q", content())
	}
	if err := os.WriteFile("out", []byte("mine, and longer than what profcheck writes\n"+want), 0o644); err != nil {
		t.Fatal(err)
	}
	run(2, "profcheck: -o out: the file exists; --force overwrites it\n", "profiles", "-o", "out")
	if !strings.HasPrefix(content(), "mine") {
		t.Error("the file was overwritten")
	}
	run(0, "", "profiles", "-o", "out", "--force")
	if content() != want {
		t.Errorf("with --force the file holds %q", content())
	}
	run(3, "profcheck: -o no/out: no such file or directory\n", "profiles", "-o", "no/out")
}

// A full disk or a closed pipe is no success.
func TestWriteError(t *testing.T) {
	var stderr strings.Builder
	app := &App{Args: []string{"profiles"}, Stdout: brokenWriter{}, Stderr: &stderr}
	if code := app.Run(); code != exitUnknown || stderr.String() != "profcheck: no space left\n" {
		t.Errorf("exit code %d, stderr %q", code, stderr.String())
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestBuild(t *testing.T) {
	t.Chdir(packageFile())
	stdout, stderr, code := runApp([]string{"scan", "--build", "./testdata/prog/hello"}, nil, nil)
	if code != 0 || !strings.HasPrefix(stdout, "complete: hello, go (") || stderr != "profcheck: building ./testdata/prog/hello\n" {
		t.Errorf("exit code %d, stdout %.60q, stderr %q", code, stdout, stderr)
	}
	stdout, stderr, code = runApp([]string{"-q", "--build", "./testdata/prog/hello", "--arch", "arm64", "strict", "--fail-on", "never"}, nil, nil)
	if code != 0 || !strings.HasPrefix(stdout, "denied: hello can make calls that are denied under strict (kernel, aarch64)") || stderr != "" {
		t.Errorf("exit code %d, stdout %.60q, stderr %q", code, stdout, stderr)
	}
	for _, c := range []struct {
		pkg, want string
		code      int
	}{
		{"./nosuch", "profcheck: --build ./nosuch: go build: exit status 1", 3},
		{".", "profcheck: --build .: go build: exit status 1", 3},
		{"-x", `profcheck: --build: "-x" is no package`, 2},
	} {
		stdout, stderr, code := runApp([]string{"--build=" + c.pkg}, nil, nil)
		if code != c.code || stdout != "" || !strings.Contains(stderr, c.want+"\n") {
			t.Errorf("--build %s: exit code %d, stdout %q, stderr %q", c.pkg, code, stdout, stderr)
		}
	}
	_, stderr, code = runApp([]string{"--build", ".", "--arch", "sh"}, nil, nil)
	if code != 2 || stderr != "profcheck: --build: Go has no port to sh\n" {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
}

// What is built is removed, also after a failure.
func TestBuildLeavesNothing(t *testing.T) {
	t.Chdir(packageFile())
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	for _, pkg := range []string{"./testdata/prog/hello", "./nosuch"} {
		runApp([]string{"scan", "-q", "--build", pkg}, nil, nil)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) > 0 {
		t.Errorf("left behind: %v", entries)
	}
}

// Unknown arguments must stay unknown on their way to lint, and known ones known.
func TestUsageOf(t *testing.T) {
	abi := syscalls.ByName("x86_64")
	path := finding.Path{{Function: "main.main"}}
	known := [6]elfscan.Values{{Known: true, Consts: []uint64{0}}, {}, {Known: true}}
	u := usageOf(&elfscan.Result{
		Path: "p", Kind: "go", Arch: abi,
		Needs: []elfscan.Need{{
			Nr: 1, Name: "write", Class: finding.Required, Args: known,
			Sites: []elfscan.Site{{Class: finding.Startup, Args: known, Path: path}},
		}},
		Unresolved: []elfscan.Unresolved{{Function: "main.raw"}},
		Gaps:       []elfscan.Gap{{Kind: elfscan.GapExec, Detail: "x"}, {Kind: elfscan.GapMissing, Detail: "libc"}},
	}, "prog")
	need := u.Needs[0]
	for _, args := range [][6][]uint64{need.Args, need.Sites[0].Args} {
		if len(args[0]) != 1 || args[0][0] != 0 || args[1] != nil || args[2] != nil {
			t.Errorf("arguments: %v", args)
		}
	}
	if u.Complete || u.Program != "prog" || len(u.Unresolved) != 1 || len(u.Missing) != 1 || u.Missing[0] != "libc" {
		t.Errorf("%+v", u)
	}
	if need.Sites[0].Class != finding.Startup || need.Class != finding.Required || len(need.Path) != 1 {
		t.Errorf("%+v", need)
	}
}

// The exit codes, for verdicts that are hard to bring about with a real program.
func TestJudge(t *testing.T) {
	denied := []finding.Finding{{Check: "PC613", Severity: finding.Error, Message: "m"}}
	ignored := []finding.Finding{{Check: "PC613", Severity: finding.Error, Message: "m", Suppressed: &finding.Suppression{By: finding.ByConfig}}}
	exec := []*elfscan.Result{{Path: "p", Gaps: []elfscan.Gap{{Kind: elfscan.GapExec, Detail: "starts others"}}}}
	loader := []*elfscan.Result{{Path: "p", Gaps: []elfscan.Gap{{Kind: elfscan.GapLoader, Detail: "x"}}}}
	depends := []lint.Outcome{{Arch: syscalls.ByName("x86_64"), Name: "clone", Outcome: lint.Depends}}
	for _, c := range []struct {
		name    string
		result  lint.Result
		scans   []*elfscan.Result
		options options
		code    int
		verdict string
		reason  string
	}{
		{"ok", lint.Result{Verdict: "ok"}, nil, options{}, 0, "ok", ""},
		{"denied", lint.Result{Verdict: "denied", Findings: denied}, nil, options{}, 1, "denied", ""},
		{"denied, never", lint.Result{Verdict: "denied", Findings: denied}, nil, options{failOn: "never"}, 0, "denied", ""},
		{"listener", lint.Result{Verdict: "unknown"}, nil, options{}, 3, "unknown", "a listener decides, or the filter is too complex"},
		{"listener, allowed", lint.Result{Verdict: "unknown"}, nil, options{allowIncomplete: true}, 0, "unknown", "a listener decides, or the filter is too complex"},
		{"3 wins over 1", lint.Result{Verdict: "denied", Findings: denied, Incomplete: []string{"p"}}, nil, options{}, 3, "denied", "the scan of p is incomplete"},
		{"ignored", lint.Result{Verdict: "denied", Findings: ignored}, nil, options{}, 0, "denied", ""},
		{"ignored, incomplete", lint.Result{Verdict: "denied", Findings: ignored, Incomplete: []string{"p"}}, nil, options{}, 3, "denied", "the scan of p is incomplete"},
		{"unless allowed", lint.Result{Verdict: "denied", Findings: denied, Incomplete: []string{"p"}}, nil, options{allowIncomplete: true}, 1, "denied", "the scan of p is incomplete"},
		{"exec", lint.Result{Verdict: "ok"}, exec, options{}, 0, "ok", ""},
		{"exec, strict", lint.Result{Verdict: "ok"}, exec, options{strict: true}, 3, "unknown", "--strict: 1 note on what is started or loaded"},
		{"loader, strict", lint.Result{Verdict: "ok"}, loader, options{strict: true}, 0, "ok", ""},
		{"depends", lint.Result{Verdict: "ok", Outcomes: depends}, nil, options{}, 0, "ok", ""},
		{"depends, strict", lint.Result{Verdict: "ok", Outcomes: depends}, nil, options{strict: true}, 3, "unknown", "--strict: 1 call with arguments that the scan does not know"},
		{"denied, strict", lint.Result{Verdict: "denied", Findings: denied}, exec, options{strict: true}, 3, "denied", ""},
	} {
		var doc report.Check
		code := c.options.judge(&doc, &c.result, c.result.Findings, c.scans)
		if code != c.code || doc.Verdict != c.verdict || doc.Reason != c.reason {
			t.Errorf("%s: exit code %d, verdict %s, reason %q", c.name, code, doc.Verdict, doc.Reason)
		}
	}
}

// The check that the counted line stands for is the one on unused calls.
func TestUnusedCheck(t *testing.T) {
	c, ok := lint.Lookup(unusedCheck)
	if !ok || c.Name != "unused-allow" {
		t.Errorf("%s is %+v", unusedCheck, c)
	}
	names := []string{"a", "b", "c", "d", "e", "f"}
	got := mostDangerous([]finding.Finding{{Check: "PC613", Syscalls: []string{"x"}}, {Check: unusedCheck, Syscalls: names}})
	if !slices.Equal(got, names[:5]) {
		t.Errorf("riskiest: %v", got)
	}
	if got := mostDangerous(nil); got == nil || len(got) != 0 {
		t.Errorf("riskiest of nothing: %v, want an empty list for JSON", got)
	}
}

func TestThreshold(t *testing.T) {
	list := []finding.Finding{{Severity: finding.Warning}}
	for failOn, want := range map[string]int{"error": 0, "warning": 1, "info": 1, "never": 0, "": 0} {
		if got := (&options{failOn: failOn}).code(list); got != want {
			t.Errorf("--fail-on %q: exit code %d, want %d", failOn, got, want)
		}
	}
}

func TestCaps(t *testing.T) {
	start := []string{"CAP_KILL"}
	for in, want := range map[string]string{
		"":                      "CAP_KILL",
		"sys_admin":             "CAP_KILL CAP_SYS_ADMIN",
		"none":                  "",
		"none CAP_CHOWN":        "CAP_CHOWN",
		"CAP_CHOWN none":        "",
		"kill kill":             "CAP_KILL",
		"none SYS_ADMIN chown ": "CAP_CHOWN CAP_SYS_ADMIN",
	} {
		got, err := (&options{caps: strings.Fields(in)}).capSet(start)
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q: %v, %v, want %s", in, got, err, want)
		}
	}
	if all, err := (&options{caps: []string{"all"}}).capSet(nil); err != nil || len(all) < 40 {
		t.Errorf("all: %v, %v", all, err)
	}
	if _, err := (&options{caps: []string{"CAP_NOPE"}}).capSet(nil); err == nil {
		t.Error("CAP_NOPE is taken")
	}
}

// A message is one line and holds nothing that a terminal obeys.
func TestOneLine(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain", "a\nb\n": "a b", "x\x1b[2Jy": "x [2Jy", "\u009b1m": " 1m", "żółć": "żółć",
	} {
		if got := oneLine(in); got != want {
			t.Errorf("oneLine(%q) = %q, want %q", in, got, want)
		}
	}
}
