package elfscan

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/profcheck/profcheck/finding"
)

// scanAlone is scan for a file whose loader cannot be found.
func scanAlone(t testing.TB, path string) *Result {
	t.Helper()
	res, err := Options{Root: filepath.Dir(path)}.Scan("/" + filepath.Base(path))
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// A loader that was not found is a gap, and its calls are those that are known of it. It calls
// mprotect with protections of its own: a site says so, next to the one of the Go runtime, whose
// arguments are known, and a profile is judged by both.
func TestLoaderSites(t *testing.T) {
	plain := scan(t, build(t, helloSource, "amd64")).need(t, "mprotect")
	if plain == nil || !plain.Args[2].Known {
		t.Fatalf("mprotect without a loader: %+v, want a known protection", plain)
	}
	for _, s := range plain.Sites {
		if !s.Args[2].Known {
			t.Errorf("without a loader, a site with unknown protection: %+v", s)
		}
	}
	path := build(t, helloSource, "amd64", "-buildmode=pie")
	pie := scanAlone(t, path)
	if !pie.Complete() || len(pie.Gaps) == 0 || pie.Gaps[0].Kind != GapLoader || pie.Modules != nil {
		t.Errorf("without its loader: complete is %v, gaps %+v, modules %v", pie.Complete(), pie.Gaps, pie.Modules)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if read, err := ScanReader(path, f, st.Size()); err != nil || outline(read) != outline(pie) {
		t.Errorf("ScanReader: %v\n%swant\n%s", err, outline(read), outline(pie))
	}
	n := pie.need(t, "mprotect")
	ofLoader := func(s Site) bool {
		return s.Class == finding.Startup && !s.Args[0].Known && !s.Args[2].Known && len(s.Path) == 1
	}
	if n == nil || n.Args[2].Known || !slices.ContainsFunc(n.Sites, ofLoader) {
		t.Errorf("mprotect of a PIE: %+v, want a site of the loader with unknown arguments", n)
	}
	if n := pie.need(t, "access"); n == nil || n.Class != finding.Startup || !slices.ContainsFunc(n.Sites, ofLoader) {
		t.Errorf("access of a PIE: %+v, want a start-up call of the loader", n)
	}
}
