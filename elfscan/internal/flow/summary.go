package flow

import "github.com/profcheck/profcheck/elfscan/internal/isa"

// OutSlots is how many 4-byte words of a call's stack arguments are kept.
const OutSlots = 32

// Call is what a function does at one call or syscall instruction.
type Call struct {
	At     uint64
	Kind   isa.OpKind        // OpCall, OpCallInd, OpSyscall, OpInt80; OpJump, OpBranch and OpJumpInd are tail calls
	Target uint64            // of a direct call
	Callee ValueID           // of an indirect one
	Regs   *[MaxRegs]ValueID // shared with equal ones, not to be changed
	Stack8 []ValueID         // the 8-byte words at SP, SP+8, ... before the call; nil if none is known
	Stack4 []ValueID         // the 4-byte words at SP, SP+4, ..., likewise
	Frame  []Slot            // what lies at and above the lowest address in the frame that is passed
}

// Word returns element i of the words at a call.
func Word(words []ValueID, i int64) ValueID {
	if i >= int64(len(words)) {
		return Unknown
	}
	return words[i]
}

// Store is a store of a value to a variable at a fixed address.
type Store struct {
	At   uint64
	Cell uint64
	Size uint8 // bytes; 0 if that is not known
	ID   ValueID
}

// WidestStore is the longest single store: 64 bytes, an AVX-512 register.
const WidestStore = 64

// Covers reports whether the store may change one of the n bytes at addr.
func (s *Store) Covers(addr, n uint64) bool {
	size := uint64(s.Size)
	if size == 0 {
		size = WidestStore
	}
	return s.Cell < addr+n && addr < s.Cell+size
}

// Summary is what one function does that matters to its callers.
type Summary struct {
	Calls  []Call
	Stores []Store
	Leaks  []uint64 // function values that it passes on or stores, rather than calls
	Behind []Behind // stores behind pointers
	Lost   ParamSet // parameters that go, as pointers, where they are not followed
	Cells  []uint64 // variables whose content does
	// Returned are parameters that may be, or point to where, the result points.
	Returned ParamSet
	// Under are parameters that lie in the frame at or above an address that goes elsewhere: in the
	// same object, or beside it.
	Under  ParamSet
	Astray int64 // the lowest address in its frame that goes elsewhere than to a call in a register
	Vague  bool  // too much work: nothing is known but where calls and stores are
}
