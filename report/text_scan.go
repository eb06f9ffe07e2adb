package report

import (
	"fmt"
	"strings"
)

func (p *printer) scan(s *Scan) {
	for i, b := range s.Binaries {
		if i > 0 {
			p.blank()
		}
		p.binary(b)
	}
}

// binary prints the summary first, then the table of calls, then what is not known.
func (p *printer) binary(b Binary) {
	conditional := 0
	for _, n := range b.Syscalls {
		if n.Class == "conditional" {
			conditional++
		}
	}
	word, mark := "complete", green
	if !b.Complete {
		word, mark = "incomplete", yellow
	}
	kind := b.Kind
	if b.Toolchain != "" {
		kind += " (" + b.Toolchain + ")"
	}
	text := fmt.Sprintf(": %s, %s, %s: %s", b.Path, kind, b.Arch, count(len(b.Syscalls)-conditional, "syscall"))
	if conditional > 0 {
		text += fmt.Sprintf(" and %d on a condition", conditional)
	}
	text += ", " + fmt.Sprintf("%d unresolved", len(b.Unresolved))
	p.lead(mark, word, text)
	p.blank()
	rows := [][]string{{"nr", "syscall", "class", "arguments, condition"}}
	for _, n := range b.Syscalls {
		rest := arguments(n.Args)
		if n.Condition != "" {
			rest = strings.TrimSpace(rest + " if " + n.Condition)
		}
		rows = append(rows, []string{fmt.Sprint(n.Nr), call(n.Name, n.Nr), n.Class, rest})
	}
	if len(b.Syscalls) > 0 {
		p.columns("  ", nil, rows)
		p.blank()
	}
	for _, u := range b.Unresolved {
		p.lead(yellow, "unresolved", fmt.Sprintf(": %s %s: %s", u.Function, u.Address, u.Reason))
		if len(u.Path) > 0 {
			p.line("    by: %s", short(u.Path))
		}
	}
	for _, g := range b.Gaps {
		p.lead(bold, "note", ": "+g.Detail)
	}
}

func (p *printer) why(w *Why) {
	name := call(w.Why.Name, w.Why.Nr)
	if !w.Needed {
		if w.Complete {
			p.lead(green, "not needed", fmt.Sprintf(": %s cannot call %s (%d on %s)", w.Binary, name, w.Why.Nr, w.Arch))
		} else {
			p.lead(yellow, "not seen", fmt.Sprintf(": nothing in %s calls %s (%d on %s), but the scan is incomplete: %s",
				w.Binary, name, w.Why.Nr, w.Arch, strings.Join(w.Missing, "; ")))
		}
		return
	}
	text := fmt.Sprintf(": %s can call %s (%d on %s), class %s", w.Binary, name, w.Why.Nr, w.Arch, w.Need.Class)
	if w.Need.Condition != "" {
		text += ", if " + w.Need.Condition
	}
	p.lead(bold, "needed", text)
	if w.Need.Detail != "" {
		p.line("%s", w.Need.Detail)
	}
	if a := arguments(w.Need.Args); a != "" {
		p.line("arguments: %s", a)
	}
	sites := w.Sites
	if !p.verbose && len(sites) > 1 {
		sites = sites[:1]
	}
	if len(sites) == 0 && len(w.Need.Path) > 0 {
		sites = []Site{{Class: w.Need.Class, Path: w.Need.Path}}
	}
	for i, s := range sites {
		p.blank()
		if p.verbose && len(sites) > 1 {
			p.line("site %d of %d, class %s: %s", i+1, len(sites), s.Class, arguments(s.Args))
		}
		p.path("  ", s.Path)
	}
	if more := len(w.Sites) - len(sites); more > 0 {
		p.blank()
		p.line("%s (--verbose shows them)", count(more, "more place"))
	}
}
