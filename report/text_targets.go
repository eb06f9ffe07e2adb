package report

import "strings"

// targets prints the matrix as a table, or what one target does in whole sentences.
func (p *printer) targets(t *Targets) {
	p.line("targets:")
	var rows [][]string
	for _, r := range t.Targets {
		rows = append(rows, []string{r.Name, r.Title})
		if p.verbose {
			rows = append(rows, []string{"", "known from: " + r.Origin})
		}
	}
	p.columns("  ", []style{bold}, rows)
	if len(t.Defaults) > 0 {
		p.line("default target of each format:")
		rows = nil
		for _, d := range t.Defaults {
			rows = append(rows, []string{d.Format, d.Target, d.Title})
		}
		p.columns("  ", []style{bold}, rows)
	}
	p.line("what becomes of each feature of a profile:")
	if len(t.Targets) == 1 {
		p.features(t.Features)
	} else {
		p.featureTable(t)
	}
	if len(t.Changes) > 0 {
		p.line("what changed with a release:")
		rows = nil
		for _, c := range t.Changes {
			rows = append(rows, []string{c.Runtime, strings.Join(c.Since, ", "), c.What})
			if p.verbose {
				rows = append(rows, []string{"", "", "known from: " + c.Origin})
			}
		}
		p.columns("  ", []style{bold}, rows)
	}
}

// featureTable has a column for each target.
func (p *printer) featureTable(t *Targets) {
	head, styles := []string{""}, []style{bold}
	for _, r := range t.Targets {
		head, styles = append(head, r.Name), append(styles, plain)
	}
	rows := [][]string{head}
	for _, f := range t.Features {
		row := []string{f.Name}
		for _, c := range f.Cells {
			row = append(row, c.Handling)
		}
		rows = append(rows, row)
	}
	p.columns("  ", styles, rows)
	if !p.verbose {
		return
	}
	for _, f := range t.Features {
		p.line("%s: %s", f.Name, f.Title)
		var rows [][]string
		for _, c := range f.Cells {
			rows = append(rows, []string{c.Target, c.Handling, c.Effect, "known from: " + c.Origin})
		}
		p.columns("  ", []style{bold}, rows)
	}
}

// features has a line for each feature of the one target.
func (p *printer) features(list []Feature) {
	var rows [][]string
	for _, f := range list {
		for _, c := range f.Cells {
			effect := c.Effect
			if c.By != "" && effect != "" {
				effect += " (" + c.By + ")"
			}
			if effect == "" {
				effect = f.Title
			}
			rows = append(rows, []string{f.Name, c.Handling, effect})
			if p.verbose {
				rows = append(rows, []string{"", "", "known from: " + c.Origin})
			}
		}
	}
	p.columns("  ", []style{bold}, rows)
}
