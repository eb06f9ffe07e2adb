package report

import (
	"fmt"
	"slices"
	"strings"
)

// shown is how many findings of one severity a text spells out unless it is verbose.
const shown = 10

func (p *printer) check(c *Check) {
	p.verdict(c)
	p.findings(c)
	p.blank()
	p.unused(c)
	if !p.verbose {
		p.notes(c)
	}
	p.gaps(c)
	p.target(c.Target)
	if p.verbose {
		p.outcomes(c)
	}
}

// findings prints the findings by severity.
func (p *printer) findings(c *Check) {
	for _, severity := range severities {
		var list []Finding
		for _, f := range c.Findings {
			if f.Severity == severity && c.spelt(f, p.verbose) {
				list = append(list, f)
			}
		}
		if severity == "info" && !p.verbose {
			continue // see notes
		}
		if len(list) > 0 {
			p.blank()
		}
		for i, f := range list {
			if i == shown && !p.verbose {
				p.more(list[i:])
				break
			}
			p.finding(f, c.Profile.Name)
		}
	}
}

// notes stands for the findings that ask for nothing to be done.
func (p *printer) notes(c *Check) {
	n := 0
	var ids []string
	for _, f := range c.listed() {
		if f.Severity != "info" {
			continue
		}
		n++
		if !slices.Contains(ids, f.Check) {
			ids = append(ids, f.Check)
		}
	}
	if n > 0 {
		p.line("for information: %s (%s; --verbose shows %s)", count(n, "finding"), strings.Join(ids, ", "), them(n))
	}
	if n := len(c.Findings) - len(counting(c.Findings)); n > 0 {
		p.line("suppressed: %s (--verbose shows %s)", count(n, "finding"), them(n))
	}
}

func them(n int) string {
	if n == 1 {
		return "it"
	}
	return "them"
}

// more stands for findings that are not spelt out.
func (p *printer) more(list []Finding) {
	var names []string
	seen := make(map[string]bool)
	for _, f := range list {
		for _, s := range f.Syscalls {
			if !seen[s] {
				names, seen[s] = append(names, s), true
			}
		}
	}
	text := fmt.Sprintf(" and %d more", len(list))
	if len(names) > 0 {
		text += " on " + strings.Join(some(names, 2*shown), ", ")
	}
	p.lead(severityStyles[list[0].Severity], list[0].Severity, text+" (--verbose shows them)")
}

// finding prints one finding: what, the shortest useful proof, and what to do.
func (p *printer) finding(f Finding, profile string) {
	text := " " + f.Check + "  " + f.Message
	if f.Position != nil && f.Position.Line > 0 {
		text += " (" + f.Position.String() + ")"
	}
	p.lead(severityStyles[f.Severity], f.Severity, text)
	if f.Suppressed != nil {
		p.line("    suppressed: %s", f.Suppressed.String())
	}
	p.source(f.Position, severityStyles[f.Severity])
	if f.Severity == "info" && !p.verbose {
		return
	}
	switch {
	case len(f.Path) > 0 && p.verbose:
		p.path("    ", f.Path)
	case len(f.Path) > 0:
		p.line("    by: %s", short(f.Path))
	}
	if f.Remedy != "" {
		p.line("    do: %s", f.Remedy)
	}
}

// path prints all frames, aligned, the root first.
func (p *printer) path(indent string, frames []Frame) {
	var rows [][]string
	modules := slices.ContainsFunc(frames, func(f Frame) bool { return f.Module != "" })
	for _, f := range frames {
		function := f.Function
		if f.Edge != "" && f.Edge != "call" {
			function += " (" + f.Edge + ")"
		}
		if modules {
			rows = append(rows, []string{function, f.Module, f.place(true)})
		} else {
			rows = append(rows, []string{function, f.place(true)})
		}
	}
	p.columns(indent, []style{plain, faint, faint}, rows)
}

// unused prints the one counted line on what is open without need.
func (p *printer) unused(c *Check) {
	u := c.Unused
	if u == nil {
		return
	}
	label := "allowed but not needed"
	for _, b := range c.Binaries {
		if !b.Complete || slices.ContainsFunc(b.Gaps, Gap.hides) {
			label = "allowed but not seen"
		}
	}
	if u.Count == 0 {
		p.lead(bold, label, ": nothing")
		return
	}
	text := ": " + count(u.Count, "syscall")
	if len(u.Riskiest) > 0 {
		text += " (riskiest: " + strings.Join(u.Riskiest, ", ") + ")"
	}
	p.lead(bold, label, text)
}

// gaps prints what scans could not look into, as far as no finding has told of it.
func (p *printer) gaps(c *Check) {
	names := Programs(c.Binaries)
	for i, b := range c.Binaries {
		p.script(b)
		for _, g := range b.Gaps {
			told := slices.ContainsFunc(c.Findings, func(f Finding) bool {
				return g.Kind == "missing" && strings.Contains(f.Message, g.Detail)
			})
			if !told {
				p.note(fmt.Sprintf("%s: %s", names[i], g.text(b)))
			}
		}
	}
}

// facts are the fields of a target that a user can give, with words for people.
func (t Target) facts() []struct{ field, text string } {
	caps := "capability " + strings.Join(t.Caps, "")
	switch {
	case len(t.Caps) == 0:
		caps = "no capabilities"
	case contains(t.Assumed, "caps"):
		caps = fmt.Sprintf("its %d default capabilities", len(t.Caps))
	case len(t.Caps) > 1:
		caps = fmt.Sprintf("%d capabilities", len(t.Caps))
	}
	facts := []struct{ field, text string }{
		{"runtime", "runtime " + t.runtime()},
		{"caps", caps},
		{"kernel", "kernel " + t.Kernel},
	}
	if contains(t.Assumed, "libraries") {
		facts = append(facts, struct{ field, text string }{"libraries", "the libraries of this machine"})
	}
	return facts
}

// target prints what the verdict takes for granted.
func (p *printer) target(t Target) {
	var assumed, given []string
	for _, f := range t.facts() {
		if contains(t.Assumed, f.field) {
			assumed = append(assumed, f.text)
		} else {
			given = append(given, f.text)
		}
	}
	if len(given) > 0 {
		p.lead(bold, "given", ": "+strings.Join(given, ", "))
	}
	if len(assumed) > 0 {
		flags := "--target, --cap, --kernel"
		if contains(t.Assumed, "libraries") {
			flags += ", --root"
		}
		p.lead(bold, "assumed", ": "+strings.Join(assumed, ", ")+" ("+flags+")")
	}
	if p.verbose && len(t.Caps) > 0 {
		p.line("capabilities: %s", strings.Join(t.Caps, " "))
	}
}

func contains(list []string, word string) bool {
	for _, w := range list {
		if w == word {
			return true
		}
	}
	return false
}

// outcomes prints what is needed with the profile's answer, and the names that are open without need.
func (p *printer) outcomes(c *Check) {
	rows := [][]string{{"nr", "syscall", "class", "outcome", "answer"}}
	var unused []string
	for _, o := range c.Syscalls {
		if o.Outcome == "unused" {
			unused = append(unused, call(o.Name, o.Nr))
			continue
		}
		text := answer(o.Action, o.Data, o.Errno)
		switch {
		case o.When == "":
		case o.Outcome == "depends": // the answer is the gravest one, the condition that of running
			text += " unless " + o.When
		default:
			text += " if " + o.When
		}
		rows = append(rows, []string{fmt.Sprint(o.Nr), call(o.Name, o.Nr), o.Class, o.Outcome, text})
	}
	p.blank()
	p.lead(bold, "needed", ":")
	p.columns("  ", nil, rows)
	if len(unused) > 0 {
		p.blank()
		p.lead(bold, "open without need", ":")
		p.line("  %s", strings.Join(unused, " "))
	}
}

// hides reports whether code that runs in the process itself was not read.
func (g Gap) hides() bool {
	return g.Kind == "dlopen" || g.Kind == "plugin" || g.Kind == "code" || g.Kind == "missing"
}
