// Package config answers one question: what has a project decided about its checks?
//
// A project decides in three places. The file .profcheck.yaml (Config) turns checks off and on, changes
// their severity, says for which targets profiles are judged, and holds ignores. A comment in a profile
// ignores a finding where it is (profcheck:ignore). A Baseline holds the findings that were there before
// anybody looked, so that only new ones count.
//
// An ignore names a check and gives a reason; it may name a last day. A finding that something ignores is
// suppressed: it stays in the result, with who suppressed it and why, and does not count. Ignores that are
// past their last day suppress nothing, and ignores that met no finding are of no use any more; both are
// findings themselves (PC940, PC941), as are comments that say ignore and cannot be understood (PC942).
//
// Paths in a file are globs relative to its folder, see Glob. Nothing here prints, and nothing depends on
// the time or the machine but Find and Load: the day is an argument.
package config
