package report

import (
	"fmt"
	"strings"
	"testing"
)

// command is an annotation as GitHub's runner understands it.
type command struct {
	name, message string
	properties    map[string]string
}

// readCommands reads lines as the runner does: a command begins a line with :: after blanks, and its
// properties end at the next ::; the older form has ##[ anywhere.
func readCommands(text string) ([]command, error) {
	var out []command
	counts := make(map[string]int)
	unescape := strings.NewReplacer("%25", "%", "%0D", "\r", "%0A", "\n", "%3A", ":", "%2C", ",")
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "::")
		if !ok {
			if strings.Contains(line, "##[") {
				return nil, fmt.Errorf("an old command: %s", line)
			}
			continue
		}
		head, message, ok := strings.Cut(rest, "::")
		name, list, _ := strings.Cut(head, " ")
		if !ok || name != "error" && name != "warning" && name != "notice" {
			return nil, fmt.Errorf("no command: %s", line)
		}
		c := command{name: name, message: unescape.Replace(message), properties: map[string]string{}}
		for _, p := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' }) {
			key, value, ok := strings.Cut(p, "=")
			if !ok || c.properties[key] != "" {
				return nil, fmt.Errorf("property %q in %s", p, line)
			}
			c.properties[key] = unescape.Replace(value)
		}
		if counts[name]++; counts[name] > maxAnnotations {
			return nil, fmt.Errorf("more than %d of %s", maxAnnotations, name)
		}
		out = append(out, c)
	}
	return out, nil
}

// The limit of the runner: what goes beyond stands in plain lines, and the last annotation counts it.
func TestAnnotationsAreBounded(t *testing.T) {
	l := &Lint{Version: 1, Profiles: []Linted{{Profile: Profile{Name: "./p.json"}}}}
	for i := range 27 {
		severity := "warning"
		if i%2 == 0 {
			severity = "error"
		}
		l.Findings = append(l.Findings, Finding{Check: "PC107", Severity: severity, Message: fmt.Sprintf("message %d", i), Position: &Position{File: "./p.json", Line: i + 1, Column: 2}})
	}
	text := render(t, "github", l, Options{Tool: testTool})
	list, err := readCommands(text)
	if err != nil || len(list) != 20 {
		t.Fatalf("%d commands, %v\n%s", len(list), err, text)
	}
	for i, c := range list {
		want, more := "error", "4 more of severity error are in the log"
		if i >= 10 {
			want, more = "warning", "3 more of severity warning are in the log"
		}
		if c.name != want || strings.Contains(c.message, more) != (i%10 == 9) {
			t.Errorf("%d: %+v", i, c)
		}
	}
	if want := (map[string]string{"file": "p.json", "line": "1", "col": "2", "title": "PC107 unknown-syscall"}); fmt.Sprint(list[0].properties) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", list[0].properties, want)
	}
	if n := strings.Count(text, "\nerror: ./p.json:"); n != 4 {
		t.Errorf("%d plain lines for errors, want 4:\n%s", n, text)
	}
}

// What the runner reads back is what was meant, whatever the names.
func TestAnnotationsAreEscaped(t *testing.T) {
	text := render(t, "github", decodeFile(t, "testdata/lint-nasty.json"), Options{Tool: testTool})
	list, err := readCommands(text)
	if err != nil || len(list) != 2 {
		t.Fatalf("%d commands, %v:\n%s", len(list), err, text)
	}
	if got, want := list[0].properties["file"], "../up/we,ird:na%me/ä b|`c\\x0a.json"; got != want {
		t.Errorf("file %q, want %q", got, want)
	}
	for _, want := range []string{"a%0A::error::b\\x0a::warning file=x::c", "\ndo: a%0A::error::b"} {
		if !strings.Contains(list[0].message, want) {
			t.Errorf("%q lacks %q", list[0].message, want)
		}
	}
	if _, err := readCommands("::error file=a,b::m\n"); err == nil {
		t.Error("a broken command is read")
	}
}

// What could not be judged takes the room of errors first: findings follow as long as there is some.
func TestAnnotationsOfFailuresAreBounded(t *testing.T) {
	for _, failures := range []int{0, 3, 10, 12} {
		l := &Lint{Version: 1, Profiles: []Linted{{Profile: Profile{Name: "./p.json"}}}}
		for i := range failures {
			l.Errors = append(l.Errors, Failure{File: fmt.Sprintf("./%d.json", i), Message: fmt.Sprintf("failure %d", i)})
		}
		for i := range 9 {
			for _, severity := range []string{"error", "warning"} {
				l.Findings = append(l.Findings, Finding{Check: "PC107", Severity: severity, Message: fmt.Sprintf("message %d", i)})
			}
		}
		text := render(t, "github", l, Options{})
		list, err := readCommands(text) // counts each kind
		if err != nil {
			t.Fatal(err)
		}
		kinds := make(map[string]int)
		for _, c := range list {
			kinds[c.name]++
			if strings.HasPrefix(c.message, "failure") {
				kinds["failure"]++
			}
		}
		if kinds["failure"] != min(failures, 10) || kinds["error"] != min(failures+9, 10) || kinds["warning"] != 9 {
			t.Errorf("%d failures: %v", failures, kinds)
		}
		for _, f := range l.Errors {
			if !strings.Contains(text, f.Message) {
				t.Errorf("%d failures: no %s", failures, f.Message)
			}
		}
		if got := strings.Contains(text, "2 more that could not be judged"); got != (failures == 12) {
			t.Errorf("%d failures: %s", failures, text)
		}
	}
}
