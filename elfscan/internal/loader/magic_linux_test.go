package loader

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// The text of a link in /proc can be the path of something else: of a process with another root, or of
// a file that is gone, as here.
func TestLinksOfProc(t *testing.T) {
	dir := t.TempDir()
	gone := func(name string) *os.File {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		if err := os.Remove(f.Name()); err != nil {
			t.Fatal(err)
		}
		return f
	}
	inside(t, dir, "file", "one")
	file := gone("file")
	inside(t, dir, "file (deleted)", "another")
	at := fmt.Sprintf("/proc/self/fd/%d", file.Fd())
	if text, err := os.Readlink(at); err != nil || text != filepath.Join(dir, "file (deleted)") {
		t.Skipf("the link is %q, %v", text, err)
	}
	own := rootAt(t, "")
	if host, _, err := own.Resolve(at); err == nil {
		t.Errorf("%s is taken for %s", at, host)
	}

	if err := os.Mkdir(filepath.Join(dir, "root"), 0o755); err != nil {
		t.Fatal(err)
	}
	root := gone("root")
	inside(t, dir, "root (deleted)/file", "another")
	r := rootAt(t, fmt.Sprintf("/proc/self/fd/%d", root.Fd()))
	if r.exists("/file") {
		t.Error("the root is another directory")
	}

	// One whose text is right.
	inside(t, dir, "there/file", "one")
	there, err := os.Open(filepath.Join(dir, "there"))
	if err != nil {
		t.Fatal(err)
	}
	defer there.Close()
	at = fmt.Sprintf("/proc/self/fd/%d", there.Fd())
	if !rootAt(t, at).exists("/file") || len(rootAt(t, at).readDir("/")) != 1 {
		t.Error("the root is not read")
	}
	if _, got, err := own.Resolve(at + "/file"); err != nil || got != filepath.Join(dir, "there", "file") {
		t.Errorf("%q, %v", got, err)
	}
}
