package profiletest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/profcheck/profcheck/syscalls"
)

// The words that stand for many calls.
const (
	wordRest    = "rest"    // the syscalls that the file names nowhere else
	wordUnnamed = "unnamed" // the numbers that no syscall has
	wordAll     = "all"     // every number of the ABI
)

var groupWords = []string{wordRest, wordUnnamed, wordAll}

// calls is what an expectation is about: one syscall by name or number, a range of numbers, or a
// group; with conditions on the arguments.
type calls struct {
	text       string // as written, blanks tidied
	name       string // of the syscall, "" if a number, a range or a group was given
	group      string // one of groupWords, or ""
	from, to   int32  // numbers, if neither name nor group is given
	conditions []*condition
	line       int // of the word in its file, from 1; 0: no file
	column     int
	failed     bool // a failure was reported
	noted      bool // its notes were
}

// A callError is what is wrong with a call as written, at a byte of the text.
type callError struct {
	at  int
	err error
}

func (e *callError) Error() string { return e.err.Error() }

func badCall(at int, format string, args ...any) error {
	return &callError{at, fmt.Errorf(format, args...)}
}

// parseCalls reads "read", "socket(40)", "socket(40, _, 6)", "clone(flags & 0x7e020000 == 0)", "59",
// "512..547" or one of groupWords. The error is a *callError.
func parseCalls(text string) (*calls, error) {
	s := scanner{text: text}
	s.blanks()
	start := s.at
	word := s.word()
	c := &calls{}
	switch {
	case word == "":
		return nil, badCall(s.at, "no syscall: want a name, a number, %s", orWords(groupWords))
	case slices.Contains(groupWords, word):
		c.group = word
	case isNumber(word):
		if err := c.numbers(&s, start, word); err != nil {
			return nil, err
		}
	case !syscalls.Known(word):
		return nil, &callError{start, unknownCall(word)}
	default:
		c.name = word
	}
	c.text = strings.TrimSpace(s.text[start:s.at])
	if s.blanks(); s.take("(") {
		open := s.at
		if c.name == "" && (c.group != "" || c.from != c.to) {
			return nil, badCall(s.at-1, "conditions on the arguments of many calls")
		}
		if err := c.arguments(&s); err != nil {
			return nil, err
		}
		c.text += "(" + strings.Join(strings.Fields(s.text[open:s.at]), " ")
	}
	if s.blanks(); s.at < len(s.text) {
		return nil, badCall(s.at, "%q after the call", s.text[s.at:])
	}
	return c, nil
}

// unknownCall is the error for a word that is no syscall and no group.
func unknownCall(word string) error {
	switch strings.ToLower(word) {
	case "others", "other", "*":
		return fmt.Errorf("unknown syscall %q: did you mean %s (the syscalls that the file names nowhere else) or %s (numbers without a syscall)?", word, wordRest, wordUnnamed)
	}
	if near := syscalls.NearestOf(word, groupWords); near != "" && syscalls.Nearest(word) == "" {
		return fmt.Errorf("unknown syscall %q: did you mean %s?", word, near)
	}
	return unknownSyscall(word)
}

// numbers reads a number, or a range of them.
func (c *calls) numbers(s *scanner, start int, word string) (err error) {
	if c.from, err = parseNr(word); err != nil {
		return &callError{start, err}
	}
	c.to = c.from
	if s.take("..") {
		at := s.at
		if c.to, err = parseNr(s.word()); err != nil {
			return &callError{at, err}
		}
		if uint32(c.to) < uint32(c.from) {
			return badCall(at, "the range ends before it begins")
		}
	}
	return nil
}

// arguments reads what follows the opening parenthesis: values in the order of the arguments, or
// conditions.
func (c *calls) arguments(s *scanner) error {
	var values, conditions bool
	for position := 0; ; position++ {
		s.blanks()
		start := s.at
		cond, value, err := c.argument(s, position)
		if err != nil {
			return err
		}
		values, conditions = values || value, conditions || !value
		if values && conditions {
			return badCall(start, "values and conditions in one call: write arg%d == ...", position)
		}
		if position > 5 {
			return badCall(start, "more than 6 arguments or conditions")
		}
		if cond != nil {
			c.conditions = append(c.conditions, cond)
		}
		s.blanks()
		if s.take(")") {
			return nil
		}
		if !s.take(",") && !s.keyword("and") {
			return s.missing("a comma or a closing parenthesis")
		}
	}
}

// argument reads one value, which stands for a condition on the argument of its position, or one
// condition. The value _ is any, and gives nil.
func (c *calls) argument(s *scanner, position int) (cond *condition, value bool, err error) {
	start := s.at
	word := s.word()
	switch {
	case word == "":
		return nil, false, s.missing("a value or a condition")
	case word == "_":
		return nil, true, nil
	case isNumber(word):
		v, err := s.number(start, word)
		return &condition{arg: position, spans: []span[number]{{v, v}}}, true, err
	}
	cond = &condition{arg: -1}
	if i, ok := strings.CutPrefix(word, "arg"); ok && len(i) == 1 && i[0] >= '0' && i[0] <= '9' {
		if cond.arg = int(i[0] - '0'); cond.arg > 5 {
			return nil, false, badCall(start, "arg%d: arguments are arg0 to arg5", cond.arg)
		}
	} else if err := c.parameter(word); err != nil {
		return nil, false, &callError{start, err}
	} else {
		cond.param = word
	}
	return cond, false, cond.comparison(s)
}

// parameter checks that some ABI calls a parameter of the syscall so.
func (c *calls) parameter(word string) error {
	if c.name == "" {
		return fmt.Errorf("%q: arguments of a number are arg0 to arg5", word)
	}
	var known []string
	for _, arch := range syscalls.Arches() {
		params, _ := arch.Params(c.name)
		for _, p := range params {
			if p.Name == word && p.Kind != syscalls.Unknown {
				return nil
			}
			if p.Kind != syscalls.Unknown && !slices.Contains(known, p.Name) {
				known = append(known, p.Name)
			}
		}
	}
	if len(known) == 0 {
		return fmt.Errorf("%s has no parameter %q: arguments are arg0 to arg5", c.name, word)
	}
	return fmt.Errorf("%s has no parameter %q: %s, or arg0 to arg5", c.name, word, strings.Join(known, ", "))
}

// comparison reads what follows the argument.
func (c *condition) comparison(s *scanner) (err error) {
	if s.blanks(); s.take("&") {
		c.masked = true
		if c.mask, err = s.nextNumber(); err != nil {
			return err
		}
	}
	s.blanks()
	start := s.at
	if s.keyword("not") {
		c.not = true
		if s.blanks(); !s.keyword("in") {
			return s.missing("in")
		}
		return c.list(s)
	}
	if s.keyword("in") {
		return c.list(s)
	}
	op := s.operator()
	if op == "" {
		return s.missing("==, !=, <, <=, >, >=, in or not in")
	}
	if op == "=" {
		return badCall(start, "unknown operator =: did you mean ==?")
	}
	v, err := s.nextNumber()
	if err != nil {
		return err
	}
	top := number{value: 1<<64 - 1}
	switch c.spans = []span[number]{{v, v}}; op {
	case "!=":
		c.not = true
	case "<", ">=":
		c.spans[0].to, c.not = top, op == "<"
	case ">", "<=":
		c.spans[0].from, c.not = number{}, op == ">"
	}
	return nil
}

// maxSpans bounds a list of numbers.
const maxSpans = 64

// list reads {1, 3, 5..9}.
func (c *condition) list(s *scanner) error {
	if s.blanks(); !s.take("{") {
		return s.missing("{")
	}
	for {
		from, err := s.nextNumber()
		if err != nil {
			return err
		}
		to := from
		at := s.at
		if s.take("..") {
			if to, err = s.nextNumber(); err != nil {
				return err
			}
			if from.negative != to.negative || to.value < from.value {
				return badCall(at, "the span ends before it begins")
			}
		}
		if c.spans = append(c.spans, span[number]{from, to}); len(c.spans) > maxSpans {
			return badCall(at, "more than %d numbers in a list", maxSpans)
		}
		s.blanks()
		if s.take("}") {
			return nil
		}
		if !s.take(",") {
			return s.missing("a comma or }")
		}
	}
}

// isNumber tells a number from a name.
func isNumber(word string) bool {
	word = strings.TrimPrefix(word, "-")
	return word != "" && word[0] >= '0' && word[0] <= '9'
}

// orWords writes "a, b or c".
func orWords(list []string) string {
	n := len(list) - 1
	return strings.Join(list[:n], ", ") + " or " + list[n]
}

// A scanner reads words of a call.
type scanner struct {
	text string
	at   int
}

func (s *scanner) blanks() {
	for s.at < len(s.text) && strings.IndexByte(" \t\r\n", s.text[s.at]) >= 0 {
		s.at++
	}
}

// word reads letters, digits and underscores, with a sign in front.
func (s *scanner) word() string {
	start := s.at
	if strings.HasPrefix(s.text[s.at:], "-") {
		s.at++
	}
	for s.at < len(s.text) {
		b := s.text[s.at]
		if b != '_' && (b < '0' || b > '9') && (b < 'A' || b > 'Z') && (b < 'a' || b > 'z') {
			break
		}
		s.at++
	}
	return s.text[start:s.at]
}

func (s *scanner) take(token string) bool {
	if !strings.HasPrefix(s.text[s.at:], token) {
		return false
	}
	s.at += len(token)
	return true
}

// keyword takes a whole word.
func (s *scanner) keyword(word string) bool {
	before := s.at
	if s.word() == word {
		return true
	}
	s.at = before
	return false
}

func (s *scanner) operator() string {
	for _, op := range []string{"==", "!=", "<=", ">=", "<", ">", "="} {
		if s.take(op) {
			return op
		}
	}
	return ""
}

func (s *scanner) nextNumber() (number, error) {
	s.blanks()
	start := s.at
	word := s.word()
	if word == "" {
		return number{}, s.missing("a number")
	}
	return s.number(start, word)
}

func (s *scanner) number(start int, word string) (number, error) {
	if !isNumber(word) {
		return number{}, badCall(start, "%q is no number: names of constants are not known here", word)
	}
	v, err := parseNumber(word)
	if err != nil {
		return number{}, &callError{start, err}
	}
	return number{v, strings.HasPrefix(word, "-") && v != 0}, nil
}

func (s *scanner) missing(what string) error {
	if s.at >= len(s.text) {
		return badCall(s.at, "want %s at the end of %s", what, strconv.Quote(s.text))
	}
	return badCall(s.at, "want %s before %s", what, strconv.Quote(s.text[s.at:]))
}

// offset is where in its text a call is wrong.
func offset(err error) int {
	var bad *callError
	if errors.As(err, &bad) {
		return bad.at
	}
	return 0
}
