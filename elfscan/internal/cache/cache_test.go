package cache

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

func open(t testing.TB, dir string) *Cache {
	t.Helper()
	c, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestPutGet(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	c := open(t, dir)
	one, two := KeyOf([]byte("one")), KeyOf([]byte("two"))
	c.Put(one, "facts", []byte("hello"))
	c.Put(one, "names", nil)
	for _, tt := range []struct {
		key  [32]byte
		kind string
		want string
		ok   bool
	}{{one, "facts", "hello", true}, {one, "names", "", true}, {one, "fact", "", false}, {two, "facts", "", false}} {
		if got, ok := c.Get(tt.key, tt.kind); string(got) != tt.want || ok != tt.ok {
			t.Errorf("Get(%x.., %q) = %q, %v", tt.key[:2], tt.kind, got, ok)
		}
	}
	c.Put(one, "facts", []byte("again"))
	if got, _ := open(t, dir).Get(one, "facts"); string(got) != "again" {
		t.Errorf("after a second Put: %q", got)
	}
	c.Close()
	if _, ok := c.Get(one, "facts"); ok {
		t.Error("a closed cache answers")
	}
	c.Put(one, "facts", nil)
}

func TestNilMisses(t *testing.T) {
	var c *Cache
	c.Put([32]byte{}, "x", nil)
	if _, ok := c.Get([32]byte{}, "x"); ok {
		t.Error("hit")
	}
	if c.Close() != nil {
		t.Error("Close")
	}
}

// Another build's entry is never read, even if it stands under the name that this build looks for.
func TestOtherBuild(t *testing.T) {
	c := open(t, t.TempDir())
	key := KeyOf(nil)
	old := &Cache{root: c.root, limit: c.limit, build: func() ([32]byte, bool) { return [32]byte{1}, true }}
	old.Put(key, "facts", []byte("old"))
	if _, ok := c.Get(key, "facts"); ok {
		t.Fatal("hit")
	}
	_, oldName, _ := old.entry(key, "facts")
	_, newName, _ := c.entry(key, "facts")
	if err := c.root.Rename(oldName, newName); err != nil {
		t.Fatal(err)
	}
	if _, ok := c.Get(key, "facts"); ok {
		t.Error("hit under the new name")
	}
	unknown := &Cache{root: c.root, limit: c.limit, build: func() ([32]byte, bool) { return [32]byte{}, false }}
	unknown.Put(key, "facts", []byte("x"))
	if _, ok := unknown.Get(key, "facts"); ok {
		t.Error("a build without identity caches")
	}
}

// Every bit of damage is a miss: each byte changed in three ways, each truncation, bytes behind.
func TestDamage(t *testing.T) {
	dir := t.TempDir()
	c := open(t, dir)
	key := KeyOf([]byte("x"))
	c.Put(key, "facts", []byte("some blob of bytes"))
	file := onlyEntry(t, dir)
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	miss := func(what string, data []byte) {
		t.Helper()
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, ok := c.Get(key, "facts"); ok {
			t.Errorf("%s: hit", what)
		}
	}
	for i := range good {
		for _, flip := range []byte{1, 0x80, 0xff} {
			bad := bytes.Clone(good)
			bad[i] ^= flip
			miss(fmt.Sprintf("byte %d ^ %#x", i, flip), bad)
		}
		miss(fmt.Sprintf("%d bytes", i), good[:i])
	}
	miss("a byte more", append(bytes.Clone(good), 0))
	// A length that lies with a checksum that holds.
	header, _, _ := c.entry(key, "facts")
	lie := encode(header, []byte("some blob of bytes"))
	binary.LittleEndian.PutUint64(lie[headerSize-8:], 1<<62)
	miss("length", append(lie, "some blob of bytes"...))
	if err := os.WriteFile(file, good, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, ok := c.Get(key, "facts"); !ok || string(got) != "some blob of bytes" {
		t.Errorf("the good file: %q, %v", got, ok)
	}
}

func onlyEntry(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files %v, %v", files, err)
	}
	return files[0]
}

// An entry of another key under the name that is looked for is a miss.
func TestWrongKey(t *testing.T) {
	c := open(t, t.TempDir())
	a, b := KeyOf([]byte("a")), KeyOf([]byte("b"))
	c.Put(a, "facts", []byte("of a"))
	_, from, _ := c.entry(a, "facts")
	_, to, _ := c.entry(b, "facts")
	if err := c.root.Rename(from, to); err != nil {
		t.Fatal(err)
	}
	if _, ok := c.Get(b, "facts"); ok {
		t.Error("hit")
	}
}

func TestSymlinks(t *testing.T) {
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(outside, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := open(t, dir)
	key := KeyOf(nil)
	_, name, _ := c.entry(key, "facts")
	if err := os.Symlink(outside, filepath.Join(dir, name)); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	if _, ok := c.Get(key, "facts"); ok {
		t.Error("a link was read")
	}
	c.Put(key, "facts", []byte("blob"))
	if got, _ := os.ReadFile(outside); string(got) != "precious" {
		t.Errorf("the file that the link named: %q", got)
	}
	if got, ok := c.Get(key, "facts"); !ok || string(got) != "blob" {
		t.Errorf("after Put: %q, %v", got, ok)
	}
	// A link to an entry that would be a good one.
	other := KeyOf([]byte("other"))
	_, name2, _ := c.entry(other, "facts")
	c.Put(other, "facts", []byte("blob"))
	if err := os.Rename(filepath.Join(dir, name2), filepath.Join(dir, "moved")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("moved", filepath.Join(dir, name2)); err != nil {
		t.Fatal(err)
	}
	if _, ok := c.Get(other, "facts"); ok {
		t.Error("a link inside of the directory was read")
	}
}

// A directory in the place of an entry, and no directory at all.
func TestNotWritable(t *testing.T) {
	dir := t.TempDir()
	c := open(t, dir)
	key := KeyOf(nil)
	_, name, _ := c.entry(key, "facts")
	if err := os.MkdirAll(filepath.Join(dir, name, "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	c.Put(key, "facts", []byte("blob"))
	if _, ok := c.Get(key, "facts"); ok {
		t.Error("hit")
	}
	onlyEntry(t, dir) // no temporary file is left
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	c.Put(key, "facts", []byte("blob"))
	if _, ok := c.Get(key, "facts"); ok {
		t.Error("hit in a directory that is gone")
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", file, filepath.Join(file, "x")} {
		if c, err := Open(bad); err == nil {
			c.Close()
			t.Errorf("Open(%q) succeeded", bad)
		}
	}
}

func TestDefaultDir(t *testing.T) {
	for _, v := range []string{"HOME", "XDG_CACHE_HOME", "LocalAppData", "home"} {
		t.Setenv(v, "")
	}
	if got := DefaultDir(); got != "" {
		t.Errorf("without a home: %q", got)
	}
	home := t.TempDir()
	for _, v := range []string{"HOME", "LocalAppData", "home"} {
		t.Setenv(v, home)
	}
	if got := DefaultDir(); !strings.HasPrefix(got, home) || filepath.Base(got) != "profcheck" {
		t.Errorf("DefaultDir() = %q", got)
	}
}

func TestEvict(t *testing.T) {
	dir := t.TempDir()
	c := open(t, dir)
	c.limit = 20 * block
	foreign := map[string]bool{"README": true, strings.Repeat("a", 40): true, strings.Repeat("A", 40) + suffix: true,
		strings.Repeat("a", 40) + suffix + ".x" + tmpSuffix: true, strings.Repeat("a", 38) + suffix: true}
	stale, fresh := strings.Repeat("b", 40)+suffix+".0123456789abcdef"+tmpSuffix, strings.Repeat("c", 40)+suffix+".0123456789abcdef"+tmpSuffix
	long := time.Now().Add(-1000 * time.Hour)
	for name := range foreign {
		writeAged(t, filepath.Join(dir, name), long)
	}
	writeAged(t, filepath.Join(dir, stale), long)
	writeAged(t, filepath.Join(dir, fresh), time.Now())
	key := func(i int) [32]byte { return KeyOf([]byte{byte(i)}) }
	for i := range 20 {
		header, name, _ := c.entry(key(i), "facts")
		blob := make([]byte, 100)
		c.write(name, encode(header, blob), blob)
		used := time.Now().Add(time.Duration(i-1000) * time.Hour)
		if err := c.root.Chtimes(name, used, used); err != nil {
			t.Fatal(err)
		}
	}
	c.evict()
	if got := countEntries(t, dir); got != 20 {
		t.Fatalf("%d entries at the limit", got)
	}
	if _, ok := c.Get(key(0), "facts"); !ok { // the oldest is used again
		t.Fatal("miss")
	}
	c.limit = 10 * block
	c.evict()
	for i := range 20 {
		if _, ok := c.Get(key(i), "facts"); ok != (i == 0 || i >= 14) {
			t.Errorf("entry %d: %v", i, ok)
		}
	}
	for name := range foreign {
		if _, err := os.Lstat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Lstat(filepath.Join(dir, stale)); err == nil {
		t.Error("a temporary file of long ago stays")
	}
	if _, err := os.Lstat(filepath.Join(dir, fresh)); err != nil {
		t.Error(err)
	}
}

func writeAged(t *testing.T, file string, at time.Time) {
	t.Helper()
	if err := os.WriteFile(file, make([]byte, 100*block), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(file, at, at); err != nil {
		t.Fatal(err)
	}
}

func countEntries(t *testing.T, dir string) (n int) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if temporary, ours := ownName(f.Name()); ours && !temporary {
			n++
		}
	}
	return n
}

// Put itself keeps the directory small.
func TestPutEvicts(t *testing.T) {
	dir := t.TempDir()
	c := open(t, dir)
	c.limit = 50 * block
	for i := range 1000 {
		c.Put(KeyOf([]byte{byte(i), byte(i >> 8)}), "facts", []byte("x"))
	}
	if got := countEntries(t, dir); got > 250 || got < 10 {
		t.Errorf("%d entries stay with a limit of 50", got)
	}
}

// hammer puts and gets the same few entries as all others do, and fails on a wrong blob. It returns
// the number of hits.
func hammer(c *Cache, seed uint64) (hits int, err error) {
	r := rand.New(rand.NewPCG(seed, 1))
	for range 300 {
		n := byte(r.IntN(8))
		key := KeyOf([]byte{n})
		// Blobs of a key differ in their length, as those of a wrong reader would.
		if r.IntN(2) == 0 {
			c.Put(key, "facts", bytes.Repeat([]byte{n}, 1+r.IntN(1<<16)))
			continue
		}
		blob, ok := c.Get(key, "facts")
		if !ok {
			continue
		}
		hits++
		if len(blob) == 0 || len(bytes.Trim(blob, string([]byte{n}))) != 0 {
			return hits, fmt.Errorf("entry %d: a wrong blob of %d bytes", n, len(blob))
		}
	}
	return hits, nil
}

const hammerDir = "PROFCHECK_CACHE_TEST_DIR"

// Many processes with many goroutines each write, read and evict in one directory.
func TestConcurrent(t *testing.T) {
	dir := os.Getenv(hammerDir)
	child := dir != ""
	if !child {
		dir = t.TempDir()
	}
	var processes []*exec.Cmd
	if !child {
		exe, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		for range 6 {
			cmd := exec.Command(exe, "-test.run=^TestConcurrent$", "-test.count=1")
			cmd.Env = append(os.Environ(), hammerDir+"="+dir)
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			processes = append(processes, cmd)
		}
	}
	c := open(t, dir)
	c.limit = 5 << 15
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			hits, err := hammer(c, uint64(os.Getpid()*10+i))
			if err != nil {
				t.Error(err)
			}
			if hits == 0 {
				t.Error("never a hit")
			}
			c.evict()
		})
	}
	wg.Wait()
	for _, p := range processes {
		if err := p.Wait(); err != nil {
			t.Errorf("%v: %s", err, p.Stdout)
		}
	}
	if !child {
		c.evict()
		for _, f := range must(os.ReadDir(dir)) {
			if temporary, ours := ownName(f.Name()); temporary || !ours {
				t.Errorf("%s stays", f.Name())
			}
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func FuzzDecode(f *testing.F) {
	c := &Cache{build: func() ([32]byte, bool) { return [32]byte{}, true }}
	header, _, _ := c.entry([32]byte{}, "facts")
	f.Add(append(encode(bytes.Clone(header), []byte("blob")), "blob"...))
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, _, _ := c.entry([32]byte{}, "facts")
		blob, ok := decode(data, h)
		if !ok {
			return
		}
		h, _, _ = c.entry([32]byte{}, "facts")
		if again := append(encode(h, blob), blob...); !bytes.Equal(again, data) {
			t.Errorf("%x was accepted, and its blob is kept as %x", data, again)
		}
	})
}

func BenchmarkGet5MB(b *testing.B) {
	c := open(b, b.TempDir())
	blob := make([]byte, 5<<20)
	for i := range blob {
		blob[i] = byte(i * i >> 8)
	}
	key := KeyOf(blob)
	c.Put(key, "facts", blob)
	b.SetBytes(int64(len(blob)))
	for b.Loop() {
		if _, ok := c.Get(key, "facts"); !ok {
			b.Fatal("miss")
		}
	}
}

func BenchmarkPut5MB(b *testing.B) {
	c := open(b, b.TempDir())
	blob := make([]byte, 5<<20)
	b.SetBytes(int64(len(blob)))
	for i := range b.N {
		c.Put([32]byte{byte(i)}, "facts", blob)
	}
}

func BenchmarkKeyOf5MB(b *testing.B) {
	blob := make([]byte, 5<<20)
	b.SetBytes(int64(len(blob)))
	for b.Loop() {
		KeyOf(blob)
	}
}

func BenchmarkExecutable(b *testing.B) {
	for b.Loop() {
		if _, ok := executable(); !ok {
			b.Fatal("no hash")
		}
	}
}

// The hash of the test binary is the one that sha256 of the file gives.
func TestExecutable(t *testing.T) {
	if runtime.GOOS == "js" || runtime.GOOS == "wasip1" {
		t.Skip("no executable file there")
	}
	got, ok := executable()
	if want := sha256.Sum256(must(os.ReadFile(must(os.Executable())))); !ok || got != want {
		t.Errorf("%x, %v, want %x", got, ok, want)
	}
}
