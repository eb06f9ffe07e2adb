package profiletest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// A File is a list of expectations about one profile.
type File struct {
	Name    string // as the user gave it
	Profile string // as written: a built-in's name, or a path relative to the file

	profileLine, profileColumn int

	circumstances // for all expectations that do not say otherwise
	expectations  []*expectation
}

// A FileError is what is wrong with a file of expectations.
type FileError struct {
	File         string
	Line, Column int // from 1, the column in bytes; 0, 0 if it is the whole file
	Err          error
}

// Error returns "seccomp_test.yaml:7:12: ...".
func (e *FileError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %v", e.File, e.Err)
	}
	return fmt.Sprintf("%s:%d:%d: %v", e.File, e.Line, e.Column, e.Err)
}

// Unwrap returns the reason.
func (e *FileError) Unwrap() error { return e.Err }

// circumstances say when an expectation is asked about. Each nil or zero field means that of the
// file, and there the default.
type circumstances struct {
	targets []place[string]
	arches  []place[*syscalls.Arch]
	caps    []place[string] // as --cap takes them: NAME, none, all
	capsSet bool
	kernel  syscalls.Kernel
}

// A place is a word with where it stands.
type place[T any] struct {
	value        T
	line, column int
}

// key tells circumstances apart.
func (c *circumstances) key() string {
	var b strings.Builder
	for _, t := range c.targets {
		b.WriteString(t.value + " ")
	}
	for _, a := range c.arches {
		b.WriteString("|" + a.value.Name)
	}
	for _, word := range c.caps {
		b.WriteString(" " + word.value)
	}
	fmt.Fprintf(&b, "%v %v", c.capsSet, c.kernel)
	return b.String()
}

// An expectation is one entry of the list expect.
type expectation struct {
	circumstances
	verb         string // allow, deny or ask
	calls        []*calls
	with         []filter.Action // one of them; empty: any that the verb stands for
	withText     string
	anyData      map[filter.Action]bool // of with: only the action counts
	line, column int
}

// The verbs.
const (
	verbAllow = "allow" // the call runs
	verbDeny  = "deny"  // the call does not run
	verbAsk   = "ask"   // a listener decides
)

var verbs = []string{verbAllow, verbDeny, verbAsk}

// verbOf returns the verb that an action fits. LOG lets the call run; TRACE does not without a
// tracer.
func verbOf(a filter.Action) string {
	switch a.Effect().Base() {
	case filter.Allow, filter.Log:
		return verbAllow
	case filter.UserNotif:
		return verbAsk
	}
	return verbDeny
}

// accepts reports whether an answer is as expected.
func (e *expectation) accepts(a filter.Action) bool {
	a = a.Effect()
	if verbOf(a) != e.verb {
		return false
	}
	return len(e.with) == 0 || slices.ContainsFunc(e.with, func(want filter.Action) bool {
		return a == want.Effect() || e.anyData[want] && a.Base() == want.Base()
	})
}

// addWith reads one word of with.
func (e *expectation) addWith(word string) error {
	a, anyData, err := parseAnswer(word)
	if err != nil {
		return err
	}
	if verb := verbOf(a); verb != e.verb {
		return fmt.Errorf("%s: that is an answer to %s, not to %s", word, verb, e.verb)
	}
	if slices.Contains(e.with, a) {
		return fmt.Errorf("%s is there twice", word)
	}
	if e.anyData == nil {
		e.anyData = make(map[filter.Action]bool)
	}
	e.with, e.anyData[a] = append(e.with, a), anyData
	if e.withText != "" {
		e.withText += " or "
	}
	e.withText += word
	return nil
}

// parseAnswer reads what a filter answers: the name of an errno, or an action with or without data.
// Without data, any are meant.
func parseAnswer(word string) (a filter.Action, anyData bool, err error) {
	if n, ok := filter.ErrnoNumber(word); ok {
		return filter.ErrnoAction(uint16(n)), false, nil
	}
	if isNumber(word) {
		return 0, false, fmt.Errorf("%q is no action: write ERRNO(%s)", word, word)
	}
	if a, err = filter.ParseAction(word); err == nil {
		return a, !strings.Contains(word, "("), nil
	}
	upper := strings.TrimPrefix(strings.ToUpper(word), "SCMP_ACT_")
	if _, err := filter.ParseAction(upper); err == nil {
		return 0, false, fmt.Errorf("unknown action %q: did you mean %s?", word, upper)
	}
	if strings.Contains(word, "(") {
		return 0, false, err
	}
	if near := syscalls.NearestOf(upper, answerWords()); near != "" {
		return 0, false, fmt.Errorf("unknown action %q: did you mean %s?", word, near)
	}
	return 0, false, fmt.Errorf("unknown action %q: want an errno such as EPERM, or %s", word, orWords(actionWords))
}

var actionWords = []string{"ALLOW", "LOG", "ERRNO", "TRAP", "TRACE", "USER_NOTIF", "KILL_THREAD", "KILL_PROCESS"}

// answerWords are the words that parseAnswer knows.
func answerWords() []string {
	out := slices.Clone(actionWords)
	for n := 1; n <= filter.MaxErrno; n++ {
		if name := filter.ErrnoName(n); name != "" {
			out = append(out, name)
		}
	}
	return out
}

// text says what is expected of one of the calls: "deny mount with EPERM".
func (e *expectation) text(c *calls) string {
	text := e.verb + " " + c.text
	if e.withText != "" {
		text += " with " + e.withText
	}
	return text
}

// checkDuplicates refuses a call that is expected twice under the same circumstances, whatever is
// expected of it.
func (f *File) checkDuplicates() error {
	seen := make(map[string]*calls)
	for _, e := range f.expectations {
		for _, c := range e.calls {
			key := e.key() + "\x00" + c.text
			if first := seen[key]; first != nil {
				return f.fault(c.line, c.column, fmt.Errorf("%s is there twice under the same circumstances: first at %d:%d", c.text, first.line, first.column))
			}
			seen[key] = c
		}
	}
	return nil
}

func (f *File) fault(line, column int, err error) error {
	return &FileError{f.Name, line, column, err}
}
