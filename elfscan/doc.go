// Package elfscan answers: which system calls can this binary make, and why?
//
// Scan reads an ELF file without running it. Its Result has a Need for each syscall number that can
// reach the kernel from the file's code, an Unresolved for each syscall instruction whose number
// could not be told, and a Gap for each thing out of sight. Those three answers are kept apart:
// unknown is never reported as "not needed".
//
// Options.Scan looks into all that the program's process maps: of a program in C, C++ or Rust the
// libraries and the loader, found as the loader finds them, inside of a root directory; of a Go program
// the same, as far as it has any. Modules are these files. Scan is that for the root of this machine.
//
// A need has a class (when the call is made), the constants that its arguments can hold where these
// are known, and a path: the chain of functions from an entry point to the syscall instruction.
//
// Addresses are virtual addresses as linked, each in its own file: for a position-independent file they
// count from zero.
package elfscan
