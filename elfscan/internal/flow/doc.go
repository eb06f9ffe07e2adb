// Package flow answers: which values do registers and memory hold where a function calls another
// one, enters the kernel or stores to a variable?
//
// Analyse follows one function from its entry: an abstract interpretation of its control-flow graph
// over sets of constants, parameters of the function, variables and addresses in its stack frame.
// What it says of parameters is for the function's callers to fill in, see Values.Subst; what it
// says of variables, for those who know all stores to them.
package flow
