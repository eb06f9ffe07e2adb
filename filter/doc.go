// Package filter answers one question: what is a compiled seccomp filter, and would the kernel
// load it?
//
// Terms, as the field uses them:
//
//   - A filter is a Program of classic BPF: at most 4096 instructions (Insn, struct sock_filter),
//     two 32-bit registers A and X, and 16 words of scratch memory M. Jumps only go forward.
//   - Its input is one Data (struct seccomp_data), 16 words in the byte order of the machine.
//   - Its output is one Action, a 32-bit value: what to do in the upper half, 16 data bits in the
//     lower half.
//   - The loader refuses programs; Program.Verify repeats its verdict and names the kernel
//     function that would refuse. Loader is a thread that loads one filter after the other, with
//     flags, privileges and the limits of all together; Program.Size says how much of them a
//     program takes.
//   - A program is written down as bytes or as text, in a Format. ParseProgram reads all but Go
//     source and tells them apart; Disassemble and Assemble are the readable one. What reads back
//     is the same program, byte for byte, whether or not the kernel would load it.
//   - Rules are what a filter is meant to do, before somebody compiles it.
//
// The package only describes filters. Package simulate runs them.
package filter
