package profiletest

import (
	"os"
	"path/filepath"
	"testing"
)

// TestConflicts: where two rules match the same call with different actions, runtimes decide either
// way, and nothing is proved by what our own compiler does.
func TestConflicts(t *testing.T) {
	const overlapping = `{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [
		{"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]},
		{"names": ["socket"], "action": "SCMP_ACT_KILL", "args": [{"index": 1, "value": 1, "op": "SCMP_CMP_EQ"}]}]}`
	for expect, want := range map[string][3]int{ // passed, failed, unknown
		"allow: socket(1)":       {0, 0, 1},
		"allow: socket(1, _, 7)": {0, 0, 1},
		"allow: socket(1, 5)":    {1, 0, 0},
		"deny: socket(2)":        {1, 0, 0},
		"deny: socket(_, 1)":     {0, 1, 0},
		"deny: read":             {1, 0, 0},
	} {
		dir := t.TempDir()
		file := filepath.Join(dir, "x.yaml")
		for name, text := range map[string]string{
			filepath.Join(dir, "p.json"): overlapping,
			file:                         "profile: p.json\ntargets: [crun]\nexpect:\n- " + expect + "\n",
		} {
			if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		f, err := Parse(file, data)
		if err != nil {
			t.Fatal(expect, err)
		}
		r, err := f.Run()
		if err != nil {
			t.Fatal(expect, err)
		}
		if got := [3]int{r.Passed, r.Failed, r.Unknown}; got != want {
			t.Errorf("%s: passed, failed, unknown %v, want %v", expect, got, want)
		}
	}
}
