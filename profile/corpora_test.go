package profile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every profile of the corpora is read, or refused in one clear line; what happens to each is in a
// golden file.
func TestCorpora(t *testing.T) {
	dir := shared(t, "corpora/profiles")
	var b strings.Builder
	for _, sub := range []string{"moby", "oci"} {
		list, err := filepath.Glob(filepath.Join(dir, sub, "*"))
		if err != nil || len(list) == 0 {
			t.Fatalf("%s: %d profiles (%v)", sub, len(list), err)
		}
		for _, path := range list {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "%s/%s: %s\n", sub, filepath.Base(path), outcome(t, data))
		}
	}
	golden(t, "corpora.txt", b.String())
}

// outcome says in our own words what becomes of a profile.
func outcome(t *testing.T, data []byte) string {
	t.Helper()
	p, err := Parse("p", data)
	if err != nil {
		var pe *ParseError
		if !errors.As(err, &pe) || strings.Contains(err.Error(), "\n") {
			t.Errorf("not a ParseError in one line: %q", err)
		}
		return "refused at " + strings.TrimPrefix(err.Error(), "profile p:")
	}
	kinds := map[Kind]int{}
	var order []Kind
	for _, q := range p.Problems {
		if kinds[q.Kind]++; kinds[q.Kind] == 1 {
			order = append(order, q.Kind)
		}
	}
	out := fmt.Sprintf("%s, %d rules", p.Format, len(p.Rules))
	for _, k := range order {
		out += fmt.Sprintf(", %d %s", kinds[k], k)
	}
	r, err := p.Resolve(p.DefaultTarget(arch(t, "x86_64")))
	if err != nil {
		var load *LoadError
		if !errors.As(err, &load) {
			t.Errorf("not a LoadError: %v", err)
		}
		return out + "; not loaded: " + strings.TrimPrefix(err.Error(), "profile p:")
	}
	if r.Disabled {
		return out + "; seccomp is off"
	}
	prog, err := r.Compile()
	if err != nil {
		t.Errorf("compile: %v", err)
	}
	return out + fmt.Sprintf("; %d enforced, %d skipped, %d conflicts, %d instructions", len(r.Rules), len(r.Skipped), len(r.Conflicts), len(prog))
}
