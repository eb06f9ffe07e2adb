package lint

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/profile"
)

var update = flag.Bool("update", false, "write the golden files")

// corpora returns the folder of collected profiles, and skips where it is absent.
func corpora(t testing.TB) string {
	root := os.Getenv("PROFCHECK_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "shared")
	}
	dir := filepath.Join(root, "corpora", "profiles")
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("the shared data is missing: %v", err)
		}
		t.Skipf("the shared data is absent: %v", err)
	}
	return dir
}

// The findings on profiles from the field, counted by check and severity. Every error in the golden
// was looked at once; what is new there must be looked at, too.
func TestCorpora(t *testing.T) {
	dir := corpora(t)
	var got strings.Builder
	for _, folder := range []string{"moby", "oci"} {
		files, err := filepath.Glob(filepath.Join(dir, folder, "*"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no profiles in %s: %v", folder, err)
		}
		slices.Sort(files)
		for _, file := range files {
			fmt.Fprintf(&got, "%s/%s\n%s", folder, filepath.Base(file), tally(t, file))
		}
	}
	golden := filepath.Join("testdata", "corpora.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	w, g := strings.Split(string(want), "\n"), strings.Split(got.String(), "\n")
	for i := range max(len(w), len(g)) {
		if i >= len(w) || i >= len(g) || w[i] != g[i] {
			t.Fatalf("%s, line %d and after:\nwant %q\n got %q", golden, i+1, w[min(i, len(w)):min(i+5, len(w))], g[min(i, len(g)):min(i+5, len(g))])
		}
	}
}

// tally judges a profile for the default target of its format and counts the findings.
func tally(t *testing.T, file string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.Parse(filepath.Base(file), data)
	if err != nil {
		var parse *profile.ParseError
		if !errors.As(err, &parse) {
			t.Errorf("%s: %v", file, err)
		}
		return "\tnot read: " + err.Error() + "\n"
	}
	r, err := Run(Input{Profile: p})
	if err != nil {
		return "\tnot judged: " + err.Error() + "\n"
	}
	confirm(t, r)
	var out strings.Builder
	var last string
	n := 0
	flush := func() {
		if n > 0 {
			fmt.Fprintf(&out, "\t%s %d\n", last, n)
		}
		n = 0
	}
	for _, f := range r.Findings {
		if testing.Verbose() {
			t.Logf("%s: %s: %s: %s [%s]", f.Pos, f.Severity, f.Check, f.Message, f.Arch)
		}
		if key := fmt.Sprintf("%s %s", f.Severity, f.Check); key != last {
			flush()
			last = key
		}
		n++
	}
	flush()
	return out.String()
}
