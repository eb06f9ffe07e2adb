package elfscan

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/profcheck/profcheck/elfscan/internal/loader"
)

// Options say where the files are that a program loads, and how a scan goes about them. The zero
// Options take them from the root directory of this machine.
type Options struct {
	// Root is a directory that stands for /, such as the unpacked image of a container. Programs,
	// their libraries and Plugins are looked for in it, and links in it stay inside. Empty is the
	// root of this machine.
	Root string

	// Plugins are shared objects that the program opens while it runs, in directories those in
	// them at any depth. That it does is not in question: what they need is not conditional.
	Plugins []string

	// Conservative counts every function of every file that is mapped as reached.
	Conservative bool

	// CacheDir is where results by file are kept between runs; empty for nowhere. It must belong to
	// the user alone.
	CacheDir string
}

// Scan reads a program: a path, or a name without slash that is looked for in PATH (without Root
// only if no such file is in the working directory). A script stands for its interpreter. Errors are
// a *FormatError for what is no ELF file that can be read, or say what was not found.
func (o Options) Scan(name string) (*Result, error) {
	root, p, err := o.find(name)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(p.Host)
	if err != nil {
		return nil, unwrapPath(name, err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, unwrapPath(name, err)
	}
	message := name
	if len(p.Script) > 0 {
		message = p.Path
	}
	res, err := o.scan(message, f, st.Size(), &place{root, p.Path})
	if err != nil {
		return nil, err
	}
	res.Path, res.Root = name, o.Root
	if len(p.Script) > 0 {
		res.Script = append([]string{name}, p.Script[1:]...)
	}
	return res, nil
}

// Find returns where in the root the program is that Scan would read, without links.
func (o Options) Find(name string) (string, error) {
	_, p, err := o.find(name)
	return p.Path, err
}

// notFound is fs.ErrNotExist in other words.
type notFound struct{ message string }

func (e *notFound) Error() string { return e.message }
func (e *notFound) Unwrap() error { return fs.ErrNotExist }

// place is where a program lies.
type place struct {
	root *loader.Root
	path string // in root
}

func (o Options) find(name string) (*loader.Root, loader.Program, error) {
	fail := func(err error) (*loader.Root, loader.Program, error) { return nil, loader.Program{}, err }
	root, err := loader.NewRoot(o.Root)
	if err != nil {
		return fail(unwrapPath("root "+o.Root, err))
	}
	at := "" // in the root
	if root.Own() || strings.Contains(name, "/") {
		if host, inside, err := root.Resolve(name); err == nil {
			at = inside
			st, err := os.Stat(host)
			switch {
			case err != nil:
				return fail(unwrapPath(name, err))
			case st.IsDir():
				return fail(&FormatError{name, "is a directory"})
			case !st.Mode().IsRegular():
				return fail(&FormatError{name, "is not a regular file"})
			}
		}
	}
	p, err := root.Program(name)
	_, plain := err.(*fs.PathError) // without words around it
	switch {
	case err == nil:
		return root, p, nil
	case !strings.Contains(name, "/") && errors.Is(err, fs.ErrNotExist):
		where := "in the directories of " + root.SearchPath + " in " + o.Root
		if root.Own() {
			where = "here or in PATH"
		}
		return fail(&notFound{fmt.Sprintf("%s: no such program %s", name, where)})
	case plain:
		return fail(unwrapPath(name, err))
	case at != "": // of a script: the file as it was named
		return fail(errors.New(strings.Replace(err.Error(), at+":", name+":", 1)))
	}
	return fail(err)
}
