package report

import "fmt"

// Config is what is in force for a project, or for one of its profiles.
type Config struct {
	Version  int       `json:"version"`
	File     string    `json:"file,omitempty"`    // the file of settings; absent: there is none
	Profile  string    `json:"profile,omitempty"` // what the settings are for; absent: what holds for all profiles
	Settings []Setting `json:"settings"`          // in the order of the file
	Ignores  []Ignore  `json:"ignores"`           // in the order of the file; of a profile, those that can be for it
}

// Setting is one value that is in force.
type Setting struct {
	Key    string   `json:"key"`    // as in the file; a check is "checks.PC714"
	Values []string `json:"values"` // none: the profile decides
	From   string   `json:"from"`   // flag, file or default
	Flag   string   `json:"flag,omitempty"`

	Position *Position `json:"position,omitempty"` // in the file
}

// Ignore is one entry of the file that suppresses findings.
type Ignore struct {
	Check    string    `json:"check"`
	Paths    []string  `json:"paths,omitempty"`    // patterns; absent: all profiles
	Syscalls []string  `json:"syscalls,omitempty"` // absent: all
	Arches   []string  `json:"arches,omitempty"`   // absent: all
	Reason   string    `json:"reason"`
	Expires  string    `json:"expires,omitempty"` // the last day on which it holds, YYYY-MM-DD; absent: for ever
	Expired  bool      `json:"expired,omitempty"`
	Position *Position `json:"position"`
}

func (*Config) kind() string { return "config" }

// origins are where settings can come from.
var origins = []string{"flag", "file", "default"}

func (c *Config) check() error {
	for i, s := range c.Settings {
		if s.Key == "" {
			return fmt.Errorf("settings[%d].key is needed", i)
		}
		if err := oneOf(fmt.Sprintf("settings[%d].from", i), s.From, origins); err != nil {
			return err
		}
	}
	for i, g := range c.Ignores {
		if g.Check == "" || g.Reason == "" || g.Position == nil {
			return fmt.Errorf("ignores[%d]: check, reason and position are needed", i)
		}
	}
	return nil
}
