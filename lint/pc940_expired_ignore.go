package lint

import "github.com/profcheck/profcheck/finding"

// ExpiredIgnore is reported by whoever applies ignores.
var ExpiredIgnore = register(&Check{
	ID: "PC940", Name: "expired-ignore", Severity: finding.Warning,
	Title: "an ignore is past its last day",
	Why: "Somebody accepted a finding until a day, and the day is over. The ignore suppresses nothing any more: what it " +
		"stood for counts again, and is reported beside this finding.",
	When: "Always a warning, whether or not there is still a finding that the ignore would suppress. Days are those " +
		"of UTC, and the last day still counts.",
	Wrong:   "Where the machine's clock is wrong.",
	Remedy:  "Fix what was ignored and remove the ignore, or decide again and set another day.",
	Sources: []string{"https://github.com/profcheck/profcheck#what-a-project-decides"},
})
