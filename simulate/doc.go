// Package simulate answers two questions: what does a compiled filter do with a syscall, and what
// does it do with all of them?
//
// Run answers for one call with known arguments, as the kernel would. Trace tells how it came to
// that. Outcomes answers for one syscall with arguments that are not or only partly known: it
// follows every path of the filter that some argument can take and returns Regions, each with one
// action and the conditions on the arguments (Cond) under which the filter gives it. Witness finds
// a call that is in a region.
//
// Partition does the same for all numbers at once, of a Policy: a filter, a stack of them, or
// filter.Rules as they are meant. Diff compares two policies, on every call: what it reports comes
// with a call on which both were run, and if it reports nothing they are proven equal.
//
// Terms:
//
//   - A word is one of the 16 32-bit words of struct seccomp_data. A filter sees a 64-bit argument
//     as two of them, its low and its high half.
//   - A path is one way through the program, from the first instruction to a return.
//   - A path is feasible if some call takes it.
//   - A symbol is a word that is not known: half of an argument or of the instruction pointer, or
//     the syscall number.
//   - A plan is several units, filters or rules, one after the other as one program: that is how a
//     stack is followed, and how two policies are compared.
//
// # How far a proof goes
//
// Paths are followed in the order of the code, which has no loops, and joined where they meet with
// the same state. What a path knows of a word is a set of spans, or comparisons of some of its bits,
// about which feasibility is decided exactly; of relations between several words it is not, and a
// region may then turn out to be empty. That never makes a change of Diff, which needs a call as a
// witness, nor an equality: what has no witness and is not certainly empty is reported as unknown.
//
// The work is bounded: about a million instructions over all paths for each architecture, and what
// takes as much time beside them, however the filter is made. The numbers share it, so that one that
// is too much leaves the others known. For that one a single pass over the code tells every action
// that can still come out.
//
// Actions are compared as the kernel carries them out (filter.Action.Effect). What the kernel does
// around filters (numbers that it exempts, TRACE without a tracer) is in System, and never in proofs.
package simulate
