package cli

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/report"
)

// schema is as much of JSON Schema (draft 2020-12) as the schemas of report use.
type schema struct {
	Ref        string             `json:"$ref"`
	Type       string             `json:"type"`
	Properties map[string]*schema `json:"properties"`
	Required   []string           `json:"required"`
	Items      *schema            `json:"items"`
	Enum       []string           `json:"enum"`
	Const      *float64           `json:"const"`
	Pattern    string             `json:"pattern"`
	Minimum    *float64           `json:"minimum"`
	Maximum    *float64           `json:"maximum"`
	Defs       map[string]*schema `json:"$defs"`

	// Words that say nothing about a value.
	Schema      string `json:"$schema"`
	Title       string `json:"title"`
	Description string `json:"description"`
}

// readSchema refuses words that validate does not know.
func readSchema(t *testing.T, kind string) *schema {
	t.Helper()
	f, err := os.Open(packageFile("..", "..", "report", "schema", kind+".json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	dec := json.NewDecoder(f)
	dec.DisallowUnknownFields()
	s := new(schema)
	if err := dec.Decode(s); err != nil {
		t.Fatalf("schema of %s: %v", kind, err)
	}
	return s
}

// validate reports the first fault of a value. Fields that the schema does not name are faults: the
// documents of this version have none.
func (s *schema) validate(v any, at string, defs map[string]*schema) error {
	if name, ok := strings.CutPrefix(s.Ref, "#/$defs/"); ok {
		return defs[name].validate(v, at, defs)
	}
	fault := func(format string, args ...any) error { return fmt.Errorf(at+": "+format, args...) }
	switch v := v.(type) {
	case map[string]any:
		if s.Type != "object" {
			return fault("an object, want %s", s.Type)
		}
		for _, name := range s.Required {
			if _, ok := v[name]; !ok {
				return fault("no field %s", name)
			}
		}
		for name, value := range v {
			p := s.Properties[name]
			if p == nil {
				return fault("unknown field %s", name)
			}
			if err := p.validate(value, at+"."+name, defs); err != nil {
				return err
			}
		}
	case []any:
		if s.Type != "array" {
			return fault("an array, want %s", s.Type)
		}
		for i, value := range v {
			if err := s.Items.validate(value, fmt.Sprintf("%s[%d]", at, i), defs); err != nil {
				return err
			}
		}
	case string:
		switch {
		case s.Type != "string":
			return fault("a string, want %s", s.Type)
		case s.Enum != nil && !slices.Contains(s.Enum, v):
			return fault("%q is not one of %v", v, s.Enum)
		case s.Pattern != "" && !regexp.MustCompile(s.Pattern).MatchString(v):
			return fault("%q does not match %s", v, s.Pattern)
		}
	case float64:
		switch {
		case s.Type != "integer" || v != math.Trunc(v):
			return fault("a number, want %s", s.Type)
		case s.Minimum != nil && v < *s.Minimum, s.Maximum != nil && v > *s.Maximum, s.Const != nil && v != *s.Const:
			return fault("%v is out of range", v)
		}
	case bool:
		if s.Type != "boolean" {
			return fault("a boolean, want %s", s.Type)
		}
	default:
		return fault("%v, want %s", v, s.Type)
	}
	return nil
}

const narrowProfile = `{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
  {"names": ["read", "write", "exit_group", "raed"], "action": "SCMP_ACT_ALLOW"},
  {"names": ["clone"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]}]}`

const agreedFile = `profile: narrow.json
expect:
  - allow: [read, ptrace, getpid]
  - deny: [rest, unnamed]
`

const rowsFile = "x86_64\t0xc000003e\tread\t0\t0\t0\t0\t0\t0\t0\tALLOW\n"

const filterText = `
	ld [4]
	jne #x86_64, bad
	ld [0]
	jne #0, rest
	ld [16]
	jset #4, bad
rest:	ret ALLOW
bad:	ret TRAP(9)
`

const vectorRows = "x86_64\t0xc000003e\tread\t0\t0x4\t0x0\t0x0\t0x0\t0x0\t0x0\tTRAP\n" +
	"x86_64\t0xc000003e\t-\t7000\t0x4\t0x0\t0x0\t0x0\t0x0\t0x0\tTRAP\n"

// documents are commands whose results are documents, with the kind of each.
var documents = []struct {
	kind, command string
	code          int
}{
	{"check", "hello", 0},
	{"check", "hello hello.arm64 narrow.json", 1},
	{"check", "mystery narrow.json", 3},
	{"check", "hello --cap all --kernel 4.4 --target kernel", -1},
	{"scan", "scan hello hello.arm64", 0},
	{"scan", "scan mystery", 3},
	{"why", "why hello exit_group", 0},
	{"why", "why hello ptrace", 1},
	{"why", "why mystery ptrace", 3},
	{"scan", "scan --root root greet greet.sh lost --with sh", 3},
	{"check", "--root root greet narrow.json --plugin /lib/greet", 1},
	{"why", "why --root root greet socket", 0},
	{"lint", "lint docker-default narrow.json", 1},
	{"rules", "rules", 0},
	{"explain", "explain PC613", 0},
	{"simulate", "simulate docker-default socket 40", 0},
	{"simulate", "simulate narrow.json 0xffffffff -1 --arch arm64", 0},
	{"table", "table narrow.json --target runc --arch x86_64,x86", 0},
	{"expect", "test agreed.yaml", 1},
	{"expect", "test --vectors rows.tsv narrow.json --coverage", 0},
	{"table", "table narrow.json --arch x86_64 --against x32", 0},
	{"table", "table narrow.json --target runc,crun,gvisor", 0},
	{"table", "table filter.s+narrow.json", 0},
	{"simulate", "simulate filter.s+narrow.json read 5 --ip 0x1000", 0},
	{"simulate", "simulate narrow.json 0x2000 --target docker,crun", 0},
	{"simulate", "simulate --strict-mode mount", 0},
	{"vectors", "simulate --vectors vectors.tsv filter.s", 1},
	{"diff", "diff narrow.json docker-default", 1},
	{"diff", "diff filter.s filter.s+narrow.json", 0},
	{"diff", "diff --equal narrow.json filter.s", 1},
	{"diff", "diff narrow.json narrow.json --new-target crun", -1},
	{"filter", "disasm filter.s", 0},
	{"filter", "disasm narrow.json --host arm64", 0},
	{"verify", "verify filter.s narrow.json refused.s", 1},
	{"resolve", "resolve openat", 0},
	{"resolve", "resolve 99999", 1},
	{"profiles", "profiles", 0},
	{"targets", "targets", 0},
	{"version", "version", 0},
	{"config", "config narrow.json --target crun,runc", 0},
}

// workFolder goes to a folder with the test programs and narrow.json.
func workFolder(t *testing.T) {
	t.Helper()
	paths := programs(t)
	t.Chdir(t.TempDir())
	for name, path := range paths {
		if err := os.Symlink(path, name); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS("root", os.DirFS(packageFile("..", "..", "testdata", "native", "root"))); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"narrow.json": narrowProfile, "agreed.yaml": agreedFile, "rows.tsv": rowsFile,
		"filter.s": filterText, "vectors.tsv": vectorRows, "refused.s": "ld M[0]\nret a\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// formatFlags are ways to render a document of a kind: every format that has a form for it.
func formatFlags(kind string) []string {
	flags := []string{"--format text --verbose", "--format text --color always"}
	for _, f := range report.Formats() {
		if f.Has(kind) == nil {
			flags = append(flags, "--format "+f.Name)
		}
	}
	return flags
}

// Every JSON document fits its committed schema, and rendered from its saved form it gives the same
// bytes as the run that made it, in every format.
func TestDocuments(t *testing.T) {
	workFolder(t)
	seen := make(map[string]bool)
	for _, c := range documents {
		seen[c.kind] = true
		args := strings.Fields(c.command)
		saved, stderr, code := runApp(append(args, "--format", "json"), nil, nil)
		if stderr != "" || c.code >= 0 && code != c.code {
			t.Errorf("%s: exit code %d, want %d; stderr %q", c.command, code, c.code, stderr)
			continue
		}
		var value any
		if err := json.Unmarshal([]byte(saved), &value); err != nil {
			t.Fatalf("%s: %v", c.command, err)
		}
		s := readSchema(t, c.kind)
		if err := s.validate(value, c.kind, s.Defs); err != nil {
			t.Errorf("%s: %v", c.command, err)
		}
		if err := os.WriteFile("saved.json", []byte(saved), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, flags := range formatFlags(c.kind) {
			direct, _, directCode := runApp(append(args, strings.Fields(flags)...), nil, nil)
			again, stderr, code := runApp(append([]string{"report", "saved.json"}, strings.Fields(flags)...), nil, nil)
			if again != direct || code != 0 || stderr != "" {
				t.Errorf("%s %s: report gives other bytes, exit code %d, stderr %q", c.command, flags, code, stderr)
			}
			if c.code >= 0 && directCode != c.code {
				t.Errorf("%s %s: exit code %d, want %d", c.command, flags, directCode, c.code)
			}
		}
	}
	entries, err := os.ReadDir(packageFile("..", "..", "report", "schema"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if kind := strings.TrimSuffix(e.Name(), ".json"); !seen[kind] {
			t.Errorf("no command gives a document of kind %s here", kind)
		}
	}
}

// The validator sees what it is there for.
func TestSchemaRefuses(t *testing.T) {
	s := readSchema(t, "simulate")
	const good = `{"version":1,"arch":"x86_64","nr":1,"syscall":"write","args":["0x0"],"action":"ALLOW","data":0,"trace":[]}`
	for _, c := range []struct{ old, new, want string }{
		{"", "", ""},
		{`"version":1`, `"version":2`, "simulate.version: 2 is out of range"},
		{`"nr":1,`, ``, "simulate: no field nr"},
		{`"nr":1`, `"nr":1.5`, "simulate.nr: a number, want integer"},
		{`"nr":1`, `"nr":2147483648`, "simulate.nr: 2.147483648e+09 is out of range"},
		{`"nr":1`, `"nr":"1"`, "simulate.nr: a string, want integer"},
		{`"nr":1`, `"number":1,"nr":1`, "simulate: unknown field number"},
		{`"0x0"`, `0`, "simulate.args[0]: a number, want string"},
		{`"0x0"`, `"0"`, `simulate.args[0]: "0" does not match ^0x[0-9a-f]{1,16}$`},
		{`"ALLOW"`, `"SURE"`, `simulate.action: "SURE" is not one of [ALLOW LOG TRACE USER_NOTIF ERRNO TRAP KILL_THREAD KILL_PROCESS]`},
		{`"trace":[]`, `"trace":null`, "simulate.trace: <nil>, want array"},
		{`"trace":[]`, `"trace":{}`, "simulate.trace: an object, want array"},
		{`"trace":[]`, `"trace":[[]]`, "simulate.trace[0]: an array, want object"},
		{`"trace":[]`, `"trace":true`, "simulate.trace: a boolean, want array"},
	} {
		var v any
		text := strings.Replace(good, c.old, c.new, 1)
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := s.validate(v, "simulate", s.Defs); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", text, got, c.want)
		}
	}
}
