package profile

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/syscalls"
)

// Whatever the text and the format: no panic, every profile has places in the file and resolves for
// its own target or gives a typed error, and what is refused is refused with a place. So is the rest
// of the file when one part is. What is read can be written in every format, and read again.
func FuzzRead(f *testing.F) {
	list, err := filepath.Glob("testdata/formats/*/*.in")
	if err != nil || len(list) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, path := range list {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, seed := range hostileYAML {
		if len(seed.text) < 512 { // the long ones take long
			f.Add([]byte(seed.text))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		readAny(t, data, "")
		for _, format := range Formats() {
			readAny(t, data, format.Name)
		}
		Recognize(data)
	})
}

func readAny(t *testing.T, data []byte, format string) {
	t.Helper()
	list, err := Read("p", data, ReadOptions{Format: format})
	var pe *ParseError
	switch {
	case err == nil && len(list) == 0:
		t.Fatal("neither a profile nor an error")
	case err != nil && (!errors.As(err, &pe) || pe.Pos.Line < 1 || pe.Pos.Column < 1 || strings.Contains(err.Error(), "\n")):
		t.Fatalf("no place, or not one line: %q", err)
	}
	names, own := map[string]bool{}, false
	for _, p := range list {
		if names[p.Name] || p.Pos.File != "p" {
			t.Fatalf("name %q at %s", p.Name, p.Pos)
		}
		names[p.Name] = true
		if p.Container != nil && p.Container.rules != "" {
			if own {
				continue // the rules are those of a built-in, once more
			}
			own = true
		}
		for _, format := range WriteFormats() {
			if p.Format == Raw {
				break // its rules are not known
			}
			out, err := p.Write(format, Target{ABI: syscalls.ByName("x86_64")})
			var load *LoadError
			if err != nil && !errors.As(err, &load) {
				t.Fatalf("as %s: %v", format, err)
			}
			if err != nil {
				continue
			}
			if _, err := ParseAs("w", out.Text, format); err != nil {
				t.Fatalf("as %s: %v\n%s", format, err, out.Text)
			}
		}
		r, err := p.Resolve(p.DefaultTarget(syscalls.ByName("x86_64")))
		var load *LoadError
		if err != nil && !errors.As(err, &load) {
			t.Fatalf("untyped: %v", err)
		}
		if r == nil {
			continue
		}
		var size *SizeError
		if _, err := r.Compile(); err != nil && !errors.As(err, &size) {
			t.Fatal(err)
		}
	}
}
