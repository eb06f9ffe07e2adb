package elfscan

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A root whose configuration never ends makes a scan incomplete, with and without a cache.
func TestSearchWithoutEnd(t *testing.T) {
	root := t.TempDir()
	if err := os.CopyFS(root, os.DirFS(smallRoot)); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(root, "c"), 0o755); err != nil {
		t.Fatal(err)
	}
	long := filepath.Join(root, "c", "0")
	if err := os.WriteFile(long, []byte(strings.Repeat("# nothing\n", 100_000)), 0o644); err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if err := os.Link(long, filepath.Join(root, "c", fmt.Sprint("l", i))); err != nil {
			t.Skip(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "etc", "ld.so.conf"), []byte("include /c/*\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	o := Options{Root: root, CacheDir: t.TempDir()}
	for range 2 {
		res, err := o.Scan("/bin/lost")
		if err != nil {
			t.Fatal(err)
		}
		if res.Complete() || !slices.ContainsFunc(res.Gaps, func(g Gap) bool { return strings.Contains(g.Detail, "did not end") }) {
			t.Errorf("gaps %+v", res.Gaps)
		}
	}
}
