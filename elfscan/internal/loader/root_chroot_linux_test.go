package loader

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const (
	chrootHelper = "LOADER_TEST_CHROOT"
	inert        = "LOADER_TEST_INERT" // the test program itself does nothing
)

// TestMain is also the helper that goes into a root directory and opens paths there.
func TestMain(m *testing.M) {
	if dir := os.Getenv(chrootHelper); dir != "" {
		openInChroot(dir)
		return
	}
	if os.Getenv(inert) != "" {
		return
	}
	os.Exit(m.Run())
}

// opened is what the kernel says about a path: a file's identity, or an error.
type opened struct {
	Dev, Ino uint64
	Errno    syscall.Errno
}

// openInChroot answers each line of its input, a path, with the file that the kernel opens for it.
func openInChroot(dir string) {
	if err := syscall.Chroot(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if err := syscall.Chdir("/"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	out := json.NewEncoder(os.Stdout)
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var st syscall.Stat_t
		var o opened
		err := syscall.Stat(in.Text(), &st)
		if errors.As(err, &o.Errno) {
			st = syscall.Stat_t{}
		}
		o.Dev, o.Ino = st.Dev, st.Ino
		if err := out.Encode(o); err != nil {
			os.Exit(2)
		}
	}
}

// farm makes a tree of directories, files and links, most of which lead somewhere odd, and returns
// paths to try.
func farm(t *testing.T, rng *rand.Rand, dir string) []string {
	t.Helper()
	names := []string{"a", "b", "c", "d", "e"}
	part := func() string {
		special := []string{"..", ".", "", "..", "a", "b"}
		if rng.IntN(3) == 0 {
			return special[rng.IntN(len(special))]
		}
		return names[rng.IntN(len(names))]
	}
	somePath := func(n int) string {
		parts := make([]string, 1+rng.IntN(n))
		for i := range parts {
			parts[i] = part()
		}
		p := strings.Join(parts, "/")
		if rng.IntN(2) == 0 {
			p = "/" + p
		}
		if p == "" {
			p = "."
		}
		return p
	}
	dirs := []string{dir}
	for range 60 {
		at := filepath.Join(dirs[rng.IntN(len(dirs))], names[rng.IntN(len(names))])
		var err error
		switch rng.IntN(4) {
		case 0:
			if err = os.Mkdir(at, 0o755); err == nil {
				dirs = append(dirs, at)
			}
		case 1:
			err = os.WriteFile(at, []byte(at), 0o644)
			if info, statErr := os.Lstat(at); statErr == nil && info.Mode()&fs.ModeSymlink != 0 || err != nil {
				err = fs.ErrExist
			}
		default:
			err = os.Symlink(somePath(6), at)
		}
		if err != nil && !errors.Is(err, fs.ErrExist) {
			continue // the kernel's own answer to a link that makes no sense
		}
	}
	paths := []string{"/", ".", "..", "/..", "/../..", "//", "a", "a/", strings.Repeat("a/", 2047) + "a", strings.Repeat("/", 4095), strings.Repeat("/", 4096), strings.Repeat("x", 255), strings.Repeat("x", 256)}
	for range 400 {
		paths = append(paths, somePath(8))
	}
	return paths
}

// What a path leads to inside a root is what the kernel opens for it after chroot(2).
func TestResolveIsChroot(t *testing.T) {
	if os.Getuid() != 0 {
		absentHere(t, "chroot needs root")
	}
	found, links := 0, 0
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 4))
		// Directories above the root have files of the same names: what escapes is found there.
		outer := t.TempDir()
		for _, n := range []string{"a", "b", "c"} {
			if err := os.WriteFile(filepath.Join(outer, n), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		dir := filepath.Join(outer, "root")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		paths := farm(t, rng, dir)
		if seed == 0 {
			paths = append(paths, chain(t, dir)...)
		}
		f, l := compareChroot(t, dir, paths)
		found, links = found+f, links+l
	}
	if found < 100 || links < 100 {
		t.Errorf("%d paths lead to a file, %d into a loop: too few to say anything", found, links)
	}
}

// chain makes 50 links, each to the next one, the last to a file: the kernel follows 40.
func chain(t *testing.T, dir string) (paths []string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "link50"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		at := fmt.Sprintf("link%d", i)
		if err := os.Symlink(fmt.Sprintf("/link%d", i+1), filepath.Join(dir, at)); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, at)
	}
	return paths
}

func compareChroot(t *testing.T, dir string, paths []string) (found, loops int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), chrootHelper+"="+dir)
	cmd.Stdin = strings.NewReader(strings.Join(paths, "\n") + "\n")
	out, err := cmd.Output()
	if err != nil {
		absentHere(t, "chroot: %v", err)
	}
	r, err := NewRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for _, p := range paths {
		var want, got opened
		if err := decoder.Decode(&want); err != nil {
			t.Fatalf("%q: %v", p, err)
		}
		host, inside, err := r.Resolve(p)
		if err == nil {
			var st syscall.Stat_t
			if err := syscall.Lstat(host, &st); err != nil {
				t.Fatal(err)
			}
			got.Dev, got.Ino = st.Dev, st.Ino
			found++
			if host != filepath.Join(dir, inside) {
				t.Errorf("%q: host %s, inside %s", p, host, inside)
			}
		} else if !errors.As(err, &got.Errno) {
			if got.Errno = syscall.EINVAL; errors.Is(err, fs.ErrNotExist) {
				got.Errno = syscall.ENOENT
			}
		}
		if got.Errno == syscall.ELOOP {
			loops++
		}
		if got != want {
			t.Errorf("%s: %.60q: we have %+v, the kernel %+v", dir, p, got, want)
		}
	}
	return found, loops
}
