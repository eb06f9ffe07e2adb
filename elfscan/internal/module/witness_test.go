package module

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// missing skips a test whose outside witness is not installed; where all of them have to be, it
// fails.
func missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// closure returns a program and the libraries that the loader of this machine gives it, nothing if
// it is not installed.
func closure(name string) []string {
	program, err := exec.LookPath(name)
	if err != nil || runtime.GOOS != "linux" {
		return nil
	}
	cmd := exec.Command(program)
	cmd.Env = []string{"LD_TRACE_LOADED_OBJECTS=1"}
	out, err := cmd.Output()
	if err != nil {
		return nil
	}
	files := []string{program}
	for line := range strings.Lines(string(out)) {
		for _, f := range strings.Fields(line) {
			if strings.HasPrefix(f, "/") {
				files = append(files, f)
				break
			}
		}
	}
	return files
}

// TestAgainstReadelf compares everything that readelf says about installed files with the module.
// PROFCHECK_ELF_FILES names further ones by a pattern.
func TestAgainstReadelf(t *testing.T) {
	readelf, err := exec.LookPath("readelf")
	if err != nil {
		missing(t, "%v", err)
	}
	if runtime.GOOS != "linux" {
		t.Skip("system libraries are not ELF files here")
	}
	groups := map[string][]string{
		"sh":           closure("sh"),
		"python3":      closure("python3"),
		"redis-server": closure("redis-server"),
		"static":       pattern("/usr/bin/busybox"),
		"arm64":        pattern("/usr/aarch64-linux-gnu/lib/*.so*"),
	}
	if further := os.Getenv("PROFCHECK_ELF_FILES"); further != "" {
		groups["further"] = pattern(further)
	}
	seen := map[string]bool{}
	for group, list := range groups {
		t.Run(group, func(t *testing.T) {
			if len(list) == 0 {
				missing(t, "not installed")
			}
			for _, path := range list {
				real, err := filepath.EvalSymlinks(path)
				if err != nil || seen[real] {
					continue
				}
				seen[real] = true
				compareWithReadelf(t, readelf, real)
			}
		})
	}
}

func pattern(pattern string) []string {
	files, _ := filepath.Glob(pattern)
	return files
}

func compareWithReadelf(t *testing.T, readelf, path string) {
	data, err := os.ReadFile(path)
	if err != nil || len(data) < headerSize || !bytes.HasPrefix(data, []byte(elf.ELFMAG)) || data[16] == byte(elf.ET_REL) {
		return // directories, scripts, and linker scripts that are called .so too
	}
	m, err := Open(path, data)
	if err != nil {
		t.Error(err)
		return
	}
	out, err := exec.Command(readelf, append(slices.Clone(readelfFlags), path)...).Output()
	if e, ok := err.(*exec.ExitError); err != nil && (!ok || len(e.Stderr) > 0) { // it fails without a word over separate debug files
		t.Errorf("readelf %s: %v", path, err)
		return
	}
	f, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		t.Error(err)
		return
	}
	compareFacts(t, path, factsOf(m), parseReadelf(t, f, string(out)))
	for _, p := range m.Problems {
		t.Errorf("%s: %s", path, p)
	}
	compareStripped(t, m, data)
}

// compareFacts reports the first difference in each field.
func compareFacts(t *testing.T, path string, got, want *facts) {
	t.Helper()
	g, w := reflect.ValueOf(*got), reflect.ValueOf(*want)
	for i := range g.NumField() {
		a, b := g.Field(i).Interface(), w.Field(i).Interface()
		name := g.Type().Field(i).Name
		list, ok := a.([]string)
		if !ok {
			if a != b {
				t.Errorf("%s: %s: %v, readelf has %v", path, name, a, b)
			}
			continue
		}
		other := b.([]string)
		for j := range max(len(list), len(other)) {
			if j >= len(list) || j >= len(other) || list[j] != other[j] {
				t.Errorf("%s: %s: %d, readelf has %d; the first difference is\n\t%q\n\t%q", path, name, len(list), len(other), list[min(j, len(list)):min(j+1, len(list))], other[min(j, len(other)):min(j+1, len(other))])
				break
			}
		}
	}
}

// withoutSections returns a copy of a file that has no section headers.
func withoutSections(data []byte) []byte {
	data = slices.Clone(data)
	le.PutUint64(data[40:], 0)
	clear(data[58:64])
	return data
}

// compareStripped expects the same of a file that has lost its section headers.
func compareStripped(t *testing.T, whole *Module, data []byte) {
	t.Helper()
	m, err := Open(whole.Path, withoutSections(data))
	if err != nil {
		t.Error(err)
		return
	}
	got, want := factsOf(m), factsOf(whole)
	got.Locals, want.Locals = nil, nil
	got.BuildID, want.BuildID = "", "" // not every linker makes a program header for it
	if len(whole.Symbols) == 0 {       // a static program: only sections show them
		got.Relocs, want.Relocs, got.Frames, want.Frames = nil, nil, nil, nil
	}
	compareFacts(t, whole.Path+" without sections", got, want)
}
