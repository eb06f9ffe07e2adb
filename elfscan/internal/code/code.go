// Package code answers: which functions does a module have, and what does each refer to?
//
// Facts hold nothing but what one file says, so that they can be kept by its content. Addresses are
// virtual addresses of the module as linked.
package code

// Facts is what is known about a module's code.
type Facts struct {
	Funcs   []Func   // ascending Start, not overlapping, covering all bytes that may be code
	Refs    []Ref    // those of Funcs[0] first; within a function by address
	Objects []uint64 // where data objects may begin, ascending: symbols, targets of pointers, addresses that code forms
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
	HasIndirect                   // an indirect call or jump other than through a jump table of its own
	FallsOut                      // its last instruction goes on to what lies behind
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
)

// Ref is one reference.
type Ref struct {
	At     uint64
	Target uint64
	Kind   Kind
	Size   uint8
}
