package witness

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A nativeRoot is a root directory that holds one program and what it was found to need.
type nativeRoot struct {
	t   testing.TB
	dir string
}

const localeDir = "/usr/lib/locale/C.utf8"

// newNativeRoot makes a root with these files of the machine, which are paths without links, and
// with the links by which they are asked for.
func newNativeRoot(t testing.TB, files ...string) *nativeRoot {
	t.Helper()
	r := &nativeRoot{t: t, dir: publicDir(t)}
	for _, sub := range []string{"usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "etc", "dev", "proc", "run", "var/lib", "root"} {
		r.mkdir(sub)
	}
	r.mkdir(os.TempDir())
	for _, sub := range []string{"bin", "sbin", "lib", "lib64"} {
		r.link("usr/"+sub, sub)
	}
	writeFile(t, filepath.Join(r.dir, "etc"), "passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/sh\n")
	writeFile(t, filepath.Join(r.dir, "etc"), "group", "root:x:0:\nnogroup:x:65534:\n")
	writeFile(t, filepath.Join(r.dir, "etc"), "nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n")
	writeFile(t, filepath.Join(r.dir, "etc"), "hosts", "127.0.0.1 localhost\n")
	if _, err := os.Stat(localeDir); err == nil { // as nativeEnv wants
		r.addTree(localeDir)
	}
	for _, file := range files {
		r.add(file)
	}
	return r
}

func (r *nativeRoot) mkdir(path string) {
	r.t.Helper()
	if err := os.MkdirAll(filepath.Join(r.dir, path), 0o755); err != nil {
		r.t.Fatal(err)
	}
}

func (r *nativeRoot) link(to, path string) {
	r.t.Helper()
	if err := os.Symlink(to, filepath.Join(r.dir, path)); err != nil && !os.IsExist(err) {
		r.t.Fatal(err)
	}
}

// add copies one file of the machine and the links to it that lie beside it or where loaders look.
func (r *nativeRoot) add(file string) {
	r.t.Helper()
	real, err := filepath.EvalSymlinks(file)
	if err != nil {
		r.t.Fatal(err)
	}
	r.copy(real)
	for _, dir := range []string{filepath.Dir(real), "/usr/lib64", "/usr/lib/x86_64-linux-gnu"} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			if e.Type()&fs.ModeSymlink == 0 {
				continue
			}
			if to, err := filepath.EvalSymlinks(path); err == nil && to == real {
				r.mkdir(dir)
				r.link(real, path)
			}
		}
	}
}

// copy copies one file to the same path.
func (r *nativeRoot) copy(path string) {
	r.t.Helper()
	in, err := os.Open(path)
	if err != nil {
		r.t.Fatal(err)
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		r.t.Fatal(err)
	}
	r.mkdir(filepath.Dir(path))
	out, err := os.OpenFile(filepath.Join(r.dir, path), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, info.Mode().Perm())
	if err != nil {
		r.t.Fatal(err)
	}
	defer out.Close()
	if _, err := io.Copy(out, in); err != nil {
		r.t.Fatal(err)
	}
}

// addTree copies a folder without what no program reads: caches of byte code and tests.
func (r *nativeRoot) addTree(dir string) {
	r.t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "__pycache__" || d.Name() == "test" || strings.HasPrefix(d.Name(), "config-")):
			return filepath.SkipDir
		case d.Type()&fs.ModeSymlink != 0:
			to, err := os.Readlink(path)
			if err == nil {
				r.mkdir(filepath.Dir(path))
				r.link(to, path)
			}
			return err
		case d.Type().IsRegular():
			r.copy(path)
		}
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
}
