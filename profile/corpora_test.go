package profile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// corpora are the folders of the formats that are read.
var corpora = []string{"moby", "oci", "containers-common", "spo", "elastic", "systemd", "raw", "k8s"}

// Every profile of the corpora is read, or refused in one clear line; what happens to each is in a
// golden file.
func TestCorpora(t *testing.T) {
	dir := shared(t, "corpora/profiles")
	var b strings.Builder
	for _, sub := range corpora {
		list, err := filepath.Glob(filepath.Join(dir, sub, "*"))
		if err != nil || len(list) == 0 {
			t.Fatalf("%s: %d profiles (%v)", sub, len(list), err)
		}
		for _, path := range list {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			profiles, err := Read("p", data, ReadOptions{})
			for _, p := range profiles {
				part := ""
				if p.Part != "" {
					part = "#" + p.Part
				}
				fmt.Fprintf(&b, "%s/%s%s: %s\n", sub, filepath.Base(path), part, outcome(t, p))
			}
			if err != nil {
				fmt.Fprintf(&b, "%s/%s: %s\n", sub, filepath.Base(path), refusal(t, err))
			}
		}
	}
	golden(t, "corpora.txt", b.String())
}

// refusal says why a text is no profile.
func refusal(t *testing.T, err error) string {
	t.Helper()
	var pe *ParseError
	if !errors.As(err, &pe) || strings.Contains(err.Error(), "\n") || pe.Pos.Line < 1 || pe.Pos.Column < 1 {
		t.Errorf("not a ParseError with a place in one line: %q", err)
	}
	return "refused at " + strings.TrimPrefix(err.Error(), "profile p:")
}

// outcome says in our own words what becomes of a profile.
func outcome(t *testing.T, p *Profile) string {
	t.Helper()
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
		return out + "; not loaded: " + strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(err.Error(), "profile "), "p:"), " ")
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
