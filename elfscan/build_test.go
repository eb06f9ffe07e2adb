package elfscan

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// built caches the programs of one test run, by what they are made of.
var built struct {
	sync.Mutex
	dir     string
	entries map[string]*buildEntry
}

type buildEntry struct {
	once sync.Once
	path string
	err  error
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "elfscan")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	built.dir, built.entries = dir, map[string]*buildEntry{}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// source is a program in txtar-like form: files that begin with a line "-- name --". What stands
// before the first one is main.go.
type source string

func (s source) files() map[string]string {
	files, name, body := map[string]string{}, "main.go", ""
	for line := range strings.Lines(string(s)) {
		if rest, ok := strings.CutPrefix(line, "-- "); ok {
			files[name], body = body, ""
			name = strings.TrimSuffix(strings.TrimSpace(rest), " --")
			continue
		}
		body += line
	}
	files[name] = body
	return files
}

// build compiles s without cgo for goarch and returns the path of the program.
func build(t testing.TB, s source, goarch string, flags ...string) string {
	t.Helper()
	key := fmt.Sprintf("%x", sha256.Sum256([]byte(string(s)+goarch+strings.Join(flags, "\x00"))))
	built.Lock()
	e := built.entries[key]
	if e == nil {
		e = &buildEntry{path: filepath.Join(built.dir, key[:16], "program")}
		built.entries[key] = e
	}
	built.Unlock()
	e.once.Do(func() { e.err = compile(s, e.path, goarch, flags) })
	if e.err != nil {
		t.Fatal(e.err)
	}
	return e.path
}

func compile(s source, path, goarch string, flags []string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	files := s.files()
	files["go.mod"] = "module example.test/program\n\ngo 1.25\n"
	for name, body := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o666); err != nil {
			return err
		}
	}
	cmd := exec.Command("go", append(append([]string{"build", "-trimpath", "-buildvcs=false", "-o", path}, flags...), ".")...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+goarch, "GOFLAGS=", "GOWORK=off", "GOAMD64=v1")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build for %s: %w\n%s", goarch, err, out)
	}
	return nil
}

// scan is Scan of a file that must be readable.
func scan(t testing.TB, path string) *Result {
	t.Helper()
	res, err := Scan(path)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// need returns the need of the named call, nil if res has none.
func (r *Result) need(t testing.TB, name string) *Need {
	t.Helper()
	nr, ok := r.Arch.Number(name)
	if !ok {
		t.Fatalf("%s has no syscall %s", r.Arch.Name, name)
	}
	return r.Need(nr)
}

const helloSource source = `package main

import "fmt"

func main() { fmt.Println("hello") }
`

const httpSource source = `package main

import "net/http"

func main() { http.ListenAndServe(":0", nil) }
`
