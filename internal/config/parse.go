package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/lint"
	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/syscalls"
)

// Parse reads the text of a file. Messages call it by the name; its paths are relative to dir, and the
// names of profiles, which For and others are given, to cwd. The error is an *Error.
func Parse(name string, data []byte, dir, cwd string) (*Config, error) {
	r, c := reader{name}, &Config{File: name, Dir: dir, cwd: cwd}
	root, err := r.document(data)
	if err != nil {
		return nil, err
	}
	var version Word
	found, err := r.mapping(root, "the settings", append(r.settings(&c.Settings),
		field{"version", r.one(&version, oneOf("version", "1"))},
		field{"fail-on", r.one(&c.FailOn, oneOf("fail-on", FailOnWords...))},
		field{"profiles", r.globs(&c.Profiles)},
		field{"paths", r.items("mappings, each with match", func(n *yaml.Node) error {
			o, err := r.override(n)
			c.Paths = append(c.Paths, o)
			return err
		})},
		field{"ignores", r.items("mappings, each with check and reason", func(n *yaml.Node) error {
			i, err := r.ignore(n)
			if err == nil {
				i.dir, i.cwd = dir, cwd
				c.Ignores = append(c.Ignores, i)
			}
			return err
		})},
	))
	if err != nil {
		return nil, err
	}
	if found["version"] == nil {
		return nil, r.at(root, "no version: want version: 1")
	}
	return c, nil
}

// settings are the keys that can be there for all profiles, and for some paths.
func (r reader) settings(s *Settings) []field {
	into := func(list *[]Word) func(Word) { return func(w Word) { *list = append(*list, w) } }
	return []field{
		{"checks", func(n *yaml.Node) error { return r.checks(n, s) }},
		{"targets", r.many(target, into(&s.Targets))},
		{"arches", r.many(arch, into(&s.Arches))},
		{"caps", r.many(capability, into(&s.Caps))},
		{"kernel", r.one(&s.Kernel, kernel)},
	}
}

// checks reads a mapping from checks to levels.
func (r reader) checks(n *yaml.Node, s *Settings) error {
	list, err := r.entries(n, "a mapping from checks to "+strings.Join(Levels, ", "))
	if err != nil {
		return err
	}
	for _, e := range list {
		var id, level Word
		if err := r.one(&id, check)(e.key); err != nil {
			return err
		}
		if slices.ContainsFunc(s.Checks, func(c CheckSetting) bool { return c.ID == id.Text }) {
			return r.at(e.key, "%s is there twice", id.Text)
		}
		if err := r.one(&level, oneOf("level", Levels...))(e.value); err != nil {
			return err
		}
		s.Checks = append(s.Checks, CheckSetting{id.Text, level})
	}
	return nil
}

func (r reader) override(n *yaml.Node) (o Override, err error) {
	found, err := r.mapping(n, "settings for paths", append(r.settings(&o.Settings), field{"match", r.globs(&o.Match)}))
	if err == nil && found["match"] == nil {
		err = r.at(n, "no match: want a path or a list of paths")
	}
	return o, err
}

// globs reads paths.
func (r reader) globs(to *[]Path) func(*yaml.Node) error {
	check := func(word string) (string, error) {
		_, err := ParseGlob(word)
		return word, err
	}
	return r.many(check, func(w Word) {
		g, _ := ParseGlob(w.Text)
		*to = append(*to, Path{g, w.Pos})
	})
}

func (r reader) ignore(n *yaml.Node) (*Ignore, error) {
	var id, reason, expires Word
	i := &Ignore{Suppression: finding.Suppression{By: finding.ByConfig, Pos: r.pos(n)}}
	found, err := r.mapping(n, "an ignore", []field{
		{"check", r.one(&id, ignorable)},
		{"path", r.globs(&i.Paths)},
		{"syscall", r.many(verbatim, func(w Word) { i.Syscalls = append(i.Syscalls, w.Text) })},
		{"arch", r.many(oneArch, func(w Word) { i.Arches = append(i.Arches, w.Text) })},
		{"reason", r.one(&reason, func(word string) (string, error) { return strings.Join(strings.Fields(word), " "), nil })},
		{"expires", r.one(&expires, day)},
	})
	if err != nil {
		return nil, err
	}
	for _, key := range []string{"check", "reason"} {
		if found[key] == nil {
			return nil, r.at(n, "no %s: an ignore has a check and a reason", key)
		}
	}
	for _, name := range i.Syscalls {
		// Of a name that no kernel has only a check of names says something.
		if near := syscalls.Nearest(name); !syscalls.Known(name) && near != "" && !strings.HasPrefix(id.Text, "PC1") {
			return nil, r.at(found["syscall"], "unknown syscall %q: did you mean %s?", clip(name), near)
		}
	}
	i.Check, i.Reason, i.Expires = id.Text, reason.Text, expires.Text
	return i, nil
}

// The readers of words. Each returns the word as the rest of the program writes it.

func verbatim(word string) (string, error) { return word, nil }

func oneOf(what string, known ...string) func(string) (string, error) {
	return func(word string) (string, error) {
		if slices.Contains(known, word) {
			return word, nil
		}
		return "", fmt.Errorf("unknown %s %q%s", what, clip(word), suggest(word, known))
	}
}

// check takes the identifier or the name of a check.
func check(word string) (string, error) {
	if c, ok := lint.Lookup(word); ok {
		return c.ID, nil
	}
	var known []string
	for _, c := range lint.Checks() {
		known = append(known, c.ID, c.Name)
	}
	if suggest := suggest(word, known); suggest != "" {
		return "", fmt.Errorf("unknown check %q%s", clip(word), suggest)
	}
	return "", fmt.Errorf("unknown check %q; profcheck rules lists them", clip(word))
}

// ignorable takes a check that an ignore can name.
func ignorable(word string) (string, error) {
	id, err := check(word)
	if err == nil && slices.Contains(own(), id) {
		return "", fmt.Errorf("%s is about ignores themselves; checks: {%s: off} turns it off", id, id)
	}
	return id, err
}

func target(word string) (string, error) {
	if err := profile.CheckRuntime(word); err != nil {
		var known []string
		for _, r := range profile.Runtimes() {
			known = append(known, r.Name)
		}
		if near := syscalls.NearestOf(word, known); near != "" {
			return "", fmt.Errorf("unknown target %q: did you mean %s?", clip(word), near)
		}
		return "", err
	}
	return word, nil
}

func oneArch(word string) (string, error) {
	a, err := syscalls.Lookup(word)
	if err != nil {
		return "", errors.New(err.Error()) // without the type, which means a fault of the command line
	}
	return a.Name, nil
}

func arch(word string) (string, error) {
	if word == "all" {
		return word, nil
	}
	return oneArch(word)
}

// capability takes what --cap takes.
func capability(word string) (string, error) {
	name := strings.ToUpper(word)
	if name == "NONE" || name == "ALL" {
		return strings.ToLower(word), nil
	}
	name = "CAP_" + strings.TrimPrefix(name, "CAP_")
	if known := profile.Capabilities(); !slices.Contains(known, name) {
		return "", fmt.Errorf("unknown capability %q%s", clip(word), suggest(name, known))
	}
	return name, nil
}

func kernel(word string) (string, error) {
	_, err := syscalls.ParseKernel(word)
	return word, err
}
