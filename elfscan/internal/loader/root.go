package loader

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
)

// Limits of the kernel's path walk (include/linux/namei.h, limits.h) and of this package.
const (
	maxLinks    = 40   // MAXSYMLINKS: symbolic links followed for one path
	maxPath     = 4096 // PATH_MAX, with the final NUL
	maxFileSize = 1 << 30

	// maxWork bounds what all look-ups in one Root cost together: a file that is asked about, or that a
	// directory lists, counts one. The largest programs of a distribution stay below 100,000.
	maxWork = 4_000_000
)

// errSpent ends every look-up once maxWork is reached.
var errSpent = fmt.Errorf("the files to look at are more than the limit of %d", maxWork)

// DefaultPath is where a name without slash is looked for, unless Root.SearchPath says otherwise.
const DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// Root is a directory that a program sees as "/". Paths inside it are written with slashes and start
// with one; no link and no ".." leads out of it.
type Root struct {
	// SearchPath is the PATH by which names without slash are found, directories separated by
	// colons.
	SearchPath string

	dir string // of the host, without final slash; "" for the machine's own root
	cwd string // where relative paths start
	fs  *os.Root

	work atomic.Int64
}

// Spent reports whether the bound on look-ups was reached: configuration files, search paths and links
// can multiply each other. Nothing is found from then on.
func (r *Root) Spent() bool { return r.work.Load() > maxWork }

// spend counts work and reports whether the bound allows it.
func (r *Root) spend(n int) bool { return r.work.Add(int64(n)) <= maxWork }

// NewRoot returns the root at a directory of this machine; "" and "/" are the machine's own.
func NewRoot(dir string) (*Root, error) {
	if dir == "" || dir == "/" {
		r := &Root{SearchPath: DefaultPath, cwd: "/"}
		if wd, err := os.Getwd(); err == nil {
			r.cwd = filepath.ToSlash(wd)
		}
		if path, ok := os.LookupEnv("PATH"); ok && runtime.GOOS != "windows" {
			r.SearchPath = path
		}
		return r, nil
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("root %s: %w", dir, err)
	}
	abs, err = withoutLinks(abs)
	if err != nil {
		return nil, fmt.Errorf("root %s: %w", dir, err)
	}
	opened, err := os.OpenRoot(abs)
	if err != nil {
		return nil, fmt.Errorf("root %s: %w", dir, err)
	}
	return &Root{SearchPath: DefaultPath, dir: strings.TrimSuffix(abs, string(filepath.Separator)), cwd: "/", fs: opened}, nil
}

// withoutLinks resolves the links of the machine that lead to a directory. The text of /proc/PID/root is
// a path that means something to that process only: such a link stays, for the kernel to follow.
func withoutLinks(dir string) (string, error) {
	there, err := os.Stat(dir)
	if err != nil {
		return "", err
	}
	if plain, err := filepath.EvalSymlinks(dir); err == nil {
		if info, err := os.Stat(plain); err == nil && os.SameFile(info, there) {
			return plain, nil
		}
	}
	return dir + string(filepath.Separator) + ".", nil
}

// Own reports whether r is the root of the machine itself.
func (r *Root) Own() bool { return r.fs == nil }

// Resolve follows a path as the kernel would for a process whose root directory is r: absolute
// links start at r again, and ".." at r stays there. It returns where the file is on this machine
// and its path inside the root, both without links. The file exists if there is no error.
//
// The standard library's os.Root refuses absolute links instead, which images are full of.
func (r *Root) Resolve(path string) (host, inside string, err error) {
	fail := func(err error) (string, string, error) {
		return "", "", &fs.PathError{Op: "resolve", Path: path, Err: err}
	}
	if path == "" {
		return fail(fs.ErrNotExist)
	}
	if len(path) >= maxPath {
		return fail(syscall.ENAMETOOLONG)
	}
	if r.Own() && runtime.GOOS == "windows" {
		// Drive letters and other forms: the system's own resolution.
		host, err = filepath.Abs(filepath.FromSlash(path))
		if err == nil {
			host, err = filepath.EvalSymlinks(host)
		}
		return host, filepath.ToSlash(host), err
	}
	if !strings.HasPrefix(path, "/") {
		path = r.cwd + "/" + path
	}
	done, magic, err := r.walk(path)
	if err != nil {
		return fail(err)
	}
	host, inside = r.hostPath(done), "/"+strings.Join(done, "/")
	if magic && r.Own() {
		there, err := os.Stat(path)
		if info, found := os.Stat(host); err == nil && (found != nil || !os.SameFile(info, there)) {
			return fail(errElsewhere)
		}
	}
	return host, inside, nil
}

// errElsewhere is for /proc/PID/exe and the like, if the process has another root: the text of the link
// is the path of another file here.
var errElsewhere = errors.New("a link in /proc leads to another file than its text says: name it with --root /proc/PID/root")

// walk resolves one absolute path to its components without links. It tells whether a link in /proc was
// among these.
func (r *Root) walk(path string) (done []string, magic bool, err error) {
	// The components to come, last one first.
	rest := reversed(path)
	links, isDir := 0, true
	for len(rest) > 0 {
		name := rest[len(rest)-1]
		rest = rest[:len(rest)-1]
		if !isDir {
			return nil, false, syscall.ENOTDIR
		}
		switch name {
		case "", ".":
			continue
		case "..":
			done = done[:max(len(done)-1, 0)]
			continue
		}
		if !filepath.IsLocal(name) || filepath.Base(name) != name {
			return nil, false, fs.ErrNotExist // on Windows, what would name a drive or a device
		}
		host := r.hostPath(append(done, name))
		if !r.spend(1 + len(host)/128) {
			return nil, false, errSpent
		}
		info, err := os.Lstat(host)
		if err != nil {
			return nil, false, cause(err)
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			done = append(done, name)
			isDir = info.IsDir()
			continue
		}
		magic = magic || strings.HasPrefix(host, "/proc/")
		if links++; links > maxLinks {
			return nil, false, syscall.ELOOP
		}
		target, err := os.Readlink(host)
		if err != nil {
			return nil, false, cause(err)
		}
		target = filepath.ToSlash(target)
		if strings.HasPrefix(target, "/") {
			done = done[:0]
		}
		rest = append(rest, reversed(target)...)
	}
	return done, magic, nil
}

// hostPath is the place on this machine of a path without links.
func (r *Root) hostPath(components []string) string {
	if len(components) == 0 && r.dir != "" {
		return r.dir
	}
	return r.dir + string(filepath.Separator) + filepath.Join(components...)
}

func reversed(path string) []string {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	slices.Reverse(parts)
	return parts
}

// cause is the error without the path of the host that the standard library puts around it.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// open opens a file by a path that Resolve gave.
func (r *Root) open(inside string) (*os.File, error) {
	if r.Own() {
		return os.Open(filepath.FromSlash(inside))
	}
	// os.Root refuses what leaves it, should a link have appeared since.
	return r.fs.Open(filepath.FromSlash(cmp.Or(strings.TrimPrefix(inside, "/"), ".")))
}

// stat describes the file at a path inside the root, following links.
func (r *Root) stat(path string) (info fs.FileInfo, inside string, err error) {
	host, inside, err := r.Resolve(path)
	if err != nil {
		return nil, "", err
	}
	info, err = os.Lstat(host)
	if err != nil {
		return nil, "", &fs.PathError{Op: "stat", Path: path, Err: cause(err)}
	}
	return info, inside, nil
}

// ReadFile returns the content of a regular file of at most 1 GiB.
func (r *Root) ReadFile(path string) ([]byte, error) { return r.readAtMost(path, maxFileSize) }

func (r *Root) readAtMost(path string, limit int64) ([]byte, error) {
	info, inside, err := r.stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", path)
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("%s: %d bytes, more than the limit of %d", path, info.Size(), limit)
	}
	f, err := r.open(inside)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: cause(err)}
	}
	defer f.Close()
	// One byte more shows a file that grew, or one of /proc that has no size.
	data := make([]byte, info.Size()+1)
	n, err := io.ReadFull(f, data)
	switch {
	case err == nil:
		return nil, fmt.Errorf("%s: longer than its size says", path)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return data[:n], nil
	}
	return nil, &fs.PathError{Op: "read", Path: path, Err: cause(err)}
}

// readHead returns at most n bytes from the start of a regular file.
func (r *Root) readHead(inside string, n int) ([]byte, error) {
	f, err := r.open(inside)
	if err != nil {
		return nil, cause(err)
	}
	defer f.Close()
	data := make([]byte, n)
	n, err = io.ReadFull(f, data)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, cause(err)
	}
	return data[:n], nil
}

// readDir lists the names in a directory, sorted; none if it is not there.
func (r *Root) readDir(path string) []string {
	info, inside, err := r.stat(path)
	if err != nil || !info.IsDir() {
		return nil
	}
	f, err := r.open(inside)
	if err != nil {
		return nil
	}
	defer f.Close()
	names, _ := f.Readdirnames(maxDirNames)
	if !r.spend(len(names)) {
		return nil
	}
	slices.Sort(names)
	return names
}

// readText returns a configuration file. Its length is work: every line of it may be a name.
func (r *Root) readText(path string) (string, error) {
	data, err := r.readAtMost(path, maxConfSize)
	if err == nil && !r.spend(len(data)/16) {
		err = errSpent
	}
	if err != nil {
		return "", err
	}
	return string(data), nil
}

const maxDirNames = 100_000
