package report

import (
	"fmt"
	"io"
	"strings"
)

// Format is one way to render documents.
type Format struct {
	Name  string // as --format takes it
	Title string // one line of help
	Write func(w io.Writer, d Document, o Options) error
}

// Options are the choices that a rendering leaves to its user. No format needs all of them.
type Options struct {
	Color   bool // use terminal colours
	Verbose bool // text: whole paths and lists where the default shortens them
	Quiet   bool // text: without the notes on what was out of sight
}

// formats in the order in which help names them.
var formats = []Format{textFormat, jsonFormat}

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
