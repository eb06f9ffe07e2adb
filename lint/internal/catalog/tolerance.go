package catalog

import (
	"regexp"
	"slices"
	"strings"
)

// Tolerance is a caller that lives with the failure of a call, so that a filter which answers with
// an error number costs nothing but the work that the caller does instead. It says nothing on
// filters that kill: those never return to the caller.
type Tolerance struct {
	Name string // the call
	// Functions are those of the caller: names in the program, closures of them count, too;
	// NAME@LIBRARY for what a library exports; or one of glibcCode, muslCode and glibcLoader.
	Functions []string
	Wrappers  []string // exported functions of a library, besides that of the call's name, which only hand the failure on
	Errnos    []int    // the answers that are tolerated, in the generic numbering; nil: any
	Why       string   // what happens instead, a clause without full stop
	Source    string   // file and function in the source that shows it
}

// Error numbers that the entries name, in the generic numbering (x86, arm; see asm-generic/errno.h).
const (
	eperm  = 1
	enosys = 38
)

// These stand in Functions for a library's own code. A call that the program makes through an
// exported wrapper is not meant: the wrapper hands the failure on to the program, which may mind.
const (
	glibcCode   = "@libc.so.6"
	muslCode    = "@musl"
	glibcLoader = "(glibc's loader)" // the program interpreter of glibc, whatever its path is
)

// glibcLoaders matches the file names of glibc's program interpreters: ld-linux-x86-64.so.2,
// ld-linux.so.3, ld64.so.2, ld.so.1. That of musl is called ld-musl-x86_64.so.1 and is its libc.
var (
	glibcLoaders = regexp.MustCompile(`(^|/|@)ld(-linux[a-z0-9_-]*|64)?\.so\.[0-9]$`)
	muslLoaders  = regexp.MustCompile(`^ld-musl-[a-z0-9_-]+\.so\.1$`)
)

var tolerances = slices.Concat(goTolerances, glibcTolerances, muslTolerances)

// Tolerances returns all entries. The list must not be changed.
func Tolerances() []Tolerance { return tolerances }

// Tolerated returns the entry by which a call may fail with errno, nil if there is none. The
// functions are on every way to the call, the innermost first; those of libraries are NAME@SONAME,
// or @SONAME for one that the library does not export. An errno of 0 is a faked success and is never
// tolerated: the caller goes on as if the work were done. MIPS and PA-RISC number errors differently:
// their callers translate errno.
func Tolerated(name string, errno int, functions []string) *Tolerance {
	if errno == 0 {
		return nil
	}
	for i := range tolerances {
		t := &tolerances[i]
		if t.Name != name || t.Errnos != nil && !slices.Contains(t.Errnos, errno) {
			continue
		}
		if t.calls(functions) {
			return t
		}
	}
	return nil
}

// calls reports whether functions on the way to a call show that the caller is the entry's.
func (t *Tolerance) calls(functions []string) bool {
	for _, want := range t.Functions {
		switch want {
		case glibcCode, muslCode:
			if t.own(functions, want) {
				return true
			}
			continue
		}
		if slices.ContainsFunc(functions, func(f string) bool { return isFunction(f, want) }) {
			return true
		}
	}
	return false
}

// own reports whether a library makes the call for itself: behind the last of the wrappers on the
// way comes another function of the library.
func (t *Tolerance) own(functions []string, lib string) bool {
	own := false
	for _, f := range functions {
		f, in := strings.CutSuffix(plain(f), lib)
		if !in {
			break
		}
		own = f != t.Name && f != "syscall" && !slices.Contains(t.Wrappers, f)
	}
	return own
}

// isFunction reports whether f, or the function that the closure f belongs to, is the wanted one.
func isFunction(f, want string) bool {
	if want == glibcLoader {
		return glibcLoaders.MatchString(f)
	}
	rest, ok := strings.CutPrefix(plain(f), want)
	return ok && (rest == "" || strings.HasPrefix(rest, ".func"))
}

// plain gives the libc of musl, which is called by the architecture, one name.
func plain(f string) string {
	if name, lib, ok := strings.Cut(f, "@"); ok && muslLoaders.MatchString(lib) {
		return name + muslCode
	}
	return f
}
