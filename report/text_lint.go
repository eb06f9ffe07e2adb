package report

import (
	"fmt"
	"strings"
)

func (p *printer) lint(l *Lint) {
	for i, profile := range l.Profiles {
		if i > 0 {
			p.blank()
		}
		p.linted(profile, l.of(i))
	}
	if len(l.Profiles) == 0 {
		p.lintFindings(l.Findings)
	}
}

// linted prints the verdict on one profile, what was found, and what was assumed.
func (p *printer) linted(l Linted, list []Finding) {
	word, text := l.verdict(list)
	p.lead(severityStyles[word], word, ": "+text)
	if !p.verbose {
		list = counting(list)
	}
	if len(list) > 0 {
		p.blank()
		p.lintFindings(list)
		p.blank()
	}
	p.target(l.Target)
}

// of returns the findings that are about a profile.
func (l *Lint) of(profile int) []Finding {
	var out []Finding
	for _, f := range l.Findings {
		if f.Profile == profile {
			out = append(out, f)
		}
	}
	return out
}

// verdict returns a severity or ok, and the first line about a profile without it.
func (l Linted) verdict(all []Finding) (word, text string) {
	word, text = VerdictOK, "no findings"
	list := counting(all)
	if len(list) > 0 {
		word = list[0].Severity
	}
	if n := tally(list, severities...); n != "" {
		text = n
	}
	if n := len(all) - len(list); n > 0 {
		text += fmt.Sprintf(", %d suppressed", n)
	}
	where := l.Target.Arch
	if len(l.Arches) > 3 {
		where = count(len(l.Arches), "ABI")
	} else if len(l.Arches) > 0 {
		where = strings.Join(l.Arches, " ")
	}
	name := l.Name
	if n := len(l.Containers) - 1; n > 0 {
		name += " and " + count(n, "more container")
	}
	return word, fmt.Sprintf("%s (%s, %s): %s", name, l.Target.runtime(), where, text)
}

// counting returns the findings that nothing suppresses.
func counting(list []Finding) []Finding {
	var out []Finding
	for _, f := range list {
		if f.Suppressed == nil {
			out = append(out, f)
		}
	}
	return out
}

// lintFindings prints findings as compilers do, place first.
func (p *printer) lintFindings(list []Finding) {
	for i, f := range list {
		where := ""
		if f.Position != nil {
			where = clean(f.Position.String()) + ": "
		}
		arch := ""
		if f.Arch != "" {
			arch = f.Arch + ": "
		}
		p.out.WriteString(where + p.paint(severityStyles[f.Severity], clean(f.Severity)))
		p.line(": %s: %s%s", f.Check, arch, f.Message)
		if i == 0 || !f.Position.same(list[i-1].Position) {
			p.source(f.Position, severityStyles[f.Severity])
		}
		if f.Suppressed != nil {
			p.line("    suppressed: %s", f.Suppressed.String())
		}
		if w := f.Witness; w != nil {
			p.line("    shown by: %s", w.call())
		}
		if f.Remedy != "" {
			p.line("    do: %s", f.Remedy)
		}
	}
}

// same reports whether two positions are the same place.
func (p *Position) same(q *Position) bool {
	return p != nil && q != nil && p.File == q.File && p.Line == q.Line && p.Column == q.Column
}

// String says by what, and why: "config (p.yaml:3), until 2027-01-01: reviewed".
func (s *Suppression) String() string {
	text := s.By
	if s.Position != nil {
		text += " (" + s.Position.String() + ")"
	}
	if s.Expires != "" {
		text += ", until " + s.Expires
	}
	if s.Reason != "" {
		text += ": " + s.Reason
	}
	return text
}

// call renders the witness as a call without its trailing zeros: "socket(0x28) on x86_64".
func (w *Witness) call() string {
	args := w.Args
	for len(args) > 0 && args[len(args)-1] == 0 {
		args = args[:len(args)-1]
	}
	var list []string
	for _, a := range args {
		list = append(list, a.String())
	}
	return fmt.Sprintf("%s(%s) on %s", call(w.Syscall, w.Nr), strings.Join(list, ", "), w.Arch)
}

func (p *printer) rules(r *Rules) {
	rows := [][]string{}
	for _, c := range r.Checks {
		needs := ""
		if c.NeedsBinary {
			needs = " [with a program]"
		}
		rows = append(rows, []string{c.ID, c.Severity, c.Name, c.Title + needs})
	}
	p.columns("", []style{bold}, rows)
}

func (p *printer) explain(e *Explain) {
	c := e.Explain
	p.lead(bold, c.ID+" "+c.Name, fmt.Sprintf(" (%s): %s", c.Severity, c.Title))
	for _, part := range []struct{ label, text string }{
		{"Why", c.Why}, {"When", c.When}, {"Where it can be wrong", c.Wrong}, {"What to do", c.Remedy},
	} {
		if part.text != "" {
			p.blank()
			p.lead(bold, part.label, ":")
			p.block("  ", wrap(part.text, 96))
		}
	}
	if c.NeedsBinary {
		p.blank()
		p.line("This check says nothing without a program.")
	}
	for _, x := range c.Examples {
		p.blank()
		p.lead(bold, x.title(), ":")
		p.block("  ", x.Text)
	}
	if len(c.Sources) > 0 {
		p.blank()
		p.lead(bold, "Sources", ":")
		for _, s := range c.Sources {
			p.line("  %s", s)
		}
	}
}

// wrap breaks a text at blanks into lines of at most width bytes, longer words on their own.
func wrap(text string, width int) string {
	var b strings.Builder
	column := 0
	for _, word := range strings.Fields(text) {
		switch {
		case column == 0:
		case column+1+len(word) > width:
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}

// title says what the file of an example is, by its name: bad.json is flagged, good.json is not, and
// beside them stand what else was given and what was found.
func (x Example) title() string {
	name, kind, _ := strings.Cut(x.Name, ".")
	switch {
	case kind == "run":
		return "With"
	case kind == "profcheck.yaml":
		return "With the settings"
	case kind == "want":
		return "Findings (severity, line:column, message)"
	case strings.HasPrefix(name, "good"):
		return "A profile that is not flagged"
	}
	return "A profile that is flagged"
}
