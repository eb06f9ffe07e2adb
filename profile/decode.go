package profile

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/profcheck/profcheck/syscalls"
)

// A decoder fills a Profile from a checked text. Its methods return a *ParseError for what the
// runtime of the format would refuse, and keep a Problem for what it would take in silence.
type decoder struct {
	src     tree
	file    string // the profile's name in places
	dialect dialect
	p       *Profile
	dropped int             // problems beyond maxProblems
	nearest map[string]hint // by unknown syscall name: the search is not cheap
}

// A hint is the answer to "is this a syscall, and if not, which is near".
type hint struct {
	known   bool
	nearest string
}

func (d *decoder) errorf(v value, path, format string, args ...any) error {
	return &ParseError{Pos: d.src.pos(v), Path: path, Reason: fmt.Sprintf(format, args...)}
}

func (d *decoder) problem(v value, kind Kind, path, name, format string, args ...any) {
	d.suggest(v, kind, path, name, "", format, args...)
}

func (d *decoder) suggest(v value, kind Kind, path, name, nearest, format string, args ...any) {
	if len(d.p.Problems) >= maxProblems {
		d.dropped++
		return
	}
	d.p.Problems = append(d.p.Problems, Problem{
		Pos: d.src.pos(v), Kind: kind, Path: path, Name: name, Nearest: nearest, Text: fmt.Sprintf(format, args...),
	})
}

// finish puts the problems in file order, says how many were cut, and returns the profile.
func (d *decoder) finish() *Profile {
	list := d.p.Problems
	sort.SliceStable(list, func(i, j int) bool {
		a, b := list[i].Pos, list[j].Pos
		return a.Line < b.Line || a.Line == b.Line && a.Column < b.Column
	})
	if d.dropped > 0 {
		d.p.Problems = append(list, Problem{
			Pos: Pos{File: d.file}, Kind: MoreProblems, Text: fmt.Sprintf("%d more problems of this kind", d.dropped),
		})
	}
	return d.p
}

// want checks the type of a value; kind is as tree.kind has it.
func (d *decoder) want(v value, path, kind string) error {
	if found := d.src.kind(v); found != kind {
		return d.errorf(v, path, "want %s, found %s", kind, found)
	}
	return nil
}

// A schema lists the keys of an object.
type schema struct {
	fields  []string // what both formats read
	docker  []string // what Docker reads besides
	foreign []string // what only Podman and CRI-O read besides
	absent  []string // what all others read and this format lacks
}

var (
	profileSchema = schema{
		fields:  []string{"defaultAction", "defaultErrnoRet", "architectures", "flags", "listenerPath", "listenerMetadata", "syscalls"},
		docker:  []string{"archMap"},
		foreign: []string{"defaultErrno"},
	}
	ruleSchema = schema{
		fields:  []string{"names", "action", "errnoRet", "args"},
		docker:  []string{"name", "comment", "includes", "excludes"},
		foreign: []string{"errno"},
	}
	argSchema     = schema{fields: []string{"index", "value", "valueTwo", "op"}}
	archMapSchema = schema{fields: []string{"architecture", "subArchitectures"}}
	filterSchema  = schema{fields: []string{"caps", "arches", "minKernel"}}
)

// object walks the object at v and calls f for each member that the format reads, under the
// schema's spelling of its key. null is an empty object, as in encoding/json.
func (d *decoder) object(v value, path string, s schema, f func(field string, key, val value) error) error {
	if d.src.isNull(v) {
		return nil
	}
	if err := d.want(v, path, "an object"); err != nil {
		return err
	}
	seen := map[string]bool{}
	return d.src.members(v, func(key, val value) error {
		text := d.src.text(key)
		field := d.field(key, path, text, s)
		name := field
		if name == "" {
			name = text
		}
		if seen[name] {
			d.problem(key, DuplicateKey, path, name, "the key %q came before in this object: the last one counts", name)
		}
		seen[name] = true
		if field == "" {
			return nil
		}
		return f(field, key, val)
	})
}

// field finds the schema's spelling of a key; "" if no format that is kept reads it. What only other
// readers than the format's own take is noted.
func (d *decoder) field(key value, path, text string, s schema) string {
	read := s.fields
	if d.dialect.docker {
		read = append(read[:len(read):len(read)], s.docker...)
	}
	if d.dialect.errnos {
		read = append(read[:len(read):len(read)], s.foreign...)
	}
	same := func(f string) bool { return f == text || !d.dialect.exact && strings.EqualFold(f, text) }
	if slices.Contains(read, text) {
		return text
	}
	for _, f := range read {
		if same(f) {
			d.problem(key, FieldCase, path, text, "the key %q is spelt %q in the format; readers in Go take it all the same", clip(text), f)
			return f
		}
	}
	for _, f := range s.docker {
		if same(f) {
			d.problem(key, IgnoredField, path, f, "%q is a field of Docker's format: %s ignores it", f, d.dialect.who)
			return ""
		}
	}
	for _, f := range s.foreign {
		if same(f) && !d.dialect.exact {
			d.problem(key, IgnoredField, path, f, "%q is a field of Podman and CRI-O: other runtimes ignore it", f)
			return f
		}
		if same(f) {
			d.problem(key, IgnoredField, path, f, "%q is a field of Podman and CRI-O: %s ignores it", f, d.dialect.who)
			return ""
		}
	}
	for _, f := range s.absent {
		if same(f) {
			d.problem(key, IgnoredField, path, f, "%q is a field of other formats: %s ignores it", f, d.dialect.who)
			return ""
		}
	}
	d.suggest(key, UnknownField, path, text, syscalls.NearestOf(text, read), "unknown field %q: ignored", clip(text))
	return ""
}

// errnoWord reads an errno of Podman's. Other readers take no notice of it, so nothing is refused.
func (d *decoder) errnoWord(v value) *ErrnoWord {
	switch d.src.kind(v) {
	case "null":
		return nil
	case "a string":
		return &ErrnoWord{Text: d.src.text(v), IsString: true, Pos: d.src.pos(v)}
	}
	return &ErrnoWord{Text: d.src.kind(v), Pos: d.src.pos(v)}
}

// str reads a string; null leaves it empty, as in encoding/json.
func (d *decoder) str(v value, path string) (string, error) {
	if d.src.isNull(v) {
		return "", nil
	}
	if err := d.want(v, path, "a string"); err != nil {
		return "", err
	}
	return d.src.text(v), nil
}

// list calls f for each element of an array; null is an empty one.
func (d *decoder) list(v value, path string, f func(i int, val value) error) error {
	if d.src.isNull(v) {
		return nil
	}
	if err := d.want(v, path, "an array"); err != nil {
		return err
	}
	return d.src.elements(v, f)
}

// words reads an array of strings.
func (d *decoder) words(v value, path string) ([]Name, error) {
	var names []Name
	err := d.list(v, path, func(i int, val value) error {
		text, err := d.str(val, path+"["+strconv.Itoa(i)+"]")
		names = append(names, Name{text, d.src.pos(val)})
		return err
	})
	return names, err
}

// unsigned reads a whole number from 0 to limit; null gives false.
func (d *decoder) unsigned(v value, path string, limit uint64) (uint64, bool, error) {
	if d.src.isNull(v) {
		return 0, false, nil
	}
	if err := d.want(v, path, "a number"); err != nil {
		return 0, false, err
	}
	text := d.src.number(v)
	switch {
	case text[0] == '-':
		return 0, false, d.errorf(v, path, "negative number %s", clip(text))
	case strings.ContainsAny(text, ".eE"):
		return 0, false, d.errorf(v, path, "%s is not written as a whole number", clip(text))
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n > limit {
		return 0, false, d.errorf(v, path, "number %s > %d", clip(text), limit)
	}
	return n, true, nil
}

// clip shortens a word of the file for a message.
func clip(text string) string {
	const most = 64
	if len(text) <= most {
		return text
	}
	return text[:most] + "..."
}

// oneLine is a word of the file without what would break a line or a terminal.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if strconv.IsPrint(r) {
			return r
		}
		return '?'
	}, text)
}

// oneOf checks a word against a list and names the nearest.
func (d *decoder) oneOf(v value, path, what, word string, words []string) error {
	for _, w := range words {
		if w == word {
			return nil
		}
	}
	if word == "" {
		return d.errorf(v, path, "empty %s", what)
	}
	if near := nearest(word, words); near != "" {
		return d.errorf(v, path, "unknown %s %q; did you mean %s?", what, clip(word), near)
	}
	return d.errorf(v, path, "unknown %s %q", what, clip(word))
}

// nearest is syscalls.NearestOf, except that a word without its prefix counts as the word:
// "allow" is SCMP_ACT_ALLOW.
func nearest(word string, words []string) string {
	for _, w := range words {
		if strings.HasSuffix(w, "_"+strings.ToUpper(word)) {
			return w
		}
	}
	return syscalls.NearestOf(word, words)
}

// lookup answers a hint from the table or the cache.
func (d *decoder) lookup(name string) hint {
	h, ok := d.nearest[name]
	if !ok {
		h.known = syscalls.Known(name)
		// The bound keeps a file of a hundred thousand invented names cheap.
		if !h.known && len(d.nearest) < maxProblems {
			h.nearest = syscalls.Nearest(name)
		}
		if d.nearest == nil {
			d.nearest = map[string]hint{}
		}
		d.nearest[name] = h
	}
	return h
}
