package report

// Lint is what was found in profiles.
type Lint struct {
	Version  int       `json:"version"`
	Profiles []Linted  `json:"profiles,omitempty"`
	Findings []Finding `json:"findings"`
}

// Linted is a profile that was looked at, and for which target.
type Linted struct {
	Profile
	Target Target   `json:"target"`           // for the first architecture
	Arches []string `json:"arches,omitempty"` // the ABIs that were judged
}

func (*Lint) kind() string { return "lint" }

func (l *Lint) check() error { return checkFindings(l.Findings) }
