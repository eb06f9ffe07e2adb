package report

import (
	"fmt"
	"strings"
)

func (p *printer) expect(e *Expect) {
	for i := range e.Files {
		f := &e.Files[i]
		for j := range f.Failures {
			p.expectFailure(&f.Failures[j])
		}
		for _, note := range f.Notes {
			p.lead(blue, "note", fmt.Sprintf(": %s:%s", f.File, note))
		}
		p.passed(f.File+": ", f.Passed, f.Failed, f.Unknown)
		p.coverage(&f.Coverage)
	}
	if len(e.Files) > 1 {
		p.passed("all files: ", e.Passed, e.Failed, e.Unknown)
	}
}

// passed prints the counts.
func (p *printer) passed(what string, passed, failed, unknown int) {
	mark, text := green, fmt.Sprintf("%d passed, %d failed", passed, failed)
	if unknown > 0 {
		mark, text = yellow, text+fmt.Sprintf(", %d unknown", unknown)
	}
	if failed > 0 {
		mark = red
	}
	p.out.WriteString(clean(what) + p.paint(mark, text) + "\n")
}

func (p *printer) expectFailure(f *ExpectFailure) {
	word, mark := "expected ", red
	if f.Unknown {
		mark = yellow
	}
	place := fmt.Sprintf("%s:%d:%d: ", f.Position.File, f.Position.Line, f.Position.Column)
	p.out.WriteString(clean(place) + p.paint(mark, word+clean(f.Expected)) + "\n")
	c := &f.Cases[0]
	where := fmt.Sprintf("number %d on %s (%s)", c.Witness.Nr, c.Witness.Arch, c.Target.runtime())
	if c.Unknown != "" {
		p.line("  unknown for %s, %s: %s", c.call(), where, c.Unknown)
	} else {
		p.line("  found %s for %s, %s", answer(c.Action, c.Data, c.Errno), c.call(), where)
		if c.When != "" {
			p.line("  whenever %s", c.When)
		}
		if c.Reason != "" {
			p.line("  decided by: %s", c.Reason)
		}
		p.expectTrace(c)
	}
	if also := f.also(p.verbose); also != "" {
		p.line("  also: %s", also)
	}
}

// expectTrace prints the last instructions that ran, or all of them.
func (p *printer) expectTrace(c *ExpectCase) {
	if len(c.Trace) == 0 {
		return
	}
	p.line("  filter: %d of %d instructions ran", len(c.Trace), c.Length)
	steps := c.Trace
	if !p.verbose && c.Shown > 0 {
		steps = steps[c.Shown:]
		p.line("     ...")
	}
	var rows [][]string
	for _, s := range steps {
		rows = append(rows, []string{fmt.Sprintf("%4d", s.PC), s.Insn, s.Note})
	}
	p.columns("    ", []style{faint, plain, faint}, rows)
}

// also lists the cases behind the first: a few, or all that the document has.
func (f *ExpectFailure) also(verbose bool) string {
	const few = 6
	var list []string
	more := f.More
	for i := 1; i < len(f.Cases); i++ {
		if len(list) == few && !verbose {
			more += len(f.Cases) - i
			break
		}
		c := &f.Cases[i]
		what := "unknown"
		if c.Unknown == "" {
			what = answer(c.Action, c.Data, c.Errno)
		}
		list = append(list, fmt.Sprintf("%s for %s on %s (%s)", what, c.call(), c.Witness.Arch, c.Target.Runtime))
	}
	if more > 0 {
		list = append(list, fmt.Sprintf("%d more", more))
	}
	return strings.Join(list, "; ")
}

// call writes the witness: "socket(0x28)".
func (c *ExpectCase) call() string {
	if c.To != nil {
		return fmt.Sprintf("numbers %d to %d", uint32(c.Witness.Nr), uint32(*c.To))
	}
	name := c.Witness.Syscall
	if name == "" {
		name = fmt.Sprintf("number %d", c.Witness.Nr)
	}
	if c.Unknown != "" {
		return name
	}
	args := c.Witness.Args
	for len(args) > 0 && args[len(args)-1] == 0 {
		args = args[:len(args)-1]
	}
	var list []string
	for _, a := range args {
		list = append(list, a.String())
	}
	text := name + "(" + strings.Join(list, ", ") + ")"
	if c.Witness.IP != 0 {
		text += " at instruction pointer " + c.Witness.IP.String()
	}
	return text
}

// coverage prints the counts, and what was not reached.
func (p *printer) coverage(c *Coverage) {
	listed := p.verbose || c.Listed
	var enforced, reached, off, instructions, ran int
	for _, r := range c.Rules {
		if r.Enforced {
			enforced++
		} else {
			off++
		}
		if r.Reached {
			reached++
		}
	}
	for _, f := range c.Filters {
		instructions, ran = instructions+f.Instructions, ran+f.Reached
	}
	text := fmt.Sprintf("  reached: %d of %s", ran, count(instructions, "instruction"))
	if len(c.Filters) > 1 {
		text += fmt.Sprintf(" in %d filters", len(c.Filters))
	}
	if len(c.Rules) > 0 {
		text += fmt.Sprintf(", %d of %s", reached, count(enforced, "rule"))
	}
	if off > 0 {
		text += fmt.Sprintf("; %s not enforced here", count(off, "rule"))
	}
	if !listed && (ran < instructions || reached < enforced) {
		text += " (--coverage lists the others)"
	}
	p.line("%s", text)
	if !listed {
		return
	}
	for _, r := range c.Rules {
		p.missedRule(&r)
	}
	for _, f := range c.Filters {
		p.missedInsns(&f)
	}
}

func (p *printer) missedRule(r *CoveredRule) {
	what := "not reached for " + strings.Join(r.Missed, " ")
	switch {
	case !r.Enforced:
		what = "not enforced here"
	case len(r.Missed) == 0:
		return
	}
	place := ""
	if at := r.Rule.Position; at != nil && at.Line > 0 {
		place = fmt.Sprintf(" at %s:%d:%d", at.File, at.Line, at.Column)
	}
	p.line("  syscalls[%d]%s, %s: %s", r.Rule.Index, place, r.Rule.Action, what)
}

func (p *printer) missedInsns(f *CoveredFilter) {
	if len(f.Missed) == 0 {
		return
	}
	var list []string
	for _, r := range f.Missed {
		text := fmt.Sprint(r.From)
		if r.To > r.From {
			text += fmt.Sprintf("-%d", r.To)
		}
		list = append(list, text)
	}
	p.line("  filter for %s (%s, %d caps): instructions not reached: %s", f.Target.Arch, f.Target.Runtime, len(f.Target.Caps), strings.Join(list, " "))
}
