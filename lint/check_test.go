package lint

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A check is documented in full, in sentences where it is sentences that are printed.
func TestDocumentation(t *testing.T) {
	id := regexp.MustCompile(`^PC[0-9]{3}$`)
	name := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	seen := make(map[string]bool)
	for _, c := range Checks() {
		if !id.MatchString(c.ID) || !name.MatchString(c.Name) {
			t.Errorf("%s %s: bad identifier or name", c.ID, c.Name)
		}
		if seen[c.ID] || seen[c.Name] {
			t.Errorf("%s %s: twice", c.ID, c.Name)
		}
		seen[c.ID], seen[c.Name] = true, true
		if c.Title == "" || strings.HasSuffix(c.Title, ".") {
			t.Errorf("%s: title %q", c.ID, c.Title)
		}
		for what, text := range map[string]string{"why": c.Why, "when": c.When, "wrong": c.Wrong, "remedy": c.Remedy} {
			if !strings.HasSuffix(text, ".") || strings.Contains(text, "  ") {
				t.Errorf("%s: %s is not made of sentences: %q", c.ID, what, text)
			}
		}
		if len(c.Sources) == 0 {
			t.Errorf("%s: no source", c.ID)
		}
		// Those without are run by the tests of internal/cli.
		if own := c == ExpiredIgnore || c == UnusedIgnore || c == BrokenIgnore; own != (c.Run == nil) {
			t.Errorf("%s: nothing to run, or something that is not run", c.ID)
		}
		for _, s := range c.Sources {
			if !strings.HasPrefix(s, "https://") {
				t.Errorf("%s: source %q", c.ID, s)
			}
		}
		if c.Example() == "" {
			t.Errorf("%s: no examples in testdata/%s.txtar", c.ID, c.ID)
		}
		if got, ok := Lookup(strings.ToLower(c.ID)); !ok || got != c {
			t.Errorf("%s: not found by its identifier", c.ID)
		}
		if got, ok := Lookup(c.Name); !ok || got != c {
			t.Errorf("%s: not found by its name", c.ID)
		}
	}
	if _, ok := Lookup("PC000"); ok {
		t.Error("found a check that does not exist")
	}
}

// A check stands alone in a file that bears its identifier, and no examples are left over.
func TestOneFilePerCheck(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]bool)
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		ast.Inspect(parsed, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if f, ok := call.Fun.(*ast.Ident); ok && f.Name == "register" {
				ids = append(ids, registeredID(call))
			}
			return true
		})
		want, isCheck := strings.CutPrefix(file, "pc")
		switch {
		case !isCheck && len(ids) > 0:
			t.Errorf("%s registers %v", file, ids)
		case isCheck && (len(ids) != 1 || ids[0] != "PC"+want[:3]):
			t.Errorf("%s registers %v", file, ids)
		}
		for _, id := range ids {
			found[id] = true
		}
	}
	if len(found) != len(Checks()) {
		t.Errorf("%d files with a check, %d checks", len(found), len(Checks()))
	}
	archives, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range archives {
		if id, ok := strings.CutSuffix(a.Name(), ".txtar"); ok && !found[id] {
			t.Errorf("testdata/%s belongs to no check", a.Name())
		}
	}
}

// registeredID returns the ID in register(&Check{ID: "PC101", ...}).
func registeredID(call *ast.CallExpr) string {
	id := "?"
	ast.Inspect(call, func(n ast.Node) bool {
		kv, ok := n.(*ast.KeyValueExpr)
		if !ok {
			return true
		}
		if key, ok := kv.Key.(*ast.Ident); ok && key.Name == "ID" && id == "?" {
			if lit, ok := kv.Value.(*ast.BasicLit); ok {
				id = strings.Trim(lit.Value, `"`)
			}
		}
		return true
	})
	return id
}
