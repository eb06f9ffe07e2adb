package report

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Kinds of documents with results that a pipeline counts.
var (
	findingKinds = []string{"lint", "check"}
	resultKinds  = []string{"lint", "check", "expect"}
)

// ruleExpectation stands for the check where an expectation of a user's own does not hold.
const ruleExpectation = "expectation"

// results is a document as the formats for pipelines see it: subjects with findings.
type results struct {
	subjects []subject
	errors   []Failure // what is no subject, since it could not be judged
	failOn   string
	unused   *Unused           // of a check
	open     []string          // the calls that it counts
	names    map[string]string // what findings call a program or a part of a file, with its file; "" if it is in no known place
}

// subject is what was judged as one: a profile, a check of programs under one, a file of expectations.
type subject struct {
	name     string
	word     string // the verdict: ok, denied, unknown, or the gravest severity
	headline string // about it, in one line
	findings []Finding
	programs []Program // with the verdict on each
	alone    bool      // no program was judged with it
	expected bool      // its findings are expectations that do not hold
	passed   int       // expectations that hold
}

// resultsOf returns the view of a document; false if its kind has none.
func resultsOf(d Document) (*results, bool) {
	r := &results{failOn: "error", names: map[string]string{}}
	switch d := d.(type) {
	case *Lint:
		r.threshold(d.FailOn)
		for i, l := range d.Profiles {
			word, text := l.verdict(d.of(i))
			r.part(l.Profile)
			r.subjects = append(r.subjects, subject{
				name: d.name(i), word: word, headline: text, findings: placed(d.of(i), l.Name), alone: true,
			})
		}
		r.errors = d.Errors
		if len(d.Profiles) == 0 && (len(d.Findings) > 0 || len(d.Errors) == 0) {
			r.subjects = []subject{{name: "profiles", word: VerdictOK, headline: "no profile", findings: d.Findings, alone: true}}
		}
	case *Check:
		r.threshold(d.FailOn)
		r.part(d.Profile)
		r.unused = d.Unused
		for _, o := range d.Syscalls {
			if o.Outcome == "unused" && !slices.Contains(r.open, call(o.Name, o.Nr)) {
				r.open = append(r.open, call(o.Name, o.Nr))
			}
		}
		s := subject{word: d.Verdict, headline: d.headline(), findings: placed(d.Findings, d.Profile.Name), programs: d.Programs}
		programs := Programs(d.Binaries)
		s.name = fmt.Sprintf("%s under %s", strings.Join(programs, ", "), d.Profile.Name)
		for i, b := range d.Binaries {
			r.names[programs[i]] = b.file()
			if len(d.Programs) == 0 {
				s.programs = append(s.programs, Program{Name: programs[i], Verdict: d.Verdict})
			}
		}
		r.subjects = []subject{s}
	case *Expect:
		for i := range d.Files {
			r.subjects = append(r.subjects, d.Files[i].subject())
		}
	default:
		return nil, false
	}
	return r, true
}

func (r *results) threshold(word string) {
	if word != "" {
		r.failOn = word
	}
}

// fails reports whether a finding makes the run fail. The word never has no index, so nothing does.
func (r *results) fails(f Finding) bool {
	return f.Suppressed == nil && slices.Index(severities, f.Severity) <= slices.Index(severities, r.failOn)
}

// part keeps the file of a profile whose name says more than that.
func (r *results) part(p Profile) {
	if p.File != "" {
		r.names[p.Name] = fileName(p.File)
	}
}

// name is that of a profile, with its target if it was judged for several.
func (l *Lint) name(profile int) string {
	own := l.Profiles[profile]
	for i, other := range l.Profiles {
		if i != profile && other.Name == own.Name {
			return fmt.Sprintf("%s (%s)", own.Name, own.Target.runtime())
		}
	}
	return own.Name
}

// placed gives findings without a place that of the profile as such.
func placed(list []Finding, profile string) []Finding {
	out := slices.Clone(list)
	for i, f := range out {
		if f.Position == nil {
			out[i].Position = &Position{File: profile}
		}
	}
	return out
}

// file returns the path of a binary on the machine that read it; "" if it was looked for in PATH.
func (b *Binary) file() string {
	switch {
	case b.Root != "":
		return strings.TrimSuffix(b.Root, "/") + "/" + strings.TrimPrefix(b.Path, "/")
	case strings.Contains(b.Path, "/"):
		return b.Path
	}
	return ""
}

// file returns the path of the file that a finding is in; "" for what is in none, such as a built-in
// profile, stdin, or a program that was looked for in PATH.
func (r *results) file(f Finding) string {
	if f.Position == nil {
		return ""
	}
	name := f.Position.File
	if file, ok := r.names[name]; ok {
		return file
	}
	return fileName(name)
}

// fileName is the name of a file as it is, and "" for stdin and built-ins, whose names have neither slash
// nor dot.
func fileName(name string) string {
	if !strings.ContainsAny(name, `/.\`) {
		return ""
	}
	return name
}

// subject turns the failures of a file of expectations into findings.
func (f *ExpectFile) subject() subject {
	s := subject{name: f.File, word: VerdictOK, expected: true, passed: f.Passed}
	s.headline = fmt.Sprintf("%s: %d passed, %d failed", f.File, f.Passed, f.Failed)
	switch {
	case f.Failed > 0:
		s.word = "error"
	case f.Unknown > 0:
		s.word = VerdictUnknown
	}
	if f.Unknown > 0 {
		s.headline += fmt.Sprintf(", %d unknown", f.Unknown)
	}
	for i := range f.Failures {
		failure := &f.Failures[i]
		position, severity := failure.Position, "error"
		if failure.Unknown {
			severity = "warning"
		}
		s.findings = append(s.findings, Finding{
			Check: ruleExpectation, Severity: severity, Position: &position, Message: failure.text(),
		})
	}
	return s
}

// text is a failure in one line.
func (f *ExpectFailure) text() string {
	c := &f.Cases[0]
	text := fmt.Sprintf("expected %s; ", f.Expected)
	where := fmt.Sprintf("%s on %s (%s)", c.call(), c.Witness.Arch, c.Target.runtime())
	if c.Unknown != "" {
		text += fmt.Sprintf("unknown for %s: %s", where, c.Unknown)
	} else {
		text += fmt.Sprintf("found %s for %s", answer(c.Action, c.Data, c.Errno), where)
	}
	if also := f.also(false); also != "" {
		text += "; also: " + also
	}
	return text
}

// sorted returns findings gravest first, those of one severity in their order.
func sorted(list []Finding) []Finding {
	out := slices.Clone(list)
	slices.SortStableFunc(out, func(a, b Finding) int {
		return slices.Index(severities, a.Severity) - slices.Index(severities, b.Severity)
	})
	return out
}

// sentence is a finding's message with the ABI that it holds for.
func (f Finding) sentence() string {
	if f.Arch == "" {
		return f.Message
	}
	return f.Arch + ": " + f.Message
}

// place is file:line:column, as far as it is known.
func (f Finding) place() string { return f.Position.String() }

// details are the lines that follow a finding's message: what shows it, where from, what to do.
func (f Finding) details() []string {
	var out []string
	if f.Witness != nil {
		out = append(out, "shown by: "+f.Witness.call())
	}
	if len(f.Path) > 0 {
		out = append(out, "by: "+short(f.Path))
	}
	if f.Remedy != "" {
		out = append(out, "do: "+f.Remedy)
	}
	if f.Suppressed != nil {
		out = append(out, "suppressed: "+f.Suppressed.String())
	}
	return out
}

// title is identifier and name: "PC613 used-but-denied".
func (c CheckInfo) title() string { return strings.TrimSpace(c.ID + " " + c.Name) }

// columns returns where the word of a position begins and ends, behind its last character, in code
// points from 1; 0 if unknown. Without the line at hand, the first is the position's own, in bytes.
func (p *Position) columns() (start, end int) {
	s := p.Source
	switch {
	case p.Line <= 0 || p.Column <= 0:
		return 0, 0
	case s == nil || s.Column == 0:
		return p.Column, 0
	}
	start = s.Before + s.Column
	if s.Length > 0 {
		end = start + s.Length
	}
	return start, end
}

// slashed is a path with slashes, without what leads nowhere.
func slashed(file string) string {
	file = filepath.ToSlash(file)
	if len(file) > 1 && file[1] == ':' { // a drive of Windows, wherever the document is rendered
		file = strings.ReplaceAll(file, `\`, "/")
	}
	return path.Clean(file)
}
