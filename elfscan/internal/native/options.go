package native

import "github.com/profcheck/profcheck/elfscan/internal/loader"

// Options say how far an analysis goes.
type Options struct {
	Off          Analyses // sharper analyses that are left out
	Conservative bool     // every function of every module counts as reached
	// Open adds a library that the program opens by this name while it runs, and reports whether it
	// was found; nil if nothing is to be opened. It is called for constant names only.
	Open func(name string, from int) bool
	// Families lists what the modules that are there so far may load by rules of their own; nil if that
	// is not known.
	Families func() []loader.Family
	// Outside says that the facts of the program leave out some of its code, which is analysed
	// elsewhere: that code may call every function of these facts, and all that the program imports.
	Outside bool
}

// Analyses is a set of the sharper analyses. Without one of them the set of syscalls can only grow:
// each leaves out edges of which it can be shown that no run takes them.
type Analyses uint32

// The sharper analyses.
const (
	// LoadWords: code that reads a fixed address reaches only the pointers in the bytes that it
	// reads, not all of the object around them. Sound because the bytes read are given by the
	// instruction; what else of the object is wanted needs another instruction or an address.
	LoadWords Analyses = 1 << iota
	// SplitData: data is cut into objects at symbols, targets of pointers and addresses that code
	// forms. Without, a section is one object. Sound as far as compilers form the address of an
	// object at or inside of it; sections with bounds by name stay whole.
	SplitData
	// SplitTables: the words of a global offset table, and glibc's jump tables of streams, are objects
	// of their own. See isGOT and tables in space.go.
	SplitTables
	// Conditions: see conditions.go.
	Conditions
	// Tables: a function whose address is held in data is called by those only that get it from there.
	// See holders in tables.go. Without, numbers that such a function is given are unresolved.
	Tables
)
