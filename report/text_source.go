package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// source prints the line of a position with a mark below the word that is meant.
func (p *printer) source(at *Position, s style) {
	if at == nil || at.Source == nil {
		return
	}
	src := at.Source
	before, word, after := src.split()
	number := fmt.Sprint(at.Line)
	head, tail := "", ""
	if src.Before > 0 {
		head = "..."
	}
	if src.After > 0 {
		tail = "..."
	}
	text := head + shownLine(before) + shownLine(word) + shownLine(after) + tail
	p.out.WriteString("    " + p.paint(faint, number+" |") + strings.TrimRight(" "+text, " \t") + "\n")
	if src.Column > 0 {
		below := "^" + strings.Repeat("~", max(0, width(shownLine(word))-1))
		p.out.WriteString("    " + p.paint(faint, strings.Repeat(" ", len(number))+" |") + " " + blanks(head+shownLine(before)) + p.paint(s, below) + "\n")
	}
}

// split cuts the text where the word begins and ends. Without a column all of it is before.
func (s *Source) split() (before, word, after string) {
	if s.Column == 0 {
		return s.Text, "", ""
	}
	runes := []rune(s.Text)
	from := min(s.Column-1, len(runes))
	to := min(from+s.Length, len(runes))
	return string(runes[:from]), string(runes[from:to]), string(runes[to:])
}

// shownLine is clean for a line in which tabs are to stay.
func shownLine(s string) string {
	parts := strings.Split(s, "\t")
	for i := range parts {
		parts[i] = clean(parts[i])
	}
	return strings.Join(parts, "\t")
}

// blanks returns white space that is as wide as a text on a terminal, whatever its tabs stand for.
func blanks(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r == '\t' {
			b.WriteByte('\t')
		} else {
			b.WriteString(strings.Repeat(" ", runeWidth(r)))
		}
	}
	return b.String()
}

// width is the number of columns of a text without tabs.
func width(s string) int {
	n := 0
	for _, r := range s {
		n += runeWidth(r)
	}
	return n
}

// wide are the blocks whose characters take two columns on terminals (Unicode's UAX 11, W and F,
// rounded to blocks).
var wide = [][2]rune{
	{0x1100, 0x115f}, {0x2e80, 0xa4cf}, {0xac00, 0xd7a3}, {0xf900, 0xfaff}, {0xfe30, 0xfe6f},
	{0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x1f300, 0x1f64f}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
}

func runeWidth(r rune) int {
	switch {
	case r < utf8.RuneSelf:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	}
	for _, w := range wide {
		if w[0] <= r && r <= w[1] {
			return 2
		}
	}
	return 1
}
