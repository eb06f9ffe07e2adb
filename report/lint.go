package report

import "fmt"

// Lint is what was found in profiles.
type Lint struct {
	Version  int       `json:"version"`
	Profiles []Linted  `json:"profiles,omitempty"`
	Findings []Finding `json:"findings"`         // profile by profile
	FailOn   string    `json:"failOn,omitempty"` // least severity of a finding that counts as a failure, or never; absent: error
	Errors   []Failure `json:"errors,omitempty"` // what could not be judged, in the order of the run; absent: all was
}

// Failure is what could not be judged, and why. It leaves the result of a run unknown.
type Failure struct {
	File    string `json:"file"`             // the file, or the built-in, pattern or folder, as the user gave it; "-" is stdin
	Line    int    `json:"line,omitempty"`   // from 1; absent: unknown
	Column  int    `json:"column,omitempty"` // from 1, in bytes; absent: unknown
	Message string `json:"message"`          // one line, with the name and the place
}

func (f *Failure) position() *Position {
	return &Position{File: f.File, Line: f.Line, Column: f.Column}
}

// Linted is a profile that was looked at, and for which target.
type Linted struct {
	Profile
	Target Target   `json:"target"`           // for the first architecture
	Arches []string `json:"arches,omitempty"` // the ABIs that were judged
	// Containers are those of a manifest that have this profile for this target; none if it is one.
	Containers []string `json:"containers,omitempty"`
}

func (*Lint) kind() string { return "lint" }

func (l *Lint) check() error {
	if err := checkThreshold(l.FailOn); err != nil {
		return err
	}
	for i, f := range l.Findings {
		if f.Profile < 0 || f.Profile >= max(1, len(l.Profiles)) {
			return fmt.Errorf("findings[%d].profile: %d of %d", i, f.Profile, len(l.Profiles))
		}
	}
	for i, f := range l.Errors {
		if f.File == "" || f.Message == "" {
			return fmt.Errorf("errors[%d]: file and message are needed", i)
		}
	}
	return checkFindings(l.Findings)
}
