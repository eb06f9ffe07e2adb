// Package native answers: which syscalls can a program and the libraries that are mapped with it
// make, where, and what leads there?
//
// All modules of a closure lie in one address space, module i at i<<40, with their symbols bound
// and their relocations applied. Over it there is one graph: its nodes are functions and data
// objects, its edges say that code calls a function, forms an address or reads a word, and that an
// object holds a pointer. What the roots reach in it can run (reach.go, roots.go); the numbers and
// arguments of the syscall instructions in it are followed backwards through the callers
// (resolve.go), and each is classed by when it is made (class.go).
//
// An address counts only where the code or the object that holds it is reached: this is the rule
// that makes the set small. The analyses that sharpen it further are listed in Analyses, each with
// the reason why nothing is lost by it.
package native
