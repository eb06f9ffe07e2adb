package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	"github.com/xeipuuv/gojsonschema"
)

// standard is the standard's own schema. The library for SARIF has it in its source, and no way to
// hold a text against it rather than what the library makes of the text.
var standard = sync.OnceValues(func() (*gojsonschema.Schema, error) {
	pkg := reflect.TypeFor[sarif.Report]().PkgPath()
	dir, err := exec.Command("go", "list", "-f", "{{.Dir}}", pkg).Output()
	if err != nil {
		return nil, fmt.Errorf("go list %s: %w", pkg, err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(strings.TrimSpace(string(dir)), "schema.go"), nil, 0)
	if err != nil {
		return nil, err
	}
	var text string
	ast.Inspect(file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			text, err = strconv.Unquote(lit.Value)
		}
		return true
	})
	if err != nil || !strings.Contains(text, "Static Analysis Results Format (SARIF) Version 2.1.0") {
		return nil, fmt.Errorf("%s: no schema (%v)", pkg, err)
	}
	return gojsonschema.NewSchema(gojsonschema.NewStringLoader(text))
})

// validSARIF holds a log against the schema of the standard, and against what GitHub takes.
func validSARIF(text string) error {
	schema, err := standard()
	if err != nil {
		return err
	}
	result, err := schema.Validate(gojsonschema.NewStringLoader(text))
	if err != nil {
		return err
	}
	for _, e := range result.Errors() {
		return errors.New(e.String())
	}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	var log sarif.Report
	if err := dec.Decode(&log); err != nil {
		return err
	}
	for _, run := range log.Runs {
		if len(run.Results) > maxResults {
			return fmt.Errorf("%d results", len(run.Results))
		}
		for _, rule := range run.Tool.Driver.Rules {
			if rule.Properties != nil && len(rule.Properties.Tags) > 20 {
				return fmt.Errorf("%d tags", len(rule.Properties.Tags))
			}
		}
		for i, r := range run.Results {
			if r.RuleIndex < 0 || *run.Tool.Driver.Rules[r.RuleIndex].ID != *r.RuleID {
				return fmt.Errorf("result %d: rule %d is not %s", i, r.RuleIndex, *r.RuleID)
			}
			if r.PartialFingerprints[printKey] == "" {
				return fmt.Errorf("result %d: no fingerprint", i)
			}
			if n := len(r.Locations); n != 1 {
				return fmt.Errorf("result %d: %d locations", i, n)
			}
		}
	}
	return nil
}

func TestSARIFIsRefused(t *testing.T) {
	good := render(t, "sarif", decodeFile(t, "testdata/lint.json"), Options{Tool: testTool})
	for _, c := range []struct{ old, new string }{
		{"", ""},
		{`"level": "error"`, `"level": "fatal"`},
		{`"ruleIndex"`, `"ruleIndes"`},
		{`"version": "2.1.0"`, `"version": "2.2.0"`},
		{`"startLine": 4`, `"startLine": 0`},
		{`"columnKind": "unicodeCodePoints"`, `"columnKind": "bytes"`},
		{`"kind": "inSource"`, `"kind": "comment"`},
	} {
		if c.old != "" && !strings.Contains(good, c.old) {
			t.Errorf("the sample has no %s", c.old)
		}
		err := validSARIF(strings.Replace(good, c.old, c.new, 1))
		if (err == nil) != (c.old == "") {
			t.Errorf("%s: %v", c.new, err)
		}
	}
}

func TestSARIFPlaces(t *testing.T) {
	for _, c := range []struct{ file, uri, base string }{
		{"a.json", "a.json", sarifBase}, {"./dir/a.json", "dir/a.json", sarifBase}, {"d//e/../a.json", "d/a.json", sarifBase},
		{"/abs/a.json", "file:///abs/a.json", ""}, {`C:\dir\a b.json`, "file:///C:/dir/a%20b.json", ""},
		{"../a.json", "../a.json", ""}, {"a:b%#?.json", "a%3Ab%25%23%3F.json", sarifBase}, {"ä.json", "%C3%A4.json", sarifBase},
		{"docker-default", "", ""}, {"-", "", ""}, {"prog", "root/bin/prog", sarifBase}, {"inpath", "", ""},
	} {
		r := results{names: map[string]string{"prog": "root/bin/prog", "inpath": ""}}
		place := r.sarifPlace(Finding{Position: &Position{File: c.file, Line: 3}})
		if c.uri == "" {
			if place.PhysicalLocation != nil || len(place.LogicalLocations) != 1 || *place.LogicalLocations[0].Name != c.file+":3" {
				t.Errorf("%s: %+v", c.file, place)
			}
			continue
		}
		physical := place.PhysicalLocation
		if physical == nil {
			t.Errorf("%s: %+v", c.file, place)
			continue
		}
		base := ""
		if id := physical.ArtifactLocation.URIBaseID; id != nil {
			base = *id
		}
		if uri := *physical.ArtifactLocation.URI; uri != c.uri || base != c.base || *physical.Region.StartLine != 3 {
			t.Errorf("%s: %s below %q, line %d", c.file, uri, base, *physical.Region.StartLine)
		}
	}
	if whole := (&results{}).sarifPlace(Finding{Position: &Position{File: "a.json"}}); whole.PhysicalLocation.Region != nil {
		t.Error("a region in a whole file")
	}
}

// GitHub refuses a run of more results: the gravest stay, and the log says that others went.
func TestSARIFIsBounded(t *testing.T) {
	l := &Lint{Version: 1, Profiles: []Linted{{Profile: Profile{Name: "./p.json"}}}}
	for i := range maxResults + 5 {
		severity := "info"
		if i > maxResults {
			severity = "error"
		}
		l.Findings = append(l.Findings, Finding{Check: "PC107", Severity: severity, Message: "m"})
	}
	r, _ := resultsOf(l)
	log := r.sarif(&testTool).Runs[0]
	if len(log.Results) != maxResults || log.Results[0].Level != "error" || log.Results[4].Level != "note" {
		t.Errorf("%d results, the first of %s, the fifth of %s", len(log.Results), log.Results[0].Level, log.Results[4].Level)
	}
	if n := log.Invocations[0].ToolExecutionNotifications; len(n) != 1 || !strings.Contains(*n[0].Message.Text, "5 results of 25005") {
		t.Errorf("%+v", n)
	}
	frames := make([]Frame, 3*maxSteps)
	for i := range frames {
		frames[i].Line = i
	}
	if flow := sarifFlow(frames).ThreadFlows[0].Locations; len(flow) != maxSteps || len(frames) != 3*maxSteps || frames[maxSteps/2].Line != maxSteps/2 {
		t.Errorf("%d steps", len(flow))
	}
}

// Braces and brackets mean something in SARIF's messages.
func TestSARIFMessages(t *testing.T) {
	for in, want := range map[string]string{
		"in {2, 16}": "in {2, 16}", "a {0} b": "a {{0}} b", "[a](b)": `\[a\](b)`, "syscalls[3] (x)": "syscalls[3] (x)", "a\nb": `a\x0ab`,
	} {
		if got := sarifText(Finding{Message: in}); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestSecurityTags(t *testing.T) {
	for id, want := range map[string]bool{"PC107": true, "PC712": true, "PC613": false, "PC501": false, "PC941": false, "X": false, "XX_": false} {
		if _, got := (CheckInfo{ID: id}).tags(); got != want {
			t.Errorf("%s: %v", id, got)
		}
	}
	if _, got := (CheckInfo{ID: "PC612", Name: "unused-allow"}).tags(); !got {
		t.Error("what is open without need is not security")
	}
}

// The fingerprint is what GitHub and baselines know a finding by.
func TestFingerprint(t *testing.T) {
	f := Finding{
		Check: "PC712", Severity: "error", Arch: "x86_64", Syscalls: []string{"b", "a"}, Message: "open on 3 kernels, clone3(0x28)",
		Position: &Position{File: "a", Line: 3, Column: 4},
	}
	const want = "79af50500ec9468b2eb4719cae352fc2" // a change makes every baseline stale: then printKey gets a new version
	if got := Fingerprint(f); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for name, change := range map[string]func(*Finding){
		"line": func(f *Finding) { f.Position = &Position{File: "b", Line: 9} }, "severity": func(f *Finding) { f.Severity = "info" },
		"order": func(f *Finding) { f.Syscalls = []string{"a", "b"} }, "number": func(f *Finding) { f.Message = "open on 44 kernels, clone3(0x28)" },
		"path": func(f *Finding) { f.Path = []Frame{{Function: "x"}} }, "suppressed": func(f *Finding) { f.Suppressed = &Suppression{By: "config"} },
	} {
		g := f
		if change(&g); Fingerprint(g) != want {
			t.Errorf("another %s, another fingerprint", name)
		}
	}
	for name, change := range map[string]func(*Finding){
		"check": func(f *Finding) { f.Check = "PC711" }, "arch": func(f *Finding) { f.Arch = "" }, "syscalls": func(f *Finding) { f.Syscalls = []string{"ba"} },
		"name with a number": func(f *Finding) { f.Message = "open on 3 kernels, clone2(0x28)" }, "value": func(f *Finding) { f.Message = "open on 3 kernels, clone3(0x29)" },
	} {
		g := f
		if change(&g); Fingerprint(g) == want {
			t.Errorf("another %s, the same fingerprint", name)
		}
	}
	if f.Syscalls[0] != "b" {
		t.Error("the finding was changed")
	}
	other := f
	other.Position = &Position{File: "b"}
	if got := Fingerprints([]Finding{f, f, other}); fmt.Sprint(got) != fmt.Sprint([]string{want, want + ":2", want}) {
		t.Errorf("%q", got)
	}
}

// Whoever reads the log with the library finds what the document says.
func TestSARIFIsRead(t *testing.T) {
	d := decodeFile(t, "testdata/lint.json").(*Lint)
	log, err := sarif.FromString(render(t, "sarif", d, Options{Tool: testTool}))
	if err != nil {
		t.Fatal(err)
	}
	results := log.Runs[0].Results
	if len(results) != len(d.Findings) {
		t.Fatalf("%d results of %d findings", len(results), len(d.Findings))
	}
	for i, f := range d.Findings {
		r := results[i]
		if *r.RuleID != f.Check || r.Level != sarifLevels[f.Severity] || !strings.Contains(*r.Message.Text, f.Message) || (len(r.Suppressions) == 1) != (f.Suppressed != nil) {
			t.Errorf("finding %d is %+v", i, r)
		}
		if p := r.Locations[0].PhysicalLocation; p != nil && f.Position.Line > 0 && *p.Region.StartLine != f.Position.Line {
			t.Errorf("finding %d is in line %d", i, *p.Region.StartLine)
		}
	}
	if region := results[3].Locations[0].PhysicalLocation.Region; *region.StartColumn != 901 || *region.EndColumn != 909 || *region.Snippet.Text != `"ptrace"` {
		t.Errorf("the region of a clipped line: %d to %d", *region.StartColumn, *region.EndColumn)
	}
	var out bytes.Buffer
	if err := log.PrettyWrite(&out); err != nil || !strings.Contains(out.String(), `"security-severity": "8.0"`) {
		t.Errorf("no score: %v", err)
	}
}
