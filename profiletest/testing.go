package profiletest

import (
	"errors"
	"fmt"
	"os"
	"testing"
)

// RunFile runs the expectations of a file, each word of each as a subtest. A failure names the line
// of the file, what the profile answers to which call, the rule that decides and the instructions
// that ran, all of them under go test -v. The coverage is logged.
func RunFile(t *testing.T, file string) {
	t.Helper()
	f, err := open(file)
	if err != nil {
		t.Fatal(err)
	}
	result, err := f.Run()
	if err != nil {
		t.Fatal(err)
	}
	failures := make(map[[2]int]*Failure)
	for i := range result.Failures {
		failures[[2]int{result.Failures[i].Line, result.Failures[i].Column}] = &result.Failures[i]
	}
	for _, e := range f.expectations {
		for _, c := range e.calls {
			t.Run(e.text(c), func(t *testing.T) {
				t.Helper()
				if failure := failures[[2]int{c.line, c.column}]; failure != nil {
					t.Errorf("%s:%d:%d: %s", file, c.line, c.column, failure.Text(testing.Verbose()))
				}
			})
		}
	}
	for _, note := range result.Notes {
		t.Logf("%s:%s", file, note)
	}
	t.Log(result.Coverage.Summary())
}

func open(file string) (*File, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return Parse(file, data)
}

// Vectors runs the rows of a vector table against a profile, a built-in's name or a path. See
// ReadVectors for the table.
func Vectors(t testing.TB, table, profile string, options ...Option) {
	t.Helper()
	f, err := os.Open(table)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	result, err := RunVectors(table, f, profile, options...)
	if err != nil {
		t.Fatal(err)
	}
	for i := range result.Failures {
		failure := &result.Failures[i]
		t.Errorf("%s:%d: %s", table, failure.Line, failure.Text(testing.Verbose()))
	}
}

// A Profile is a profile under test. Its methods ask at once, and report failures at the line of the
// test that calls them.
type Profile struct {
	t      testing.TB
	runner *runner
}

// Open reads a profile for a test: a built-in's name or a path. A profile that cannot be read, or
// that a target would not load, ends the test.
func Open(t testing.TB, profile string, options ...Option) *Profile {
	t.Helper()
	s, err := openSubject(profile, "")
	if err != nil {
		t.Fatal(err)
	}
	f := &File{Name: profile, Profile: profile}
	for _, o := range options {
		if err := o(&f.circumstances); err != nil {
			t.Fatal(err)
		}
	}
	return &Profile{t, newRunner(f, s)}
}

// Allow expects that calls run: the answer is ALLOW or LOG for all arguments. A call is a name or a
// number, with or without conditions on the arguments, or a group: as in a file, see the package's
// documentation.
func (p *Profile) Allow(calls ...string) *Expectation {
	p.t.Helper()
	return p.expect(verbAllow, calls)
}

// Deny expects that calls do not run, whatever the answer is instead.
func (p *Profile) Deny(calls ...string) *Expectation {
	p.t.Helper()
	return p.expect(verbDeny, calls)
}

// Ask expects that a listener decides: the answer is USER_NOTIF.
func (p *Profile) Ask(calls ...string) *Expectation {
	p.t.Helper()
	return p.expect(verbAsk, calls)
}

// Coverage says what the expectations so far did not reach.
func (p *Profile) Coverage() Coverage {
	p.runner.result.Coverage = Coverage{}
	return p.runner.finish().Coverage
}

func (p *Profile) expect(verb string, words []string) *Expectation {
	p.t.Helper()
	e := &expectation{verb: verb}
	for _, word := range words {
		c, err := parseCalls(word)
		if err != nil {
			p.t.Fatalf("%s %s: column %d: %v", verb, word, offset(err)+1, err)
		}
		e.calls = append(e.calls, c)
	}
	p.runner.file.expectations = append(p.runner.file.expectations, e)
	x := &Expectation{p, e}
	x.ask()
	return x
}

// An Expectation is one that was asked; With narrows it.
type Expectation struct {
	profile *Profile
	e       *expectation
}

// With expects one of these answers: the name of an errno ("EPERM"), an action ("KILL_PROCESS"), or
// one with data ("ERRNO(1)", "TRACE(7)").
func (x *Expectation) With(answers ...string) *Expectation {
	t := x.profile.t
	t.Helper()
	for _, word := range answers {
		if err := x.e.addWith(word); err != nil {
			t.Fatal(err)
		}
	}
	x.ask()
	return x
}

// ask reports what fails, once.
func (x *Expectation) ask() {
	t := x.profile.t
	t.Helper()
	for _, c := range x.e.calls {
		notes := len(x.profile.runner.result.Notes)
		failure, err := x.profile.runner.ask(x.e, c)
		var bad *FileError
		switch {
		case errors.As(err, &bad) && bad.Line == 0:
			t.Fatalf("%s: %v", x.e.text(c), bad.Err)
		case err != nil:
			t.Fatal(err)
		case failure != nil && !c.failed:
			c.failed = true
			t.Errorf("profile %s: %s", x.profile.runner.subject.name, failure.Text(testing.Verbose()))
		}
		for _, note := range x.profile.runner.result.Notes[notes:] {
			if !c.noted {
				t.Logf("profile %s: %s", x.profile.runner.subject.name, note)
			}
		}
		c.noted = c.noted || len(x.profile.runner.result.Notes) > notes
	}
}

// Summary is the coverage in one line.
func (c *Coverage) Summary() string {
	text := ""
	if len(c.Rules) > 0 {
		reached, enforced := c.Counts()
		text = fmt.Sprintf("%d of %d enforced rules, ", reached, enforced)
	}
	all, total := 0, 0
	for i := range c.Filters {
		reached, n := c.Filters[i].Counts()
		all, total = all+reached, total+n
	}
	return fmt.Sprintf("coverage: %s%d of %d instructions", text, all, total)
}
