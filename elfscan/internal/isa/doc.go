// Package isa answers: what does this instruction do, as far as following a number to a syscall
// needs to know?
//
// It is the only place in profcheck that knows instruction sets. A Machine describes one of them
// with two readers. Scan walks the code of one function quickly and reports what leaves it: calls,
// jumps, addresses formed, memory at fixed addresses, syscall instructions. Decode reads one
// instruction exactly and turns it into Ops, a small language of assignments over registers and
// memory, which elfscan interprets on sets of values.
//
// Both are total: any bytes give a result, and what is not understood is reported as an Op that
// forgets (OpForget) or as a byte that does not decode, never guessed.
package isa
