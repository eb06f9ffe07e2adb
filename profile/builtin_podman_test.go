package profile

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/profcheck/profcheck/filter"
)

func openBuiltin(t *testing.T, name string) *Profile {
	t.Helper()
	p, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The built-in is the file of its origin, byte for byte.
func TestPodmanDefaultIsPodmans(t *testing.T) {
	dir := shared(t, "corpora/profiles/containers-common")
	theirs, err := os.ReadFile(filepath.Join(dir, "containers_common_seccomp.json"))
	if err != nil {
		t.Fatal(err)
	}
	b, _ := builtin("podman-default")
	if !bytes.Equal(theirs, b.Source()) {
		t.Error("the built-in is not the file of its origin")
	}
	// The twin: the years before are other files.
	older, err := filepath.Glob(filepath.Join(dir, "containers_common_seccomp-*.json"))
	if err != nil || len(older) == 0 {
		t.Fatal("no older files", err)
	}
	for _, path := range older {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(data, b.Source()) {
			t.Errorf("%s is the same", path)
		}
	}
}

// What sets Podman's default apart from Docker's: an unknown call gets ENOSYS, and the calls that need a
// capability are refused with EPERM, both said with words beside the numbers.
func TestPodmanDefaultMeans(t *testing.T) {
	p := openBuiltin(t, "podman-default")
	if len(p.Problems) > 0 {
		t.Errorf("problems: %v", p.Problems)
	}
	host := arch(t, "x86_64")
	target := p.DefaultTarget(host)
	if target.Runtime != RuntimePodman {
		t.Fatalf("the default target is %s", target)
	}
	for _, test := range []struct {
		runtime, cap, name string
		want               filter.Action
	}{
		{RuntimePodman, "", "read", filter.Allow},
		{RuntimePodman, "", "file_setattr", filter.ErrnoAction(38)},
		{RuntimePodman, "", "settimeofday", filter.ErrnoAction(1)},
		{RuntimePodman, "CAP_SYS_TIME", "settimeofday", filter.Allow},
		{RuntimeDocker, "", "settimeofday", filter.ErrnoAction(1)}, // by the number
	} {
		target.Runtime, target.Caps = test.runtime, []string{test.cap}
		r, err := p.Resolve(target)
		if err != nil {
			t.Fatal(err)
		}
		nr, ok := host.Number(test.name)
		if !ok {
			t.Fatal(test.name)
		}
		if got := r.Meaning(host, nr, [6]uint64{}); got != test.want {
			t.Errorf("%s on %s with %q: %s, want %s", test.name, test.runtime, test.cap, got, test.want)
		}
		if len(r.Ignored) > 0 != (test.runtime == RuntimeDocker) {
			t.Errorf("%s ignores %v", test.runtime, r.Ignored)
		}
	}
}
