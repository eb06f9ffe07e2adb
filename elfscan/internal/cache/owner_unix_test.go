//go:build unix

package cache

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestModes(t *testing.T) {
	base := t.TempDir()
	dir := filepath.Join(base, "cache")
	c := open(t, dir)
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("directory: %v, %v", info.Mode(), err)
	}
	key := KeyOf(nil)
	c.Put(key, "facts", []byte("blob"))
	file := onlyEntry(t, dir)
	for mode, want := range map[os.FileMode]bool{0o600: true, 0o644: true, 0o400: true, 0o620: false, 0o602: false, 0o666: false} {
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		if _, ok := c.Get(key, "facts"); ok != want {
			t.Errorf("entry of mode %o: %v", mode, ok)
		}
	}
	for mode, want := range map[os.FileMode]bool{0o700: true, 0o755: true, 0o770: false, 0o777: false, 0o1777: false} {
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		again, err := Open(dir)
		if (err == nil) != want {
			t.Errorf("directory of mode %o: %v", mode, err)
		}
		again.Close()
	}
}

func TestReadOnlyDirectory(t *testing.T) {
	const nobody = 65534
	if os.Geteuid() == 0 { // root writes everywhere: the test runs again as somebody else
		tmp, err := os.MkdirTemp("", "readonly")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(tmp)
		exe, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		self, err := os.ReadFile(exe)
		if err != nil {
			t.Fatal(err)
		}
		bin := filepath.Join(tmp, "test")
		if err := errors.Join(os.Chmod(tmp, 0o755), os.WriteFile(bin, self, 0o755), os.Mkdir(filepath.Join(tmp, "dir"), 0o700),
			os.Chown(filepath.Join(tmp, "dir"), nobody, nobody)); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(bin, "-test.run=^TestReadOnlyDirectory$", "-test.v")
		cmd.Dir, cmd.Env = tmp, []string{"TMPDIR=" + filepath.Join(tmp, "dir")}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS: TestReadOnlyDirectory") {
			t.Fatalf("as another user: %v\n%s", err, out)
		}
		return
	}
	dir := t.TempDir()
	c := open(t, dir)
	key, other := KeyOf(nil), KeyOf([]byte("other"))
	c.Put(key, "facts", []byte("blob"))
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o700)
	c.Put(other, "facts", []byte("blob"))
	if _, ok := c.Get(other, "facts"); ok {
		t.Error("written to a read-only directory")
	}
	if _, ok := c.Get(key, "facts"); !ok {
		t.Error("an entry of a read-only directory is not read")
	}
}

// Files and directories of another user: only root can make them for a test.
func TestForeign(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	dir := t.TempDir()
	c := open(t, dir)
	key := KeyOf(nil)
	c.Put(key, "facts", []byte("blob"))
	file := onlyEntry(t, dir)
	if err := os.Chown(file, 12345, 12345); err != nil {
		t.Skip("files cannot be given away here:", err)
	}
	if _, ok := c.Get(key, "facts"); ok {
		t.Error("another user's file is read")
	}
	if err := os.Chown(dir, 12345, 12345); err != nil {
		t.Fatal(err)
	}
	if c, err := Open(dir); err == nil {
		c.Close()
		t.Error("another user's directory is opened")
	}
}

// Something that blocks when it is opened is no entry.
func TestFIFO(t *testing.T) {
	dir := t.TempDir()
	c := open(t, dir)
	key := KeyOf(nil)
	_, name, _ := c.entry(key, "facts")
	if err := syscall.Mkfifo(filepath.Join(dir, name), 0o600); err != nil {
		t.Skip("no named pipes here:", err)
	}
	if _, ok := c.Get(key, "facts"); ok {
		t.Error("hit")
	}
	c.Put(key, "facts", []byte("blob"))
	if _, ok := c.Get(key, "facts"); !ok {
		t.Error("miss after Put")
	}
}
