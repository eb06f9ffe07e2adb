package config

import (
	"fmt"
	"slices"
	"time"

	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/lint"
	"github.com/profcheck/profcheck/profile"
)

// A Judge applies settings and ignores to the findings of one run, and knows at its end which ignores were
// of use.
type Judge struct {
	config   *Config
	now      time.Time
	ignores  map[string][]*Ignore // of the file, by check
	comments map[string]*comments // by the name of the text
	files    []string             // the keys of comments, in order
	used     map[*Ignore]bool
	subjects []Subject
}

// A Subject is a profile that was judged.
type Subject struct {
	Profile *profile.Profile
	Source  []byte   // its text, which comments are read from; nil: they are not
	Arches  []string // the ABIs that were judged
	Program bool     // programs were judged under it
	Part    bool     // others of the same text are not judged, so that their comments look unused
}

// NewJudge starts a run; c is nil if there is no file. Whether an ignore has expired is told by now.
func NewJudge(c *Config, now time.Time) *Judge {
	j := &Judge{
		config: c, now: now,
		ignores: make(map[string][]*Ignore), comments: make(map[string]*comments), used: make(map[*Ignore]bool),
	}
	if c != nil {
		for _, i := range c.Ignores {
			j.ignores[i.Check] = append(j.ignores[i.Check], i)
		}
	}
	return j
}

// Apply returns the findings about a subject as the project wants them: without those of checks that are
// off, with the severities of the settings, and suppressed where an ignore says so. The order is that of
// lint. The list itself is not changed.
func (j *Judge) Apply(s Subject, list []finding.Finding) []finding.Finding {
	j.subjects = append(j.subjects, s)
	file := sourceName(s.Profile)
	if j.comments[file] == nil {
		j.comments[file] = commentsOf(s.Profile, s.Source)
		j.files = append(j.files, file)
	}
	settings := j.config.For(s.Profile.Name)
	out := []finding.Finding{}
	for _, f := range list {
		if !settings.apply(&f) {
			continue
		}
		var by *Ignore
		fits := func(i *Ignore) {
			if i.Expired(j.now) {
				return
			}
			j.used[i] = true
			if by == nil {
				by = i
			}
		}
		if i := j.inPlace(s.Profile.Container, &f); i != nil {
			fits(i)
		}
		for _, i := range j.ignores[f.Check] {
			if i.fits(s.Profile.Name, f) && i.aboutGroup(s.Profile) {
				fits(i)
			}
		}
		if by != nil && f.Suppressed == nil {
			f.Suppressed = &by.Suppression
		}
		out = append(out, f)
	}
	slices.SortStableFunc(out, lint.Order)
	return out
}

// apply changes the severity, and returns false if the check is off.
func (s Settings) apply(f *finding.Finding) bool {
	switch level := s.level(f.Check); level {
	case "off":
		return false
	case "on":
	default:
		f.Severity, _ = finding.ParseSeverity(level) // the words were checked
	}
	return true
}

// Findings returns the findings about the ignores themselves, after all subjects: those in texts first, in
// their order.
func (j *Judge) Findings() []finding.Finding {
	var out []finding.Finding
	add := func(s Settings, f finding.Finding) {
		if s.apply(&f) {
			out = append(out, f)
		}
	}
	for _, file := range j.files {
		c, settings := j.comments[file], j.config.For(file)
		for _, x := range c.faults {
			add(settings, finding.Finding{
				Check: lint.BrokenIgnore.ID, Severity: lint.BrokenIgnore.Severity, Pos: x.pos,
				Message: x.err.Error(), Remedy: "write " + marker + ", a check and a reason",
			})
		}
		for _, i := range c.all {
			if f, ok := j.about(i); ok {
				add(settings, f)
			}
		}
	}
	if j.config != nil {
		for _, i := range j.config.Ignores {
			if f, ok := j.about(i); ok {
				add(j.config.Settings, f)
			}
		}
	}
	return out
}

// about returns what is to be said about an ignore: that it has expired, or that it was of no use.
func (j *Judge) about(i *Ignore) (finding.Finding, bool) {
	f := finding.Finding{Pos: i.Pos}
	switch {
	case i.Expired(j.now):
		if !slices.ContainsFunc(j.subjects, func(s Subject) bool { return i.forSubject(s) }) {
			return f, false
		}
		f.Check, f.Severity = lint.ExpiredIgnore.ID, lint.ExpiredIgnore.Severity
		f.Message = fmt.Sprintf("the ignore of %s was to hold until %s: %s", i.Check, i.Expires, i.Reason)
		f.Remedy = "fix what it was for and remove it, or set another day"
	case j.used[i] || !slices.ContainsFunc(j.subjects, func(s Subject) bool { return i.forSubject(s) && i.judgedIn(s) }):
		return f, false
	default:
		f.Check, f.Severity = lint.UnusedIgnore.ID, lint.UnusedIgnore.Severity
		f.Message = fmt.Sprintf("no finding of %s %s is there to ignore", i.Check, checkName(i.Check))
		f.Remedy = "remove the ignore, or correct what it names"
		if !i.exact() {
			f.Severity = finding.Info
			f.Message = fmt.Sprintf("no finding of %s %s was there to ignore in this run", i.Check, checkName(i.Check))
		}
	}
	return f, true
}

// forSubject reports whether the ignore can be for a subject.
func (i *Ignore) forSubject(s Subject) bool {
	if i.area != nil {
		return i.area.file == sourceName(s.Profile)
	}
	return i.About(s.Profile.Name)
}

// judgedIn reports whether findings that the ignore is for could have been among those about the subject.
func (i *Ignore) judgedIn(s Subject) bool {
	c, ok := lint.Lookup(i.Check)
	if !ok || c.NeedsBinary != s.Program || i.area != nil && s.Part {
		return false
	}
	return i.Arches == nil || slices.ContainsFunc(i.Arches, func(a string) bool { return slices.Contains(s.Arches, a) })
}

func checkName(id string) string {
	if c, ok := lint.Lookup(id); ok {
		return c.Name
	}
	return ""
}
