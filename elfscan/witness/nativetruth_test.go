package witness

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// nativeTruth is one file of testdata/native/amd64 or arm64: what one of Debian's programs was seen
// to call under broad workloads, and the files ending in .so and the like that it opened.
type nativeTruth struct {
	Name     string   `json:"name"`
	Package  string   `json:"package"`
	Version  string   `json:"version"`
	Path     string   `json:"path"` // without links
	Syscalls []string `json:"syscalls"`
	Opened   []string `json:"opened"`
}

// nativeTruths reads the traces of an architecture, in order of names.
func nativeTruths(t testing.TB, arch string) []nativeTruth {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "native", arch, "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no traces for %s: %v", arch, err)
	}
	var list []nativeTruth
	for _, path := range paths {
		p := recorded(arch, strings.TrimSuffix(filepath.Base(path), ".json"))
		if p.Name != strings.TrimSuffix(filepath.Base(path), ".json") || p.Path == "" || len(p.Syscalls) == 0 {
			t.Fatalf("%s: holds %q at %q with %d syscalls", path, p.Name, p.Path, len(p.Syscalls))
		}
		list = append(list, p)
	}
	return list
}

// recorded reads the trace of one program; one that is not there or cannot be read is empty.
func recorded(arch, name string) nativeTruth {
	var p nativeTruth
	data, err := os.ReadFile(filepath.Join("testdata", "native", arch, name+".json"))
	if err != nil || json.Unmarshal(data, &p) != nil {
		return nativeTruth{}
	}
	return p
}

// trace returns the recorded calls.
func (p nativeTruth) trace() trace {
	tr := trace{}
	for _, name := range p.Syscalls {
		tr[name]++
	}
	return tr
}

// command returns the path that the program is started by: one that does several things looks at
// its name, and the trace has the path without links.
func (p nativeTruth) command() string {
	if p.Name == "redis-server" {
		return filepath.Join(filepath.Dir(p.Path), p.Name)
	}
	return p.Path
}

// needPackage skips a program that is not installed on this machine, and tells where its version is
// another one than the trace's.
func needPackage(t testing.TB, p nativeTruth) {
	t.Helper()
	needLinux(t)
	if _, err := os.Stat(p.Path); err != nil {
		skip(t, "%s of Debian's package %s is not installed", p.Path, p.Package)
	}
	out, err := exec.Command("dpkg-query", "--show", "--showformat", "${Version}", p.Package).Output()
	switch {
	case err != nil:
		t.Logf("%s: no version of package %s: %v", p.Name, p.Package, err)
	case string(out) != p.Version:
		t.Logf("%s: version %s is installed, the trace is of %s", p.Name, out, p.Version)
	}
}
