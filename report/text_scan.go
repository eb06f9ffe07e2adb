package report

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/profcheck/profcheck/finding"
)

func (p *printer) scan(s *Scan) {
	for i, b := range s.Binaries {
		if i > 0 {
			p.blank()
		}
		p.binary(b)
	}
}

// binary prints the summary first, then the calls by class, then what is not known.
func (p *printer) binary(b Binary) {
	conditional := 0
	for _, n := range b.Syscalls {
		if n.Class == string(finding.Conditional) {
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
	p.modules(b)
	p.calls(b.Syscalls)
	if len(b.Unresolved) > 0 || !p.quiet && len(b.Script)+len(b.Gaps) > 0 {
		p.blank()
	}
	for _, u := range b.Unresolved {
		p.lead(yellow, "unresolved", fmt.Sprintf(": %s %s: %s", u.Function, u.where(), u.Reason))
		if len(u.Path) > 0 {
			p.line("    by: %s", short(u.Path))
		}
	}
	p.script(b)
	for _, g := range b.Gaps {
		p.note(g.text(b))
		if len(g.Path) > 0 && g.Kind != "missing" && !p.quiet {
			p.line("    by: %s", short(g.Path))
		}
	}
}

// where renders the place of an instruction: its file unless that is the program, and the address.
func (u Unresolved) where() string {
	if n := len(u.Path); n > 0 && u.Path[n-1].Module != "" {
		return u.Path[n-1].Module + " " + u.Address.String()
	}
	return u.Address.String()
}

// modules names the libraries that were read.
func (p *printer) modules(b Binary) {
	if len(b.With) > 0 {
		p.lead(bold, "with", ": "+strings.Join(b.With, " "))
	}
	if len(b.Modules) < 2 {
		return
	}
	from := ""
	if b.Root == "" {
		from = " of this machine (--root)"
	}
	if p.verbose {
		p.lead(bold, "libraries", from+":")
		var rows [][]string
		for _, m := range b.Modules[1:] {
			opened := ""
			if m.Opened {
				opened = "opened"
			}
			rows = append(rows, []string{m.Path, opened, m.BuildID})
		}
		p.columns("  ", []style{plain, plain, faint}, rows)
		return
	}
	var loaded, opened []string
	for _, m := range b.Modules[1:] {
		if m.Opened {
			opened = append(opened, path.Base(m.Path))
		} else {
			loaded = append(loaded, path.Base(m.Path))
		}
	}
	if len(loaded) > 0 {
		p.lead(bold, "libraries", from+": "+strings.Join(loaded, " "))
	}
	if len(opened) > 0 {
		p.lead(bold, "opened", ": "+strings.Join(opened, " "))
	}
}

// classTitles says of each class when its calls are made, in the order in which a scan lists them.
var classTitles = []struct {
	class finding.Class
	title string
}{
	{finding.Required, "required"},
	{finding.Child, "child, between fork and exec"},
	{finding.Startup, "start-up"},
	{finding.Runtime, "container runtime"},
	{finding.Kernel, "made by the kernel"},
	{finding.VDSO, "where the vDSO has no answer"},
	{finding.Conditional, "on a condition"},
}

// calls prints a table for each class, all with the same columns.
func (p *printer) calls(needs []Need) {
	var rows [][]string
	for _, c := range classTitles {
		var list []Need
		for _, n := range needs {
			if n.Class == string(c.class) {
				list = append(list, n)
			}
		}
		if len(list) == 0 {
			continue
		}
		title := c.title
		if by := makers(list); c.class == finding.Startup && len(by) > 0 {
			title += " (" + strings.Join(by, ", ") + ")"
		}
		rows = append(rows, []string{""}, []string{fmt.Sprintf("%s: %s", title, count(len(list), "call"))})
		for _, n := range list {
			rest := arguments(n.Args)
			if n.Condition != "" {
				rest = strings.TrimSpace(rest + " if " + n.Condition)
			}
			rows = append(rows, []string{"  " + fmt.Sprint(n.Nr), call(n.Name, n.Nr), rest})
		}
	}
	p.columns("", nil, rows)
}

// makers names the files whose instructions make the calls, as far as these are libraries.
func makers(needs []Need) []string {
	var out []string
	for _, n := range needs {
		if len(n.Path) == 0 {
			continue
		}
		if m := n.Path[len(n.Path)-1].Module; m != "" && !slices.Contains(out, m) {
			out = append(out, m)
		}
	}
	slices.Sort(out)
	return out
}

// script says that what was named is no program.
func (p *printer) script(b Binary) {
	if len(b.Script) == 0 {
		return
	}
	interpreter := "its interpreter"
	if len(b.Modules) > 0 {
		interpreter += " " + b.Modules[0].Path
	}
	text := fmt.Sprintf("%s is a script: %s was checked", b.Script[0], interpreter)
	switch rest := b.Script[1:]; len(rest) {
	case 0:
	case 1:
		text += ", to which " + rest[0] + " leads"
	default:
		text += ", to which " + words(rest) + " lead"
	}
	p.note(text)
}

// text is what a gap of a binary is, with what can be done about it.
func (g Gap) text(b Binary) string {
	if advice := g.advice(b); advice != "" {
		return g.Detail + ": " + advice
	}
	return g.Detail
}

// advice says how the next run can see more, and what it would look for in vain.
func (g Gap) advice(b Binary) string {
	text := g.next(b)
	if len(g.Absent) > 0 {
		if text != "" {
			text += "; "
		}
		text += "not here: " + strings.Join(some(g.Absent, 3), ", ")
	}
	return text
}

// next is the flag for the next run.
func (g Gap) next(b Binary) string {
	switch {
	case g.Kind == "exec" && len(g.Names) == 0:
		return "check what it starts, or give it with --with"
	case g.Kind == "exec" && len(g.Give) == 1 && len(g.Names) == 1:
		return "check it too, or give " + flags("--with", g.Give)
	case g.Kind == "exec" && len(g.Give) == 1:
		return "give " + flags("--with", g.Give)
	case g.Kind == "exec" && len(g.Give) > 1:
		return "check them too, or give " + flags("--with", g.Give)
	case g.Kind == "dlopen" && len(g.Names) == 0 && slices.ContainsFunc(b.Modules, func(m Module) bool { return m.Opened }):
		return "what it loads besides those listed, give with --plugin"
	case g.Kind == "dlopen" && len(g.Names) == 0:
		return "give it with --plugin"
	case g.Kind == "dlopen" && len(g.Give) > 2:
		return "give what it uses with --plugin"
	case g.Kind == "dlopen" && len(g.Give) > 0:
		return "give " + flags("--plugin", g.Give)
	}
	return ""
}

// flags repeats a flag for each of some values, as a shell takes it.
func flags(flag string, values []string) string {
	const most = 3
	var list []string
	for _, v := range values[:min(len(values), most)] {
		list = append(list, flag+" "+Quoted(v))
	}
	text := strings.Join(list, " ")
	if more := len(values) - most; more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	return text
}

// some returns the first of a list, and how many more there are.
func some(list []string, most int) []string {
	if more := len(list) - most; more > 0 {
		return append(slices.Clone(list[:most]), fmt.Sprintf("%d more", more))
	}
	return list
}

// Quoted renders a word so that a shell takes it as one.
func Quoted(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+,:@%=", r)
	}
	if word != "" && !strings.ContainsFunc(word, func(r rune) bool { return !plain(r) }) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// note prints what was out of sight, unless notes are not wanted.
func (p *printer) note(text string) {
	if !p.quiet {
		p.lead(bold, "note", ": "+text)
	}
}
