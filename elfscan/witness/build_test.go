package witness

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"sync"
	"testing"
)

// program says how to build one binary. The zero values mean: amd64, the toolchain that runs the
// test, a plain static build.
type program struct {
	Name      string            // of the binary
	Dir       string            // folder with the sources, in testdata; "" for a module of others or Files
	Files     map[string]string // sources given here instead of in a folder
	Module    string            // package path of a program of others
	Version   string            // its module's version
	Requires  string            // module@version that the sources import, "" for none
	Toolchain string            // GOTOOLCHAIN, "go1.21.13"; "" for the one at hand
	GOARCH    string
	Flags     []string // go build's
	Garble    bool     // build with garble instead of go
	Cgo       bool     // build with cgo, for this machine
}

// garbleVersion is the release of mvdan.cc/garble that the garbled programs are built with.
const garbleVersion = "v0.17.0"

var (
	buildsMu sync.Mutex
	builds   = map[string]*sync.Mutex{}
)

// build returns the path of p's binary, which it makes unless the cache has it.
func build(t testing.TB, p program) string {
	t.Helper()
	if p.GOARCH == "" {
		p.GOARCH = "amd64"
	}
	if p.Module != "" || p.Requires != "" || p.Garble {
		needNetwork(t, "modules of others")
	}
	if p.Toolchain == "" {
		p.Toolchain = toolchain(t)
	} else if p.Toolchain != toolchain(t) {
		needNetwork(t, "toolchain "+p.Toolchain)
	}
	files := sources(t, p)
	key := p.key(files)
	unlock := lockBuild(key)
	defer unlock()
	bin := cached(t, p.Toolchain, p.Name+"-"+key, p.Name)
	if _, err := os.Stat(bin); err == nil {
		return bin
	}
	make1(t, p, files, bin)
	return bin
}

// lockBuild keeps two tests from building the same binary at once.
func lockBuild(key string) (unlock func()) {
	buildsMu.Lock()
	if builds[key] == nil {
		builds[key] = new(sync.Mutex)
	}
	mu := builds[key]
	buildsMu.Unlock()
	mu.Lock()
	return mu.Unlock
}

// make1 builds p from its sources in a folder of its own and moves the binary to bin, so that a
// build that was cut short leaves nothing that looks whole.
func make1(t testing.TB, p program, files map[string]string, bin string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	pkg, tool := ".", "go"
	if p.Module != "" {
		pkg = p.Module
		run(t, p, dir, "go", "mod", "init", "example.com/"+p.Name)
		run(t, p, dir, "go", "get", p.Module+"@"+p.Version)
	}
	if p.Requires != "" {
		run(t, p, dir, "go", "get", p.Requires)
	}
	if p.Garble {
		tool = garble(t)
	}
	args := append([]string{"build"}, p.Flags...)
	run(t, p, dir, tool, append(args, "-o", filepath.Join(dir, "out.bin"), pkg)...)
	if err := os.MkdirAll(filepath.Dir(bin), 0o755); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "out.bin"))
	if err != nil {
		t.Fatal(err)
	}
	tmp := fmt.Sprintf("%s.%d", bin, os.Getpid())
	if err := os.WriteFile(tmp, text, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(tmp, bin); err != nil {
		t.Fatal(err)
	}
}

// run runs one step of a build with p's environment.
func run(t testing.TB, p program, dir, name string, args ...string) {
	t.Helper()
	cgo := "0"
	if p.Cgo {
		cgo = "1"
	}
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(),
		"GOFLAGS=-buildvcs=false -mod=mod", "GOTOOLCHAIN="+p.Toolchain, "GOWORK=off",
		"GOOS=linux", "GOARCH="+p.GOARCH, "CGO_ENABLED="+cgo, "GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %s %s: %v\n%s", p.Name, filepath.Base(name), strings.Join(args, " "), err, out)
	}
}

// sources returns p's files by name, go.mod included; none for a program of others.
func sources(t testing.TB, p program) map[string]string {
	t.Helper()
	files := map[string]string{}
	for name, text := range p.Files {
		files[name] = text
	}
	if p.Dir != "" {
		entries, err := os.ReadDir(p.Dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			text, err := os.ReadFile(filepath.Join(p.Dir, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			files[e.Name()] = string(text)
		}
	}
	if _, ok := files["go.mod"]; !ok && p.Module == "" {
		files["go.mod"] = "module ex/" + p.Name + "\n\ngo 1.21\n"
	}
	return files
}

// key names all that goes into a binary beside the toolchain.
func (p program) key(files map[string]string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q %q %q %q\n", p.Name, p.Module, p.Version, p.Requires, p.GOARCH, p.Flags)
	if p.Garble {
		fmt.Fprintln(h, "garble", garbleVersion)
	}
	if p.Cgo {
		fmt.Fprintln(h, "cgo")
	}
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Fprintf(h, "%q %q\n", name, files[name])
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// cacheDir is where binaries are kept.
func cacheDir() (string, error) {
	if dir := os.Getenv("PROFCHECK_BIN_CACHE"); dir != "" {
		return dir, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no folder for built programs, set PROFCHECK_BIN_CACHE: %w", err)
	}
	return filepath.Join(dir, "profcheck-test-bin"), nil
}

// cached returns the path of a file in the cache.
func cached(t testing.TB, elem ...string) string {
	t.Helper()
	dir, err := cacheDir()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, filepath.Join(elem...))
}

// garble returns the path of garble, which it installs into the cache.
func garble(t testing.TB) string {
	t.Helper()
	unlock := lockBuild("garble")
	defer unlock()
	dir := cached(t, "garble-"+garbleVersion)
	bin := filepath.Join(dir, "garble")
	if _, err := os.Stat(bin); err == nil {
		return bin
	}
	cmd := exec.Command("go", "install", "mvdan.cc/garble@"+garbleVersion)
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "GOTOOLCHAIN="+toolchain(t), "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("install garble: %v\n%s", err, out)
	}
	return bin
}

var toolchainOnce = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("go", "env", "GOVERSION").Output()
	return strings.TrimSpace(string(out)), err
})

var release = regexp.MustCompile(`^go1\.\d+(\.\d+)?$`)

// toolchain returns the release of the go command, "go1.26.8".
func toolchain(t testing.TB) string {
	t.Helper()
	v, err := toolchainOnce()
	if err != nil {
		t.Fatalf("go env GOVERSION: %v", err)
	}
	if !release.MatchString(v) {
		skip(t, "the go command is %q, not a release", v)
	}
	return v
}
