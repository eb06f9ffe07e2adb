package filter

import (
	"fmt"
	"strings"
)

// A cToken is a piece of C source: an identifier, a number, an operator or a brace. The last one of
// a text is empty.
type cToken struct {
	text         string
	line, column int
}

func (t cToken) fail(format string, args ...any) error {
	return &AsmError{t.line, t.column, fmt.Sprintf(format, args...)}
}

// is reports whether the token is one of the texts.
func (t cToken) is(texts ...string) bool {
	for _, text := range texts {
		if t.text == text {
			return true
		}
	}
	return false
}

// A cReader divides C source into tokens, one at a time. Comments and preprocessor lines are left
// out, and of a text in quotes there is the first quote alone.
type cReader struct {
	text  string
	at    int
	line  int
	start int // where the line begins
}

// next returns the token at the reader's place and goes behind it.
func (r *cReader) next() (cToken, error) {
	if err := r.blank(); err != nil {
		return cToken{}, err
	}
	t := cToken{line: r.line, column: r.at - r.start + 1}
	if r.at == len(r.text) {
		return t, nil
	}
	rest := r.text[r.at:]
	size := 1
	switch c := rest[0]; {
	case isWordByte(c):
		for size < len(rest) && isWordByte(rest[size]) {
			size++
		}
	case strings.HasPrefix(rest, "<<") || strings.HasPrefix(rest, ">>"):
		size = 2
	case c == '"' || c == '\'':
		t.text = rest[:1]
		r.at += quoted(rest)
		return t, nil
	}
	if size > maxWord {
		return t, t.fail("%s has more than %d bytes", quote(rest[:size]), maxWord)
	}
	t.text = rest[:size]
	r.at += size
	return t, nil
}

// quoted returns the size of a text in quotes, which ends with its line at the latest.
func quoted(text string) int {
	for i := 1; i < len(text) && text[i] != '\n'; i++ {
		switch text[i] {
		case text[0]:
			return i + 1
		case '\\':
			if strings.HasPrefix(text[i+1:], "\n") {
				return i + 1
			}
			i++
		}
	}
	if end := strings.IndexByte(text, '\n'); end >= 0 {
		return end
	}
	return len(text)
}

func isWordByte(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

// blank goes behind white space, comments and preprocessor lines.
func (r *cReader) blank() error {
	for r.at < len(r.text) {
		rest := r.text[r.at:]
		switch {
		case rest[0] == '\n':
			r.at++
			r.line, r.start = r.line+1, r.at
		case strings.IndexByte(blanks, rest[0]) >= 0:
			r.at++
		case strings.HasPrefix(rest, "//"), rest[0] == '#' && strings.Trim(r.text[r.start:r.at], blanks) == "":
			r.endOfLine()
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest[2:], "*/")
			if end < 0 {
				return cToken{"", r.line, r.at - r.start + 1}.fail("a comment does not end")
			}
			r.skip(end + 4)
		default:
			return nil
		}
	}
	return nil
}

// endOfLine goes to the end of the line, or of the next one where a backslash continues it.
func (r *cReader) endOfLine() {
	for r.at < len(r.text) && r.text[r.at] != '\n' {
		if strings.HasPrefix(r.text[r.at:], "\\\n") {
			r.skip(1)
		}
		r.skip(1)
	}
}

// skip goes n bytes on and counts lines.
func (r *cReader) skip(n int) {
	for range n {
		if r.text[r.at] == '\n' {
			r.line, r.start = r.line+1, r.at+1
		}
		r.at++
	}
}
