package flow

// Func is a function that is followed: a run of code that is entered at its beginning.
type Func struct {
	Start   uint64   // its address
	Code    []byte   // its bytes
	Entries []uint64 // further addresses in it at which other code enters it
	Hand    bool     // written by hand: the conventions of compilers may not hold
	Vague   bool     // not to be followed: nothing is known but where calls and stores are
}

// Program is what the engine asks of the program that a function belongs to. Its answers must not
// change while functions are followed. Addresses are those that the code uses.
type Program interface {
	// Word reads the 8 bytes at addr as they are when the program starts.
	Word(addr uint64) (uint64, bool)
	// Bytes returns the n bytes at addr, nil if they are not known.
	Bytes(addr, n uint64) []byte
	// Changes reports whether the memory at addr may be written while the program runs.
	Changes(addr uint64) bool
	// Stops reports whether a call of the function at target never comes back.
	Stops(target uint64) bool
	// Twice reports whether a call of the function at target may come back once more, as those of
	// setjmp, getcontext and vfork do, after the caller went on.
	Twice(target uint64) bool
	// Restarts reports whether the function at target grows the stack and starts its caller over.
	Restarts(target uint64) bool
	// Result returns what the function at target returns first, if that is known.
	Result(target uint64) (ValueID, bool)
	// StackArgs returns how many bytes of arguments and results the function at target has on the
	// stack, if that is known.
	StackArgs(target uint64) (int64, bool)
	// Pointers returns those constants of id whose way through the program matters: function values.
	Pointers(id ValueID) []uint64
}
