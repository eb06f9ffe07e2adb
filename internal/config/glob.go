package config

import (
	"errors"
	"fmt"
	"path"
	"strings"
)

// maxGlob bounds a glob, in bytes.
const maxGlob = 1024

// A Glob is a pattern for paths with slashes, much as in .gitignore: * is any text without a slash, ? one
// character, [a-z] one of several, and ** as a whole element any number of elements. A pattern without a
// slash names a file in any folder; one that begins with a slash begins at the root; one that ends in
// a slash is all that is below a folder.
type Glob struct {
	text     string
	elements []string
}

// ParseGlob reads a pattern.
func ParseGlob(text string) (Glob, error) {
	g := Glob{text: text}
	switch {
	case strings.Trim(text, "/") == "":
		return g, errors.New("an empty pattern")
	case len(text) > maxGlob:
		return g, fmt.Errorf("a pattern of more than %d bytes", maxGlob)
	case strings.Contains(text, `\`):
		return g, errors.New("a backslash: paths have slashes here")
	}
	pattern := strings.TrimPrefix(text, "./")
	if strings.HasSuffix(pattern, "/") {
		pattern += "**"
	}
	if !strings.Contains(pattern, "/") && pattern != "**" {
		pattern = "**/" + pattern
	}
	for element := range strings.SplitSeq(strings.TrimPrefix(pattern, "/"), "/") {
		if element == "" {
			return g, errors.New("two slashes in a row")
		}
		if _, err := path.Match(element, ""); err != nil {
			return g, fmt.Errorf("%s: a bracket without its end", element)
		}
		g.elements = append(g.elements, element)
	}
	return g, nil
}

// String returns the pattern as it was written.
func (g Glob) String() string { return g.text }

// Literal reports whether the pattern names one path and no more.
func (g Glob) Literal() bool {
	return !strings.ContainsAny(strings.Join(g.elements, "/"), "*?[")
}

// Match reports whether a path with slashes fits. The work is at most the product of both lengths.
func (g Glob) Match(name string) bool {
	names := strings.Split(strings.TrimPrefix(name, "./"), "/")
	// fits[i] says whether the elements so far fit the first i of names.
	fits := make([]bool, len(names)+1)
	fits[0] = true
	for _, element := range g.elements {
		next := make([]bool, len(fits))
		for i := range fits {
			switch {
			case element == "**":
				next[i] = fits[i] || i > 0 && next[i-1]
			case i > 0 && fits[i-1]:
				next[i], _ = path.Match(element, names[i-1]) // the pattern was checked
			}
		}
		fits = next
	}
	return fits[len(names)]
}
