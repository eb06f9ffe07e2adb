package report

import "strings"

// config prints one setting a line, with its value and where it comes from.
func (p *printer) config(c *Config) {
	file := c.File
	if file == "" {
		file = "none"
	}
	p.lead(bold, "settings", ": "+file)
	if c.Profile != "" {
		p.lead(bold, "for", ": "+c.Profile)
	}
	p.blank()
	var rows [][]string
	for _, s := range c.Settings {
		value := strings.Join(s.Values, " ")
		if value == "" {
			value = "(by the profile)"
		}
		rows = append(rows, []string{s.Key, value, s.origin()})
	}
	p.columns("", []style{bold, plain, faint}, rows)
	for _, g := range c.Ignores {
		p.blank()
		p.ignore(g)
	}
}

// origin says where a setting comes from.
func (s *Setting) origin() string {
	switch {
	case s.Position != nil:
		return s.Position.String()
	case s.Flag != "":
		return s.Flag
	}
	return s.From
}

func (p *printer) ignore(g Ignore) {
	word := "ignored"
	if g.Expired {
		word = "expired"
	}
	text := ": " + g.Check
	for _, part := range []struct {
		word string
		list []string
	}{{"in", g.Paths}, {"of", g.Syscalls}, {"on", g.Arches}} {
		if len(part.list) > 0 {
			text += " " + part.word + " " + strings.Join(part.list, ", ")
		}
	}
	if g.Expires != "" {
		text += ", until " + g.Expires
	}
	p.lead(bold, word, text+" ("+g.Position.String()+")")
	p.line("    %s", g.Reason)
}
