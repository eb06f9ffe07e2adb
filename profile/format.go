package profile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A format is one notation of profiles. Each has a file format_NAME.go that registers it, and
// goldens in testdata/formats/NAME.
type format struct {
	name    string // what Profile.Format, ParseAs and ReadOptions.Format call it
	title   string // who reads it, in one line
	runtime string // of DefaultTarget
	caps    bool   // DefaultTarget has Docker's capabilities, not none
	rank    int    // the order in which a file is tried; a lower one comes first
	dialect dialect

	// A format of JSON or YAML: is recognises a document, and read adds what it holds to the file. A
	// document that no format recognises is refused, unless another one of the file is a profile.
	is   func(doc document) bool
	read func(f *file, doc document) error

	// A format of another notation: isText recognises it, and readText adds what it holds.
	isText   func(data []byte) bool
	readText func(f *file) error

	// write writes a profile in the format; nil: nobody can.
	write func(w *writing) ([]byte, error)

	// target changes the default target by what the profile says; nil: nothing.
	target func(p *Profile, t *Target)
}

// formats are the registered ones, by rank and name.
var formats []*format

func registerFormat(f format) struct{} {
	formats = append(formats, &f)
	// By name, too: the order in which Go sets variables changes with what their functions call.
	slices.SortFunc(formats, func(a, b *format) int { return cmp.Or(a.rank-b.rank, strings.Compare(a.name, b.name)) })
	return struct{}{}
}

// The order in which formats are tried. Those that say what they are come before those that are told by their fields.
const (
	rankTyped  = 10 // apiVersion and kind
	rankFields = 20 // fields that no other format has
	rankText   = 30 // neither JSON nor YAML
	rankRest   = 40 // any other object
	rankNever  = 90 // given by name only
)

// A FormatInfo describes a format.
type FormatInfo struct {
	Name    string // what ParseAs takes
	Title   string // who reads it, in one line
	Runtime string // of the default target
}

// Formats lists the formats that files can have, in the order in which they are tried.
func Formats() (list []FormatInfo) {
	for _, f := range formats {
		if f.read != nil || f.readText != nil {
			list = append(list, FormatInfo{f.name, f.title, f.runtime})
		}
	}
	return list
}

// formatNamed returns a format, nil if there is none of the name.
func formatNamed(name string) *format {
	i := slices.IndexFunc(formats, func(f *format) bool { return f.name == name })
	if i < 0 {
		return nil
	}
	return formats[i]
}

// checkFormat refuses a word that is no format of files; "" is any.
func checkFormat(name, word string) error {
	if word == "" {
		return nil
	}
	var names []string
	for _, f := range Formats() {
		if f.Name == word {
			return nil
		}
		names = append(names, f.Name)
	}
	return fmt.Errorf("profile %s: unknown format %q: %s", name, word, strings.Join(names, ", "))
}

// A dialect says how the reader of a format takes JSON or YAML.
type dialect struct {
	who    string // the reader, as the subject of a sentence
	exact  bool   // keys count in their own letter case only
	docker bool   // archMap, name, comment, includes and excludes are read
	errnos bool   // defaultErrno and errno, the errnos as words, are read
	max    uint64 // the largest number of an argument; 0: 64 bits
}
