// Package lint answers: is this profile safe, does it say what its author meant, and will these
// programs run under it?
//
// Run resolves a profile for a target, compiles it, and asks the compiled filter; a few checks read
// the document itself. Terms:
//   - A Check looks for one kind of fault. Each stands in a file of its own, pcNNN_*.go, with its
//     documentation, and has worked examples in testdata/PCNNN.txtar that are its tests, too.
//   - A Usage is what one program needs: plain data that the command line makes from a scan.
//   - A Need is one system call in it, with a class that says when it is made. A need may have
//     several Sites, which are judged one by one.
//   - An ABI, here, is an architecture together with the filter that answers for it.
//   - A call is open if the filter lets it run for some arguments: ALLOW, LOG, or USER_NOTIF, where
//     a listener decides. It is closed if there are none, and unclear if the filter is too complex
//     to tell; no check takes unclear for either.
//   - An Outcome is what the filter does with a call: allowed, denied, depends (on arguments that
//     are not known, or on a listener) or unused, which is open and not needed.
//   - A denial is tolerated if the caller lives with it, on every way to the call; see the catalogue.
//
// Checks judge the effective filter and never the text, except for PC1xx: a rule that the runtime
// drops is no rule, and two ways to write the same filter get the same findings.
package lint
