package report

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// junitRules are Jenkins' schema for JUnit reports (xunit-plugin, junit-10.xsd), as far as we write it:
// what may be in an element, and its attributes, the needed ones with an exclamation mark.
var junitRules = map[string]struct{ inside, attributes string }{
	"":           {"testsuites", ""},
	"testsuites": {"testsuite", "name tests failures errors"},
	"testsuite":  {"testcase system-out", "name! tests! failures! errors! skipped"},
	"testcase":   {"skipped error failure system-out", "name! classname"},
	"failure":    {"", "type message"},
	"error":      {"", "type message"},
	"skipped":    {"", "type message"},
	"system-out": {"", ""},
}

// validJUnit checks elements, attributes and counts. That XML 1.0 allows all characters is checked by
// the decoder.
func validJUnit(text string) error {
	dec := xml.NewDecoder(strings.NewReader(text))
	stack := []string{""}
	for {
		token, err := dec.Token()
		if err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		switch e := token.(type) {
		case xml.StartElement:
			name := e.Name.Local
			if !contains(strings.Fields(junitRules[stack[len(stack)-1]].inside), name) {
				return fmt.Errorf("%s in %q", name, stack[len(stack)-1])
			}
			have := make(map[string]bool)
			for _, a := range e.Attr {
				have[a.Name.Local] = true
			}
			for _, a := range strings.Fields(junitRules[name].attributes) {
				a, needed := strings.CutSuffix(a, "!")
				if needed && !have[a] {
					return fmt.Errorf("%s without %s", name, a)
				}
				delete(have, a)
			}
			if len(have) > 0 {
				return fmt.Errorf("%s has %v", name, have)
			}
			stack = append(stack, name)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		}
	}
	var read junitSuites
	if err := xml.Unmarshal([]byte(text), &read); err != nil {
		return err
	}
	tests, failures := 0, 0
	for _, s := range read.Suites {
		tests, failures = tests+len(s.Cases), failures+s.Failures
		for _, c := range s.Cases {
			if c.Failure != nil {
				s.Failures--
			}
		}
		if s.Tests != len(s.Cases) || s.Failures != 0 {
			return fmt.Errorf("suite %s counts wrongly", s.Name)
		}
	}
	if read.Tests != tests || read.Failures != failures {
		return errors.New("the counts of the whole are wrong")
	}
	return nil
}

// What makes the run fail is a failure, by the threshold that the document names.
func TestJUnitThreshold(t *testing.T) {
	for _, c := range []struct {
		failOn, severity string
		suppressed       *Suppression
		failures         int
	}{
		{"", "error", nil, 1}, {"", "warning", nil, 0}, {"warning", "warning", nil, 1}, {"warning", "info", nil, 0},
		{"info", "info", nil, 1}, {"never", "error", nil, 0}, {"", "error", &Suppression{By: "config"}, 0},
	} {
		l := &Lint{Version: 1, FailOn: c.failOn, Profiles: []Linted{{Profile: Profile{Name: "./p.json"}}},
			Findings: []Finding{{Check: "PC107", Severity: c.severity, Message: "m", Suppressed: c.suppressed}}}
		var read junitSuites
		if err := xml.Unmarshal([]byte(render(t, "junit", l, Options{Tool: testTool})), &read); err != nil {
			t.Fatal(err)
		}
		skipped := 2 // need a program
		if c.suppressed != nil {
			skipped++
		}
		if read.Failures != c.failures || read.Suites[0].Skipped != skipped {
			t.Errorf("%+v: %d failures, %d skipped", c, read.Failures, read.Suites[0].Skipped)
		}
	}
}
