package report

import (
	"fmt"
	"strings"
)

func (p *printer) simulate(s *Simulate) {
	args := s.Args
	for len(args) > 0 && args[len(args)-1] == 0 {
		args = args[:len(args)-1]
	}
	var list []string
	for _, a := range args {
		list = append(list, a.String())
	}
	mark := red
	switch s.Action {
	case "ALLOW", "LOG":
		mark = green
	case "USER_NOTIF":
		mark = yellow
	}
	where := s.Arch
	if s.Profile != nil && s.Target != nil {
		where = fmt.Sprintf("%s under %s (%s)", s.Arch, s.Profile.Name, s.Target.Runtime)
	}
	name := s.Syscall
	if name == "" {
		name = "unnamed call"
	}
	p.lead(mark, answer(s.Action, s.Data, s.Errno), fmt.Sprintf(": %s(%s), number %d on %s", name, strings.Join(list, ", "), s.Nr, where))
	if s.Reason != "" {
		p.line("decided by: %s", s.Reason)
	}
	if n := len(s.Trace); n > 0 {
		p.line("filter: %d of %d instructions ran", n, s.Length)
		var rows [][]string
		for _, t := range s.Trace {
			rows = append(rows, []string{fmt.Sprintf("%4d", t.PC), t.Insn, t.Note})
		}
		p.columns("  ", []style{faint, plain, faint}, rows)
	}
	if s.Target != nil {
		p.target(*s.Target)
	}
}

func (p *printer) table(t *Table) {
	for i, a := range t.Arches {
		if i > 0 {
			p.blank()
		}
		text := ""
		if t.Profile != nil {
			text = " under " + t.Profile.Name
		}
		p.lead(bold, a.Arch, text+": "+count(len(a.Syscalls), "syscall"))
		var rows [][]string
		for _, s := range a.Syscalls {
			nr, name := fmt.Sprint(s.Nr), s.Name
			for _, r := range s.Regions {
				rows = append(rows, []string{nr, name, answer(r.Action, r.Data, r.Errno), r.When})
				nr, name = "", ""
			}
		}
		for _, o := range a.Others {
			numbers := fmt.Sprintf("%d-%d", o.From, o.To)
			if o.From == o.To {
				numbers = fmt.Sprint(o.From)
			}
			rows = append(rows, []string{numbers, "(no syscall)", answer(o.Action, o.Data, o.Errno)})
		}
		p.columns("  ", nil, rows)
	}
	if t.Target != nil {
		p.blank()
		p.target(*t.Target)
	}
}
