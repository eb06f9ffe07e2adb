package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// textFormat is for people: what was asked first, then what to do, then what was assumed. It does
// not depend on the width of a terminal.
var textFormat = Format{
	Name:  "text",
	Title: "for people; the default",
	Write: func(w io.Writer, d Document, o Options) error {
		p := &printer{color: o.Color, verbose: o.Verbose, quiet: o.Quiet}
		switch d := d.(type) {
		case *Check:
			p.check(d)
		case *Scan:
			p.scan(d)
		case *Why:
			p.why(d)
		case *Lint:
			p.lint(d)
		case *Simulate:
			p.simulate(d)
		case *Expect:
			p.expect(d)
		case *Table:
			p.table(d)
		case *Diff:
			p.diff(d)
		case *Verify:
			p.verify(d)
		case *Listing:
			p.listing(d)
		case *Vectors:
			p.vectors(d)
		case *Resolve:
			p.resolve(d)
		case *Rules:
			p.rules(d)
		case *Explain:
			p.explain(d)
		case *Profiles:
			p.profiles(d)
		case *Targets:
			p.targets(d)
		case *About:
			p.about(d)
		case *Config:
			p.config(d)
		default:
			return fmt.Errorf("no text for a document of type %s", d.kind())
		}
		_, err := w.Write(p.out.Bytes())
		return err
	},
}

// printer collects a text.
type printer struct {
	out     bytes.Buffer
	color   bool
	verbose bool
	quiet   bool
}

// style is a way to mark words on a terminal, as the number of its escape sequence (ECMA-48 SGR).
type style string

const (
	plain  style = ""
	bold   style = "1"
	faint  style = "2"
	red    style = "1;31"
	green  style = "1;32"
	yellow style = "1;33"
	blue   style = "1;34"
)

// severityStyles gives the colours of severities and verdicts.
var severityStyles = map[string]style{
	"error": red, "warning": yellow, "info": blue,
	VerdictOK: green, VerdictDenied: red, VerdictUnknown: yellow,
}

// paint marks a text that clean has seen.
func (p *printer) paint(s style, text string) string {
	if !p.color || s == plain || text == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}

// line prints words that need no mark. Names from binaries and profiles are cleaned.
func (p *printer) line(format string, args ...any) {
	p.out.WriteString(strings.TrimRight(clean(fmt.Sprintf(format, args...)), " ") + "\n")
}

// lead prints a line that begins with a marked word: "ok: gofmt runs ...".
func (p *printer) lead(s style, word, rest string) {
	p.out.WriteString(p.paint(s, clean(word)) + strings.TrimRight(clean(rest), " ") + "\n")
}

// block prints a text of several lines with an indent.
func (p *printer) block(indent, text string) {
	for line := range strings.Lines(strings.TrimRight(text, "\n")) {
		p.line("%s%s", indent, strings.TrimRight(line, "\r\n"))
	}
}

// blank prints an empty line, unless there is one or nothing above.
func (p *printer) blank() {
	if b := p.out.Bytes(); len(b) > 0 && !bytes.HasSuffix(b, []byte("\n\n")) {
		p.out.WriteByte('\n')
	}
}

// columns prints rows with aligned cells. The last cell of a row is not padded. Every row is
// indented; styles[i] marks column i.
func (p *printer) columns(indent string, styles []style, rows [][]string) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			row[i] = clean(cell)
			if i < len(row)-1 {
				widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
			}
		}
	}
	for _, row := range rows {
		last := len(row) - 1
		for last > 0 && row[last] == "" {
			last--
		}
		p.out.WriteString(indent)
		for i, cell := range row[:last+1] {
			mark := plain
			if i < len(styles) {
				mark = styles[i]
			}
			p.out.WriteString(p.paint(mark, cell))
			if i < last {
				p.out.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2))
			}
		}
		p.out.WriteByte('\n')
	}
}

// clean makes control characters and broken UTF-8 visible: names in a hostile file must not reach
// a terminal as commands.
func clean(s string) string {
	ok := true
	for _, r := range s {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			ok = false
			break
		}
	}
	if ok {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError:
			_, size := utf8.DecodeRuneInString(s[i:])
			if size > 1 {
				b.WriteRune(r)
			} else {
				fmt.Fprintf(&b, `\x%02x`, s[i])
			}
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
