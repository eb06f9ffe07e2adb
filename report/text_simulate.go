package report

import (
	"fmt"
	"strings"
)

// markOf is the colour of an action: what runs, what is decided elsewhere, what does not run.
func markOf(action string) style {
	name, _, _ := strings.Cut(action, "(")
	switch name {
	case "ALLOW", "LOG":
		return green
	case "USER_NOTIF", unknownAction:
		return yellow
	}
	return red
}

// unknownAction stands where the filter is too complex to tell what it answers.
const unknownAction = "UNKNOWN"

// under names what is judged: " under p.json (docker)".
func under(p *Profile, t *Target) string {
	switch {
	case p == nil:
		return ""
	case t == nil:
		return " under " + p.Name
	}
	return fmt.Sprintf(" under %s (%s)", p.Name, t.runtime())
}

func (p *printer) simulate(s *Simulate) {
	name := s.Syscall
	if name == "" {
		name = "unnamed call"
	}
	p.lead(markOf(s.Action), answer(s.Action, s.Data, s.Errno),
		fmt.Sprintf(": %s(%s), number %d on %s%s", name, argumentList(s.Args), s.Nr, s.Arch, under(s.Profile, s.Target)))
	if s.Reason != "" {
		p.line("decided by: %s", s.Reason)
	}
	if s.Exempt != "" {
		p.line("but not asked: %s", s.Exempt)
	}
	if s.Effect != "" && (s.Action != "ERRNO" || s.Data == 0) { // the name of an errno says it all
		p.line("in effect: %s", s.Effect)
	}
	p.answers(s.Compared)
	switch {
	case len(s.Filters) > 0:
		p.stack(s.Filters)
	case len(s.Trace) > 0:
		p.line("filter: %d of %d instructions ran", len(s.Trace), s.Length)
		p.trace(s.Trace)
	}
	if s.Target != nil && len(s.Compared) == 0 {
		p.target(*s.Target)
	}
}

// argumentList renders the arguments of a call without the zeros at the end.
func argumentList(args []Hex) string {
	for len(args) > 0 && args[len(args)-1] == 0 {
		args = args[:len(args)-1]
	}
	var list []string
	for _, a := range args {
		list = append(list, a.String())
	}
	return strings.Join(list, ", ")
}

// answers lists what each target says, where several were asked.
func (p *printer) answers(list []TargetAnswer) {
	var rows [][]string
	for _, t := range list {
		rows = append(rows, []string{t.Target.runtime(), answer(t.Action, t.Data, t.Errno), t.Reason})
	}
	if len(rows) > 0 {
		p.line("by target:")
		p.columns("  ", []style{bold}, rows)
	}
}

// stack shows the filters in the order in which they ran, the newest first, and the trace of the
// one that decided.
func (p *printer) stack(filters []Ran) {
	for i := len(filters) - 1; i >= 0; i-- {
		f := filters[i]
		text := fmt.Sprintf(": %s, %d of %d instructions ran", answer(f.Action, f.Data, f.Errno), len(f.Trace), f.Length)
		if f.Decides {
			text += " (decides)"
		}
		p.lead(bold, f.Name, text)
		if f.Decides || p.verbose {
			p.trace(f.Trace)
		}
	}
}

func (p *printer) trace(trace []Step) {
	var rows [][]string
	for _, t := range trace {
		rows = append(rows, []string{fmt.Sprintf("%4d", t.PC), t.Insn, t.Note})
	}
	p.columns("  ", []style{faint, plain, faint}, rows)
}

func (p *printer) vectors(v *Vectors) {
	for _, m := range v.Mismatches {
		p.lead(red, "mismatch", fmt.Sprintf(": %s:%d: %s %s(%s): want %s, found %s",
			v.Table, m.Line, m.Arch, call(m.Syscall, m.Nr), argumentList(m.Args), m.Want, m.Got))
		if m.Reason != "" {
			p.line("    decided by: %s", m.Reason)
		}
	}
	p.line("%d passed, %d failed", v.Passed, v.Failed)
}
