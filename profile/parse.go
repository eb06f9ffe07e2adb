package profile

import (
	"fmt"
	"strings"
)

// Parse reads a profile and recognises its format by the content; Formats lists them. An object with linux,
// ociVersion, process or root is a config.json, unless it has the fields of a profile; of the other
// objects without the fields of another format all are Docker's, which contains all of linux.seccomp
// standing alone. A text with several profiles is refused with a *PartsError. The name is used in
// messages only. Other errors are a *ParseError.
func Parse(name string, data []byte) (*Profile, error) {
	return ParseAs(name, data, "")
}

// ParseAs is Parse with the format given, a name of Formats; "" recognises it.
func ParseAs(name string, data []byte, format string) (*Profile, error) {
	list, err := Read(name, data, ReadOptions{Format: format})
	return Only(name, list, err)
}

// Only is the one profile of what Read and OpenAll return, and a *PartsError where there are more.
func Only(name string, list []*Profile, err error) (*Profile, error) {
	if err != nil {
		return nil, err
	}
	if len(list) > 1 {
		return nil, partsError(name, list)
	}
	return list[0], nil
}

// A PartsError is the error for a file with several profiles where one is wanted.
type PartsError struct {
	Name  string   // of the file
	Parts []string // what can stand behind "#"
}

func partsError(name string, list []*Profile) error {
	e := &PartsError{Name: name}
	for _, p := range list {
		e.Parts = append(e.Parts, p.Part)
	}
	return e
}

// Error names the first few.
func (e *PartsError) Error() string {
	const most = 8
	var words []string
	for _, part := range e.Parts[:min(most, len(e.Parts))] {
		words = append(words, fmt.Sprintf("%q", clip(part)))
	}
	if more := len(e.Parts) - most; more > 0 {
		words = append(words, fmt.Sprintf("and %d more", more))
	}
	return fmt.Sprintf("profile %s: holds %d profiles, and one is wanted: %s#PART with %s", e.Name, len(e.Parts), e.Name, strings.Join(words, ", "))
}

// config reads a config.json: of the whole only linux.seccomp and some of process matter. A key that comes twice is
// merged, as encoding/json does for the runtimes.
func (d *decoder) config(root value) error {
	d.p.Pos, d.p.Absent = Pos{File: d.file}, "linux.seccomp"
	if err := d.each(root, "", "process", d.process); err != nil {
		return err
	}
	return d.each(root, "", "linux", func(linux value) error {
		return d.each(linux, "linux", "seccomp", func(seccomp value) error {
			if d.src.isNull(seccomp) {
				return nil
			}
			d.p.Pos, d.p.Absent = d.src.pos(seccomp), ""
			return d.profile(seccomp, "linux.seccomp")
		})
	})
}

// each calls f for each member called key of the object at v.
func (d *decoder) each(v value, path, key string, f func(value) error) error {
	if d.src.isNull(v) {
		return nil
	}
	if err := d.want(v, path, "an object"); err != nil {
		return err
	}
	seen := false
	return d.src.members(v, func(k, val value) error {
		if !strings.EqualFold(d.src.text(k), key) {
			return nil
		}
		if seen {
			d.problem(k, DuplicateKey, path, key, "the key %q came before in this object: both are read, the last one wins", key)
		}
		seen = true
		return f(val)
	})
}
