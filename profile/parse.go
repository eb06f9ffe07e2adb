package profile

import (
	"fmt"
	"strings"
)

// Parse reads a profile and recognises its format by the content: an object with linux,
// ociVersion, process or root is a config.json, unless it has the fields of a profile; every other
// object is Docker's format, which contains all of linux.seccomp standing alone. The name is used in messages only. The error is a *ParseError.
func Parse(name string, data []byte) (*Profile, error) {
	return ParseAs(name, data, "")
}

// ParseAs is Parse with the format given: Docker or OCI; "" recognises it.
func ParseAs(name string, data []byte, format string) (*Profile, error) {
	if format != "" && format != Docker && format != OCI {
		return nil, fmt.Errorf("profile %s: unknown format %q: %s or %s", name, format, Docker, OCI)
	}
	src, root, bad := newSource(name, data)
	if bad != nil {
		return nil, &ParseError{Pos: src.pos(bad.off), Reason: bad.reason}
	}
	d := &decoder{src: src, p: &Profile{Name: name, Pos: src.pos(int(root))}}
	if kind := src.kind(root); kind != "an object" && kind != "null" {
		return nil, d.errorf(root, "", "want an object, found %s", kind)
	}
	config := d.isConfig(root)
	d.p.Format = format
	if format == "" {
		d.p.Format = Docker
		if config {
			d.p.Format = OCI
		}
	}
	var err error
	if config {
		err = d.config(root)
	} else {
		err = d.profile(root, "")
	}
	if err != nil {
		return nil, err
	}
	d.closeProblems()
	return d.p, nil
}

// isConfig recognises an OCI config.json.
func (d *decoder) isConfig(root value) bool {
	found, perhaps, profile := false, false, false
	if d.src.isNull(root) {
		return false
	}
	// The callback never fails.
	_ = d.src.members(root, func(key, val value) error {
		switch name := d.src.text(key); {
		case strings.EqualFold(name, "ociVersion"):
			found = true
		case strings.EqualFold(name, "linux"):
			found = found || d.src.kind(val) == "an object"
		case strings.EqualFold(name, "process"), strings.EqualFold(name, "root"):
			perhaps = perhaps || d.src.kind(val) == "an object"
		case strings.EqualFold(name, "defaultAction"), strings.EqualFold(name, "syscalls"):
			profile = true
		}
		return nil
	})
	return found || perhaps && !profile
}

// config reads a config.json: of the whole only linux.seccomp and some of process matter. A key that comes twice is
// merged, as encoding/json does for the runtimes.
func (d *decoder) config(root value) error {
	d.p.Pos, d.p.Absent = Pos{File: d.src.name}, "linux.seccomp"
	if err := d.each(root, "", "process", d.process); err != nil {
		return err
	}
	return d.each(root, "", "linux", func(linux value) error {
		return d.each(linux, "linux", "seccomp", func(seccomp value) error {
			if d.src.isNull(seccomp) {
				return nil
			}
			d.p.Pos, d.p.Absent = d.src.pos(int(seccomp)), ""
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
