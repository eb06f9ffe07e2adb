package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/syscalls"
)

// A reader turns the nodes of one file into values, with errors that say where.
type reader struct{ file string }

func (r reader) pos(n *yaml.Node) finding.Pos {
	return finding.Pos{File: r.file, Line: n.Line, Column: n.Column}
}

// at makes an error at a node.
func (r reader) at(n *yaml.Node, format string, args ...any) error {
	return &Error{r.pos(n), fmt.Errorf(format, args...)}
}

// document reads the one YAML document.
func (r reader) document(data []byte) (*yaml.Node, error) {
	if len(data) > MaxFile {
		return nil, &Error{finding.Pos{File: r.file}, fmt.Errorf("larger than %d bytes", MaxFile)}
	}
	var doc, second yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF) || err == nil && len(doc.Content) == 0:
		return nil, &Error{finding.Pos{File: r.file}, errors.New("the file is empty: want version: 1")}
	case err != nil:
		return nil, r.syntax(err)
	}
	switch err := dec.Decode(&second); {
	case err == nil:
		return nil, r.at(&second, "a second document")
	case !errors.Is(err, io.EOF):
		return nil, r.syntax(err)
	}
	return doc.Content[0], nil
}

// yamlLine finds the line in an error of the YAML library, which has no type for it.
var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// syntax gives an error of the YAML library its place; the library tells no column.
func (r reader) syntax(err error) error {
	text, line := err.Error(), 1
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		text = text[len(m[0]):]
		if v, err := strconv.Atoi(m[1]); err == nil {
			line = max(v, 1)
		}
	}
	text = strings.ReplaceAll(text, "\n", " ")
	return &Error{finding.Pos{File: r.file, Line: line, Column: 1}, errors.New(text)}
}

// entry is one key of a mapping with its value.
type entry struct{ key, value *yaml.Node }

// entries reads a mapping, whose keys are words, each once.
func (r reader) entries(n *yaml.Node, want string) ([]entry, error) {
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		return nil, r.at(n, "anchors and aliases are not read")
	case n.Kind != yaml.MappingNode:
		return nil, r.at(n, "want %s", want)
	}
	seen := make(map[string]bool)
	var out []entry
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, err := r.word(n.Content[i])
		if err != nil {
			return nil, err
		}
		if seen[key.Text] {
			return nil, r.at(n.Content[i], "the key %s is there twice", key.Text)
		}
		seen[key.Text] = true
		out = append(out, entry{n.Content[i], n.Content[i+1]})
	}
	return out, nil
}

// A field is a key that a mapping can have.
type field struct {
	key  string
	read func(n *yaml.Node) error
}

// mapping reads a mapping with known keys. It returns the values that are there.
func (r reader) mapping(n *yaml.Node, what string, fields []field) (map[string]*yaml.Node, error) {
	var known []string
	for _, f := range fields {
		known = append(known, f.key)
	}
	list, err := r.entries(n, what+", a mapping with the keys "+strings.Join(known, ", "))
	if err != nil {
		return nil, err
	}
	found := make(map[string]*yaml.Node)
next:
	for _, e := range list {
		for _, f := range fields {
			if f.key != e.key.Value {
				continue
			}
			if err := f.read(e.value); err != nil {
				return nil, err
			}
			found[f.key] = e.value
			continue next
		}
		return nil, r.at(e.key, "unknown key %q%s", clip(e.key.Value), suggest(e.key.Value, known))
	}
	return found, nil
}

// word reads a scalar as it is written: 5.10 is no number here, and off no truth value.
func (r reader) word(n *yaml.Node) (Word, error) {
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		return Word{}, r.at(n, "anchors and aliases are not read")
	case n.Kind != yaml.ScalarNode:
		return Word{}, r.at(n, "want a word")
	case strings.TrimSpace(n.Value) == "" || n.Tag == "!!null":
		return Word{}, r.at(n, "want a word, found nothing")
	}
	return Word{n.Value, r.pos(n)}, nil
}

// one makes a reader of one word into a variable. check may change the word, and say what is wrong with it.
func (r reader) one(to *Word, check func(word string) (string, error)) func(*yaml.Node) error {
	return func(n *yaml.Node) error {
		w, err := r.word(n)
		if err != nil {
			return err
		}
		if w.Text, err = check(w.Text); err != nil {
			return r.at(n, "%w", err)
		}
		*to = w
		return nil
	}
}

// many makes a reader of a word, or of a list of different words.
func (r reader) many(check func(word string) (string, error), add func(Word)) func(*yaml.Node) error {
	return func(n *yaml.Node) error {
		list := []*yaml.Node{n}
		if n.Kind == yaml.SequenceNode && n.Anchor == "" {
			if list = n.Content; len(list) == 0 {
				return r.at(n, "an empty list")
			}
		}
		seen := make(map[string]bool)
		for _, item := range list {
			var w Word
			if err := r.one(&w, check)(item); err != nil {
				return err
			}
			if seen[w.Text] {
				return r.at(item, "%s is there twice", clip(w.Text))
			}
			seen[w.Text] = true
			add(w)
		}
		return nil
	}
}

// items makes a reader of a list of something.
func (r reader) items(what string, read func(*yaml.Node) error) func(*yaml.Node) error {
	return func(n *yaml.Node) error {
		if n.Kind != yaml.SequenceNode || n.Anchor != "" {
			return r.at(n, "want a list of %s", what)
		}
		for _, item := range n.Content {
			if err := read(item); err != nil {
				return err
			}
		}
		return nil
	}
}

// suggest ends a message about an unknown word: with the nearest known one, or with all of them if
// they are few.
func suggest(word string, known []string) string {
	if near := syscalls.NearestOf(word, known); near != "" {
		return ": did you mean " + near + "?"
	}
	if len(known) <= 8 {
		return ": " + strings.Join(known, ", ")
	}
	return ""
}

// clip keeps a word of a file short in a message.
func clip(word string) string {
	if runes := []rune(word); len(runes) > 60 {
		return string(runes[:60]) + "..."
	}
	return word
}
