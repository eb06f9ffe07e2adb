package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/finding"
)

// parse reads a text as the file c.yaml of /repo, in /repo/sub.
func parse(text string) (*Config, error) { return Parse("c.yaml", []byte(text), "/repo", "/repo/sub") }

func mustParse(t *testing.T, text string) *Config {
	t.Helper()
	c, err := parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const full = `version: 1
fail-on: warning
targets: [docker, podman/runc]
arches: arm64
caps: [none, sys_admin]
kernel: "5.10"
profiles: [deploy/*.json, docker-default]
checks:
  PC612: off
  default-allow: info
paths:
- match: deploy/
  targets: crun
  checks: {pc612: on}
- match: [x.json, sub/y.json]
  kernel: 6.1
ignores:
- check: PC714
  path: [deploy/**/a.json]
  syscall: [bpf]
  arch: [amd64, x32]
  reason: |
    the tracer
    needs it
  expires: 2027-01-31
- {check: io-uring-open, reason: "reviewed"}
`

func TestParse(t *testing.T) {
	c := mustParse(t, full)
	if c.FailOn.Text != "warning" || c.FailOn.Pos != (finding.Pos{File: "c.yaml", Line: 2, Column: 10}) {
		t.Errorf("fail-on: %+v", c.FailOn)
	}
	if got := words(c.Targets); got != "docker podman/runc" {
		t.Errorf("targets: %s", got)
	}
	if got := words(c.Arches); got != "aarch64" {
		t.Errorf("arches: %s", got)
	}
	if got := words(c.Caps); got != "none CAP_SYS_ADMIN" {
		t.Errorf("caps: %s", got)
	}
	if len(c.Profiles) != 2 || len(c.Paths) != 2 || len(c.Ignores) != 2 {
		t.Fatalf("%+v", c)
	}
	i := c.Ignores[0]
	if i.Check != "PC714" || i.Reason != "the tracer needs it" || i.Expires != "2027-01-31" ||
		strings.Join(i.Arches, " ") != "x86_64 x32" || i.Pos.Line != 18 || i.Pos.Column != 3 || i.By != finding.ByConfig {
		t.Errorf("%+v", i)
	}
	if c.Ignores[1].Check != "PC701" {
		t.Errorf("%+v", c.Ignores[1])
	}
}

func words(list []Word) string {
	var out []string
	for _, w := range list {
		out = append(out, w.Text)
	}
	return strings.Join(out, " ")
}

// Each fault is named with its place, and with the word that was meant where one is near.
func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                                                                 "c.yaml: the file is empty: want version: 1",
		"# nothing\n":                                                      "c.yaml: the file is empty: want version: 1",
		"version: 2\n":                                                     `c.yaml:1:10: unknown version "2": 1`,
		"targets: docker\n":                                                "c.yaml:1:1: no version: want version: 1",
		"version: 1\nignroes: []\n":                                        `c.yaml:2:1: unknown key "ignroes": did you mean ignores?`,
		"version: 1\nx: 1\n":                                               `c.yaml:2:1: unknown key "x"`,
		"version: 1\nversion: 1\n":                                         "c.yaml:2:1: the key version is there twice",
		"[1]\n":                                                            "c.yaml:1:1: want the settings, a mapping with the keys checks, ",
		"version: 1\n---\nversion: 1\n":                                    "c.yaml:2:1: a second document",
		"version: 1\nkernel: x\n":                                          "c.yaml:2:9: ",
		"version: 1\nkernel:\n":                                            "c.yaml:2:8: want a word, found nothing",
		"version: 1\nkernel: [5.10]\n":                                     "c.yaml:2:9: want a word",
		"version: 1\ntargets: dokcer\n":                                    `c.yaml:2:10: unknown target "dokcer": did you mean docker?`,
		"version: 1\ntargets: [crun, crun]\n":                              "c.yaml:2:17: crun is there twice",
		"version: 1\ntargets: []\n":                                        "c.yaml:2:10: an empty list",
		"version: 1\narches: x68_64\n":                                     `c.yaml:2:9: unknown architecture "x68_64"`,
		"version: 1\ncaps: SYS_ADMN\n":                                     `c.yaml:2:7: unknown capability "SYS_ADMN": did you mean CAP_SYS_ADMIN?`,
		"version: 1\nfail-on: eror\n":                                      `c.yaml:2:10: unknown fail-on "eror": did you mean error?`,
		"version: 1\nchecks: [PC714]\n":                                    "c.yaml:2:9: want a mapping from checks to off, on, info, warning, error",
		"version: 1\nchecks: {bpf-opne: off}\n":                            `c.yaml:2:10: unknown check "bpf-opne": did you mean bpf-open?`,
		"version: 1\nchecks: {PC714: of}\n":                                `c.yaml:2:17: unknown level "of": did you mean off?`,
		"version: 1\nchecks:\n  PC714: off\n  bpf-open: on\n":              "c.yaml:4:3: PC714 is there twice",
		"version: 1\nprofiles: ['a[']\n":                                   "c.yaml:2:12: a[: a bracket without its end",
		"version: 1\nprofiles: 'a\\b'\n":                                   "c.yaml:2:11: a backslash: paths have slashes here",
		"version: 1\npaths: {match: a}\n":                                  "c.yaml:2:8: want a list of mappings, each with match",
		"version: 1\npaths: [{kernel: 5.4}]\n":                             "c.yaml:2:9: no match: want a path or a list of paths",
		"version: 1\npaths: [{match: a, fail-on: info}]\n":                 `c.yaml:2:20: unknown key "fail-on"`,
		"version: 1\nignores:\n- check: PC714\n":                           "c.yaml:3:3: no reason: an ignore has a check and a reason",
		"version: 1\nignores:\n- check: PC714\n  reason: ' '\n":            "c.yaml:4:11: want a word, found nothing",
		"version: 1\nignores:\n- reason: r\n":                              "c.yaml:3:3: no check: an ignore has a check and a reason",
		"version: 1\nignores:\n- {check: PC714, reason: r, rule: x}\n":     `c.yaml:3:29: unknown key "rule"`,
		"version: 1\nignores:\n- {check: PC941, reason: r}\n":              "c.yaml:3:11: PC941 is about ignores themselves; checks: {PC941: off} turns it off",
		"version: 1\nignores:\n- {check: PC714, reason: r, expires: soon}": `c.yaml:3:38: "soon" is no day: want YYYY-MM-DD`,
		"version: 1\nignores:\n- {check: PC714, reason: r, expires: 2027-02-30}": `c.yaml:3:38: "2027-02-30" is no day: want YYYY-MM-DD`,
		"version: 1\nignores:\n- {check: PC714, reason: r, syscall: bfp}":        `c.yaml:3:38: unknown syscall "bfp": did you mean bpf?`,
		"version: 1\nignores: &a []\n":                                           "c.yaml:2:10: want a list of mappings",
		"version: 1\nkernel: &k 5.4\n":                                           "c.yaml:2:9: anchors and aliases are not read",
		"version: 1\nx: &x 1\n<<: *x\n":                                          "c.yaml:2:1: unknown key",
		"version: 1\n\tkernel: 5.4\n":                                            "c.yaml:2:1: found a tab character that violates indentation",
		"version: 1\nkernel: \"\x00\"\n":                                         "c.yaml:1:1: control characters are not allowed",
		"version: 1\nkernel: [\n":                                                "c.yaml:",
	} {
		c, err := parse(text)
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %+v, %v\nwant %s", text, c, err, want)
		}
	}
	// The twins: what is nearly one of them is read.
	for _, text := range []string{
		"version: 1\n", "version: \"1\"\n", "\ufeffversion: 1\n", "version: 1\r\nkernel: 5.4\r\n", "--- # x\nversion: 1\n...\n",
		"version: 1\nignores: []\npaths: []\nprofiles: x\n", "version: 1\nchecks: {PC714: \"off\", PC701: on}\n",
		"version: 1\nignores:\n- {check: PC107, reason: r, syscall: bfp}\n", // which is what the check is about
	} {
		if _, err := parse(text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Input that is made to cost much is refused, and refused soon: nothing here takes longer than the
// library's reading of MaxFile bytes.
func TestHostile(t *testing.T) {
	bomb := "version: 1\na: &a [x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'z'; c++ {
		bomb += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+string(c-1)+",", 8) + "]\n"
	}
	for name, text := range map[string]string{
		"bomb":        bomb,
		"deep flow":   "version: 1\nignores: " + strings.Repeat("[", 100_000),
		"deep blocks": "version: 1\nignores: " + strings.Repeat("- ", 100_000),
		"deep keys":   "version: 1\n" + strings.Repeat("? ", 50_000),
		"comments":    "version: 1\n" + strings.Repeat("#\n", 100_000) + "x: 1\n",
		"documents":   strings.Repeat("---\n", 50_000),
		"large":       "version: 1\n#" + strings.Repeat("x", MaxFile),
		"long key":    "version: 1\n" + strings.Repeat("x", 100_000) + ": 1\n",
		"tabs":        strings.Repeat("\t", 1000),
		"NULs":        strings.Repeat("\x00", 1000),
		"many":        "version: 1\nignores:\n" + strings.Repeat("- {check: PC714, reason: r}\n", 5000) + "- x\n",
	} {
		_, err := parse(text)
		if err == nil || len(err.Error()) > 400 {
			t.Errorf("%s: %.500v", name, err)
		}
	}
}

func TestFor(t *testing.T) {
	c := mustParse(t, full)
	for _, x := range []struct{ name, targets, kernel, level string }{
		{"docker-default", "docker podman/runc", "5.10", "off"},
		{"a.json", "docker podman/runc", "5.10", "off"},
		{"../deploy/a.json", "crun", "5.10", "on"},
		{"../deploy/x/x.json", "crun", "6.1", "on"},
		{"/repo/deploy/a.json#web", "crun", "5.10", "on"},
		{"x.json", "docker podman/runc", "6.1", "off"},
		{"y.json", "docker podman/runc", "6.1", "off"},
		{"sub/y.json", "docker podman/runc", "5.10", "off"}, // which is sub/sub/y.json
		{"../../deploy/a.json", "docker podman/runc", "5.10", "off"},
	} {
		s := c.For(x.name)
		if words(s.Targets) != x.targets || s.Kernel.Text != x.kernel || s.level("PC612") != x.level || s.level("PC801") != "info" || s.level("PC714") != "on" {
			t.Errorf("%s: %+v", x.name, s)
		}
	}
	var none *Config
	if s := none.For("x"); s.level("PC612") != "on" || s.Targets != nil {
		t.Errorf("without a file: %+v", s)
	}
}

func TestGlob(t *testing.T) {
	for _, x := range []struct{ pattern, yes, no string }{
		{"a.json", "a.json x/a.json x/y/a.json", "b.json a.json/x xa.json"},
		{"*.json", "a.json x/a.json", "a.yaml"},
		{"/a.json", "a.json", "x/a.json"},
		{"./a.json", "a.json x/a.json", "b.json"},
		{"x/*.json", "x/a.json", "a.json x/y/a.json y/x/a.json"},
		{"x/**/a.json", "x/a.json x/y/a.json x/y/z/a.json", "a.json x/b.json"},
		{"x/", "x/a x/y/b", "y/x/a"},
		{"**", "a x/y", ""},
		{"**/x/**", "x/a y/x/a x/y/a", "xx/a y/a"},
		{"../x/*", "../x/a", "x/a"},
		{"[ab]?.json", "a1.json", "c1.json a.json"},
	} {
		g, err := ParseGlob(x.pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range strings.Fields(x.yes) {
			if !g.Match(name) {
				t.Errorf("%s does not match %s", x.pattern, name)
			}
		}
		for _, name := range strings.Fields(x.no) {
			if g.Match(name) {
				t.Errorf("%s matches %s", x.pattern, name)
			}
		}
	}
	for pattern, want := range map[string]bool{"x/a.json": true, "/a.json": true, "a.json": false, "x/*": false, "x/": false} {
		if g, err := ParseGlob(pattern); err != nil || g.Literal() != want {
			t.Errorf("%s: literal %v, %v", pattern, g.Literal(), err)
		}
	}
	// Stars in rows cost no more than their number.
	g, err := ParseGlob(strings.Repeat("**/", 300) + "b")
	if err != nil || g.Match(strings.Repeat("a/", 5000)+"c") {
		t.Error(err)
	}
}

func TestFind(t *testing.T) {
	root := t.TempDir()
	mk := func(path string) {
		t.Helper()
		full := filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte("version: 1\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	mk(Name)
	mk("a/b/keep")
	mk("repo/.git/HEAD")
	mk("repo/deep/keep")
	mk("own/.git")
	mk("own/" + Name)
	mk("own/sub/keep")
	mk("short/" + shortName)
	mk("two/" + shortName)
	mk("two/" + Name)
	for dir, want := range map[string]string{
		".": Name, "a/b": Name, "repo/deep": "", "repo": "", "own/sub": "own/" + Name, "short": "short/" + shortName,
	} {
		if want != "" {
			want = filepath.Join(root, want)
		}
		if got, err := Find(filepath.Join(root, dir)); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", dir, got, err, want)
		}
	}
	if got, err := Find(filepath.Join(root, "two")); err == nil || !strings.HasSuffix(err.Error(), Name+" is there, too: keep one of them") {
		t.Errorf("two: %q, %v", got, err)
	}
}

func TestLoad(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("large", make([]byte, MaxFile+1), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create("sparse")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(100 << 20); err != nil { // 100 MB of NUL
		t.Fatal(err)
	}
	f.Close()
	for name, want := range map[string]string{
		".": ".: is a directory", "none": "none: no such file or directory", "large": "large: larger than 262144 bytes",
		"sparse": "sparse: larger than 262144 bytes", os.DevNull: os.DevNull + ": not a regular file",
	} {
		if _, err := Load(name); err == nil || err.Error() != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := os.WriteFile("good", []byte(full), 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := Load("good")
	if err != nil || c.File != "good" || !filepath.IsAbs(c.Dir) {
		t.Errorf("%+v, %v", c, err)
	}
}

// The file that init writes decides nothing; without the marks before its settings it has all of them, and
// each can be read.
func TestTemplate(t *testing.T) {
	c := mustParse(t, Template)
	if c.FailOn.Text != "" || c.Targets != nil || c.Checks != nil || c.Ignores != nil || c.Profiles != nil || c.Paths != nil {
		t.Errorf("%+v", c)
	}
	var b strings.Builder
	for line := range strings.Lines(Template) {
		if rest, ok := strings.CutPrefix(line, "#"); ok && (!strings.HasPrefix(rest, " ") || strings.HasPrefix(rest, "  ")) {
			line = rest
		}
		b.WriteString(line)
	}
	c = mustParse(t, b.String())
	if c.FailOn.Text != "warning" || len(c.Targets) != 2 || len(c.Arches) != 2 || len(c.Caps) != 1 || c.Kernel.Text == "" ||
		len(c.Checks) != 2 || len(c.Profiles) != 1 || len(c.Paths) != 1 || len(c.Ignores) != 1 {
		t.Errorf("%+v", c)
	}
	// No key is missing: an unknown one makes the reader name all of them.
	_, err := parse("- x\n")
	_, list, _ := strings.Cut(err.Error(), "keys ")
	for key := range strings.SplitSeq(list, ", ") {
		if !slices.ContainsFunc(strings.Split(b.String(), "\n"), func(l string) bool { return strings.HasPrefix(l, key+":") }) {
			t.Errorf("the template does not have %s", key)
		}
	}
}
