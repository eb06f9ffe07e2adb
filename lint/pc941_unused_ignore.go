package lint

import "github.com/profcheck/profcheck/finding"

// UnusedIgnore is reported by whoever applies ignores.
var UnusedIgnore = register(&Check{
	ID: "PC941", Name: "unused-ignore", Severity: finding.Warning,
	Title: "an ignore suppresses no finding",
	Why: "The fault that somebody accepted is gone, or the ignore never fitted it. The next fault of the kind in the " +
		"same place would be accepted without anybody having looked at it.",
	When: "A warning if the ignore names its profile: a comment in it, or a path without wildcards. For information " +
		"if it could be meant for a profile that was not judged in this run. Nothing is said of an ignore whose check, " +
		"ABIs or profiles this run did not judge: checks of programs are told by check, all others by lint.",
	Wrong:   "The ignore is needed for another target, kernel or set of capabilities than those of this run.",
	Remedy:  "Remove the ignore, or correct what it names.",
	Sources: []string{"https://github.com/profcheck/profcheck#what-a-project-decides"},
})
