package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Format is one way to render documents.
type Format struct {
	Name  string   // as --format takes it
	Title string   // one line of help
	Kinds []string // the kinds of documents that it has a form for; nil: all
	Write func(w io.Writer, d Document, o Options) error
}

// Options are the choices that a rendering leaves to its user. No format needs all of them.
type Options struct {
	Color   bool // use terminal colours
	Verbose bool // text: whole paths and lists where the default shortens them
	Quiet   bool // text: without the notes on what was out of sight
	Tool    Tool // sarif, github, junit, markdown: who speaks
}

// Tool is the program that made a document, for formats that describe it. A document does not say it:
// the same findings are the same document.
type Tool struct {
	Version string      // of the program; "" leaves it out
	URI     string      // of its home page; "" leaves it out
	Checks  []CheckInfo // all that it has, ascending identifiers, with their texts
}

// check returns what is known of a check, at least its identifier, and its index, -1 if it is unknown.
func (t *Tool) check(id string) (CheckInfo, int) {
	for i, c := range t.Checks {
		if c.ID == id {
			return c, i
		}
	}
	return CheckInfo{ID: id}, -1
}

// formats in the order in which help names them.
var formats = []Format{textFormat, jsonFormat, jsonlFormat, sarifFormat, githubFormat, junitFormat, markdownFormat}

// Formats returns all formats. The slice is the caller's own.
func Formats() []Format { return append([]Format(nil), formats...) }

// FormatNames returns the formats' names.
func FormatNames() []string {
	var names []string
	for _, f := range formats {
		names = append(names, f.Name)
	}
	return names
}

// LookupFormat returns the format of that name; the error names those that exist.
func LookupFormat(name string) (Format, error) {
	for _, f := range formats {
		if f.Name == name {
			return f, nil
		}
	}
	return Format{}, fmt.Errorf("unknown format %q: %s", name, strings.Join(FormatNames(), ", "))
}

// Has reports why a format cannot render documents of a kind, as a *KindError; nil: it can.
func (f Format) Has(kind string) error {
	if f.Kinds == nil || slices.Contains(f.Kinds, kind) {
		return nil
	}
	err := &KindError{Format: f.Name, Kind: kind}
	for _, other := range formats {
		if other.Kinds == nil || slices.Contains(other.Kinds, kind) {
			err.Others = append(err.Others, other.Name)
		}
	}
	return err
}

// KindError says that a format has no form for a document.
type KindError struct {
	Format, Kind string
	Others       []string // the formats that have one
}

// noForm is the error of a format that was not asked with Has before.
func noForm(format string, d Document) error { return &KindError{Format: format, Kind: d.kind()} }

func (e *KindError) Error() string {
	if len(e.Others) == 0 {
		return fmt.Sprintf("format %s is not for %s", e.Format, e.Kind)
	}
	return fmt.Sprintf("format %s is not for %s: %s", e.Format, e.Kind, strings.Join(e.Others, ", "))
}
