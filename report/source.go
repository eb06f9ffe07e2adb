package report

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Source is the line of a text that a position points into, or the part of it around the place.
// Places are counted in code points, since every reader of a document can count those.
type Source struct {
	Text   string `json:"text"`             // without the end of the line; bytes that are no UTF-8 are U+FFFD
	Column int    `json:"column,omitempty"` // of the place in Text, from 1; absent: the position has no column
	Length int    `json:"length,omitempty"` // of the word that is meant, as far as it is in Text
	Before int    `json:"before,omitempty"` // what Text leaves out of the line before it
	After  int    `json:"after,omitempty"`  // and behind it
}

// How much of a line a document keeps, in code points: whole lines that people write, and of one
// that a program wrote as much as a terminal shows.
const (
	maxSource = 120
	leading   = 40 // of these, before the place
)

// Lines gives the lines of one text, which it keeps.
type Lines struct {
	text   []byte
	starts []uint32 // offset of each line
}

// MaxLines is the size in bytes of the largest text that NewLines takes.
const MaxLines = 1<<31 - 1

// NewLines prepares a text. Lines end in a line feed. Of a text that is larger than MaxLines nothing
// is found, and neither of nil.
func NewLines(text []byte) *Lines {
	if text == nil || len(text) > MaxLines {
		return &Lines{}
	}
	l := &Lines{text: text, starts: make([]uint32, 1, 1+bytes.Count(text, []byte("\n")))}
	for at := 0; ; {
		n := bytes.IndexByte(text[at:], '\n')
		if n < 0 {
			return l
		}
		at += n + 1
		l.starts = append(l.starts, uint32(at))
	}
}

// Source returns what stands at a position: line from 1, column in bytes from 1, 0 if unknown. It is
// nil if the text has no such place.
func (l *Lines) Source(line, column int) *Source {
	if line < 1 || line > len(l.starts) || column < 0 {
		return nil
	}
	start, end := int(l.starts[line-1]), len(l.text)
	if line < len(l.starts) {
		end = int(l.starts[line]) - 1
	}
	whole := bytes.TrimSuffix(l.text[start:end], []byte("\r"))
	if column > len(whole)+1 {
		return nil
	}
	at := max(column-1, 0)
	for at > 0 && at < len(whole) && !utf8.RuneStart(whole[at]) {
		at-- // no reader counts into the middle of a character, and a broken one is not worth more
	}
	before, behind := utf8.RuneCount(whole[:at]), utf8.RuneCount(whole[at:])
	s := &Source{Before: max(0, min(before-leading, before+behind-maxSource))}
	if column > 0 {
		s.Column = before - s.Before + 1
	}
	to, n := 0, 0
	var text strings.Builder
	for ; n < s.Before+maxSource && to < len(whole); n++ {
		r, size := utf8.DecodeRune(whole[to:])
		if n >= s.Before {
			text.WriteRune(r)
		}
		to += size
	}
	s.Text, s.After = text.String(), before+behind-n
	if column > 0 && at < to {
		s.Length = utf8.RuneCount(whole[at:min(to, at+wordLength(whole[at:]))])
	}
	return s
}

// wordLength returns the bytes of the word at the beginning of a text: a quoted string, a run of
// letters and digits, or one character.
func wordLength(text []byte) int {
	if quote := text[0]; quote == '"' || quote == '\'' {
		for i := 1; i < len(text); i++ {
			switch {
			case text[i] == '\\' && quote == '"':
				i++
			case text[i] == quote:
				return i + 1
			}
		}
		return 1
	}
	n := 0
	for n < len(text) && (text[n] == '_' || text[n] == '-' || text[n] == '.' ||
		text[n] >= '0' && text[n] <= '9' || text[n]|0x20 >= 'a' && text[n]|0x20 <= 'z') {
		n++
	}
	if n > 0 {
		return n
	}
	_, size := utf8.DecodeRune(text)
	return size
}

func (s *Source) check(at string) error {
	n := utf8.RuneCountInString(s.Text)
	switch {
	case s.Column < 0 || s.Column > n+1:
		return fmt.Errorf("%s.column: %d of %d", at, s.Column, n)
	case s.Length < 0 || s.Length > 0 && (s.Column == 0 || s.Length > n-s.Column+1):
		return fmt.Errorf("%s.length: %d at %d of %d", at, s.Length, s.Column, n)
	case s.Before < 0 || s.After < 0 || s.Before > MaxLines || s.After > MaxLines:
		return fmt.Errorf("%s: before and after are counts", at)
	}
	return nil
}
