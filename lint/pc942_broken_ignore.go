package lint

import "github.com/profcheck/profcheck/finding"

// BrokenIgnore is reported by whoever applies ignores.
var BrokenIgnore = register(&Check{
	ID: "PC942", Name: "broken-ignore", Severity: finding.Warning,
	Title: "a comment asks to ignore something, and does not say what or why",
	Why: "The comment names no check, one that does not exist, a day that is none, or no reason. It suppresses nothing. " +
		"An ignore without a reason cannot be judged by the next reader, who has to find out again what was known.",
	When:    "Always a warning. In the file of settings the same faults are errors, which end the run.",
	Wrong:   "A text that only speaks of the words profcheck:ignore.",
	Remedy:  "Write profcheck:ignore, a check, and the reason; expires:YYYY-MM-DD may stand before the reason.",
	Sources: []string{"https://github.com/profcheck/profcheck#what-a-project-decides"},
})
