package profile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxFile bounds a file of several documents, in bytes; each of them is bound as a profile is.
// Rendered manifests of a whole cluster have a few million.
const maxFile = 16 << 20

// maxNodes bounds the values of a document with its aliases written out: twice as many as the
// longest document can have of its own.
const maxNodes = 1 << 20

// A yamlTree is one YAML document with its aliases written out: a value is the index of a node. It
// is a tree.
type yamlTree struct {
	file  *yamlFile
	first int // line of the file before the document's first
	nodes []yamlNode
}

type yamlNode struct {
	*yaml.Node
	kids []value // of a mapping key and value by turns
}

// A yamlFile knows where its lines begin: by line feeds, as people's tools count them, and by all the
// breaks that YAML has, as the library counts.
type yamlFile struct {
	name          string
	data          []byte
	lines, breaks []int
}

func newYAMLFile(name string, data []byte) *yamlFile {
	f := &yamlFile{name: name, data: data, lines: []int{0}, breaks: []int{0}}
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case c == '\n':
			f.lines, f.breaks = append(f.lines, i+1), append(f.breaks, i+1)
		case c == '\r' && (i+1 == len(data) || data[i+1] != '\n'):
			f.breaks = append(f.breaks, i+1)
		case c == 0xc2 && bytes.HasPrefix(data[i:], []byte("\u0085")):
			f.breaks = append(f.breaks, i+2)
		case c == 0xe2 && (bytes.HasPrefix(data[i:], []byte("\u2028")) || bytes.HasPrefix(data[i:], []byte("\u2029"))):
			f.breaks = append(f.breaks, i+3)
		}
	}
	return f
}

// at turns an offset into a place.
func (f *yamlFile) at(off int) Pos {
	line := sort.SearchInts(f.lines, off+1) - 1
	return Pos{File: f.name, Line: line + 1, Column: off - f.lines[line] + 1}
}

// pos turns a line and a column of the library's, which counts characters, into a place.
func (f *yamlFile) pos(line, column int) Pos {
	off := len(f.data)
	if line >= 1 && line <= len(f.breaks) {
		off = f.breaks[line-1]
	}
	for i := 1; i < column && off < len(f.data); i++ {
		_, n := utf8.DecodeRune(f.data[off:])
		off += n
	}
	return f.at(off)
}

// yamlDocuments reads the documents of a text. Empty ones are left out. The error is a *ParseError
// about the first document that is no YAML; the documents before it are returned beside it.
func yamlDocuments(name string, data []byte) ([]document, error) {
	f := newYAMLFile(name, data)
	switch {
	case len(data) > maxFile:
		return nil, &ParseError{Pos: f.at(0), Reason: fmt.Sprintf("more than %d bytes, which is the limit for a file", maxFile)}
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return nil, &ParseError{Pos: f.at(0), Reason: "UTF-16: want UTF-8"}
	}
	if off, reason := badCharacter(data); reason != "" {
		return nil, &ParseError{Pos: f.at(off), Reason: reason}
	}
	var all []document
	for start := 0; start < len(data); {
		end, content := documentEnd(data, start)
		if content {
			list, err := f.chunk(start, end)
			if all = append(all, list...); err != nil {
				return all, err
			}
		}
		if len(all) > maxDocuments {
			return all, &ParseError{Pos: f.at(start), Reason: fmt.Sprintf("more than %d documents", maxDocuments)}
		}
		start = end
	}
	return all, nil
}

// badCharacter finds what YAML does not take as text.
func badCharacter(data []byte) (off int, reason string) {
	for off < len(data) {
		if c := data[off]; c >= ' ' && c < 0x7f || c == '\n' || c == '\t' || c == '\r' {
			off++
			continue
		}
		r, n := utf8.DecodeRune(data[off:])
		switch {
		case r == 0:
			return off, "a NUL byte"
		case r == utf8.RuneError && n <= 1:
			return off, fmt.Sprintf("the byte %#02x, which is no UTF-8", data[off])
		case r < 0xa0 && r != 0x85:
			return off, fmt.Sprintf("the control character %#02x", r)
		}
		off += n
	}
	return 0, ""
}

// maxDocuments bounds the documents of a file.
const maxDocuments = 10000

// documentEnd finds the mark that ends the document at start: a line that begins with three dashes, which
// stays with the next document. Directives stay with the document that they are for. content is
// whether there is more than marks and comments.
func documentEnd(data []byte, start int) (end int, content bool) {
	marked := false
	for off := start; off < len(data); {
		line := data[off:]
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			line = line[:i+1]
		}
		mark := bytes.HasPrefix(line, []byte("---")) && (len(line) == 3 || strings.ContainsRune(" \t\r\n", rune(line[3])))
		if mark && (content || marked) {
			return off, content
		}
		text := bytes.TrimSpace(line)
		if mark {
			marked, text = true, bytes.TrimSpace(text[3:])
		}
		content = content || len(text) > 0 && text[0] != '#' && text[0] != '%'
		off += len(line)
	}
	return len(data), content
}

// chunk reads the text from start to end, which is mostly one document.
func (f *yamlFile) chunk(start, end int) ([]document, error) {
	first := sort.SearchInts(f.breaks, start+1) - 1
	if end-start > maxInput {
		return nil, &ParseError{Pos: f.at(start), Reason: fmt.Sprintf("more than %d bytes, which is the limit for a document", maxInput)}
	}
	var all []document
	dec := yaml.NewDecoder(bytes.NewReader(f.data[start:end]))
	for {
		var n yaml.Node
		err := dec.Decode(&n)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, f.syntax(err, first)
		}
		if len(n.Content) == 0 || isEmptyNode(n.Content[0]) {
			continue
		}
		t := &yamlTree{file: f, first: first, nodes: make([]yamlNode, 1)}
		root, bad := t.add(n.Content[0], 0, map[*yaml.Node]bool{})
		if bad != nil {
			return all, bad
		}
		all = append(all, document{tree: t, root: root, yaml: true})
	}
}

// isEmptyNode tells a document without a value, such as a comment between two marks, from one that
// says null.
func isEmptyNode(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Value == "" && n.ShortTag() == "!!null"
}

// yamlLine finds the line in an error of the library, which has no type for it.
var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// syntax gives an error of the library its place. It tells the line only, from the beginning of the
// document; the column is that of the first character there.
func (f *yamlFile) syntax(err error, first int) error {
	text, line := err.Error(), 1
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		text = text[len(m[0]):]
		if v, err := strconv.Atoi(m[1]); err == nil {
			line = v
		}
	}
	line = min(first+line, len(f.breaks))
	off := f.breaks[line-1]
	for off < len(f.data) && f.data[off] == ' ' {
		off++
	}
	return &ParseError{Pos: f.at(off), Reason: "no YAML: " + clip(strings.ReplaceAll(text, "\n", " "))}
}

// add copies a node with all below it; open are the anchors that it stands in.
func (t *yamlTree) add(n *yaml.Node, depth int, open map[*yaml.Node]bool) (value, *ParseError) {
	use := n
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	refuse := func(reason string) *ParseError {
		return &ParseError{Pos: t.file.pos(t.first+use.Line, use.Column), Reason: reason}
	}
	switch {
	case open[n]:
		return 0, refuse(fmt.Sprintf("the alias *%s stands in what it stands for", clip(use.Value)))
	case depth > maxDepth:
		return 0, refuse(fmt.Sprintf("more than %d levels of nesting", maxDepth))
	case len(t.nodes) >= maxNodes:
		return 0, refuse(fmt.Sprintf("more than %d values with the aliases written out", maxNodes))
	}
	v := value(len(t.nodes))
	t.nodes = append(t.nodes, yamlNode{Node: n})
	if len(n.Content) == 0 {
		return v, nil
	}
	if n.Anchor != "" {
		open[n] = true
		defer delete(open, n)
	}
	kids := make([]value, 0, len(n.Content))
	for i, c := range n.Content {
		kid, bad := t.add(c, depth+1, open)
		if bad != nil {
			return 0, bad
		}
		if n.Kind == yaml.MappingNode && i%2 == 0 && len(t.nodes[kid].kids) > 0 {
			return 0, &ParseError{Pos: t.pos(kid), Reason: "a key that is no word"}
		}
		kids = append(kids, kid)
	}
	t.nodes[v].kids = kids
	return v, nil
}

// yamlStart recognises the beginning of YAML: the mark of a document, a directive, or a mapping, after comments.
var yamlStart = regexp.MustCompile(`^(\x{feff})?([ \t\r]*(#[^\n]*)?\n)*(---([ \t\r\n]|$)|%[A-Z]|\s*(- )*(["']?[A-Za-z][\w./-]*["']?|<<)[ \t]*:([ \t\r\n]|$))`)

func looksLikeYAML(data []byte) bool { return yamlStart.Match(data) }
