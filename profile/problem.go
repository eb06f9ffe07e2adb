package profile

import (
	"fmt"
	"strings"
)

// Pos is a place in a profile: line and column count from 1, the column in bytes. The zero Pos is
// no place.
type Pos struct {
	File         string // the profile's Name
	Line, Column int
}

// String returns file:line:column, or the file alone where there is no line.
func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// A ParseError is why a text is no profile: one line, with the place. It is returned for what the
// runtime of the format refuses to load.
type ParseError struct {
	Pos    Pos
	Path   string // "syscalls[3].args[0]", "" for the whole file; rules are numbered from 0
	Reason string
}

// Error returns `profile default.json:12:7: syscalls[3].args[0]: index 7 > 5`.
func (e *ParseError) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("profile %s: %s", e.Pos, e.Reason)
	}
	return fmt.Sprintf("profile %s: %s: %s", e.Pos, e.Path, e.Reason)
}

// Kind tells the sorts of Problem apart.
type Kind string

// The sorts of Problem. Each is about the text of a profile that its runtime loads all the same.
const (
	UnknownField      Kind = "unknown-field"      // no reader of the format knows the key: ignored
	FieldCase         Kind = "field-case"         // a key in other letter case: the Go runtimes take it
	DuplicateKey      Kind = "duplicate-key"      // the key came before in the same object: the last one counts
	IgnoredField      Kind = "ignored-field"      // a field of another format or without effect here
	UnknownSyscall    Kind = "unknown-syscall"    // a name that no ABI has: the rule has no effect for it
	EmptyNames        Kind = "empty-names"        // a rule that names no syscall: no effect
	NeverMatches      Kind = "never-matches"      // a capability or architecture in includes or excludes that no host has
	ErrnoRange        Kind = "errno-range"        // an errno above 4095, for which the kernel returns 4095, or above 16 bits, of which the rest is dropped
	ErrnoUnused       Kind = "errno-unused"       // an errno on an action that carries none
	ErrnoZero         Kind = "errno-zero"         // ERRNO with 0: the call is skipped and reports success
	MissingPart       Kind = "missing-part"       // the file refers to something that was not read, and says less without it
	JoinedRules       Kind = "joined-rules"       // the reader makes one rule of several, with another meaning
	RemovedAnnotation Kind = "removed-annotation" // an annotation that Kubernetes does not read any more
	OtherFilter       Kind = "other-filter"       // a setting that adds a filter of its own, which is not modelled
	MoreProblems      Kind = "more-problems"      // the list was cut; Text says how many are missing
)

// A Problem is something in a profile that does not do what it seems to.
type Problem struct {
	Pos     Pos
	Kind    Kind
	Path    string // as in ParseError
	Name    string // the key, syscall, capability or architecture that it is about
	Text    string // one lower-case sentence without the place
	Nearest string // a known word like Name, "" if none is near
}

// String returns place, path and text in one line.
func (p Problem) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: ", p.Pos)
	if p.Path != "" {
		fmt.Fprintf(&b, "%s: ", p.Path)
	}
	b.WriteString(p.Text)
	if p.Nearest != "" {
		fmt.Fprintf(&b, "; did you mean %s?", p.Nearest)
	}
	return b.String()
}

// maxProblems bounds the list of problems: a hostile file can hold one every few bytes.
const maxProblems = 1000
