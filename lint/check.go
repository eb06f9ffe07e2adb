package lint

import (
	"slices"
	"strings"

	"github.com/profcheck/profcheck/finding"
)

// A Check looks for one kind of fault in a profile. Its texts are shown by `explain`; they are
// sentences in plain text.
type Check struct {
	ID       string           // "PC613"; never used again for another fault
	Name     string           // "used-but-denied"
	Severity finding.Severity // of the usual finding; When gives the others

	Title   string   // the fault in one line, no full stop
	Why     string   // what it costs
	When    string   // which severity under which condition
	Wrong   string   // where a finding can be wrong
	Remedy  string   // what to do
	Sources []string // where the facts can be read

	NeedsBinary bool // says nothing without a Usage
	TextOnly    bool // looks at nothing but the text, so that it runs where the profile is Unread

	// Run looks for the fault. It is nil for the checks of ignores, which profiles alone cannot have:
	// whoever applies the ignores to the findings reports those.
	Run func(*Pass)
}

// registered holds the checks; their files fill it.
var registered []*Check

// register adds a check. It is called from variable declarations, so that a check is one file.
func register(c *Check) *Check {
	registered = append(registered, c)
	return c
}

// Checks returns all checks in ascending order of their identifiers.
func Checks() []*Check {
	out := slices.Clone(registered)
	slices.SortFunc(out, func(a, b *Check) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// Lookup returns the check with an identifier or name, in any letter case.
func Lookup(idOrName string) (*Check, bool) {
	for _, c := range registered {
		if strings.EqualFold(c.ID, idOrName) || strings.EqualFold(c.Name, idOrName) {
			return c, true
		}
	}
	return nil, false
}

// Example returns the worked examples of the check as they are tested: profiles with a fault
// (bad*.json) and their clean twins (good*.json), with the findings that are expected (*.want), for some
// checks with a file of settings (*.profcheck.yaml).
func (c *Check) Example() string {
	text, err := examples.ReadFile("testdata/" + c.ID + ".txtar")
	if err != nil {
		return ""
	}
	return string(text)
}
