package profiletest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/syscalls"
)

// MaxFile is the size in bytes of the largest file of expectations that Parse reads.
const MaxFile = 1 << 20

// The keys of a file, and of an expectation.
var (
	circumstanceKeys = []string{"targets", "arches", "caps", "kernel"}
	fileKeys         = append([]string{"profile", "expect"}, circumstanceKeys...)
	expectationKeys  = append(append([]string{"with"}, verbs...), circumstanceKeys...)
)

// Parse reads a file of expectations; the name is used in messages, and the profile's path is
// relative to its folder. The error is a *FileError.
func Parse(name string, data []byte) (*File, error) {
	f := &File{Name: name}
	if len(data) > MaxFile {
		return nil, f.fault(0, 0, fmt.Errorf("larger than %d bytes", MaxFile))
	}
	root, err := f.document(data)
	if err != nil {
		return nil, err
	}
	keys, err := f.mapping(root, "a file of expectations", fileKeys)
	if err != nil {
		return nil, err
	}
	if err := f.readCircumstances(keys, &f.circumstances); err != nil {
		return nil, err
	}
	if n := keys["profile"]; n == nil {
		return nil, f.at(root, "no profile: want a path, or the name of a built-in")
	} else if f.Profile, err = f.word(n); err != nil {
		return nil, err
	} else {
		f.profileLine, f.profileColumn = n.Line, n.Column
	}
	list := keys["expect"]
	if list == nil {
		return nil, f.at(root, "no expect: want a list of expectations")
	}
	if list.Kind != yaml.SequenceNode || len(list.Content) == 0 {
		return nil, f.at(list, "expect: want a list of expectations")
	}
	for _, n := range list.Content {
		e, err := f.readExpectation(n)
		if err != nil {
			return nil, err
		}
		f.expectations = append(f.expectations, e)
	}
	return f, f.checkDuplicates()
}

// document reads the one YAML document.
func (f *File) document(data []byte) (*yaml.Node, error) {
	var doc, second yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF) || err == nil && len(doc.Content) == 0:
		return nil, f.fault(0, 0, errors.New("the file is empty"))
	case err != nil:
		return nil, f.syntax(err)
	}
	switch err := dec.Decode(&second); {
	case err == nil:
		return nil, f.at(&second, "a second document")
	case !errors.Is(err, io.EOF):
		return nil, f.syntax(err)
	}
	return doc.Content[0], nil
}

// yamlLine finds the line in an error of the YAML library, which has no type for it.
var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// syntax gives an error of the YAML library its place; the library tells no column.
func (f *File) syntax(err error) error {
	text := err.Error()
	m := yamlLine.FindStringSubmatch(text)
	line := 1
	if m != nil {
		text = text[len(m[0]):]
		if v, err := strconv.Atoi(m[1]); err == nil {
			line = max(v, 1)
		}
	}
	return f.fault(line, 1, errors.New(strings.ReplaceAll(text, "\n", " ")))
}

// at makes an error at a node.
func (f *File) at(n *yaml.Node, format string, args ...any) error {
	return f.fault(n.Line, n.Column, fmt.Errorf(format, args...))
}

// mapping reads a mapping with known keys, each once.
func (f *File) mapping(n *yaml.Node, what string, known []string) (map[string]*yaml.Node, error) {
	if n.Kind != yaml.MappingNode {
		return nil, f.at(n, "%s is a mapping with the keys %s", what, strings.Join(known, ", "))
	}
	keys := make(map[string]*yaml.Node)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		key, err := f.word(k)
		if err != nil {
			return nil, err
		}
		found := false
		for _, word := range known {
			found = found || word == key
		}
		if !found {
			return nil, f.at(k, "unknown key %q%s", key, suggest(key, known))
		}
		if keys[key] != nil {
			return nil, f.at(k, "the key %s is there twice", key)
		}
		keys[key] = n.Content[i+1]
	}
	return keys, nil
}

// word reads a scalar as it is written: 5.10 is no number here.
func (f *File) word(n *yaml.Node) (string, error) {
	switch {
	case n.Kind == yaml.AliasNode:
		return "", f.at(n, "aliases are not read")
	case n.Kind != yaml.ScalarNode:
		return "", f.at(n, "want a word")
	case strings.TrimSpace(n.Value) == "" || n.Tag == "!!null":
		return "", f.at(n, "want a word, found nothing")
	}
	return n.Value, nil
}

// words reads a word or a list of them.
func (f *File) words(n *yaml.Node) ([]*yaml.Node, error) {
	list := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		if list = n.Content; len(list) == 0 {
			return nil, f.at(n, "an empty list")
		}
	}
	for _, item := range list {
		if _, err := f.word(item); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (f *File) readExpectation(n *yaml.Node) (*expectation, error) {
	keys, err := f.mapping(n, "an expectation", expectationKeys)
	if err != nil {
		return nil, err
	}
	e := &expectation{line: n.Line, column: n.Column}
	var about *yaml.Node
	for _, verb := range verbs {
		if keys[verb] == nil {
			continue
		}
		if e.verb != "" {
			return nil, f.at(keys[verb], "%s and %s in one expectation", e.verb, verb)
		}
		e.verb, about = verb, keys[verb]
	}
	if e.verb == "" {
		return nil, f.at(n, "want one of %s", orWords(verbs))
	}
	list, err := f.words(about)
	if err != nil {
		return nil, err
	}
	for _, item := range list {
		c, err := parseCalls(item.Value)
		if err != nil {
			return nil, f.fault(item.Line, column(item, offset(err)), err)
		}
		c.line, c.column = item.Line, item.Column
		e.calls = append(e.calls, c)
	}
	if n := keys["with"]; n != nil {
		list, err := f.words(n)
		if err != nil {
			return nil, err
		}
		for _, item := range list {
			if err := e.addWith(item.Value); err != nil {
				return nil, f.fault(item.Line, item.Column, err)
			}
		}
	}
	return e, f.readCircumstances(keys, &e.circumstances)
}

// column is that of a byte of a word on one line.
func column(n *yaml.Node, offset int) int {
	switch n.Style &^ yaml.TaggedStyle {
	case yaml.SingleQuotedStyle, yaml.DoubleQuotedStyle:
		return n.Column + 1 + offset
	case yaml.LiteralStyle, yaml.FoldedStyle:
		return n.Column
	}
	return n.Column + offset
}

func (f *File) readCircumstances(keys map[string]*yaml.Node, c *circumstances) error {
	each := func(key string, add func(n *yaml.Node) error) error {
		n := keys[key]
		if n == nil {
			return nil
		}
		list, err := f.words(n)
		if err != nil {
			return err
		}
		for _, item := range list {
			if err := add(item); err != nil {
				return f.fault(item.Line, item.Column, fmt.Errorf("%s: %w", key, err))
			}
		}
		return nil
	}
	for _, err := range []error{
		each("targets", func(n *yaml.Node) error { return c.addTarget(n.Value, n.Line, n.Column) }),
		each("arches", func(n *yaml.Node) error { return c.addArch(n.Value, n.Line, n.Column) }),
		each("caps", func(n *yaml.Node) error { return c.addCap(n.Value, n.Line, n.Column) }),
		each("kernel", func(n *yaml.Node) error { return c.setKernel(n.Value) }),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *circumstances) addTarget(word string, line, column int) error {
	for _, t := range c.targets {
		if t.value == word {
			return fmt.Errorf("%s is there twice", word)
		}
	}
	if err := checkTarget(word); err != nil {
		return err
	}
	c.targets = append(c.targets, place[string]{word, line, column})
	return nil
}

func (c *circumstances) addArch(word string, line, column int) error {
	a, err := syscalls.Lookup(word)
	if err != nil {
		return err
	}
	for _, other := range c.arches {
		if other.value == a {
			return fmt.Errorf("%s is there twice", a.Name)
		}
	}
	c.arches = append(c.arches, place[*syscalls.Arch]{a, line, column})
	return nil
}

func (c *circumstances) addCap(word string, line, column int) error {
	c.capsSet = true
	name := strings.ToUpper(word)
	if name != "NONE" && name != "ALL" {
		name = "CAP_" + strings.TrimPrefix(name, "CAP_")
		known := false
		for _, k := range profile.Capabilities() {
			known = known || k == name
		}
		if !known {
			return fmt.Errorf("unknown capability %q%s", word, suggest(name, profile.Capabilities()))
		}
	}
	c.caps = append(c.caps, place[string]{name, line, column})
	return nil
}

func (c *circumstances) setKernel(word string) (err error) {
	if c.kernel != (syscalls.Kernel{}) {
		return errors.New("more than one")
	}
	c.kernel, err = syscalls.ParseKernel(word)
	return err
}

// suggest ends a message about an unknown word.
func suggest(word string, known []string) string {
	if near := syscalls.NearestOf(word, known); near != "" {
		return ": did you mean " + near + "?"
	}
	if len(known) <= 10 {
		return ": want " + orWords(known)
	}
	return ""
}
