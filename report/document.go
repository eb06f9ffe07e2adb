package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Version is the version of the JSON contract that every document carries.
const Version = 1

// MaxDocument is the size in bytes of the largest document that Decode reads.
const MaxDocument = 256 << 20

// Document is one result: a pointer to one of this package's document types.
type Document interface {
	// kind is the name of the document's schema.
	kind() string
	// check reports the first thing in the document that the contract does not allow.
	check() error
}

// Kind returns the name of a document's type, which is that of its schema: "scan", "check", ...
func Kind(d Document) string { return d.kind() }

// kinds tells documents apart by the fields that only they have. The order matters where one kind
// has all the fields of another.
var kinds = []struct {
	fields []string
	fresh  func() Document
}{
	{[]string{"binaries", "verdict"}, func() Document { return new(Check) }},
	{[]string{"binaries"}, func() Document { return new(Scan) }},
	{[]string{"why"}, func() Document { return new(Why) }},
	{[]string{"findings"}, func() Document { return new(Lint) }},
	{[]string{"action", "syscall"}, func() Document { return new(Simulate) }},
	{[]string{"relation", "changes"}, func() Document { return new(Diff) }},
	{[]string{"verified"}, func() Document { return new(Verify) }},
	{[]string{"filter", "listing"}, func() Document { return new(Listing) }},
	{[]string{"mismatches"}, func() Document { return new(Vectors) }},
	{[]string{"passed", "files"}, func() Document { return new(Expect) }},
	{[]string{"arches"}, func() Document { return new(Table) }},
	{[]string{"numbers"}, func() Document { return new(Resolve) }},
	{[]string{"explain"}, func() Document { return new(Explain) }},
	{[]string{"checks"}, func() Document { return new(Rules) }},
	{[]string{"builtins"}, func() Document { return new(Profiles) }},
	{[]string{"defaults", "features"}, func() Document { return new(Targets) }},
	{[]string{"module"}, func() Document { return new(About) }},
	{[]string{"settings"}, func() Document { return new(Config) }},
}

// ErrNotReport is what Decode wraps for JSON that is none of this package's documents.
var ErrNotReport = errors.New("not a report of profcheck")

// Decode reads one document and holds it against the contract: the version, the fields that must be
// there, the words that are allowed. Unknown fields are ignored, since later versions may add some.
// Errors say where in the text the fault is, as line:column, or in which field.
func Decode(r io.Reader) (Document, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxDocument+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxDocument {
		return nil, fmt.Errorf("larger than %d bytes", MaxDocument)
	}
	var top map[string]json.RawMessage
	if err := json.Unmarshal(data, &top); err != nil {
		return nil, place(data, err)
	}
	doc := choose(top)
	if doc == nil {
		return nil, ErrNotReport
	}
	var version int
	if err := json.Unmarshal(top["version"], &version); err != nil || version != Version {
		return nil, fmt.Errorf("%w of version %d", ErrNotReport, Version)
	}
	if err := json.Unmarshal(data, doc); err != nil {
		return nil, place(data, err)
	}
	if err := doc.check(); err != nil {
		return nil, err
	}
	return doc, nil
}

func choose(top map[string]json.RawMessage) Document {
next:
	for _, k := range kinds {
		for _, f := range k.fields {
			if _, ok := top[f]; !ok {
				continue next
			}
		}
		return k.fresh()
	}
	return nil
}

// place turns the byte offsets of encoding/json's errors into line:column.
func place(data []byte, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("%s: %w", lineColumn(data, syntax.Offset), err)
	case errors.As(err, &kind):
		field := kind.Field
		if field == "" {
			field = "the document"
		}
		return fmt.Errorf("%s: %s is a JSON %s, want %s", lineColumn(data, kind.Offset), field, kind.Value, goKind(kind))
	}
	return err
}

// goKind names in JSON's words what the document wanted.
func goKind(err *json.UnmarshalTypeError) string {
	switch name := err.Type.Kind().String(); name {
	case "struct", "map", "ptr":
		return "an object"
	case "slice":
		return "an array"
	case "bool":
		return "true or false"
	case "string":
		return "a string"
	default:
		return "a number (" + name + ")"
	}
}

// lineColumn counts from 1, columns in bytes. The offset is that after the offending byte.
func lineColumn(data []byte, offset int64) string {
	at := max(0, min(int(offset)-1, len(data)))
	line := 1 + bytes.Count(data[:at], []byte("\n"))
	column := at - bytes.LastIndexByte(data[:at], '\n')
	return fmt.Sprintf("%d:%d", line, column)
}
