// Package catalog answers: what is known about this system call, by name alone?
//
// It holds knowledge that no table of numbers has and no filter shows: what a call is good for in
// wrong hands and which capability should gate it (Danger), which callers live with its failure
// (Tolerance), which calls do the same work (Siblings), and which C library names are not calls of
// the kernel (KernelNames). Every entry says why it is there and where that can be read.
//
// A danger has a rank from 1 to 100 so that lists can start with the gravest; the rank orders, it
// measures nothing. What is missing here has no rank and is not called safe.
package catalog
