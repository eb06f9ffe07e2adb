package elfscan

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/syscalls"
)

// smallRoot is a root directory with programs in C; see build.sh there.
var smallRoot = filepath.Join("..", "testdata", "native", "root")

// calls lists the names of what a result needs, ascending by number.
func calls(r *Result) string {
	var names []string
	for _, n := range r.Needs {
		names = append(names, n.Name)
	}
	return strings.Join(names, " ")
}

// The scan finds what greet was seen to call, and nothing else; see TestSmallRootInFact.
func TestSmallRoot(t *testing.T) {
	r, err := Options{Root: smallRoot}.Scan("/bin/greet")
	if err != nil {
		t.Fatal(err)
	}
	if got := calls(r); got != "read write close mmap mprotect pread64 socket sendto execve exit_group openat" || !r.Complete() {
		t.Errorf("greet: complete is %v, %s", r.Complete(), got)
	}
	var paths []string
	for _, m := range r.Modules {
		paths = append(paths, m.Path)
		if m.BuildID == "" || m.Opened {
			t.Errorf("%+v", m)
		}
	}
	if got := strings.Join(paths, " "); got != "/bin/greet /lib/libsay.so.1 /lib/ld-tiny.so.1" || r.Kind != "elf" || r.Root != smallRoot || r.Path != "/bin/greet" {
		t.Errorf("%s, %s in %s, modules %s", r.Path, r.Kind, r.Root, got)
	}
	// The number of socket goes through two files; its arguments stand in a third function.
	n := r.need(t, "socket")
	if n == nil || n.Class != finding.Required || !n.Args[0].Known || !slices.Equal(n.Args[0].Consts, []uint64{1}) {
		t.Fatalf("socket: %+v", n)
	}
	var frames []string
	for _, f := range n.Sites[0].Path {
		frames = append(frames, f.Module+":"+f.Function)
	}
	if got := strings.Join(frames, " "); got != ":_start :greet_main libsay.so.1:say_log libsay.so.1:syscall" {
		t.Errorf("socket: %s", got)
	}
}

func TestPlugins(t *testing.T) {
	for _, plugin := range []string{"/lib/greet/extra.so", "/lib/greet", "lib/greet", "/lib/greet/../greet/extra.so"} {
		r, err := Options{Root: smallRoot, Plugins: []string{plugin}}.Scan("greet")
		if err != nil {
			t.Fatal(err)
		}
		n := r.need(t, "mkdir")
		if n == nil || n.Class != finding.Required || n.Sites[0].Path[len(n.Sites[0].Path)-1].Module != "extra.so" {
			t.Errorf("%s: mkdir: %+v", plugin, n)
		}
		if m := r.Modules[len(r.Modules)-1]; m.Path != "/lib/greet/extra.so" || !m.Opened {
			t.Errorf("%s: %+v", plugin, m)
		}
	}
	for plugin, want := range map[string]string{
		"/lib/nosuch.so":        "plugin /lib/nosuch.so: no such file or directory",
		"nosuch.so":             "plugin nosuch.so: not found",
		"/etc/greeting":         "plugin /etc/greeting: not an ELF file",
		"/lib/libforeign.so.1":  "plugin /lib/libforeign.so.1: of another architecture",
		"/etc":                  "plugin /etc: no shared objects for the program's machine in this directory",
		"/lib/greet/extra.so/x": "plugin /lib/greet/extra.so/x: not a directory",
	} {
		if _, err := (Options{Root: smallRoot, Plugins: []string{plugin}}).Scan("greet"); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", plugin, err, want)
		}
	}
}

// A file in a directory of plugins that cannot be opened makes the scan incomplete; what is no shared
// object for the program does not.
func TestPluginDirectory(t *testing.T) {
	root := t.TempDir()
	if err := os.CopyFS(root, os.DirFS(smallRoot)); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(root, "plugins", "deep")
	copyTo := func(name, from string) {
		t.Helper()
		data, err := os.ReadFile(filepath.Join(smallRoot, from))
		if err == nil {
			err = errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, name), data, 0o644))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	copyTo("extra.so", "lib/greet/extra.so")
	copyTo("greet", "bin/greet")
	copyTo("sh", "bin/sh")
	copyTo("foreign.so", "lib/libforeign.so.1")
	copyTo("notes.txt", "etc/greeting")
	if err := os.Symlink("..", filepath.Join(dir, "up")); err != nil {
		t.Skipf("no symbolic links: %v", err)
	}
	o := Options{Root: root, Plugins: []string{"/plugins"}}
	r, err := o.Scan("greet")
	if err != nil || !r.Complete() || r.need(t, "mkdir") == nil || len(r.Modules) != 4 {
		t.Fatalf("%v, %+v", err, r)
	}
	data, err := os.ReadFile(filepath.Join(smallRoot, "lib", "libsay.so.1"))
	if err != nil {
		t.Fatal(err)
	}
	clear(data[len(data)/2:]) // symbols and code are gone
	data[0x20]++              // where the program headers begin
	if err := os.WriteFile(filepath.Join(dir, "broken.so"), data, 0o644); err != nil {
		t.Fatal(err)
	}
	if r, err = o.Scan("greet"); err != nil {
		t.Fatal(err)
	}
	for _, g := range r.Gaps {
		if g.Kind == GapMissing && !strings.Contains(g.Detail, "broken.so") {
			t.Errorf("%+v", g)
		}
	}
}

func TestMissingLibraries(t *testing.T) {
	r, err := Options{Root: smallRoot}.Scan("lost")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, g := range r.Gaps {
		if g.Kind == GapMissing {
			names = append(names, g.Names...)
		}
	}
	if got := strings.Join(names, " "); got != "libnowhere.so.1 libforeign.so.1" || r.Complete() {
		t.Errorf("missing: %s, complete is %v", got, r.Complete())
	}
	// One that contradicts itself is none to rely on.
	root := t.TempDir()
	if err := os.CopyFS(root, os.DirFS(smallRoot)); err != nil {
		t.Fatal(err)
	}
	library := filepath.Join(root, "lib", "libsay.so.1")
	lying, err := os.ReadFile(library)
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.NewFile(bytes.NewReader(lying))
	if err != nil {
		t.Fatal(err)
	}
	for at := f.Section(".dynamic").Offset; ; at += 16 {
		if elf.DynTag(binary.LittleEndian.Uint64(lying[at:])) == elf.DT_SYMTAB {
			binary.LittleEndian.PutUint64(lying[at+8:], 1<<40)
			break
		}
	}
	if err := os.WriteFile(library, lying, 0o755); err != nil {
		t.Fatal(err)
	}
	if r, err = (Options{Root: root}).Scan("greet"); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(r.Gaps, func(g Gap) bool { return g.Kind == GapMissing && slices.Equal(g.Names, []string{"/lib/libsay.so.1"}) }) {
		t.Errorf("a library that lies: %+v", r.Gaps)
	}
	// A file that lies nowhere has no libraries.
	data, err := os.ReadFile(filepath.Join(smallRoot, "bin", "greet"))
	if err != nil {
		t.Fatal(err)
	}
	if r, err = ScanReader("greet", bytes.NewReader(data), int64(len(data))); err != nil || r.Complete() || len(r.Gaps) < 2 {
		t.Errorf("%v, %+v", err, r)
	}
}

// Names lead to files in the root and nowhere else.
func TestFind(t *testing.T) {
	o := Options{Root: smallRoot}
	for name, want := range map[string]string{
		"greet": "/bin/greet", "/bin/greet": "/bin/greet", "bin/greet": "/bin/greet", "./bin/greet": "/bin/greet",
		"/../../bin/greet": "/bin/greet", "greet.sh": "/bin/sh", "/bin/greet.sh": "/bin/sh",
	} {
		if got, err := o.Find(name); got != want || err != nil {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
	for name, want := range map[string]string{
		"/bin/nosuch": "/bin/nosuch: no such file or directory",
		"/bin":        "/bin: is a directory",
		"/bin/sh/x":   "/bin/sh/x: not a directory",
	} {
		if _, err := o.Find(name); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	if _, err := o.Find("go.mod"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file of this directory: %v", err)
	}
	if _, err := (Options{Root: filepath.Join(smallRoot, "nosuch")}).Find("greet"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no root: %v", err)
	}
	r, err := o.Scan("greet.sh")
	if err != nil || !slices.Equal(r.Script, []string{"greet.sh"}) || r.Modules[0].Path != "/bin/sh" {
		t.Errorf("a script: %v, %+v", err, r)
	}
}

func TestUnite(t *testing.T) {
	o := Options{Root: smallRoot}
	scan := func(name string) *Result {
		t.Helper()
		r, err := o.Scan(name)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	starts := func(r *Result, name string) bool {
		return slices.ContainsFunc(r.Gaps, func(g Gap) bool { return g.Kind == GapExec && slices.Contains(g.Names, name) })
	}
	parent, child := scan("/bin/greet"), scan("sh")
	if !starts(parent, "/bin/sh") {
		t.Fatalf("%+v", parent.Gaps)
	}
	before := calls(child)
	sites := len(parent.need(t, "write").Sites)
	if err := parent.Unite(child); err != nil {
		t.Fatal(err)
	}
	if starts(parent, "/bin/sh") || !slices.Equal(parent.With, []string{"sh"}) {
		t.Errorf("with sh: gaps %+v, with %v", parent.Gaps, parent.With)
	}
	n := parent.need(t, "write")
	if len(n.Sites) != sites+len(child.need(t, "write").Sites) {
		t.Errorf("%d sites of write", len(n.Sites))
	}
	last := n.Sites[len(n.Sites)-1].Path
	if last[0].Module != "sh" || calls(child) != before || child.need(t, "write").Sites[0].Path[0].Module != "" {
		t.Errorf("the child's frame is %+v, its own result %+v", last[0], child)
	}
	// Another child does not close the gap, and one of another machine is refused.
	parent = scan("greet")
	if err := parent.Unite(scan("lost")); err != nil || !starts(parent, "/bin/sh") || parent.Complete() {
		t.Errorf("with another program: %v, gaps %+v", err, parent.Gaps)
	}
	foreign := *child
	foreign.Arch = syscalls.ByName("aarch64")
	if err := parent.Unite(&foreign); err == nil {
		t.Error("a child of another machine was united")
	}
}

// What the cache holds changes nothing, and is used: a wrong entry under a right name shows.
func TestCache(t *testing.T) {
	plain, err := Options{Root: smallRoot}.Scan("greet")
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Root: smallRoot, CacheDir: filepath.Join(t.TempDir(), "cache")}
	for _, run := range []string{"first", "second", "damaged"} {
		if run == "damaged" {
			files, err := filepath.Glob(filepath.Join(o.CacheDir, "*.entry"))
			if err != nil || len(files) != 4 {
				t.Fatalf("%d entries for three files and the process of them, %v", len(files), err)
			}
			for _, f := range files {
				data, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				data[len(data)/2] ^= 1
				if err := os.WriteFile(f, data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		r, err := o.Scan("greet")
		if err != nil || outline(r) != outline(plain) {
			t.Errorf("%s run: %v\n%s", run, err, outline(r))
		}
	}
	// Another library under the same name counts as another, and so does one that is gone.
	changed := t.TempDir()
	if err := os.CopyFS(changed, os.DirFS(smallRoot)); err != nil {
		t.Fatal(err)
	}
	o.Root = changed
	if r, err := o.Scan("greet"); err != nil || r.need(t, "sendto") == nil {
		t.Errorf("a copy: %v", err)
	}
	library := filepath.Join(changed, "lib", "libsay.so.1")
	data, err := os.ReadFile(library)
	if err != nil {
		t.Fatal(err)
	}
	const sendto = "\xbf\x2c\x00\x00\x00" // mov $44,%edi
	if bytes.Count(data, []byte(sendto)) != 1 {
		t.Fatalf("the library does not set the number of sendto once")
	}
	other := bytes.Replace(data, []byte(sendto), []byte("\xbf\x2e\x00\x00\x00"), 1) // sendmsg
	if err := os.WriteFile(library, other, 0o644); err != nil {
		t.Fatal(err)
	}
	if r, err := o.Scan("greet"); err != nil || r.need(t, "sendto") != nil || r.need(t, "sendmsg") == nil {
		t.Errorf("another library: %v", err)
	}
	if err := os.Remove(library); err != nil {
		t.Fatal(err)
	}
	if r, err := o.Scan("greet"); err != nil || r.Complete() || r.need(t, "sendmsg") != nil {
		t.Errorf("no library: %v", err)
	}
	o.Root = smallRoot
	// A directory that cannot be one costs nothing but time.
	o.CacheDir = filepath.Join(smallRoot, "bin", "greet")
	if r, err := o.Scan("greet"); err != nil || outline(r) != outline(plain) {
		t.Errorf("a file for a directory: %v", err)
	}
}

// Code that is only there once the program runs cannot be read, and is never taken for none.
func TestHiddenCode(t *testing.T) {
	plain, err := os.ReadFile(filepath.Join(smallRoot, "bin", "sh"))
	if err != nil {
		t.Fatal(err)
	}
	le := binary.LittleEndian
	change := func(f func(data []byte, load int)) []byte {
		data := bytes.Clone(plain)
		for at := int(le.Uint64(data[32:])); ; at += 56 {
			if elf.ProgType(le.Uint32(data[at:])) == elf.PT_LOAD && le.Uint32(data[at+4:])&uint32(elf.PF_X) != 0 {
				f(data, at)
				return data
			}
		}
	}
	for _, c := range []struct {
		name string
		data []byte
		want string // part of the gap, "" for none
	}{
		{"as it is", plain, ""},
		{"writable", change(func(b []byte, load int) { le.PutUint32(b[load+4:], uint32(elf.PF_R|elf.PF_W|elf.PF_X)) }), "writable and executable"},
		{"packed", change(func(b []byte, _ int) { copy(b[0xe8:], "UPX!") }), "is packed"},
		{"encrypted", change(func(b []byte, _ int) {
			entry := le.Uint64(b[24:]) - 0x400000
			for i := range b[entry:min(entry+0x60, uint64(len(b)))] {
				b[int(entry)+i] = 0x90 // nop
			}
		}), "no system call was found"},
	} {
		r, err := ScanReader(c.name, bytes.NewReader(c.data), int64(len(c.data)))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		found := slices.ContainsFunc(r.Gaps, func(g Gap) bool { return g.Kind == GapMissing && strings.Contains(g.Detail, c.want) })
		if c.want == "" && !r.Complete() || c.want != "" && !found {
			t.Errorf("%s: complete is %v, needs %s, gaps %+v", c.name, r.Complete(), calls(r), r.Gaps)
		}
	}
}
