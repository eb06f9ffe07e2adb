package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write schemas and golden texts instead of comparing them")

// enums are the words that a field can hold, where these are few.
var enums = map[string][]string{
	"Binary.Kind": binaryKinds, "Need.Class": classes, "Site.Class": classes, "Gap.Kind": gapKinds,
	"Frame.Edge":    {"call", "inline", "reference", "interface"},
	"Check.Verdict": verdicts, "Program.Verdict": verdicts, "Outcome.Outcome": outcomes, "Outcome.Class": classes,
	"Finding.Severity": severities, "CheckInfo.Severity": severities,
	"Feature.By": deciders, "FeatureCell.Handling": handlings,
	"Check.FailOn": thresholds, "Lint.FailOn": thresholds, "Suppression.By": suppressed,
	"Setting.From": origins, "Simulate.Action": actions, "Diff.Relation": relations, "Change.Direction": directions,
}

// TestSchemas compares the committed schemas with those that follow from the types: names and
// kinds from the fields, what is required from the absence of omitempty, descriptions from the
// comments.
func TestSchemas(t *testing.T) {
	g := generator{comments: comments(t)}
	seen := make(map[string]bool)
	for _, k := range kinds {
		d := k.fresh()
		name := filepath.Join("schema", d.kind()+".json")
		seen[name] = true
		text := g.schema(d)
		if *update {
			if err := os.WriteFile(name, text, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		committed, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(committed, text) {
			t.Errorf("%s does not fit the types; go test ./report -update writes it", name)
		}
	}
	files, err := filepath.Glob("schema/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !seen[f] {
			t.Errorf("%s: no document of this kind", f)
		}
	}
}

// generator makes schemas from types.
type generator struct {
	comments map[string]string // of types ("Scan") and fields ("Scan.Binaries")
	defs     map[string]any
}

func (g *generator) schema(d Document) []byte {
	g.defs = make(map[string]any)
	typ := reflect.TypeOf(d).Elem()
	top := g.object(typ)
	top["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	top["title"] = "profcheck " + d.kind()
	if len(g.defs) > 0 {
		top["$defs"] = g.defs
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(top); err != nil {
		panic(err)
	}
	return out.Bytes()
}

func (g *generator) object(typ reflect.Type) map[string]any {
	properties, required := make(map[string]any), []string{}
	g.fields(typ, properties, &required)
	out := map[string]any{"type": "object", "properties": properties, "required": required}
	if c := g.comments[typ.Name()]; c != "" {
		out["description"] = c
	}
	return out
}

func (g *generator) fields(typ reflect.Type, properties map[string]any, required *[]string) {
	for i := range typ.NumField() {
		f := typ.Field(i)
		if f.Anonymous {
			g.fields(f.Type, properties, required)
			continue
		}
		name, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
		key := typ.Name() + "." + f.Name
		property := g.value(f.Type, key)
		if c := g.comments[key]; c != "" {
			property["description"] = c
		}
		if name == "version" {
			property["const"] = Version
		}
		properties[name] = property
		if rest != "omitempty" {
			*required = append(*required, name)
		}
	}
}

func (g *generator) value(typ reflect.Type, key string) map[string]any {
	if typ == reflect.TypeFor[Hex]() {
		return map[string]any{"type": "string", "pattern": "^0x[0-9a-f]{1,16}$"}
	}
	switch typ.Kind() {
	case reflect.Pointer:
		return g.value(typ.Elem(), key)
	case reflect.Struct:
		if _, ok := g.defs[typ.Name()]; !ok {
			g.defs[typ.Name()] = nil // ends recursion
			g.defs[typ.Name()] = g.object(typ)
		}
		return map[string]any{"$ref": "#/$defs/" + typ.Name()}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": g.value(typ.Elem(), key)}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int32:
		return map[string]any{"type": "integer", "minimum": -1 << 31, "maximum": 1<<31 - 1}
	case reflect.Uint32:
		return map[string]any{"type": "integer", "minimum": 0, "maximum": uint32(1<<32 - 1)}
	case reflect.Uint16:
		return map[string]any{"type": "integer", "minimum": 0, "maximum": 1<<16 - 1}
	case reflect.Int:
		return map[string]any{"type": "integer"}
	case reflect.String:
		if words, ok := enums[key]; ok {
			return map[string]any{"type": "string", "enum": words}
		}
		return map[string]any{"type": "string"}
	}
	panic(key + ": no schema for " + typ.String())
}

// comments reads what the source says of types and fields.
func comments(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	var parsed []*ast.File
	for _, f := range files {
		file, err := parser.ParseFile(fset, f, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(f, "_test.go") {
			parsed = append(parsed, file)
		}
	}
	pkg, err := doc.NewFromFiles(fset, parsed, "report")
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]string)
	for _, typ := range pkg.Types {
		out[typ.Name] = strings.Join(strings.Fields(typ.Doc), " ")
		for _, spec := range typ.Decl.Specs {
			s, ok := spec.(*ast.TypeSpec).Type.(*ast.StructType)
			if !ok {
				continue
			}
			for _, field := range s.Fields.List {
				for _, name := range field.Names {
					out[typ.Name+"."+name.Name] = strings.Join(strings.Fields(field.Comment.Text()), " ")
				}
			}
		}
	}
	return out
}
