package syscalls

import (
	"bytes"
	"go/build"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/syscalls/internal/table"
)

const tableFile = "table/syscalls.txt"

func readTable(t *testing.T) (*table.Table, string) {
	t.Helper()
	text, err := os.ReadFile(tableFile)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := table.Parse(string(text))
	if err != nil {
		t.Fatalf("%s: %v", tableFile, err)
	}
	return parsed, string(text)
}

// TestGenerated asserts that go generate would change nothing, and that no generated file is left
// over from an earlier generator.
func TestGenerated(t *testing.T) {
	parsed, text := readTable(t)
	if parsed.Format() != text {
		t.Errorf("%s is not in the form that the generator writes", tableFile)
	}
	files, err := table.Generate(parsed, ".")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(name)
		if err != nil {
			t.Error(err)
		} else if !bytes.Equal(got, want) {
			t.Errorf("%s is not up to date: run go generate ./syscalls", name)
		}
	}
	present, err := filepath.Glob("z*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range present {
		if files[name] == nil {
			t.Errorf("%s is not generated", name)
		}
	}
}

// TestStaleIsNoticed is the twin: a change of the table changes the generated files.
func TestStaleIsNoticed(t *testing.T) {
	for what, change := range map[string]func(*table.Entry){
		"znumbers.go": func(e *table.Entry) { e.Numbers["x86_64"] = 9999 },
		"znames.go":   func(e *table.Entry) { e.Since = "9.9" },
		"zparams.go":  func(e *table.Entry) { e.Args = []table.Prototype{{Unknown: true}} },
	} {
		parsed, _ := readTable(t)
		change(parsed.Entries[len(parsed.Entries)-1])
		files, err := table.Generate(parsed, ".")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(what); err != nil || bytes.Equal(got, files[what]) {
			t.Errorf("%s does not change with the table (%v)", what, err)
		}
	}
}

// TestNoFileIgnored guards against file names such as x_arm64.go, which Go takes for a build
// constraint and drops in silence on other machines.
func TestNoFileIgnored(t *testing.T) {
	for _, goarch := range []string{"amd64", "arm64", "s390x"} {
		context := build.Default
		context.GOOS, context.GOARCH = "linux", goarch
		p, err := context.ImportDir(".", 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.IgnoredGoFiles) > 0 {
			t.Errorf("%s: ignored: %v", goarch, p.IgnoredGoFiles)
		}
		sources, err := filepath.Glob("*.go")
		if err != nil {
			t.Fatal(err)
		}
		if seen := len(p.GoFiles) + len(p.TestGoFiles) + len(p.XTestGoFiles); seen != len(sources) {
			t.Errorf("%s: %d of %d files are built", goarch, seen, len(sources))
		}
	}
}

// TestIgnoredFileIsNoticed is the twin: the check above sees such a file.
func TestIgnoredFileIsNoticed(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"arm64.go", "x_arm64.go"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("package p\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	context := build.Default
	context.GOOS, context.GOARCH = "linux", "amd64"
	p, err := context.ImportDir(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(p.IgnoredGoFiles, " "); got != "x_arm64.go" {
		t.Errorf("ignored: %q", got)
	}
}
