package profile

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ReadOptions are what Read can be told.
type ReadOptions struct {
	// Format is the file's, a name of Formats; "" recognises it.
	Format string
	// Root is the folder below which the files are that a file refers to: base profiles, profiles of
	// containers, includes. Without one they are not read, and a Problem says so.
	Root string
	// Load reads such a file by its path relative to Root; nil is the file system, where neither ".."
	// nor a symbolic link leads out of Root.
	Load func(path string) ([]byte, error)
	// SeccompDefault: the kubelet runs with --seccomp-default, so a container of a manifest that asks for
	// no profile gets the runtime's own.
	SeccompDefault bool
}

// Read reads all profiles of a text, whatever its format: it can have several documents, and a
// document several profiles. The name is used in messages and places only. With more than one, each
// profile's Name is NAME#PART. A text without any is refused. The error is a *ParseError, of the
// first part that is refused; the others are returned beside it.
func Read(name string, data []byte, o ReadOptions) ([]*Profile, error) {
	if err := checkFormat(name, o.Format); err != nil {
		return nil, err
	}
	f := &file{name: name, data: data, options: o}
	err := f.read()
	f.nameParts()
	return f.profiles, err
}

// A file is a text while it is read.
type file struct {
	name     string
	data     []byte
	options  ReadOptions
	docs     []document // of JSON and YAML, all of them
	format   *format    // of what is being read
	profiles []*Profile
	bases    map[string]baseDoc // by name, once they were looked for
	skipped  []skipped          // the documents that hold no profile

	localhosts map[string]localhost // by path: profiles of containers
	defaults   map[string]*Profile  // by name: built-ins that containers ask for
}

// errorf is an error about a place of the file.
func (f *file) errorf(pos Pos, format string, args ...any) error {
	return &ParseError{Pos: pos, Reason: fmt.Sprintf(format, args...)}
}

// decoder starts a profile of the file's format.
func (f *file) decoder(doc document) *decoder {
	return &decoder{
		src: doc.tree, file: f.name, dialect: f.format.dialect,
		p: &Profile{Name: f.name, Format: f.format.name, Pos: doc.pos(doc.root)},
	}
}

// add adds a profile; part tells it from others of the file.
func (f *file) add(p *Profile, part string) {
	p.Part = oneLine(part)
	f.profiles = append(f.profiles, p)
}

// skipped is a document, or a part of one, that holds no profile.
type skipped struct {
	pos  Pos
	what string // what it is instead: "a ConfigMap"
}

// skip notes what holds no profile.
func (f *file) skip(pos Pos, what string) { f.skipped = append(f.skipped, skipped{pos, what}) }

// nameParts gives each of several profiles a name of its own.
func (f *file) nameParts() {
	if len(f.profiles) == 1 {
		f.profiles[0].Part = ""
		return
	}
	seen := map[string]int{}
	for i, p := range f.profiles {
		if p.Part == "" {
			p.Part = fmt.Sprint(i + 1)
		}
		part := p.Part
		for seen[p.Part] > 0 {
			seen[part]++
			p.Part = fmt.Sprintf("%s (%d)", part, seen[part])
		}
		seen[p.Part]++
		p.Name = f.name + "#" + p.Part
	}
}

// read tells the notation and reads the file.
func (f *file) read() error {
	first := func(reason string) error { return f.errorf(Pos{f.name, 1, 1}, "%s", reason) }
	if bytes.HasPrefix(f.data, []byte("\x7fELF")) {
		return first("is an ELF binary, not a profile")
	}
	asked := formatNamed(f.options.Format)
	for _, g := range formats {
		if g.readText != nil && (g == asked || asked == nil && g.isText(f.data)) {
			f.format = g
			return f.checked(g.readText(f))
		}
	}
	var err error
	if f.docs, err = documents(f.name, f.data); err != nil {
		var bad *ParseError
		if errors.As(err, &bad) && bytes.Contains(f.data, []byte("{{")) {
			bad.Reason += " (it looks like a template: render it first)"
		}
		return err
	}
	f.docs = lists(f.docs)
	for _, doc := range f.docs {
		g := asked
		for _, h := range formats {
			if g == nil && h.is != nil && h.is(doc) {
				g = h
			}
		}
		if g == nil {
			f.skip(doc.pos(doc.root), describe(doc))
			continue
		}
		f.format = g
		if bad := g.read(f, doc); err == nil {
			err = bad
		}
	}
	return f.checked(err)
}

// lists takes the items out of Kubernetes lists, which are documents of their own.
func lists(docs []document) (out []document) {
	for _, doc := range docs {
		items := doc.member(doc.root, "items")
		if items == 0 || !strings.HasSuffix(doc.word(doc.root, "kind"), "List") || doc.kind(items) != "an array" {
			out = append(out, doc)
			continue
		}
		// The callback never fails.
		_ = doc.elements(items, func(_ int, item value) error {
			out = append(out, document{doc.tree, item, doc.yaml})
			return nil
		})
	}
	return out
}

// checked is the error of a file that was read: it has to hold something.
func (f *file) checked(err error) error {
	switch {
	case err != nil || len(f.profiles) > 0:
		return err
	case len(f.skipped) > 0:
		var words []string
		for _, s := range f.skipped {
			if !slices.Contains(words, s.what) && len(words) < 4 {
				words = append(words, s.what)
			}
		}
		return f.errorf(f.skipped[0].pos, "no profile: %s", strings.Join(words, ", "))
	}
	return f.errorf(Pos{f.name, 1, 1}, "empty input: not even an empty object")
}

// describe says what a document is that no format recognises.
func describe(doc document) string {
	if kind := doc.word(doc.root, "kind"); kind != "" {
		if _, pod := podPaths[kind]; pod {
			return "a " + kind + " without containers for Linux"
		}
		return "a " + clip(oneLine(kind))
	}
	if doc.member(doc.root, "defaultAction") != 0 {
		return "a profile of Docker's or the OCI's in YAML, which they read as JSON only"
	}
	return "YAML of no known format"
}

// documents reads the JSON value or the YAML documents of a text. What begins like a JSON object or
// array is JSON, which YAML contains, but with clearer errors.
func documents(name string, data []byte) ([]document, error) {
	text := bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), " \t\r\n")
	utf16 := bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff"))
	if utf16 || len(text) > 0 && !bytes.ContainsAny(text[:1], "{[") && looksLikeYAML(data) {
		return yamlDocuments(name, data)
	}
	src, root, bad := newSource(name, data)
	if bad != nil {
		return nil, &ParseError{Pos: src.at(bad.off), Reason: bad.reason}
	}
	return []document{{tree: src, root: root}}, nil
}

// load reads a file that the file refers to, bounded, below Root. The error names no path.
func (f *file) load(path string) ([]byte, error) {
	if f.options.Load != nil {
		return f.options.Load(path)
	}
	if f.options.Root == "" {
		return nil, fmt.Errorf("no root is given to look in")
	}
	root, err := os.OpenRoot(f.options.Root)
	if err != nil {
		return nil, bare(err)
	}
	defer root.Close()
	path = filepath.Clean(strings.TrimLeft(path, "/"))
	file, err := root.Open(path)
	if err != nil {
		return nil, bare(err)
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("no regular file")
	}
	return readAtMost(file, maxFile)
}
