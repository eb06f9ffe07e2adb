package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
)

// junitFormat is the XML of JUnit reports in the form that Jenkins' schema for it describes
// (xunit-plugin, junit-10.xsd): a suite for each profile, check or file, and a case for each check of
// profcheck or expectation.
var junitFormat = Format{
	Name:  "junit",
	Title: "JUnit XML: what failed, passed and was skipped",
	Kinds: resultKinds,
	Write: func(w io.Writer, d Document, o Options) error {
		r, ok := resultsOf(d)
		if !ok {
			return noForm("junit", d)
		}
		text, err := xml.MarshalIndent(r.junit(&o.Tool), "", "  ")
		if err != nil {
			return err
		}
		_, err = io.WriteString(w, xml.Header+string(text)+"\n")
		return err
	},
}

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Cases    []junitCase `xml:"testcase"`
	Out      string      `xml:"system-out,omitempty"`
}

type junitCase struct {
	Name    string     `xml:"name,attr"`
	Class   string     `xml:"classname,attr"`
	Skipped *junitText `xml:"skipped"`
	Error   *junitText `xml:"error"`
	Failure *junitText `xml:"failure"`
	Out     string     `xml:"system-out,omitempty"`
}

type junitText struct {
	Type    string `xml:"type,attr,omitempty"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func (r *results) junit(t *Tool) junitSuites {
	out := junitSuites{Name: "profcheck"}
	for _, s := range r.subjects {
		suite := junitSuite{Name: clean(s.name), Out: clean(s.word + ": " + s.headline)}
		for _, p := range s.programs {
			suite.Cases = append(suite.Cases, r.junitVerdict(p, s.findings))
		}
		if s.passed > 0 {
			suite.Cases = append(suite.Cases, junitCase{Name: "held: " + count(s.passed, "expectation")})
		}
		for _, f := range s.findings {
			if s.expected {
				suite.Cases = append(suite.Cases, r.junitExpectation(f))
			}
		}
		for _, c := range s.checks(t) {
			suite.Cases = append(suite.Cases, r.junitCheck(&s, c))
		}
		for i := range suite.Cases {
			suite.Cases[i].Class = "profcheck." + suite.Name
			suite.count(suite.Cases[i])
		}
		out.add(suite)
	}
	for i := 0; i < len(r.errors); {
		n := 1
		for i+n < len(r.errors) && r.errors[i+n].File == r.errors[i].File {
			n++
		}
		out.add(junitErrors(r.errors[i : i+n]))
		i += n
	}
	return out
}

func (s *junitSuites) add(suite junitSuite) {
	s.Suites = append(s.Suites, suite)
	s.Tests, s.Failures, s.Errors = s.Tests+suite.Tests, s.Failures+suite.Failures, s.Errors+suite.Errors
}

// junitErrors is the suite of a file of which something could not be judged.
func junitErrors(list []Failure) junitSuite {
	suite := junitSuite{Name: clean(list[0].File), Out: VerdictUnknown + ": could not be judged"}
	for _, f := range list {
		c := junitCase{Name: clean("judging " + f.position().String()), Class: "profcheck." + suite.Name}
		c.Error = &junitText{Type: VerdictUnknown, Message: clean(f.Message)}
		suite.Cases = append(suite.Cases, c)
		suite.count(c)
	}
	return suite
}

func (s *junitSuite) count(c junitCase) {
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
}

// junitVerdict is the case for the verdict on a program. What could not be judged is JUnit's error; a
// denial is a failure if a finding makes the run fail.
func (r *results) junitVerdict(p Program, list []Finding) junitCase {
	c := junitCase{Name: clean("verdict on " + p.Name)}
	const denied = "it can make calls that are denied"
	switch {
	case p.Verdict == VerdictUnknown:
		c.Error = &junitText{Type: VerdictUnknown, Message: "whether it runs cannot be told"}
	case p.Verdict == VerdictDenied && slices.ContainsFunc(list, r.fails):
		c.Failure = &junitText{Type: VerdictDenied, Message: denied}
	case p.Verdict == VerdictDenied:
		c.Out = VerdictDenied + ": " + denied
	}
	return c
}

func (r *results) junitExpectation(f Finding) junitCase {
	text := &junitText{Type: f.Severity, Message: clean(f.Message), Text: clean(f.place() + ": " + f.Message)}
	c := junitCase{Name: clean(f.place())}
	if f.Severity == "error" {
		c.Failure = text
	} else {
		c.Error = text // nobody can tell
	}
	return c
}

// checks returns the checks of a subject: all that the tool has, and those of findings that it does
// not know.
func (s *subject) checks(t *Tool) []CheckInfo {
	if s.expected {
		return nil
	}
	list := append([]CheckInfo(nil), t.Checks...)
	known := make(map[string]bool)
	for _, c := range list {
		known[c.ID] = true
	}
	for _, f := range s.findings {
		if !known[f.Check] {
			known[f.Check] = true
			list = append(list, CheckInfo{ID: f.Check})
		}
	}
	return list
}

// junitCheck is the case for one check: a failure if a finding of it makes the run fail, skipped if it
// needs a program and there is none or if all its findings are suppressed, otherwise passed.
func (r *results) junitCheck(s *subject, check CheckInfo) junitCase {
	c := junitCase{Name: clean(check.title())}
	var lines []string
	fails, found, counted := 0, 0, 0
	for _, f := range s.findings {
		if f.Check != check.ID {
			continue
		}
		found++
		if f.Suppressed == nil {
			counted++
		}
		if r.fails(f) {
			fails++
		}
		lines = append(lines, clean(fmt.Sprintf("%s: %s: %s", f.place(), f.Severity, f.sentence())))
		for _, d := range f.details() {
			lines = append(lines, "    "+clean(d))
		}
	}
	text := strings.Join(lines, "\n")
	switch {
	case fails > 0:
		c.Failure = &junitText{Type: r.failOn, Message: count(fails, "finding"), Text: text}
	case found > 0 && counted == 0:
		c.Skipped = &junitText{Message: count(found, "finding") + " suppressed", Text: text}
	case found > 0:
		c.Out = text
	case check.NeedsBinary && s.alone:
		c.Skipped = &junitText{Message: "needs a program"}
	}
	return c
}
