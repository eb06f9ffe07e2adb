package cli

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// manual writes pages in the macros of man(7), which every formatter knows. They are made of what help
// prints, so that nothing is said in two places.
type manual struct {
	release string
	date    string // "" for none
}

// pageName is that of a command's page: profcheck-config-show.
func pageName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// page returns the page of one command.
func (m manual) page(cmd *cobra.Command) []byte {
	p := &page{}
	p.macro("TH", strings.ToUpper(pageName(cmd)), "1")
	p.Truncate(p.Len() - 1)
	fmt.Fprintf(p, ` "%s" "%s" "profcheck manual"`+"\n", m.date, escape("profcheck "+m.release)) // mandoc wants the date bare
	p.section("NAME")
	p.line(pageName(cmd) + " \\- " + escape(lowerFirst(strings.TrimRight(cmd.Short, "."))))
	p.section("SYNOPSIS")
	for i, use := range synopsis(cmd) {
		if i > 0 {
			p.line(".br")
		}
		p.macro("B", use[0])
		p.text(use[1])
	}
	p.section("DESCRIPTION")
	long := cmd.Long
	if long == "" {
		long = cmd.Short
	}
	p.paragraphs(long)
	p.commands(cmd)
	p.flags("OPTIONS", cmd.LocalNonPersistentFlags())
	p.flags("COMMON OPTIONS", common(cmd))
	if cmd.Example != "" {
		p.section("EXAMPLES")
		p.literal(cmd.Example)
	}
	p.section("EXIT STATUS")
	for _, code := range exitTexts {
		p.item(code[0], code[1])
	}
	p.others(cmd)
	return p.Bytes()
}

// exitTexts says what the exit codes mean, the same for every command and format.
var exitTexts = [][2]string{
	{"0", "Nothing at or above the threshold, or the answer yes."},
	{"1", "Findings, or the answer no."},
	{"2", "Wrong usage."},
	{"3", "Could not judge: unreadable or malformed input, or something that the scan could not see."},
}

// synopsis returns the ways to call a command: its name and what follows.
func synopsis(cmd *cobra.Command) (out [][2]string) {
	_, rest, _ := strings.Cut(cmd.Use, " ")
	if cmd.Runnable() {
		out = append(out, [2]string{cmd.CommandPath(), strings.TrimSpace(rest + " [flags]")})
	}
	if cmd.HasAvailableSubCommands() {
		out = append(out, [2]string{cmd.CommandPath(), "COMMAND ..."})
	}
	return out
}

// common are the flags that every command has.
func common(cmd *cobra.Command) *pflag.FlagSet {
	if cmd.HasParent() {
		return cmd.InheritedFlags()
	}
	return cmd.PersistentFlags()
}

func lowerFirst(s string) string {
	if len(s) > 1 && s[1] >= 'a' && s[1] <= 'z' {
		return strings.ToLower(s[:1]) + s[1:]
	}
	return s
}

// page is roff source.
type page struct {
	bytes.Buffer
	begun bool // a section or paragraph has nothing in it yet
}

// line adds a line as it is.
func (p *page) line(s string) { p.WriteString(s + "\n") }

// macro adds a request with quoted arguments.
func (p *page) macro(name string, args ...string) {
	p.WriteString("." + name)
	for _, a := range args {
		fmt.Fprintf(p, ` "%s"`, strings.ReplaceAll(escape(a), `"`, `\(dq`))
	}
	p.WriteByte('\n')
}

// text adds words that the formatter fills.
func (p *page) text(s string) {
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			p.line(guard(escape(line)))
			p.begun = false
		}
	}
}

func (p *page) section(title string) {
	p.macro("SH", title)
	p.begun = true
}

// paragraphs adds text whose indented lines stay as they are.
func (p *page) paragraphs(s string) {
	for i, block := range strings.Split(strings.TrimSpace(s), "\n\n") {
		if i > 0 {
			p.line(".PP")
			p.begun = true
		}
		var keep []string
		for line := range strings.Lines(block) {
			if strings.HasPrefix(line, " ") {
				keep = append(keep, line)
				continue
			}
			p.literal(strings.Join(keep, ""))
			keep = nil
			p.text(line)
		}
		p.literal(strings.Join(keep, ""))
	}
}

// literal adds lines as they stand.
func (p *page) literal(s string) {
	if strings.TrimSpace(s) == "" {
		return
	}
	if !p.begun {
		p.line(".PP")
	}
	p.begun = false
	p.line(".RS\n.nf")
	for line := range strings.Lines(s) {
		p.line(guard(escape(strings.TrimRight(strings.TrimPrefix(line, "  "), " \n"))))
	}
	p.line(".fi\n.RE")
}

// item adds a tagged paragraph.
func (p *page) item(tag, text string) {
	p.line(".TP")
	p.macro("B", tag)
	p.text(text)
}

// commands lists those below a command.
func (p *page) commands(cmd *cobra.Command) {
	if !cmd.HasAvailableSubCommands() {
		return
	}
	p.section("COMMANDS")
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			p.item(strings.TrimPrefix(c.CommandPath(), cmd.Root().Name()+" "), c.Short+"; see "+pageName(c)+"(1).")
		}
	}
}

// flags lists flags with what help says of them.
func (p *page) flags(title string, set *pflag.FlagSet) {
	begun := false
	set.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Deprecated != "" {
			return
		}
		if !begun {
			p.section(title)
			begun = true
		}
		value, text := pflag.UnquoteUsage(f)
		tag := "--" + f.Name
		if f.Shorthand != "" {
			tag = "-" + f.Shorthand + ", " + tag
		}
		if value != "" {
			tag += " " + value
		}
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "[]" && !strings.Contains(text, "(default") {
			text += " (default " + f.DefValue + ")"
		}
		p.item(tag, text)
	})
}

// others refers to the pages above, below and beside a command.
func (p *page) others(cmd *cobra.Command) {
	var names []string
	if parent := cmd.Parent(); parent != nil {
		names = append(names, pageName(parent)+"(1)")
	}
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, pageName(c)+"(1)")
		}
	}
	if !cmd.HasParent() {
		names = append(names, "seccomp(2)", "bpf(2)")
	}
	p.section("SEE ALSO")
	p.text(strings.Join(names, ",\n"))
}

// escape writes characters that roff gives a meaning, or another shape, as what they are.
func escape(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\\':
			b.WriteString(`\e`)
		case r == '-':
			b.WriteString(`\-`)
		case r == '\'':
			b.WriteString(`\(aq`)
		case r == '`':
			b.WriteString(`\(ga`)
		case r == '^':
			b.WriteString(`\(ha`)
		case r == '~':
			b.WriteString(`\(ti`)
		case r > 126:
			fmt.Fprintf(&b, `\[u%04X]`, r)
		case r >= ' ':
			b.WriteRune(r)
		}
	}
	return b.String()
}

// guard keeps a line of text from being a request.
func guard(line string) string {
	if strings.HasPrefix(line, ".") {
		return `\&` + line
	}
	return line
}
