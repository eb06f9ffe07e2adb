package profile

import (
	"bufio"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/profcheck/profcheck/syscalls"
)

// What Podman's reader made of files is what we resolve, and what it refused, we refuse.
func TestPodmanReads(t *testing.T) {
	file, err := os.Open(filepath.Join("testdata", "podman.tsv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(unzipped)
	lines.Buffer(nil, 1<<20)
	same, refused, off, docker := 0, 0, 0, 0
	for line := 1; lines.Scan(); line++ {
		field := strings.Split(lines.Text(), "\t")
		text := []byte(field[1])
		if field[1] == "docker-default" {
			text = Builtins()[0].Source()
		}
		target := Target{Runtime: RuntimePodman, ABI: arch(t, "x86_64")}
		if field[0] != "" {
			target.Caps = strings.Split(field[0], ",")
		}
		ours, err := resolveText(text, Docker, target)
		if strings.Contains(field[2], `"defaultAction":""`) {
			field[2] = "refused" // by crun, which gets this section
		}
		if (err != nil) != (field[2] == "refused") {
			t.Errorf("line %d: Podman has %s, we %v", line, clip(field[2]), err)
			continue
		}
		switch {
		case err != nil:
			refused++
			continue
		case field[2] == "off":
			if off++; !ours.Disabled {
				t.Errorf("line %d: Podman turns seccomp off", line)
			}
			continue
		}
		crun := target
		crun.Runtime = RuntimeCrun
		theirs, err := resolveText([]byte(field[2]), OCI, crun)
		if err != nil {
			t.Fatal(err)
		}
		if diff := sameRules(theirs, ours); diff != "" {
			t.Errorf("line %d: Podman -, we +: %s", line, diff)
			continue
		}
		same++
		// The twin: Docker reads some of them otherwise.
		target.Runtime = "docker/crun"
		if other, err := resolveText(text, Docker, target); err != nil || sameRules(theirs, other) != "" {
			docker++
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d the same, %d refused, %d off; Docker reads %d otherwise", same, refused, off, docker)
	if same < 120 || refused < 60 || off != 5 || docker < 80 {
		t.Errorf("%d the same, %d refused, %d off; Docker reads %d otherwise", same, refused, off, docker)
	}
}

func resolveText(text []byte, format string, target Target) (*Resolved, error) {
	p, err := ParseAs("p.json", text, format)
	if err != nil {
		return nil, err
	}
	r, err := p.Resolve(target)
	var load *LoadError
	if err != nil && !errors.As(err, &load) {
		return nil, err
	}
	return r, err
}

// sameRules compares what two resolutions enforce.
func sameRules(a, b *Resolved) string {
	type enforced struct {
		Default, Flags any
		Arches         string
		Rules          []ResolvedRule
	}
	pick := func(r *Resolved) enforced { return enforced{r.Default, r.Flags, names(r.Arches), r.Rules} }
	return cmp.Diff(pick(a), pick(b), cmpopts.IgnoreFields(ResolvedRule{}, "Source", "Pos"), cmpopts.EquateEmpty())
}

func names(arches []*syscalls.Arch) string {
	var list []string
	for _, a := range arches {
		list = append(list, a.Name)
	}
	return strings.Join(list, " ")
}
