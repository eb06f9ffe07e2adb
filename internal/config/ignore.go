package config

import (
	"fmt"
	"slices"
	"time"

	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/lint"
)

// An Ignore suppresses findings of one check. What it does not name does not matter to it.
type Ignore struct {
	finding.Suppression // By, Reason (never empty), Expires, and the place of the ignore

	Check    string   // identifier
	Paths    []Path   // profiles; none: all
	Syscalls []string // a finding fits if it is about no others
	Arches   []string // a finding fits if it holds on no others

	dir, cwd string // see Path.matches
	area     *area  // of a comment: what it is for
}

// area is a part of a text, both ends included. A zero column is the whole line.
type area struct {
	file                   string
	fromLine, fromColumn   int
	untilLine, untilColumn int
}

// holds reports whether a place lies in the area.
func (a *area) holds(p finding.Pos) bool {
	switch {
	case p.File != a.file || p.Line < a.fromLine || p.Line > a.untilLine:
		return false
	case p.Line == a.fromLine && p.Column < a.fromColumn:
		return false
	}
	return p.Line < a.untilLine || a.untilColumn == 0 || p.Column <= a.untilColumn
}

// dayForm is how days are written.
const dayForm = "2006-01-02"

func day(word string) (string, error) {
	if _, err := time.Parse(dayForm, word); err != nil {
		return "", fmt.Errorf("%q is no day: want YYYY-MM-DD", clip(word))
	}
	return word, nil
}

// Expired reports whether the ignore's last day is over: days are those of UTC.
func (i *Ignore) Expired(now time.Time) bool {
	return i.Expires != "" && now.UTC().Format(dayForm) > i.Expires // both have ten digits
}

// fits reports whether the ignore is for a finding about a profile.
func (i *Ignore) fits(profile string, f finding.Finding) bool {
	if f.Check != i.Check || i.area != nil && !i.area.holds(f.Pos) || !i.About(profile) {
		return false
	}
	if i.Syscalls != nil && !within(f.Syscalls, i.Syscalls) {
		return false
	}
	return i.Arches == nil || within(f.Arches, i.Arches)
}

// About reports whether the ignore can be for findings about a profile, by the name that the user gave it.
func (i *Ignore) About(profile string) bool {
	return i.Paths == nil || slices.ContainsFunc(i.Paths, func(p Path) bool { return p.matches(i.dir, i.cwd, profile) })
}

// within reports whether all of some words are among others. None at all are not: a finding that names no
// syscall is not one about a certain syscall.
func within(words, others []string) bool {
	for _, w := range words {
		if !slices.Contains(others, w) {
			return false
		}
	}
	return len(words) > 0
}

// exact reports whether it is known which text the ignore is for, so that a run over that text tells
// whether it is of use.
func (i *Ignore) exact() bool {
	return i.area != nil || len(i.Paths) > 0 && !slices.ContainsFunc(i.Paths, func(p Path) bool { return !p.Literal() })
}

// own are the checks of ignores themselves.
func own() []string {
	return []string{lint.ExpiredIgnore.ID, lint.UnusedIgnore.ID, lint.BrokenIgnore.ID}
}
