// Package loader answers: which files does the dynamic loader map for this program, and where from?
//
// It follows the rules of glibc's ld.so and of musl's, inside a root directory that no link and no
// name leads out of. Nothing is executed.
package loader

import (
	"sync/atomic"

	"github.com/profcheck/profcheck/elfscan/internal/module"
)

// Closure is everything that the loader maps for a program.
type Closure struct {
	Modules []*Loaded // in the order of symbol lookup: the program first; see Loaded.Interp for the loader
	Missing []Missing
	Notes   []string // one line each: what was assumed where the loader's answer depends on the machine

	linker *linker               // nil for a closure that Load did not make
	index  atomic.Pointer[index] // built when the first symbol is looked up
}

// Loaded is one mapped file.
type Loaded struct {
	*module.Module
	Path   string   // in the root, absolute, without links
	Names  []string // by which others ask for it: the soname, names of DT_NEEDED
	Interp bool     // it is the program's interpreter
	Opened bool     // it was opened while the program runs (dlopen, --plugin), or is needed by one that was
	Given  bool     // of Opened: somebody says that it is loaded, rather than that it can be
	Needs  []int    // indices in Closure.Modules of its DT_NEEDED that were found

	// Variants are the files that loaders pick in its place on machines with newer processors, from
	// glibc-hwcaps and similar directories. The target's processor is not known: any of them may run.
	Variants  []int
	VariantOf int // index of the module that it is a variant of, -1 if it is none

	spelled  string // the path as the loader spells it: $ORIGIN is its directory
	parent   int    // the module that asked for it first, -1 for the program and for what dlopen opened
	group    int    // the module whose dlopen brought it, -1 if the program's start did
	expanded bool   // its DT_NEEDED have been looked for
	bind     bindInfo
}

// Missing is a library that was not found, or could not be used.
type Missing struct {
	Name   string // as asked for
	By     string // path of the module that asks
	Reason string // "not found", or why a candidate was refused
}
