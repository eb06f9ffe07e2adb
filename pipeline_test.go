package profcheck_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// Profiles for the files of pipelines: lint says nothing grave of the first.
const (
	goodProfile = `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mount", "umount2", "pivot_root", "fsopen",
  "fsmount", "fsconfig", "fspick", "move_mount", "open_tree", "mount_setattr", "open_tree_attr", "bpf", "io_uring_setup",
  "io_uring_enter", "io_uring_register", "open_by_handle_at", "ptrace", "init_module", "finit_module", "delete_module",
  "kexec_load", "kexec_file_load"], "action": "SCMP_ACT_ERRNO"}]}`
	badProfile = `{"defaultAction": "SCMP_ACT_ERRNO", "syscals": [{"names": ["read"], "action": "SCMP_ACT_ALLOW"}]}`
)

// witness returns the path of a program that a test takes.
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

// write makes files below a folder, and the folders that they are in.
func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// goEnv returns what the go command says of variables, as assignments: a runner with another GOPATH
// still finds the modules that are here.
func goEnv(t *testing.T, names ...string) (out []string) {
	t.Helper()
	values, err := exec.Command("go", append([]string{"env"}, names...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range strings.Split(strings.TrimSuffix(string(values), "\n"), "\n") {
		out = append(out, names[i]+"="+v)
	}
	return out
}

// sources copies what a clone of the repository has and the product is made of.
func sources(t *testing.T, to string) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || strings.HasPrefix(path, "elfscan/witness/") || path == "testdata" || path == "docs"):
			return filepath.SkipDir
		case d.Name() == ".git": // of a worktree, where it is a file: git would work in that one
			return nil
		case !d.Type().IsRegular() || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		write(t, to, map[string]string{path: string(data)})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// repository makes a folder a repository whose files are all known.
func repository(t *testing.T, dir string) {
	t.Helper()
	for _, args := range [][]string{
		{"init", "-q"}, {"config", "user.name", "test"}, {"config", "user.email", "test@example.org"},
		{"add", "-A"}, {"commit", "-q", "-m", "all"},
	} {
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v: %s", args[0], err, out)
		}
	}
}

// pre-commit itself builds the hooks from a clone and runs them: good files pass, bad ones and those
// that cannot be read fail, and others are left alone.
func TestPreCommit(t *testing.T) {
	program := witness(t, "pre-commit")
	witness(t, "git")
	clone, home, user := t.TempDir(), t.TempDir(), t.TempDir()
	sources(t, clone)
	repository(t, clone)
	write(t, user, map[string]string{
		"deploy/seccomp-good.json": goodProfile,
		"seccomp/web/bad.json":     badProfile,
		"seccomp/broken.json":      "{",
		"package.json":             "{}",
		"seccomp/good_test.yaml":   "profile: ../deploy/seccomp-good.json\nexpect:\n  - deny: [mount]\n",
		"seccomp/bad_test.yaml":    "profile: ../deploy/seccomp-good.json\nexpect:\n  - allow: [mount]\n",
	})
	repository(t, user)
	env := append(os.Environ(), "PRE_COMMIT_HOME="+home, "PRE_COMMIT_COLOR=never", "PATH="+filepath.Dir(product(t))+string(os.PathListSeparator)+os.Getenv("PATH"))
	env = append(env, goEnv(t, "GOMODCACHE", "GOCACHE", "GOFLAGS")...)

	run := func(args ...string) (int, string) {
		cmd := exec.Command(program, args...)
		cmd.Dir, cmd.Env = user, env
		out, _ := cmd.CombinedOutput() // the code says what came out
		return cmd.ProcessState.ExitCode(), string(out)
	}
	// As its manual advises to try hooks, and then from a configuration, which builds them once.
	if code, out := run("try-repo", clone, "profcheck", "--files", "seccomp/web/bad.json"); code != 1 || !strings.Contains(out, "PC102") {
		t.Fatalf("try-repo: exit code %d: %s", code, out)
	}
	revision := exec.Command("git", "rev-parse", "HEAD")
	revision.Dir = clone
	head, err := revision.Output()
	if err != nil {
		t.Fatal(err)
	}
	write(t, user, map[string]string{".pre-commit-config.yaml": fmt.Sprintf(
		"repos:\n  - repo: %s\n    rev: %s    hooks: [{id: profcheck}, {id: profcheck-system}, {id: profcheck-test}, {id: profcheck-test-system}]\n", clone, head)})
	for _, c := range []struct {
		hook string
		file string
		code int
		want string // in the output
	}{
		{"profcheck", "deploy/seccomp-good.json", 0, "Passed"},
		{"profcheck", "seccomp/web/bad.json", 1, "PC102"},
		{"profcheck", "seccomp/broken.json", 1, "exit code: 3"},
		{"profcheck", "package.json", 0, "no files to check"},
		{"profcheck", "seccomp/good_test.yaml", 0, "no files to check"},
		{"profcheck-system", "deploy/seccomp-good.json", 0, "Passed"},
		{"profcheck-system", "seccomp/web/bad.json", 1, "exit code: 1"},
		{"profcheck-test", "seccomp/good_test.yaml", 0, "Passed"},
		{"profcheck-test", "seccomp/bad_test.yaml", 1, "exit code: 1"},
		{"profcheck-test-system", "seccomp/good_test.yaml", 0, "Passed"},
		{"profcheck-test-system", "seccomp/bad_test.yaml", 1, "exit code: 1"},
		{"profcheck-test-system", "deploy/seccomp-good.json", 0, "no files to check"},
	} {
		if code, out := run("run", c.hook, "--files", c.file); code != c.code || !strings.Contains(out, c.want) {
			t.Errorf("%s on %s: exit code %d, want %d with %q:\n%s", c.hook, c.file, code, c.code, c.want, out)
		}
	}
}

// product builds the program as it is.
func product(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "profcheck")
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", path, "./cmd/profcheck").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

// action is what action.yml says, as far as a runner reads it.
type action struct {
	Name, Description string
	Inputs            map[string]struct{ Description, Default string }
	Outputs           map[string]struct{ Description, Value string }
	Runs              struct {
		Using string
		Steps []struct {
			Name, ID, Shell, Run string
			Env                  map[string]string
		}
	}

	temp  string // the runner's folder
	built string // the program that the first run has made
}

func readAction(t *testing.T) (a action) {
	t.Helper()
	data, err := os.ReadFile("action.yml")
	if err != nil {
		t.Fatal(err)
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&a); err != nil {
		t.Fatal(err)
	}
	return a
}

// expression is how action.yml refers to inputs and to outputs of steps.
var expression = regexp.MustCompile(`\$\{\{\s*(\S+)\s*\}\}`)

// Nothing that a caller gives is pasted into a script, every input is handed to one, and every
// reference leads somewhere.
func TestActionExpressions(t *testing.T) {
	a := readAction(t)
	if a.Runs.Using != "composite" || len(a.Runs.Steps) == 0 {
		t.Fatalf("%+v", a.Runs)
	}
	known, used := map[string]bool{}, map[string]bool{}
	for name := range a.Inputs {
		known["inputs."+name] = true
	}
	check := func(where, text string) {
		for _, m := range expression.FindAllStringSubmatch(text, -1) {
			if used[m[1]] = true; !known[m[1]] {
				t.Errorf("%s refers to %s, which is not there", where, m[1])
			}
		}
	}
	for _, s := range a.Runs.Steps {
		if strings.Contains(s.Run, "${{") {
			t.Errorf("step %s pastes something into its script", s.Name)
		}
		if s.Shell != "bash" || s.Run == "" {
			t.Errorf("step %s: shell %q", s.Name, s.Shell)
		}
		for name, value := range s.Env {
			check(s.Name+" "+name, value)
		}
		for _, m := range regexp.MustCompile(`(?m)([a-z-]+)=\S*?(?:\\n|$bin)`).FindAllStringSubmatch(s.Run, -1) {
			known["steps."+s.ID+".outputs."+m[1]] = true
		}
		if strings.Contains(s.Run, `echo "program=`) {
			known["steps."+s.ID+".outputs.program"] = true
		}
	}
	for name, o := range a.Outputs {
		check("output "+name, o.Value)
	}
	for name, in := range a.Inputs {
		if !used["inputs."+name] || in.Description == "" {
			t.Errorf("input %s is not used or not described", name)
		}
	}
}

// run carries the action out as a runner does: each step by bash with its environment, its outputs in
// a file, up to the first that fails.
func (a *action) run(t *testing.T, workspace string, inputs map[string]string) (code int, log string, outputs map[string]string, summary string) {
	t.Helper()
	temp := a.temp
	values := map[string]string{}
	for name, in := range a.Inputs {
		values["inputs."+name] = in.Default
	}
	for name, v := range inputs {
		if _, ok := a.Inputs[name]; !ok {
			t.Fatalf("no input %s", name)
		}
		values["inputs."+name] = v
	}
	fill := func(text string) string {
		return expression.ReplaceAllStringFunc(text, func(e string) string { return values[expression.FindStringSubmatch(e)[1]] })
	}
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	page := filepath.Join(temp, "summary.md")
	write(t, temp, map[string]string{"summary.md": "before\n"})
	for i, s := range a.Runs.Steps {
		if s.ID == "build" && a.built != "" && inputs["version"] == "" {
			values["steps.build.outputs.program"] = a.built // of an earlier run
			continue
		}
		script, output := filepath.Join(temp, fmt.Sprintf("%d.sh", i)), filepath.Join(temp, fmt.Sprintf("%d.out", i))
		write(t, temp, map[string]string{filepath.Base(script): s.Run, filepath.Base(output): ""})
		cmd := exec.Command("bash", "--noprofile", "--norc", "-e", "-o", "pipefail", script)
		cmd.Dir = workspace
		cmd.Env = append(os.Environ(), "GITHUB_ACTIONS=true", "CI=true", "GITHUB_ACTION_PATH="+here, "GITHUB_WORKSPACE="+workspace,
			"GITHUB_OUTPUT="+output, "GITHUB_STEP_SUMMARY="+page, "RUNNER_TEMP="+temp, "GOPROXY=off")
		for _, name := range slices.Sorted(maps.Keys(s.Env)) {
			cmd.Env = append(cmd.Env, name+"="+fill(s.Env[name]))
		}
		out, _ := cmd.CombinedOutput()
		log += string(out)
		data, err := os.ReadFile(output)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
			if !ok {
				t.Errorf("step %s: output %q", s.Name, line)
			}
			values["steps."+s.ID+".outputs."+name] = value
		}
		if code = cmd.ProcessState.ExitCode(); code != 0 {
			break
		}
		if s.ID == "build" {
			a.built = values["steps.build.outputs.program"]
		}
	}
	outputs = map[string]string{}
	for name, o := range a.Outputs {
		outputs[name] = fill(o.Value)
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	return code, log, outputs, strings.TrimPrefix(string(text), "before\n")
}

func TestAction(t *testing.T) {
	witness(t, "bash")
	a := readAction(t)
	a.temp = t.TempDir()
	gofmt := filepath.Join(strings.TrimPrefix(goEnv(t, "GOROOT")[0], "GOROOT="), "bin", "gofmt")
	files := map[string]string{
		"seccomp good.json": goodProfile,
		"bad.json":          badProfile,
		"sub/bad.json":      badProfile,
		"$(touch pwned)":    "{",
	}
	for _, c := range []struct {
		name    string
		inputs  map[string]string
		code    int
		log     string // is in the log
		sarif   bool
		summary string // is in the summary
	}{
		{name: "good", inputs: map[string]string{"profiles": "seccomp good.json", "sarif": "out/p.sarif"}, log: "seccomp good.json", sarif: true, summary: "seccomp good.json"},
		{name: "bad", inputs: map[string]string{"profiles": "\n  bad.json\r\n", "sarif": "p.sarif"}, code: 1, log: "::error file=bad.json", sarif: true, summary: "PC102"},
		{name: "below", inputs: map[string]string{"profiles": "bad.json", "working-directory": "sub"}, code: 1, log: "::error file=bad.json", summary: "PC102"},
		{name: "both", inputs: map[string]string{"profiles": "seccomp good.json\nbad.json"}, code: 1, log: "PC102", summary: "PC102"},
		{name: "never", inputs: map[string]string{"profiles": "bad.json", "fail-on": "never"}, log: "PC102", summary: "PC102"},
		{name: "no summary", inputs: map[string]string{"profiles": "bad.json", "summary": "false"}, code: 1, log: "PC102"},
		{name: "further arguments", inputs: map[string]string{"profiles": "docker-default", "args": "--target=containerd\n--arch=x86_64\n"}, code: 1, log: "PC103", summary: "containerd"},
		{name: "program", inputs: map[string]string{"binary": gofmt}, log: "gofmt runs under docker-default", summary: "gofmt"},
		{name: "program denied", inputs: map[string]string{"binary": gofmt, "profiles": "bad.json"}, code: 1, log: "PC613", summary: "gofmt"},
		{name: "several profiles for a program", inputs: map[string]string{"binary": gofmt, "profiles": "bad.json\nseccomp good.json"}, code: 2, log: "one profile"},
		{name: "no such file", inputs: map[string]string{"profiles": "missing.json"}, code: 3, log: "missing.json", summary: "could not be judged"},
		{name: "a wrong threshold", inputs: map[string]string{"profiles": "bad.json", "fail-on": "always"}, code: 2, log: "always"},
		{name: "no such folder", inputs: map[string]string{"working-directory": "nowhere"}, code: 2, log: "working-directory"},
		{name: "two outputs in one", inputs: map[string]string{"sarif": "a\nexit-code=0"}, code: 2, log: "sarif names one file"},
		{name: "a command for a profile", inputs: map[string]string{"profiles": "$(touch pwned)\n`touch pwned`\n; touch pwned\n\"; touch pwned #"}, code: 2, summary: "could not be judged"},
		{name: "a flag for a profile", inputs: map[string]string{"profiles": "--output=pwned"}, code: 2, summary: "could not be judged"},
		{name: "a command for an argument", inputs: map[string]string{"profiles": "bad.json", "args": "$(touch pwned)"}, code: 2, log: "PC102", summary: "PC102"},
		{name: "a command for a threshold", inputs: map[string]string{"profiles": "bad.json", "fail-on": "$(touch pwned)"}, code: 2},
		{name: "a command for a file", inputs: map[string]string{"profiles": "bad.json", "sarif": "$(touch pwned);`touch pwned`"}, code: 1, sarif: true, summary: "PC102"},
		{name: "a command for a folder", inputs: map[string]string{"working-directory": "$(touch pwned)"}, code: 2},
		{name: "a command for a summary", inputs: map[string]string{"profiles": "bad.json", "summary": "$(touch pwned)"}, code: 1},
		{name: "a command for a release", inputs: map[string]string{"version": "v1.0.0;touch pwned"}, code: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			workspace := t.TempDir()
			write(t, workspace, files)
			code, log, outputs, summary := a.run(t, workspace, c.inputs)
			if code != c.code || !strings.Contains(log, c.log) {
				t.Errorf("exit code %d, want %d with %q:\n%s", code, c.code, c.log, log)
			}
			if c.inputs["version"] == "" && outputs["exit-code"] != fmt.Sprint(c.code) {
				t.Errorf("output exit-code %q, want %d", outputs["exit-code"], c.code)
			}
			if (summary != "") != (c.summary != "") || !strings.Contains(summary, c.summary) {
				t.Errorf("summary %q, want %q", summary, c.summary)
			}
			if c.sarif {
				data, err := os.ReadFile(outputs["sarif"])
				if err != nil || !bytes.Contains(data, []byte(`"version": "2.1.0"`)) {
					t.Errorf("SARIF in %q: %v, %.80s", outputs["sarif"], err, data)
				}
			} else if outputs["sarif"] != "" {
				t.Errorf("SARIF in %q", outputs["sarif"])
			}
			if found, _ := filepath.Glob(filepath.Join(workspace, "*", "pwned")); found != nil {
				t.Error("an input was run")
			}
			if _, err := os.Stat(filepath.Join(workspace, "pwned")); err == nil {
				t.Error("an input was run")
			}
		})
	}
}
