package witness

import (
	"os"
	"path/filepath"
	"testing"
)

// stripped and pie are the flags of the two other ways to build a program.
var (
	stripped = []string{"-ldflags=-s -w"}
	pie      = []string{"-buildmode=pie"}
)

// releases are the last ones of Go 1.21 to 1.26, in November 2026.
var releases = []string{"go1.21.13", "go1.22.12", "go1.23.12", "go1.24.13", "go1.25.14", "go1.26.11"}

// own is one of the small programs in testdata/truth/src.
func own(src, name, goarch string, flags ...string) program {
	return program{Name: name, Dir: filepath.Join("testdata", "truth", "src", src), GOARCH: goarch, Flags: flags}
}

// truthPrograms are the programs that testdata/truth has traces of; httpd-cgo, which is built on one
// machine for that machine, has a test of its own.
var truthPrograms = []program{
	own("hello", "hello", "amd64"),
	own("hellow", "hellow", "amd64"),
	own("hellop", "hellop", "amd64"),
	own("hello", "hello-stripped", "amd64", stripped...),
	own("hello", "hello-pie", "amd64", pie...),
	own("hello", "hello-arm64", "arm64"),
	own("walk", "walk", "amd64"),
	own("httpd", "httpd", "amd64"),
	own("httpd", "httpd-stripped", "amd64", stripped...),
	own("httpd", "httpd-pie", "amd64", pie...),
	own("httpd", "httpd-arm64", "arm64"),
	{Name: "fzf", Module: "github.com/junegunn/fzf", Version: "v0.65.2"},
	{Name: "node_exporter", Module: "github.com/prometheus/node_exporter", Version: "v1.9.1"},
	{Name: "caddy", Module: "github.com/caddyserver/caddy/v2/cmd/caddy", Version: "v2.10.0"},
}

// truthProgram returns the program of that name, nil if there is none.
func truthProgram(name string) *program {
	for i := range truthPrograms {
		if truthPrograms[i].Name == name {
			return &truthPrograms[i]
		}
	}
	return nil
}

// maxNeeds are the most needs that are not conditional that a scan may report: a set that is right
// but grows is a regression too. The figures are the project's aims for the toolchain of the traces.
var maxNeeds = map[string]int{
	"hello": 34, "walk": 43, "httpd": 57, "fzf": 85, "node_exporter": 85, "caddy": 102,
}

// eachRelease runs a test with the toolchain at hand and, where fetching others was asked for, with
// the oldest one; with all of them where PROFCHECK_FULL is set, too.
func eachRelease(t *testing.T, f func(t *testing.T, release string)) {
	t.Helper()
	list := []string{toolchain(t)}
	switch {
	case networkAllowed() && os.Getenv("PROFCHECK_FULL") != "":
		list = append(list, releases...)
	case networkAllowed():
		list = append(list, releases[0])
	}
	for _, release := range list {
		t.Run(release, func(t *testing.T) { f(t, release) })
	}
}
