package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// A span is a part of a text in bytes, without its end.
type span struct{ from, until int }

// scalars returns the parts of a YAML text in which # begins no comment, in order: scalars in quotes and
// in blocks. A plain scalar ends before a comment. Where a scalar's end is uncertain more is taken for
// text: a comment that is missed suppresses nothing. The error says that it cannot be told what is text.
func scalars(text []byte) ([]span, error) {
	s := scalarReader{text: text, starts: yamlLines(text)}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var doc yaml.Node
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		s.collect(&doc)
	}
	slices.SortStableFunc(s.nodes, func(a, b *yaml.Node) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	var out []span
	for i, n := range s.nodes {
		next := len(text)
		if i+1 < len(s.nodes) {
			next = s.offset(s.nodes[i+1])
		}
		one, ok := s.extent(n, next)
		if !ok {
			return nil, fmt.Errorf("line %d: the end of a scalar is not found", n.Line)
		}
		if one.until > one.from {
			out = append(out, one)
		}
	}
	return out, nil
}

// A scalarReader finds the extents of scalars, of which the library tells the beginnings only.
type scalarReader struct {
	text   []byte
	starts []int // of lines
	nodes  []*yaml.Node
}

// yamlLines returns where lines begin as the library counts them: it breaks them as YAML 1.1 does.
func yamlLines(text []byte) []int {
	i := 0
	if bytes.HasPrefix(text, []byte("\ufeff")) {
		i = len("\ufeff") // no column is counted for it
	}
	starts := []int{i}
	for i < len(text) {
		r, size := utf8.DecodeRune(text[i:])
		i += size
		switch {
		case r == '\r' && i < len(text) && text[i] == '\n':
		case r == '\r' || r == '\n' || r == '\u0085' || r == '\u2028' || r == '\u2029':
			starts = append(starts, i)
		}
	}
	return starts
}

// collect takes all scalars that are there in the text; an empty value has no place of its own.
func (s *scalarReader) collect(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && n.Line > 0 {
		s.nodes = append(s.nodes, n)
	}
	for _, child := range n.Content {
		s.collect(child)
	}
}

// offset is where a node begins. Columns count characters.
func (s *scalarReader) offset(n *yaml.Node) int {
	if n.Line > len(s.starts) {
		return len(s.text)
	}
	at := s.starts[n.Line-1]
	for range n.Column - 1 {
		if at >= len(s.text) {
			break
		}
		_, size := utf8.DecodeRune(s.text[at:])
		at += size
	}
	return at
}

// extent returns the part that a scalar covers, an empty one for a plain scalar; ok is false if it does
// not look like the scalar that it is. next is where the next one begins.
func (s *scalarReader) extent(n *yaml.Node, next int) (one span, ok bool) {
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0 {
		return span{}, true
	}
	at := skipProperties(s.text, s.offset(n))
	if at >= len(s.text) {
		return span{}, false
	}
	switch s.text[at] {
	case '"', '\'':
		end := quotedEnd(s.text, at)
		return span{at, end}, end > at
	case '|', '>':
		return s.block(n, at, next), true
	}
	return span{}, false
}

// skipProperties passes over what stands before a scalar: its anchor and tag, blanks and comments.
func skipProperties(text []byte, at int) int {
	for at < len(text) {
		switch text[at] {
		case ' ', '\t', '\r', '\n':
			at++
		case '#':
			for at < len(text) && text[at] != '\n' && text[at] != '\r' {
				at++
			}
		case '&', '!':
			for at < len(text) && !bytes.ContainsRune([]byte(" \t\r\n"), rune(text[at])) {
				at++
			}
		default:
			return at
		}
	}
	return at
}

// quotedEnd returns the offset behind the quote that closes the one at an offset; 0 if there is none.
func quotedEnd(text []byte, at int) int {
	quote := text[at]
	for i := at + 1; i < len(text); i++ {
		switch {
		case quote == '"' && text[i] == '\\':
			i++
		case text[i] != quote:
		case quote == '\'' && i+1 < len(text) && text[i+1] == quote:
			i++
		default:
			return i + 1
		}
	}
	return 0
}

// block returns the lines of a block scalar, whose header is at an offset. The first line that is not
// blank tells how far it is indented, if the header does not tell a least; the first that is indented
// less ends it.
func (s *scalarReader) block(n *yaml.Node, at, next int) span {
	line, _ := slices.BinarySearch(s.starts, at+1) // the number of the lines up to that of the header
	if line >= len(s.starts) || strings.TrimSpace(n.Value) == "" {
		return span{}
	}
	indent := -1
	for _, b := range s.text[at+1 : min(at+3, s.starts[line])] {
		if '1' <= b && b <= '9' {
			indent = int(b - '0')
		}
	}
	from, until := s.starts[line], next
	for ; line < len(s.starts) && s.starts[line] < next; line++ {
		rest := s.text[s.starts[line]:]
		width := len(rest) - len(bytes.TrimLeft(rest, " "))
		if width == len(rest) || bytes.ContainsRune([]byte("\r\n"), rune(rest[width])) {
			continue
		}
		if indent < 0 {
			indent = width
		}
		if width < indent {
			until = s.starts[line]
			break
		}
	}
	return span{from, max(from, until)}
}

// covered reports whether an offset lies in one of some parts, which are in order.
func covered(parts []span, at int) bool {
	i, _ := slices.BinarySearchFunc(parts, at, func(p span, at int) int {
		if p.until <= at {
			return -1
		}
		return 1
	})
	return i < len(parts) && parts[i].from <= at
}
