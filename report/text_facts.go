package report

import (
	"fmt"
	"strings"
)

func (p *printer) resolve(r *Resolve) {
	var rows [][]string
	for _, n := range r.Numbers {
		signature := "parameters unknown"
		if n.Known {
			var params []string
			for _, a := range n.Params {
				params = append(params, a.Name)
			}
			signature = n.Name + "(" + strings.Join(params, ", ") + ")"
		}
		kernel := "kernel unknown"
		if n.Kernel != "" {
			kernel = "since " + n.Kernel
			if n.Gone != "" {
				kernel += ", removed in " + n.Gone
			}
		}
		rows = append(rows, []string{n.Arch, fmt.Sprint(n.Nr), n.Name, kernel, signature})
	}
	p.columns("", []style{bold}, rows)
	if len(r.Missing) > 0 {
		p.line("not on: %s", strings.Join(r.Missing, " "))
	}
}

func (p *printer) profiles(l *Profiles) {
	var rows [][]string
	for _, b := range l.Builtins {
		rows = append(rows, []string{b.Name, b.Format, b.Title, strings.TrimSpace(b.Origin + " " + b.Release)})
	}
	p.columns("", []style{bold}, rows)
}

func (p *printer) about(a *About) {
	release := a.Release
	if a.Revision != "" {
		release += " " + a.Revision
	}
	p.line("profcheck %s (%s, %s)", release, a.Go, a.Platform)
	p.columns("", nil, [][]string{
		{"module", a.Module},
		{"syscalls", fmt.Sprintf("%d names, %d ABIs, up to Linux %s", a.Tables.Names, a.Tables.ABIs, a.Tables.Kernel)},
		{"checks", fmt.Sprint(a.Tables.Checks)},
		{"targets", strings.Join(a.Targets, ", ")},
		{"formats", strings.Join(a.Formats, ", ")},
	})
}
