package witness

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// truthFile is one file of testdata/truth.
type truthFile struct {
	Name      string   `json:"name"`
	Version   string   `json:"version"`
	Build     string   `json:"build"`
	GOARCH    string   `json:"goarch"`
	Syscalls  []string `json:"syscalls"`
	Toolchain string   `json:"toolchain"`
}

// readTruth reads the trace of one program.
func readTruth(t testing.TB, name string) truthFile {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "truth", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var f truthFile
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if f.Name != name || len(f.Syscalls) == 0 {
		t.Fatalf("%s: holds %q with %d syscalls", name, f.Name, len(f.Syscalls))
	}
	return f
}

// truthHeld names the conditions that held while a program was traced, where one did.
var truthHeld = map[string][]string{}

// TestTruth holds the scan to the recorded traces. A toolchain of another release than the trace's
// makes other calls, so the size is judged, and the calls expected, for the release of the traces
// only: another one is fetched where that is asked for.
func TestTruth(t *testing.T) {
	for _, p := range truthPrograms {
		t.Run(p.Name, func(t *testing.T) {
			truth := readTruth(t, p.Name)
			if minor(truth.Toolchain) != minor(toolchain(t)) {
				p.Toolchain = truth.Toolchain
			}
			res := scan(t, build(t, p))
			tr := trace{}
			for _, name := range truth.Syscalls {
				tr[name]++
			}
			miss := missed(res, tr, truthHeld[p.Name]...)
			sure := certain(res)
			t.Logf("%-15s truth %3d  not conditional %3d (%s)  missed %d", p.Name, len(tr), len(sure), classes(res), len(miss))
			if len(miss) > 0 {
				t.Errorf("%s: traced but not in the scan: %s", p.Name, strings.Join(miss, ", "))
			}
			if limit := maxNeeds[p.Name]; limit > 0 && len(sure) > limit {
				t.Errorf("%s: %d needs are not conditional, at most %d: %s", p.Name, len(sure), limit, strings.Join(sure, " "))
			}
		})
	}
}

// TestTruthIsComplete keeps a trace from lying there unjudged.
func TestTruthIsComplete(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join("testdata", "truth", "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no traces: %v", err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		if name == "httpd-cgo" {
			continue // see TestProcesses
		}
		if truthProgram(name) == nil {
			t.Errorf("%s: no program is built for this trace", path)
		}
	}
	for name := range maxNeeds {
		if truthProgram(name) == nil {
			t.Errorf("%s has a limit but is not a program", name)
		}
	}
}

// minor cuts a release to its language version: go1.26 of go1.26.8.
func minor(release string) string {
	parts := strings.SplitN(release, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}
