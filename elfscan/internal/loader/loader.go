// Package loader answers: which files does the dynamic loader map for this program, and where from?
//
// It follows the rules of glibc's ld.so and of musl's, inside a root directory that no link and no
// name leads out of. Nothing is executed.
package loader

import "github.com/profcheck/profcheck/elfscan/internal/module"

// Closure is everything that the loader maps for a program.
type Closure struct {
	Modules []*Loaded // in the order of symbol lookup: the program first; see Loaded.Interp for the loader
	Missing []Missing
}

// Loaded is one mapped file.
type Loaded struct {
	*module.Module
	Path   string   // in the root, absolute, without links
	Names  []string // by which others ask for it: the soname, names of DT_NEEDED
	Interp bool     // it is the program's interpreter
	Opened bool     // it was opened while the program runs (dlopen, --plugin), or is needed by one that was
	Needs  []int    // indices in Closure.Modules of its DT_NEEDED that were found
}

// Missing is a library that was not found, or could not be used.
type Missing struct {
	Name   string // as asked for
	By     string // path of the module that asks
	Reason string // "not found", or why a candidate was refused
}
