// Package finding answers one question: in which words does profcheck say what it found?
//
// It holds plain data that every other package may fill or read: how grave a finding is (Severity),
// why a program needs a syscall (Class), the chain of calls that proves it (Path), the place in a
// file (Pos), the call that shows a fault (Witness), and the finding itself (Finding). Nothing here
// computes, prints or imports anything of profcheck.
package finding
