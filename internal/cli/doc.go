// Package cli answers: what does a user of profcheck type, and what comes back?
//
// It holds the commands, and is the only place where scans, profiles, lint and reports meet: it
// turns what elfscan found into lint.Usage, and both into the documents of report. An App is one
// run of the program with its arguments and three streams; nothing here exits the process or keeps
// state between runs, so that tests run the commands in process.
//
// Terms of the commands on filters:
//
//   - A subject is what stands for PROFILE: a profile, a compiled filter, or a stack of them.
//   - A layer is one filter of a subject.
//   - A view is a subject as one target enforces it: what was resolved and compiled for each host.
//
// Exit codes: 0 nothing at or above the threshold; 1 findings, or the answer no; 2 wrong usage;
// 3 no judgement: unreadable or malformed input, or something that a scan could not see.
package cli
