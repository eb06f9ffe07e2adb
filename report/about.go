package report

import "fmt"

// Profiles is the list of built-in profiles.
type Profiles struct {
	Version  int       `json:"version"`
	Builtins []Builtin `json:"builtins"`
}

// Builtin is a profile that is part of profcheck.
type Builtin struct {
	Name    string `json:"name"`
	Format  string `json:"format"`
	Title   string `json:"title"`
	Origin  string `json:"origin"`
	Release string `json:"release,omitempty"` // version of the origin
	Licence string `json:"licence,omitempty"` // SPDX identifier
}

// About is what this profcheck is.
type About struct {
	Version  int      `json:"version"`
	Module   string   `json:"module"`             // import path
	Release  string   `json:"release"`            // the module's version, "(devel)" if it was built from a checkout
	Revision string   `json:"revision,omitempty"` // of the checkout, "+dirty" if it was changed
	Go       string   `json:"go"`
	Platform string   `json:"platform"` // GOOS/GOARCH that it runs on
	Tables   Tables   `json:"tables"`
	Formats  []string `json:"formats"`
	Targets  []string `json:"targets"`
}

// Tables says how far the built-in tables reach.
type Tables struct {
	Kernel string `json:"kernel"` // newest kernel whose syscalls are known
	ABIs   int    `json:"abis"`
	Names  int    `json:"names"`
	Checks int    `json:"checks"`
}

func (*Profiles) kind() string { return "profiles" }
func (*About) kind() string    { return "version" }

func (p *Profiles) check() error {
	for i, b := range p.Builtins {
		if b.Name == "" {
			return fmt.Errorf("builtins[%d].name is needed", i)
		}
	}
	return nil
}

func (a *About) check() error {
	if a.Module == "" {
		return fmt.Errorf("module is needed")
	}
	return nil
}
