// Package elfscan answers: which system calls can this binary make, and why?
//
// Scan reads an ELF file without running it. Its Result has a Need for each syscall number that can
// reach the kernel from the file's code, an Unresolved for each syscall instruction whose number
// could not be told, and a Gap for each thing out of sight. Those three answers are kept apart:
// unknown is never reported as "not needed".
//
// A need has a class (when the call is made), the constants that its arguments can hold where these
// are known, and a path: the chain of functions from an entry point to the syscall instruction.
//
// Addresses are virtual addresses as linked: for a position-independent file they count from zero.
package elfscan
