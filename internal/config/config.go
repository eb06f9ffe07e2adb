package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/profcheck/profcheck/finding"
)

// Name is that of the file, and MaxFile its largest size in bytes.
const (
	Name    = ".profcheck.yaml"
	MaxFile = 256 << 10
)

// shortName is what people call the file by mistake; it is taken, too, rather than passed over.
const shortName = ".profcheck.yml"

// Config is what a file says.
type Config struct {
	File string // as messages name it
	Dir  string // the absolute path of its folder, which its paths are relative to

	Settings        // for all profiles
	FailOn   Word   // "" if the file does not say; one of FailOnWords
	Profiles []Path // what is judged if nobody names a profile
	Paths    []Override
	Ignores  []*Ignore

	cwd string // what the names of profiles are relative to
}

// FailOnWords are what fail-on can be.
var FailOnWords = []string{"error", "warning", "info", "never"}

// Settings are decisions about some profiles. A field that is empty is none.
type Settings struct {
	Checks  []CheckSetting // each check once
	Targets []Word
	Arches  []Word // the names of ABIs, or all
	Caps    []Word // as --cap takes them
	Kernel  Word
}

// CheckSetting is what becomes of the findings of a check.
type CheckSetting struct {
	ID    string
	Level Word // one of Levels
}

// Levels are what a check can be set to: not at all, as it is, or another severity for all its findings.
var Levels = []string{"off", "on", "info", "warning", "error"}

// Override is what holds for some paths only, over what holds for all.
type Override struct {
	Match []Path
	Settings
}

// A Word is one of the file, with its place.
type Word struct {
	Text string
	Pos  finding.Pos
}

// A Path is a glob of the file, with its place.
type Path struct {
	Glob
	Pos finding.Pos
}

// Error is a fault of a file of this package. Line and column count from 1, columns in characters; a zero
// line is the whole file.
type Error struct {
	Pos finding.Pos
	Err error
}

// Error returns ".profcheck.yaml:3:5: ...".
func (e *Error) Error() string { return e.Pos.String() + ": " + e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

// Find looks for the file in a folder and those above it, up to the root of the repository (the folder
// that has a .git) or of the file system. It returns "" if there is none.
func Find(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for {
		var found []string
		for _, name := range []string{Name, shortName} {
			switch _, err := os.Stat(filepath.Join(dir, name)); {
			case err == nil:
				found = append(found, filepath.Join(dir, name))
			case !errors.Is(err, fs.ErrNotExist):
				return "", &Error{finding.Pos{File: filepath.Join(dir, name)}, bare(err)}
			}
		}
		if len(found) > 1 {
			return "", &Error{finding.Pos{File: found[1]}, fmt.Errorf("%s is there, too: keep one of them", Name)}
		}
		if len(found) == 1 {
			return found[0], nil
		}
		above := filepath.Dir(dir)
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil || above == dir {
			return "", nil
		}
		dir = above
	}
}

// Load reads a file, which messages call by the name; its path is relative to the current folder. The
// error is an *Error.
func Load(name string) (*Config, error) {
	fault := func(err error) (*Config, error) { return nil, &Error{finding.Pos{File: name}, bare(err)} }
	data, err := ReadFile(name, MaxFile)
	if err != nil {
		return fault(err)
	}
	cwd, err := os.Getwd()
	if err != nil {
		return fault(err)
	}
	path, err := filepath.Abs(name)
	if err != nil {
		return fault(err)
	}
	return Parse(name, data, filepath.Dir(path), cwd)
}

// ReadFile reads a regular file of at most some bytes.
func ReadFile(name string, limit int64) ([]byte, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, bare(err)
	case info.IsDir():
		return nil, errors.New("is a directory")
	case !info.Mode().IsRegular():
		return nil, errors.New("not a regular file")
	case info.Size() > limit:
		return nil, fmt.Errorf("larger than %d bytes", limit)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, bare(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("larger than %d bytes", limit)
	}
	return data, bare(err)
}

// bare strips the operation and the path from a file error, which the message names already.
func bare(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// For returns what holds for a profile, by the name that the user gave it. Of several overrides the last
// one wins, list by list and check by check.
func (c *Config) For(name string) Settings {
	if c == nil {
		return Settings{}
	}
	out := c.Settings
	for _, o := range c.Paths {
		if c.matchAny(o.Match, name) {
			out = out.with(o.Settings)
		}
	}
	return out
}

// with returns the settings with those of another over them.
func (s Settings) with(over Settings) Settings {
	checks := append([]CheckSetting{}, over.Checks...)
next:
	for _, c := range s.Checks {
		for _, o := range over.Checks {
			if o.ID == c.ID {
				continue next
			}
		}
		checks = append(checks, c)
	}
	s.Checks = checks
	if over.Targets != nil {
		s.Targets = over.Targets
	}
	if over.Arches != nil {
		s.Arches = over.Arches
	}
	if over.Caps != nil {
		s.Caps = over.Caps
	}
	if over.Kernel.Text != "" {
		s.Kernel = over.Kernel
	}
	return s
}

// level returns what a check is set to, "on" if nobody has said anything.
func (s Settings) level(id string) string {
	for _, c := range s.Checks {
		if c.ID == id {
			return c.Level.Text
		}
	}
	return "on"
}

// matchAny reports whether one of some globs fits a profile.
func (c *Config) matchAny(list []Path, name string) bool {
	for _, p := range list {
		if p.matches(c.Dir, c.cwd, name) {
			return true
		}
	}
	return false
}

// matches reports whether a glob of a file in dir fits a name that was given in cwd. A part of a file,
// FILE#PART, fits what its file fits, too.
func (p Path) matches(dir, cwd, name string) bool {
	if p.Match(Relative(dir, cwd, name)) {
		return true
	}
	file, _, part := strings.Cut(name, "#")
	return part && p.Match(Relative(dir, cwd, file))
}

// Relative returns the path with slashes that leads from a folder to what the user calls name in another
// one; the names of built-ins and "-" are returned as they are.
func Relative(dir, cwd, name string) string {
	if !strings.ContainsAny(name, `/.\`) {
		return name
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(cwd, name)
	}
	rel, err := filepath.Rel(dir, name)
	if err != nil { // another drive
		rel = name
	}
	return filepath.ToSlash(rel)
}
