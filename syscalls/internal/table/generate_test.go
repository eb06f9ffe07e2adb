package table

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// generate runs Generate on the sample table beside one source file.
func generate(t *testing.T, source string) (map[string][]byte, error) {
	t.Helper()
	parsed, err := Parse(sample)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "arches.go"), []byte("package syscalls\n"+source), 0o644); err != nil {
		t.Fatal(err)
	}
	return Generate(parsed, dir)
}

const descriptors2 = `
var mips = Arch{Name: "mips", column: &mipsColumn}
var x86 = Arch{Name: "x86", column: &x86Column}
var mipsel = Arch{Name: "mipsel", column: &mipsColumn}
var other = Other{column: &x86Column}
`

func TestGenerate(t *testing.T) {
	files, err := generate(t, descriptors2)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"zarches.go":  "{\n\t&x86,\n\t&mips,\n\t&mipsel,\n}",
		"znames.go":   "var newest = Kernel{7, 1}",
		"znumbers.go": "byNumber: []uint16{\n\t\t0, 2, 1}",
		"zparams.go":  `4: {{"fd", FD, 32}, {"_", Unknown, 0}, {"pos", Long, 64}}`,
	} {
		text := string(files[name])
		if !strings.Contains(text, want) || !strings.HasPrefix(text, "// Code generated") {
			t.Errorf("%s lacks %q:\n%s", name, want, text)
		}
	}
}

func TestGenerateErrors(t *testing.T) {
	for source, want := range map[string]string{
		"":       "column x86 has no architecture",
		"syntax": "expected declaration",
		descriptors2 + "var arm = Arch{Name: \"arm\", column: &armColumn}": "architecture arm has no column",
		descriptors2 + "var sh = Arch{Name: \"sh\"}":                       "architecture sh has no column",
	} {
		if _, err := generate(t, source); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", source, err, want)
		}
	}
}
