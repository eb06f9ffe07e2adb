// Package code answers: which functions does a module have, and what does each refer to?
//
// Facts hold nothing but what one file says, so that they can be kept by its content. Addresses are
// virtual addresses of the module as linked.
//
// # What is code
//
// Bounds come from frame descriptions first, then from symbols with a size, then from flow: entry
// points, arrays of functions, relocations, calls, jumps and formed addresses that lead elsewhere.
// Procedure linkage tables are split into their entries. A symbol in the middle of a frame begins no
// function: whoever leads there leads to the function that holds the address. Bytes that no flow
// reaches outside of bounded functions belong to no function: padding, tables, and dead code.
//
// # What a reference means
//
// A Load or Store of Size n touches exactly these n bytes. A call or jump through a fixed slot is a
// Load of the slot, of 8 bytes, and no more than that: HasIndirect is for computed addresses.
// Everything whose reach is not known is an Addr: tables that an index selects from, bit strings,
// blocks longer than 64 bytes.
//
// An Addr gives the program the object that holds Target, at any offset in it. It may lie at the very
// end of the object that is meant (a loop that runs backwards), and so at the beginning of the next.
// On arm64 GCC reaches the objects of a file from one section anchor and Clang from one merged
// global: every constant offset that is added to a known address, before or after an index, gives an
// Addr or an access of its own, so that the objects meant are named one by one; the anchor is named
// as well. What is not followed is an address in memory other than the stack frame, and one that
// callers pass.
//
// In a program at a fixed address any number that lies in it is an Addr. A displacement with a base
// or an index may be biased (table-8(,%rax,8) is table[i-1]); it begins no object and gives an Addr
// of itself and of the next object. Where it can fetch a pointer it gives an Around as well, because
// nothing bounds a bias: handlers[c-'a'] is read 776 bytes before the table, records[i-1000] of 32
// bytes 32000 bytes before.
package code

import "sort"

// Facts is what is known about a module's code.
type Facts struct {
	Funcs   []Func   // ascending Start, not overlapping, covering all bytes that may be code
	Refs    []Ref    // those of Funcs[0] first; within a function by address
	Objects []uint64 // where data objects may begin, ascending: symbols, targets of pointers, addresses that code forms
	Offsets []Offset // words of data that are distances to functions, ascending
}

// Bounds returns where the function begins and ends that holds addr; false if none does.
func (f *Facts) Bounds(addr uint64) (start, end uint64, ok bool) {
	i := sort.Search(len(f.Funcs), func(i int) bool { return f.Funcs[i].End > addr })
	if i == len(f.Funcs) || f.Funcs[i].Start > addr {
		return 0, 0, false
	}
	return f.Funcs[i].Start, f.Funcs[i].End, true
}

// Func is a range of code that is entered at Start, and perhaps elsewhere.
type Func struct {
	Start, End uint64
	First, N   uint32 // its references: Refs[First:First+N]
	Flags      Flags
}

// Flags tell about a function's instructions.
type Flags uint8

// The flags of a function.
const (
	HasSyscall  Flags = 1 << iota // a syscall instruction of any kind
	HasIndirect                   // a call or jump to a computed address, other than through a jump table of its own
	FallsOut                      // its last instruction goes on to what lies behind, perhaps over padding
	Guessed                       // its start was not named by the file but found in code
	Stub                          // an entry of a procedure linkage table
)

// Kind says what a reference is.
type Kind uint8

// The kinds of reference.
const (
	Call    Kind = iota // direct call of Target
	Jump                // direct jump or branch to Target, outside of the function
	Addr                // the address Target is formed
	Load                // Size bytes at the fixed address Target are read; Size 0: not known how many, at most 64
	Store               // likewise written, or read and written
	Syscall             // native syscall instruction
	Compat              // int 0x80, sysenter or syscall of another ABI
	Bad                 // bytes that are no instruction
	Table               // Target is a jump table of the function, which leads only into it
	Around              // an address is formed or 8 bytes or more are read at Target plus what a register holds: any data of the module may be meant
)

// Ref is one reference.
type Ref struct {
	At     uint64
	Target uint64
	Kind   Kind
	Size   uint8
}
