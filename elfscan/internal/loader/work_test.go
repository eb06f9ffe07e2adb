package loader

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func rootAt(t *testing.T, dir string) *Root {
	t.Helper()
	r, err := NewRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// inside makes a file in a directory that is a root.
func inside(t *testing.T, dir, name, text string) {
	t.Helper()
	at := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Entries of ld.so.cache can all name the same kilobytes.
func TestCacheSharesNames(t *testing.T) {
	const n, long = 20_000, 4000
	le := binary.LittleEndian
	b := make([]byte, cacheNewHeader+n*cacheNewEntry, cacheNewHeader+n*cacheNewEntry+long+1)
	copy(b, cacheNewMagic)
	le.PutUint32(b[20:], n)
	for i := range n {
		e := b[cacheNewHeader+i*cacheNewEntry:]
		le.PutUint32(e[4:], uint32(len(b)+i%100))
		le.PutUint32(e[8:], uint32(len(b)+i%90))
	}
	b = append(append(b, strings.Repeat("/", long)...), 0)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	entries := parseCache(b)
	runtime.ReadMemStats(&after)
	if len(entries) != 100 {
		t.Errorf("%d names", len(entries))
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 16<<20 {
		t.Errorf("%d bytes for a file of %d", got, len(b))
	}
}

func TestGlobOfRoot(t *testing.T) {
	dir := t.TempDir()
	inside(t, dir, "a.conf", "")
	inside(t, dir, "b.conf", "")
	r := rootAt(t, dir)
	if got := r.glob("/*.conf"); !slices.Equal(got, []string{"/a.conf", "/b.conf"}) {
		t.Errorf("%q", got)
	}
	if got := r.readDir("/"); len(got) != 2 {
		t.Errorf("%q", got)
	}
}

// Links that lead to the same directory multiply what a pattern matches.
func TestGlobStops(t *testing.T) {
	dir := t.TempDir()
	for i := range 300 {
		inside(t, dir, fmt.Sprintf("d/f%d", i), "")
	}
	for i := range 300 {
		inside(t, dir, "l/real", "")
		if err := os.Symlink("/d", filepath.Join(dir, "l", fmt.Sprintf("s%d", i))); err != nil {
			t.Skip(err)
		}
	}
	r := rootAt(t, dir)
	if got := r.glob("/l/s*/f*"); len(got) != maxConfFiles {
		t.Errorf("%d files", len(got))
	}
	if used := r.work.Load(); used > 20_000 {
		t.Errorf("%d pieces of work", used)
	}
}

// Whatever multiplies look-ups, they end, and the root tells.
func TestWorkIsBounded(t *testing.T) {
	dir := t.TempDir()
	for i := range 1000 {
		inside(t, dir, fmt.Sprintf("d/f%d", i), "")
	}
	inside(t, dir, "etc/ld.so.conf", strings.Repeat("include /d/*z\n", 40_000)+"/d\n")
	r := rootAt(t, dir)
	if got := r.confDirs(); r.Spent() == false {
		t.Errorf("%q, the bound was not reached", got)
	}
	if _, _, err := r.Resolve("/d/f0"); !errors.Is(err, errSpent) {
		t.Errorf("after the bound: %v", err)
	}

	r = rootAt(t, dir)
	l := &linker{root: r, c: &Closure{Modules: []*Loaded{{Path: "/p"}}}, absent: map[string]bool{}}
	r.work.Store(maxWork + 1)
	for i := range 5 {
		_, reason := l.object(fmt.Sprint("lib", i), 0)
		l.missing(fmt.Sprint("lib", i), 0, reason)
	}
	if len(l.c.Missing) != 1 || l.c.Missing[0].Reason != errSpent.Error() {
		t.Errorf("%+v", l.c.Missing)
	}
}

// Ten thousand modules in a directory are listed in a moment, each once.
func TestManyFiles(t *testing.T) {
	dir := t.TempDir()
	var names []string
	for i := range 10_000 {
		inside(t, dir, fmt.Sprintf("d/%05d.so", i), "")
		names = append(names, fmt.Sprintf("/d/%05d.so", i), fmt.Sprintf("/d/../d/%05d.so", i))
	}
	s := &surroundings{r: rootAt(t, dir), c: &Closure{}}
	if got := s.files(names...); len(got) != 10_000 {
		t.Errorf("%d files", len(got))
	}
}
