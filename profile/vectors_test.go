package profile

import (
	"bytes"
	"encoding/json"
	"math/bits"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/simulate"
)

// A recorded profile, and the filter that libseccomp 2.6.1 made of it.
type recorded struct {
	Goarch       string          `json:"goarch"`
	LinuxSeccomp json.RawMessage `json:"linuxSeccomp"`
}

func readRecorded(t *testing.T, path string) recorded {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var rec recorded
	if err := json.Unmarshal(data, &rec); err != nil {
		t.Fatal(err)
	}
	return rec
}

func (rec recorded) resolve(t *testing.T, stub bool) *Resolved {
	t.Helper()
	p, err := ParseAs("p.json", rec.LinuxSeccomp, OCI)
	if err != nil {
		t.Fatal(err)
	}
	host := arch(t, rec.Goarch)
	r, err := p.Resolve(Target{Runtime: RuntimeRunc, ABI: host, Host: host})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Conflicts) > 0 {
		t.Fatalf("conflicts: %+v", r.Conflicts[0])
	}
	if !stub {
		r.Stub = nil
	}
	return r
}

func readFilter(t *testing.T, path string, r *Resolved) filter.Program {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p, err := filter.Decode(data, r.Arches[0].Order())
	if err != nil {
		t.Fatal(err)
	}
	if r.Arches[0].BigEndian {
		unswap(p, r)
	}
	if err := p.Verify(); err != nil {
		t.Fatal(err)
	}
	return p
}

// unswap repairs the big-endian filters, which were made on a little-endian machine: libseccomp
// 2.6.1 then leaves some of the returned values in the order of that machine. It does not happen on
// a machine of the filter's own order, where both orders are one.
func unswap(p filter.Program, r *Resolved) {
	wanted := []filter.Action{r.Default}
	for _, rule := range r.Rules {
		wanted = append(wanted, rule.Action)
	}
	for i, in := range p {
		if k := bits.ReverseBytes32(in.K); in.Code == filter.OpRetK && slices.Contains(wanted, filter.Action(k)) {
			p[i].K = k
		}
	}
}

// The filters that libseccomp 2.6.1 and runc made of Docker's profile, for ten architectures and five
// sets of capabilities, with the stub and without, are proven to be what is meant, and the same as
// the filters that Compile makes. The only difference is explained at unswap.
func TestRecordedFilters(t *testing.T) {
	dir := shared(t, "vectors/moby")
	list, err := filepath.Glob(filepath.Join(dir, "*.bpf"))
	if err != nil || len(list) != 55 {
		t.Fatalf("%d filters in %s, want 55 (%v)", len(list), dir, err)
	}
	for _, path := range list {
		base := strings.TrimSuffix(filepath.Base(path), ".bpf")
		t.Run(base, func(t *testing.T) {
			name, stub := strings.CutSuffix(base, "-runc-enosys")
			name = strings.TrimSuffix(name, "-opt2")
			r := readRecorded(t, filepath.Join(dir, name+".json")).resolve(t, stub)
			if stub != (len(r.Stub) > 0) {
				t.Fatalf("stub %v", r.Stub)
			}
			theirs := readFilter(t, path, r)
			d := differenceOf(t, r, theirs, sameOrder(r.Arches[0]))
			for _, c := range d.Changes {
				t.Errorf("libseccomp's is not what is meant: %v", c)
			}
			for _, u := range d.Unknown {
				t.Error(u)
			}
			ours, err := r.Compile()
			if err != nil {
				t.Fatal(err)
			}
			d, err = simulate.Diff(simulate.OfPrograms(theirs), simulate.OfPrograms(ours), sameOrder(r.Arches[0]))
			if err != nil || d.Relation() != simulate.RelationEqual {
				t.Errorf("libseccomp's and ours: %v (%v)", d, err)
			}
			if len(ours)*3 > len(theirs) {
				t.Errorf("%d instructions, libseccomp has %d", len(ours), len(theirs))
			}
			prove(t, base, r)
		})
	}
}

func first(list []difference, _ int) []difference { return list }

// The negative twin: a profile that was altered in one place is told from the recorded filter.
func TestRecordedFiltersDiffer(t *testing.T) {
	dir := shared(t, "vectors/moby")
	const name = "moby-amd64-dockerdefault"
	for _, c := range []struct{ what, old, new string }{
		{"a name less", `"mremap", "mseal"`, `"mseal"`},
		{"a name more", `"mremap", "mseal"`, `"mremap", "keyctl", "mseal"`},
		{"an errno", `"errnoRet": 38`, `"errnoRet": 37`},
		{"a datum", `"value": 131080`, `"value": 131081`},
		{"an operator", `"op": "SCMP_CMP_GT"`, `"op": "SCMP_CMP_GE"`},
		{"a mask", `"value": 2114060288`, `"value": 2114060289`},
		{"an argument", `"index": 0, "value": 2114060288`, `"index": 1, "value": 2114060288`},
		{"an architecture", `, "SCMP_ARCH_X32"`, ``},
		{"the default", `"defaultErrnoRet": 1`, `"defaultErrnoRet": 2`},
	} {
		t.Run(c.what, func(t *testing.T) {
			rec := readRecorded(t, filepath.Join(dir, name+".json"))
			var spaced bytes.Buffer // one spelling of the text, whatever the file has
			if err := json.Compact(&spaced, rec.LinuxSeccomp); err != nil {
				t.Fatal(err)
			}
			squeeze := strings.NewReplacer(`": `, `":`, `, "`, `,"`)
			altered := strings.Replace(spaced.String(), squeeze.Replace(c.old), squeeze.Replace(c.new), 1)
			if altered == spaced.String() {
				t.Fatalf("nothing altered: no %s", c.old)
			}
			rec.LinuxSeccomp = json.RawMessage(altered)
			r := rec.resolve(t, false)
			if list, _ := compare(r, readFilter(t, filepath.Join(dir, name+"-opt2.bpf"), r), sameOrder(r.Arches[0]), 4); len(list) == 0 {
				t.Error("the difference was not found")
			}
		})
	}
}
