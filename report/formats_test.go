package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// testTool has some checks, and not all that the samples name.
var testTool = Tool{Version: "v1.2.3", URI: "https://example.org/profcheck", Checks: []CheckInfo{
	{ID: "PC107", Name: "unknown-syscall", Severity: "error", Title: "a name that is no system call", Why: "It has no effect, says [x](y).", When: "Always.", Wrong: "Never.", Remedy: "Write a|b.", Sources: []string{"one", "two"}},
	{ID: "PC612", Name: "unused-allow", Severity: "info", Title: "calls that nobody needs", NeedsBinary: true},
	{ID: "PC613", Name: "used-but-denied", Severity: "error", Title: "a needed call is denied", NeedsBinary: true},
	{ID: "PC712", Name: "ptrace-open", Severity: "error", Title: "ptrace is open"},
}}

// extensions of the golden files.
var extensions = map[string]string{"sarif": ".sarif", "github": ".github", "junit": ".xml", "markdown": ".md", "jsonl": ".jsonl"}

// pipelines are the formats that are for results only.
func pipelines(t *testing.T) (list []Format) {
	for _, f := range formats {
		if f.Kinds != nil {
			list = append(list, f)
			if extensions[f.Name] == "" {
				t.Fatalf("%s: no golden files", f.Name)
			}
		}
	}
	return list
}

// The forms of the samples for pipelines, each valid, and the same from a saved document; a kind of
// document that has no such form is refused with the names of those that it has.
func TestPipelineFormats(t *testing.T) {
	written := make(map[string]int)
	for _, name := range samples(t) {
		d := decodeFile(t, name)
		for _, f := range pipelines(t) {
			if err := f.Has(Kind(d)); err != nil {
				if !strings.HasSuffix(err.Error(), fmt.Sprintf("format %s is not for %s: text, json", f.Name, Kind(d))) && Kind(d) != "expect" {
					t.Errorf("%s: %v", name, err)
				}
				var refused *KindError
				if err := f.Write(io.Discard, d, Options{}); !errors.As(err, &refused) {
					t.Errorf("%s %s: %v", name, f.Name, err)
				}
				continue
			}
			written[f.Name]++
			got := render(t, f.Name, d, Options{Tool: testTool})
			if err := valid(f.Name, got); err != nil {
				t.Errorf("%s %s: %v\n%s", name, f.Name, err, got)
			}
			again, err := Decode(strings.NewReader(render(t, "json", d, Options{})))
			if err != nil || render(t, f.Name, again, Options{Tool: testTool}) != got {
				t.Errorf("%s %s: other bytes from the saved document (%v)", name, f.Name, err)
			}
			golden := strings.TrimSuffix(name, ".json") + extensions[f.Name]
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				continue
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s:\n%s\nwant:\n%s", golden, got, want)
			}
		}
	}
	for _, f := range pipelines(t) {
		if written[f.Name] < 3 {
			t.Errorf("%s: only %d samples", f.Name, written[f.Name])
		}
	}
}

// Every golden file belongs to a sample.
func TestNoGoldenIsLeft(t *testing.T) {
	files, err := filepath.Glob("testdata/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		stem, _, _ := strings.Cut(filepath.Base(f), ".")
		if _, err := os.Stat("testdata/" + stem + ".json"); err != nil && filepath.Base(f) != "fuzz" {
			t.Errorf("%s: no sample of this name", f)
		}
	}
}

// valid holds a text against what reads its format.
func valid(format, text string) error {
	if !utf8.ValidString(text) {
		return errors.New("not UTF-8")
	}
	if i := strings.IndexFunc(text, func(r rune) bool { return r < ' ' && r != '\n' && (r != '\t' || format == "github") }); i >= 0 {
		return fmt.Errorf("control character at byte %d", i)
	}
	switch format {
	case "sarif":
		return validSARIF(text)
	case "jsonl":
		for line := range strings.Lines(text) {
			if !json.Valid([]byte(line)) {
				return fmt.Errorf("no JSON: %s", line)
			}
		}
	case "github":
		_, err := readCommands(text)
		return err
	case "junit":
		return validJUnit(text)
	case "markdown":
		return validMarkdown(text)
	}
	return nil
}

// validMarkdown checks that no name has broken a table or brought HTML along: every row has its four
// cells, and of tags there are ours alone.
func validMarkdown(text string) error {
	bar := regexp.MustCompile(`(^|[^\\])(\\\\)*\|`)
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "|") {
			if n := len(bar.FindAllString(strings.ReplaceAll(line, "||", "| |"), -1)); n != 5 {
				return fmt.Errorf("%d bars in %s", n, line)
			}
		}
	}
	// In code HTML means nothing.
	rest := regexp.MustCompile("(?s)(^|[^\\\\`])`([^`].*?[^`])`([^`])").ReplaceAllString(text, "$1$3")
	rest = strings.NewReplacer("<br>", "", "<details>", "", "<summary>All of them</summary>", "", "</details>", "").Replace(rest)
	if i := strings.IndexAny(rest, "<"); i >= 0 && !strings.Contains(rest, "``") {
		return fmt.Errorf("HTML: %s", rest[i:min(len(rest), i+40)])
	}
	return nil
}

func TestMarkdownEscapes(t *testing.T) {
	for in, want := range map[string]string{
		"plain words, 1.5 (x)": "plain words, 1.5 (x)", "<b>&": "&lt;b&gt;&amp;", "a|b`c`": "a\\|b\\`c\\`",
		"@me": "&#64;me", "[l](u)": "\\[l\\](u)", "a\nb": "a\\\\x0ab",
	} {
		if got := markdownText(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{"a": "`a`", "": "", "a`b": "``a`b``", "`": "`` ` ``", "a``b`": "``` a``b` ```", " a ": "`  a  `"} {
		if got := codeSpan(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// FuzzFormats: whatever Decode accepts is valid in every form that it has.
func FuzzFormats(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Decode(bytes.NewReader(data))
		if err != nil {
			return
		}
		for _, format := range formats {
			if format.Has(Kind(d)) != nil {
				continue
			}
			if err := valid(format.Name, render(t, format.Name, d, Options{Tool: testTool})); err != nil && format.Kinds != nil {
				t.Errorf("%s: %v", format.Name, err)
			}
		}
	})
}

// A part of a file is in that file, and what was judged for several targets says for which.
func TestPartsAndTargets(t *testing.T) {
	finding := Finding{Check: "PC107", Severity: "error", Message: "m", Position: &Position{File: "d/f.yaml#web"}}
	other := finding
	other.Profile = 1
	l := &Lint{Version: 1, Findings: []Finding{finding, other}}
	for _, runtime := range []string{"runc", "crun"} {
		l.Profiles = append(l.Profiles, Linted{Profile: Profile{Name: "d/f.yaml#web", File: "d/f.yaml"}, Target: Target{Runtime: runtime}})
	}
	list, err := readCommands(render(t, "github", l, Options{}))
	if err != nil || len(list) != 1 || list[0].properties["file"] != "d/f.yaml" {
		t.Errorf("%+v, %v", list, err)
	}
	text := render(t, "junit", l, Options{})
	for _, want := range []string{`<testsuite name="d/f.yaml#web (runc)"`, `<testsuite name="d/f.yaml#web (crun)"`, `failures="2"`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	l.Profiles[0].File = "-"
	l.Profiles[1].File = "-"
	if list, err := readCommands(render(t, "github", l, Options{})); err != nil || len(list) != 1 || list[0].properties["file"] != "" {
		t.Errorf("a part of stdin: %+v, %v", list, err)
	}
}
