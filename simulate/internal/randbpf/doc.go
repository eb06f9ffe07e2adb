// Package randbpf answers one question: which filters and which calls put an evaluator to the test?
//
// A Generator makes, from a seed and always the same, random filters over all 41 instructions that
// seccomp takes, random calls that no kernel carries out, stacks of filters, and programs that the
// loader must judge. It is for tests that compare an evaluator with a kernel.
//
// Terms:
//
//   - A visible outcome is one that the caller can see: 12 bits of A come back as an errno. Filters
//     end in it, so that a wrong bit anywhere in the registers has a chance to show.
//   - A number that no kernel has is a syscall number that is in no table, on no architecture, and
//     so does nothing even where a filter lets it through by mistake.
package randbpf
