package profile

import (
	"bytes"
	"fmt"
	"sort"
	"unicode/utf8"
)

// maxInput bounds a profile's text, in bytes. The largest profile in public
// use has about 60 KB; the bound keeps memory and time small for a hostile one.
const maxInput = 1 << 20

// maxDepth bounds the nesting of arrays and objects. A profile inside a
// config.json needs seven levels.
const maxDepth = 256

// A source is a JSON text that keeps its places: encoding/json forgets the
// offset of everything it decodes, and a finding without a line is of no use.
// The text is checked once, in full, and afterwards walked in place, so that a
// value is only the offset of its first byte and an unread part costs nothing.
// It is a tree.
type source struct {
	name  string
	data  []byte
	lines []int // offset of the first byte of each line
}

// A syntaxError is a place where the text stops being JSON.
type syntaxError struct {
	off    int
	reason string
}

// newSource checks that data is exactly one JSON value and returns it.
func newSource(name string, data []byte) (*source, value, *syntaxError) {
	s := &source{name: name, data: data, lines: []int{0}}
	if bytes.HasPrefix(data, []byte("\x7fELF")) {
		return s, 0, &syntaxError{0, "is an ELF binary, not a profile"}
	}
	if len(data) > maxInput {
		return s, 0, &syntaxError{0, fmt.Sprintf("more than %d bytes, which is the limit for a profile", maxInput)}
	}
	for i, c := range data {
		if c == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	start := s.space(0)
	if start == len(data) {
		return s, 0, &syntaxError{start, "empty input: not even an empty object"}
	}
	if len(data) >= 3 && data[0] == 0xef && data[1] == 0xbb && data[2] == 0xbf {
		return s, 0, &syntaxError{0, "a byte order mark: JSON readers refuse it"}
	}
	end, bad := s.check(start, 0)
	if bad != nil {
		return s, 0, bad
	}
	if end = s.space(end); end != len(data) {
		return s, 0, &syntaxError{end, "text after the end of the profile"}
	}
	return s, value(start), nil
}

// pos gives the place of a value.
func (s *source) pos(v value) Pos { return s.at(int(v)) }

// at turns an offset into a line and a column, in bytes, both from 1.
func (s *source) at(off int) Pos {
	line := sort.SearchInts(s.lines, off+1) - 1
	return Pos{File: s.name, Line: line + 1, Column: off - s.lines[line] + 1}
}

func (s *source) space(off int) int {
	for off < len(s.data) {
		switch s.data[off] {
		case ' ', '\t', '\r', '\n':
			off++
		default:
			return off
		}
	}
	return off
}

// check reads the value at off and returns the offset behind it.
func (s *source) check(off, depth int) (int, *syntaxError) {
	if off >= len(s.data) {
		return 0, &syntaxError{off, "the text ends where a value should stand"}
	}
	switch c := s.data[off]; {
	case c == '{' || c == '[':
		if depth >= maxDepth {
			return 0, &syntaxError{off, fmt.Sprintf("more than %d levels of nesting", maxDepth)}
		}
		return s.checkList(off, depth)
	case c == '"':
		return s.checkString(off)
	case c == '-' || '0' <= c && c <= '9':
		return s.checkNumber(off)
	}
	for _, word := range []string{"true", "false", "null"} {
		if end := off + len(word); end <= len(s.data) && string(s.data[off:end]) == word {
			return end, nil
		}
	}
	return 0, &syntaxError{off, fmt.Sprintf("%s where a value should stand", s.show(off))}
}

// checkList reads the array or object that opens at off.
func (s *source) checkList(off, depth int) (int, *syntaxError) {
	object := s.data[off] == '{'
	closing, what := byte(']'), "array"
	if object {
		closing, what = '}', "object"
	}
	open := off
	off = s.space(off + 1)
	if off < len(s.data) && s.data[off] == closing {
		return off + 1, nil
	}
	for {
		var bad *syntaxError
		if object {
			if off, bad = s.checkKey(off); bad != nil {
				return 0, bad
			}
		}
		if off, bad = s.check(off, depth+1); bad != nil {
			return 0, bad
		}
		off = s.space(off)
		switch {
		case off == len(s.data):
			return 0, &syntaxError{off, fmt.Sprintf("the text ends inside the %s that opens at line %d", what, s.at(open).Line)}
		case s.data[off] == closing:
			return off + 1, nil
		case s.data[off] != ',':
			return 0, &syntaxError{off, fmt.Sprintf("%s where a comma or the end of the %s should stand", s.show(off), what)}
		}
		comma := off
		off = s.space(off + 1)
		if off < len(s.data) && s.data[off] == closing {
			return 0, &syntaxError{comma, fmt.Sprintf("a comma before the end of the %s", what)}
		}
	}
}

// checkKey reads a key and its colon and returns the offset of the value.
func (s *source) checkKey(off int) (int, *syntaxError) {
	if off == len(s.data) {
		return 0, &syntaxError{off, "the text ends where a key should stand"}
	}
	if s.data[off] != '"' {
		return 0, &syntaxError{off, fmt.Sprintf("%s where a key should stand", s.show(off))}
	}
	off, bad := s.checkString(off)
	if bad != nil {
		return 0, bad
	}
	off = s.space(off)
	if off == len(s.data) || s.data[off] != ':' {
		return 0, &syntaxError{off, "no colon after the key"}
	}
	return s.space(off + 1), nil
}

func (s *source) checkString(off int) (int, *syntaxError) {
	open := off
	for off++; off < len(s.data); off++ {
		switch c := s.data[off]; {
		case c == '"':
			return off + 1, nil
		case c < 0x20:
			return 0, &syntaxError{off, fmt.Sprintf("control character %#02x in a string", c)}
		case c == '\\':
			n := s.escape(off + 1)
			if n == 0 {
				return 0, &syntaxError{off, "unknown escape in a string"}
			}
			off += n
		}
	}
	return 0, &syntaxError{open, "a string without an end"}
}

// escape gives the length of the escape whose letter is at off; 0: none.
func (s *source) escape(off int) int {
	if off >= len(s.data) {
		return 0
	}
	switch s.data[off] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 1
	case 'u':
		for i := off + 1; i < off+5; i++ {
			if i >= len(s.data) || !isHex(s.data[i]) {
				return 0
			}
		}
		return 5
	}
	return 0
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// checkNumber reads a number by RFC 8259 section 6.
func (s *source) checkNumber(off int) (int, *syntaxError) {
	start := off
	digits := func() bool {
		from := off
		for off < len(s.data) && '0' <= s.data[off] && s.data[off] <= '9' {
			off++
		}
		return off > from
	}
	at := func(set string) bool {
		for i := 0; off < len(s.data) && i < len(set); i++ {
			if s.data[off] == set[i] {
				off++
				return true
			}
		}
		return false
	}
	at("-")
	first := off
	ok := digits()
	if ok && s.data[first] == '0' && off > first+1 {
		return 0, &syntaxError{start, "a number with a leading zero"}
	}
	if ok && at(".") {
		ok = digits()
	}
	if ok && at("eE") {
		at("+-")
		ok = digits()
	}
	if !ok {
		return 0, &syntaxError{start, "an incomplete number"}
	}
	return off, nil
}

// show names the character at off for a message.
func (s *source) show(off int) string {
	if off >= len(s.data) {
		return "the end of the text"
	}
	r, _ := utf8.DecodeRune(s.data[off:])
	if r == '#' || r == '/' && off+1 < len(s.data) && (s.data[off+1] == '/' || s.data[off+1] == '*') {
		return "a comment, which JSON does not have,"
	}
	return fmt.Sprintf("%q", r)
}
