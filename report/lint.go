package report

import "fmt"

// Lint is what was found in profiles.
type Lint struct {
	Version  int       `json:"version"`
	Profiles []Linted  `json:"profiles,omitempty"`
	Findings []Finding `json:"findings"`         // profile by profile
	FailOn   string    `json:"failOn,omitempty"` // least severity of a finding that counts as a failure, or never; absent: error
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
	return checkFindings(l.Findings)
}
