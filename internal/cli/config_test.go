package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/lint"
)

// The examples of the checks of ignores are run here, since lint knows of no ignores: a profile, its file
// of settings, and what is found, as in the tests of lint.
func TestIgnoreExamples(t *testing.T) {
	for _, c := range []*lint.Check{lint.ExpiredIgnore, lint.UnusedIgnore, lint.BrokenIgnore} {
		t.Run(c.ID, func(t *testing.T) {
			t.Chdir(t.TempDir())
			files, last := make(map[string]string), ""
			for line := range strings.Lines(c.Example()) {
				if name, ok := strings.CutPrefix(strings.TrimSpace(line), "-- "); ok {
					last = strings.TrimSuffix(name, " --")
				} else {
					files[last] += line
				}
			}
			delete(files, "")
			for name, text := range files {
				if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			for name := range files {
				stem, ok := strings.CutSuffix(name, ".json")
				if !ok {
					continue
				}
				args := []string{"lint", "-q", name, "--no-config"}
				if files[stem+".profcheck.yaml"] != "" {
					args = append(args[:len(args)-1], "--config", stem+".profcheck.yaml")
				}
				stdout, stderr, _ := runApp(args, nil, nil)
				if stderr != "" {
					t.Fatalf("%s: %s", name, stderr)
				}
				var got []string
				for line := range strings.Lines(stdout) {
					// FILE:LINE:COLUMN: SEVERITY: CHECK: MESSAGE
					parts := strings.SplitN(strings.TrimSpace(line), ": ", 4)
					if len(parts) == 4 && parts[2] == c.ID {
						_, place, _ := strings.Cut(parts[0], ":")
						got = append(got, parts[1]+" "+place+" "+parts[3])
					}
				}
				want := lines(files[stem+".want"])
				if len(got) != len(want) {
					t.Errorf("%s: %q, want %q", name, got, want)
					continue
				}
				for i := range want {
					if !strings.HasPrefix(got[i], want[i]) {
						t.Errorf("%s: %q, want %q", name, got[i], want[i])
					}
				}
			}
		})
	}
}

// What init writes is found, read, and changes nothing.
func TestInit(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir(".git", 0o755); err != nil {
		t.Fatal(err)
	}
	before, _, _ := runApp([]string{"lint", "docker-default", "--format", "json"}, nil, nil)
	if _, stderr, code := runApp([]string{"init"}, nil, nil); code != 0 || !strings.HasPrefix(stderr, "profcheck: .profcheck.yaml: written") {
		t.Fatalf("exit code %d, %s", code, stderr)
	}
	if stdout, _, code := runApp([]string{"config"}, nil, nil); code != 0 || !strings.HasPrefix(stdout, "settings: .profcheck.yaml\n") {
		t.Errorf("exit code %d, %s", code, stdout)
	}
	if after, stderr, _ := runApp([]string{"lint", "docker-default", "--format", "json"}, nil, nil); after != before || stderr != "" {
		t.Errorf("another result: %s", stderr)
	}
	if err := os.WriteFile(".profcheck.yaml", []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, stderr, code := runApp([]string{"init"}, nil, nil); code != 2 || stderr != "profcheck: .profcheck.yaml: the file exists; --force overwrites it\n" {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	if data, err := os.ReadFile(".profcheck.yaml"); err != nil || string(data) != "mine" {
		t.Errorf("%q, %v", data, err)
	}
}

// The settings are found from below, and a baseline means the same files from wherever it is used.
func TestFolders(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	profile := `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["bpf"],"action":"SCMP_ACT_ALLOW"}]}`
	write(".git/HEAD", "")
	write(".profcheck.yaml", "version: 1\ntargets: kernel\nprofiles: ['deploy/**/*.json']\n")
	write("deploy/web/a.json", profile)
	write("deploy/.hidden/b.json", "{")
	t.Chdir(filepath.Join(root, "deploy", "web"))
	if _, stderr, code := runApp([]string{"lint", "--write-baseline", "../../old.txt"}, nil, nil); code != 0 || !strings.Contains(stderr, "old.txt: 2 findings") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	// Lines that move, and another folder, change nothing.
	write("deploy/web/a.json", strings.ReplaceAll(profile, ",", ",\n\n"))
	for dir, name := range map[string]string{".": "deploy/web/a.json", "deploy": "./web/a.json", "deploy/web": filepath.Join(root, "deploy/web/a.json")} {
		t.Chdir(filepath.Join(root, dir))
		stdout, stderr, code := runApp([]string{"lint", "--baseline", filepath.Join(root, "old.txt"), name}, nil, nil)
		if code != 0 || stderr != "profcheck: 2 findings ignored, 2 by the baseline\n" || !strings.Contains(stdout, "(kernel, x86_64): no findings, 2 suppressed") {
			t.Errorf("%s: exit code %d, %s%s", dir, code, stdout, stderr)
		}
	}
	// A new finding is not in it, and one that was repaired is gone.
	write("deploy/web/a.json", strings.Replace(profile, "bpf", "userfaultfd", 1))
	t.Chdir(root)
	stdout, stderr, code := runApp([]string{"lint", "--baseline", "old.txt", "--fail-on", "warning", "-v"}, nil, nil)
	if code != 1 || !strings.Contains(stdout, "PC716") || !strings.Contains(stderr, "profcheck: old.txt: 1 finding is not there any more\nprofcheck: gone: deploy/web/a.json: PC714: ") {
		t.Errorf("exit code %d, %s%s", code, stdout, stderr)
	}
}

// A file of settings that is none, whatever it is, ends the run with one line.
func TestHostileSettings(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, c := range []struct {
		text string
		size int64
		want string
		code int
	}{
		{"", 100_000_000, ".profcheck.yaml: larger than 262144 bytes", 3},
		{"version: 1\n\tx: 1", 0, ".profcheck.yaml:2:1: found a tab character that violates indentation", 3},
		{"version: 1\nkernel: \x00\n", 0, ".profcheck.yaml:1:1: control characters are not allowed", 3},
		{"a: &a [x]\nb: [*a]\n", 0, `.profcheck.yaml:1:1: unknown key "a"`, 3},
		{"{", 0, ".profcheck.yaml:", 3},
		{"\ufeffversion: 1\r\nfail-on: never\r\n", 0, "", 0},
	} {
		if err := os.WriteFile(".profcheck.yaml", []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		if c.size > 0 {
			if err := os.Truncate(".profcheck.yaml", c.size); err != nil {
				t.Fatal(err)
			}
		}
		_, stderr, code := runApp([]string{"lint", "docker-default", "--arch", "x86_64"}, nil, nil)
		if code != c.code || strings.Count(stderr, "\n") > 1 || c.want != "" && !strings.HasPrefix(stderr, "profcheck: "+c.want) {
			t.Errorf("%.20q: exit code %d, %s", c.text, code, stderr)
		}
	}
}
