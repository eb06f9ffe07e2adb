// Package simulate answers one question: what does a compiled filter do with a syscall?
//
// Run answers for one call with known arguments, as the kernel would. Trace tells how it came to
// that. Outcomes answers for one syscall with arguments that are not or only partly known: it
// follows every path of the filter that some argument can take and returns Regions, each with one
// action and the conditions on the arguments (Cond) under which the filter gives it. Witness finds
// a call that is in a region.
//
// Terms:
//
//   - A word is one of the 16 32-bit words of struct seccomp_data. A filter sees a 64-bit argument
//     as two of them, its low and its high half.
//   - A path is one way through the program, from the first instruction to a return.
//   - A path is feasible if some call takes it.
//
// What the kernel does around a filter is not here: the numbers that it exempts, stacks of
// filters, and what becomes of TRACE without a tracer.
package simulate
