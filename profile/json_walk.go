package profile

import (
	"encoding/json"
	"unicode/utf8"
)

// The methods in this file walk a checked text: they cannot fail on its syntax.

// kind names the type of a value, as messages do.
func (s *source) kind(v value) string {
	switch s.data[v] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}

func (s *source) isNull(v value) bool { return s.data[v] == 'n' }

func (s *source) truth(v value) bool { return s.data[v] == 't' }

// end gives the offset behind a value.
func (s *source) end(v value) int {
	off, depth := int(v), 0
	for {
		switch s.data[off] {
		case '{', '[':
			depth++
			off++
		case '}', ']':
			depth--
			off++
		case '"':
			off = s.stringEnd(off)
		case ',', ':', ' ', '\t', '\r', '\n':
			off++
		default:
			for off < len(s.data) && isScalar(s.data[off]) {
				off++
			}
		}
		if depth == 0 {
			return off
		}
	}
}

func (s *source) stringEnd(off int) int {
	for off++; s.data[off] != '"'; off++ {
		if s.data[off] == '\\' {
			off++
		}
	}
	return off + 1
}

// isScalar tells the characters of numbers, true, false and null.
func isScalar(c byte) bool {
	return c == '-' || c == '+' || c == '.' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// members calls f for each member of an object, in file order.
func (s *source) members(v value, f func(key, val value) error) error {
	off := s.space(int(v) + 1)
	for s.data[off] != '}' {
		key := off
		off = s.space(s.stringEnd(off)) // the colon
		val := value(s.space(off + 1))
		if err := f(value(key), val); err != nil {
			return err
		}
		off = s.space(s.end(val))
		if s.data[off] == ',' {
			off = s.space(off + 1)
		}
	}
	return nil
}

// elements calls f for each element of an array.
func (s *source) elements(v value, f func(i int, val value) error) error {
	off := s.space(int(v) + 1)
	for i := 0; s.data[off] != ']'; i++ {
		if err := f(i, value(off)); err != nil {
			return err
		}
		off = s.space(s.end(value(off)))
		if s.data[off] == ',' {
			off = s.space(off + 1)
		}
	}
	return nil
}

// text gives the string that v is. Bytes that are not UTF-8 and lone
// surrogates become U+FFFD, as in the Go runtimes that read profiles.
func (s *source) text(v value) string {
	raw := s.data[v:s.stringEnd(int(v))]
	inner := raw[1 : len(raw)-1]
	for _, c := range inner {
		if c == '\\' || c >= utf8.RuneSelf {
			var t string
			// The string passed check, so this cannot fail.
			_ = json.Unmarshal(raw, &t)
			return t
		}
	}
	return string(inner)
}

// number gives the text of the number that v is.
func (s *source) number(v value) string { return string(s.data[v:s.end(v)]) }
