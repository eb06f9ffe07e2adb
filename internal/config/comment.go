package config

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/profile"
)

// marker begins an ignore in a comment: "profcheck:ignore PC714,PC715 expires:2027-01-31 reason".
const marker = "profcheck:ignore"

// unitFormat is the format of systemd's units, which begin with a bracket as JSON can.
const unitFormat = "systemd"

// A fault is a comment that cannot be understood.
type fault struct {
	pos finding.Pos
	err error
}

// comments are the ignores in one text.
type comments struct {
	areas  []*commented // from the beginning to the end; areas do not overlap
	all    []*Ignore
	faults []fault
}

// commented is an area with its ignores by check. Of several for one check the first is used.
type commented struct {
	area
	ignores map[string]*Ignore
}

// commentsOf reads the comments of a profile's text. JSON has none but the field comment of rules; a
// comment in other texts is for its line, or on a line of its own for the next line that is none.
func commentsOf(p *profile.Profile, text []byte) *comments {
	c := new(comments)
	switch {
	case !bytes.Contains(text, []byte(marker)):
	case p.Format == unitFormat:
		c.readLines(sourceName(p), text, nil, true)
	case isJSON(text):
		c.readRules(p, text)
	default:
		if scalars, err := scalars(text); err == nil { // in what is no YAML nothing is known to be a comment
			c.readLines(sourceName(p), text, scalars, false)
		}
	}
	return c
}

// sourceName is the name of a profile's text in places.
func sourceName(p *profile.Profile) string {
	if p.Pos.File != "" {
		return p.Pos.File
	}
	return p.Name
}

func isJSON(text []byte) bool {
	text = bytes.TrimLeft(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), " \t\r\n")
	return len(text) > 0 && (text[0] == '{' || text[0] == '[')
}

// readRules reads the comments of rules, each for the whole of its rule.
func (c *comments) readRules(p *profile.Profile, text []byte) {
	starts := []int{0}
	for i, b := range text {
		if b == '\n' {
			starts = append(starts, i+1)
		}
	}
	file := sourceName(p)
	for _, r := range p.Rules {
		if !strings.Contains(r.Comment, marker) || r.Pos.File != file || r.Pos.Line < 1 || r.Pos.Line > len(starts) {
			continue
		}
		start := starts[r.Pos.Line-1] + r.Pos.Column - 1
		end := objectEnd(text, start)
		line, _ := slices.BinarySearch(starts, end+1) // the number of lines that begin at or before the end
		c.read(r.Comment, finding.Pos{File: file, Line: r.Pos.Line, Column: r.Pos.Column}, area{
			file: file, fromLine: r.Pos.Line, fromColumn: r.Pos.Column,
			untilLine: line, untilColumn: end - starts[line-1] + 1,
		})
	}
}

// objectEnd returns the offset of the brace that closes the JSON object at start, or the last offset.
func objectEnd(text []byte, start int) int {
	depth, quoted := 0, false
	for i := start; i < len(text); i++ {
		switch b := text[i]; {
		case quoted && b == '\\':
			i++
		case b == '"':
			quoted = !quoted
		case quoted:
		case b == '{':
			depth++
		case b == '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(text) - 1
}

// readLines reads the comments that begin with #, in a unit of systemd also those with ;, which both
// stand on lines of their own there. In scalars there are none.
func (c *comments) readLines(file string, text []byte, scalars []span, unit bool) {
	type waiting struct {
		comment string
		pos     finding.Pos
	}
	var above []waiting
	n, start := 0, 0
	for line := range bytes.Lines(text) {
		begin := commentStart(line, start, scalars, unit)
		start += len(line)
		n++
		line = bytes.TrimRight(line, "\r\n")
		alone := begin >= 0 && len(bytes.TrimLeft(bytes.TrimPrefix(line[:begin], []byte("\xef\xbb\xbf")), " \t")) == 0
		at := -1
		if begin >= 0 {
			if i := bytes.Index(line[begin:], []byte(marker)); i >= 0 {
				at = begin + i
			}
		}
		here := area{file: file, fromLine: n, untilLine: n}
		switch {
		case alone && at >= 0:
			above = append(above, waiting{string(line[at:]), finding.Pos{File: file, Line: n, Column: at + 1}})
		case alone:
		default:
			for _, w := range above {
				c.read(w.comment, w.pos, here)
			}
			above = nil
			if at >= 0 {
				c.read(string(line[at:]), finding.Pos{File: file, Line: n, Column: at + 1}, here)
			}
		}
	}
	for _, w := range above { // below them is nothing
		c.read(w.comment, w.pos, area{file: file, fromLine: n + 1, untilLine: n + 1})
	}
}

// commentStart returns where on a line a comment begins, -1 if there is none: at a # that is the first
// on its line or follows a blank, and is in no scalar; in a unit at the first # or ; of the line only.
func commentStart(line []byte, start int, scalars []span, unit bool) int {
	first := len(line) - len(bytes.TrimLeft(bytes.TrimPrefix(line, []byte("\xef\xbb\xbf")), " \t"))
	if unit {
		if first < len(line) && (line[first] == '#' || line[first] == ';') {
			return first
		}
		return -1
	}
	for i := first; i < len(line); i++ {
		if line[i] == '#' && (i == first || line[i-1] == ' ' || line[i-1] == '\t') && !covered(scalars, start+i) {
			return i
		}
	}
	return -1
}

// read reads the ignores of one comment, which are for an area. Areas come in the order of the text.
func (c *comments) read(comment string, pos finding.Pos, a area) {
	if n := len(c.areas); n == 0 || c.areas[n-1].area != a {
		c.areas = append(c.areas, &commented{a, make(map[string]*Ignore)})
	}
	into := c.areas[len(c.areas)-1]
	for i, part := range strings.Split(comment, marker) {
		if i == 0 || part != "" && !strings.ContainsAny(part[:1], " \t\n\r") {
			continue // before the first one, or another word
		}
		list, err := parseComment(part)
		if err != nil {
			c.faults = append(c.faults, fault{pos, err})
		}
		for _, g := range list {
			g.Pos, g.area = pos, &into.area
			c.all = append(c.all, g)
			if into.ignores[g.Check] == nil {
				into.ignores[g.Check] = g
			}
		}
	}
}

// parseComment reads what follows a marker.
func parseComment(text string) ([]*Ignore, error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return nil, errors.New("the comment names no check to ignore")
	}
	var out []*Ignore
	for word := range strings.SplitSeq(words[0], ",") {
		id, err := ignorable(word)
		if err != nil {
			return nil, err
		}
		out = append(out, &Ignore{Check: id, Suppression: finding.Suppression{By: finding.ByComment}})
	}
	words = words[1:]
	expires := ""
	if len(words) > 0 {
		if word, ok := strings.CutPrefix(words[0], "expires:"); ok {
			if _, err := day(word); err != nil {
				return nil, err
			}
			expires, words = word, words[1:]
		}
	}
	if len(words) == 0 {
		return nil, fmt.Errorf("the comment gives no reason to ignore %s", out[0].Check)
	}
	for _, g := range out {
		g.Reason, g.Expires = strings.Join(words, " "), expires
	}
	return out, nil
}

// find returns the ignore of a comment that is for a finding, nil if there is none.
func (c *comments) find(f finding.Finding) *Ignore {
	if c == nil {
		return nil
	}
	i, _ := slices.BinarySearchFunc(c.areas, f.Pos, func(a *commented, p finding.Pos) int {
		if a.fromLine > p.Line || a.fromLine == p.Line && a.fromColumn > p.Column {
			return 1
		}
		return -1
	})
	if i == 0 || !c.areas[i-1].holds(f.Pos) { // areas[i-1] is the last that begins before the place
		return nil
	}
	return c.areas[i-1].ignores[f.Check]
}
