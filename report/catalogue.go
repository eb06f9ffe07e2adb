package report

import "fmt"

// Rules is the list of checks.
type Rules struct {
	Version int         `json:"version"`
	Checks  []CheckInfo `json:"checks"` // by identifier
}

// Explain is the documentation of one check.
type Explain struct {
	Version int       `json:"version"`
	Explain CheckInfo `json:"explain"`
}

// CheckInfo describes a check. A list of checks leaves out what follows NeedsBinary.
type CheckInfo struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Severity    string `json:"severity"` // the usual one
	Title       string `json:"title"`
	NeedsBinary bool   `json:"needsBinary"` // says nothing without a program

	Why      string    `json:"why,omitempty"`
	When     string    `json:"when,omitempty"`  // which severity when
	Wrong    string    `json:"wrong,omitempty"` // where a finding can be wrong
	Remedy   string    `json:"remedy,omitempty"`
	Sources  []string  `json:"sources,omitempty"`
	Examples []Example `json:"examples,omitempty"`
}

// Example is a file that shows what a check flags, or what it does not.
type Example struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

func (*Rules) kind() string   { return "rules" }
func (*Explain) kind() string { return "explain" }

func (r *Rules) check() error {
	for i, c := range r.Checks {
		if err := c.check(fmt.Sprintf("checks[%d]", i)); err != nil {
			return err
		}
	}
	return nil
}

func (e *Explain) check() error { return e.Explain.check("explain") }

func (c *CheckInfo) check(at string) error {
	if c.ID == "" || c.Name == "" {
		return fmt.Errorf("%s: id and name are needed", at)
	}
	return oneOf(at+".severity", c.Severity, severities)
}
