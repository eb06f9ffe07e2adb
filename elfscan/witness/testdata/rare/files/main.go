// Does with files what package os can do.
package main

import (
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	dir, err := os.MkdirTemp("", "files")
	check(err)
	defer os.RemoveAll(dir)
	check(os.Chdir(dir))
	_, err = os.Getwd()
	check(err)
	check(os.MkdirAll("a/b/c", 0o755))
	check(os.WriteFile("a/one", make([]byte, 100000), 0o600))
	check(os.Link("a/one", "a/two"))
	check(os.Symlink("one", "a/three"))
	_, err = filepath.EvalSymlinks("a/three")
	check(err)
	check(os.Chmod("a/one", 0o640))
	check(os.Lchown("a/three", os.Getuid(), os.Getgid()))
	check(os.Chtimes("a/one", time.Now(), time.Now()))
	check(os.Truncate("a/two", 5000))
	check(os.Rename("a/two", "a/four"))
	in, err := os.Open("a/one")
	check(err)
	out, err := os.OpenFile("copy", os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	check(err)
	_, err = io.Copy(out, in) // copy_file_range, or what the kernel makes of O_APPEND
	check(err)
	plain, err := os.Create("plain")
	check(err)
	_, err = in.Seek(0, io.SeekStart)
	check(err)
	_, err = io.Copy(plain, in)
	check(err)
	_, err = plain.ReadAt(make([]byte, 10), 5)
	check(err)
	_, err = plain.WriteAt(make([]byte, 10), 5)
	check(err)
	check(plain.Sync())
	check(plain.Chmod(0o600))
	check(plain.Truncate(10))
	check(syscall.Flock(int(plain.Fd()), syscall.LOCK_EX))
	check(plain.Close())
	r, w, err := os.Pipe()
	check(err)
	w.Write([]byte("x"))
	w.Close()
	_, err = io.Copy(out, r) // splice
	check(err)
	r.SetReadDeadline(time.Now().Add(time.Millisecond))
	root, err := os.OpenFile(".", os.O_RDONLY, 0)
	check(err)
	_, err = root.ReadDir(-1)
	check(err)
	os.Hostname()
	os.Getgroups()
	os.Executable()
	check(os.Remove("copy"))
}
