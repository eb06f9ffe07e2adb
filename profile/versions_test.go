package profile

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// behaviour is all that a release of a runtime can do otherwise, on a profile that shows it.
func behaviour(t *testing.T, runtime, release string) string {
	t.Helper()
	host := arch(t, "x86_64")
	target := Target{Runtime: runtime, Version: release, ABI: host}
	p := mustParse(t, "{"+`"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86"],`+
		writeIf(equal("0", "1")+","+equal("1", "1")+","+equal("2", "1")+","+equal("3", "1")+","+equal("4", "1")+","+equal("5", "1")+","+equal("5", "2"))+"}")
	r, err := p.Resolve(target)
	if err != nil {
		t.Fatal(err)
	}
	out := fmt.Sprint(r.Flags, r.Stub, len(r.Rules))
	for _, late := range []bool{false, true} {
		target.NoNewPrivs = late
		for _, c := range StartCalls(target) {
			out += fmt.Sprint("\n", c.Name, c.Need, c.Fallback, late)
		}
	}
	return out
}

// before is a release of the same line, or of the line before, that comes before another.
func before(v version) string {
	switch {
	case v[2] > 0:
		v[2]--
	case v[1] > 0:
		v[1], v[2] = v[1]-1, 0
	}
	return words(v)[0]
}

// At each release of the list something changes, and nothing does between them.
func TestChanges(t *testing.T) {
	changed := map[string]map[string]bool{RuntimeRunc: {}, RuntimeCrun: {}}
	for _, c := range Changes() {
		if c.What == "" || c.Origin == "" || len(c.Since) == 0 {
			t.Errorf("%+v is incomplete", c)
		}
		for _, since := range c.Since {
			changed[c.Runtime][since] = true
			v, err := parseVersion(since)
			if err != nil {
				t.Fatal(err)
			}
			if behaviour(t, c.Runtime, since) == behaviour(t, c.Runtime, before(v)) {
				t.Errorf("%s %s does what %s does; want: %s", c.Runtime, since, before(v), c.What)
			}
		}
	}
	for runtime, at := range changed {
		for minor := 1; minor < 31; minor++ {
			for patch := 1; patch < 16; patch++ {
				v := version{1, minor, patch}
				here := words(v)[0]
				if diff := cmp.Diff(behaviour(t, runtime, before(v)), behaviour(t, runtime, here), cmpopts.EquateEmpty()); (diff != "") && !at[here] {
					t.Errorf("%s %s changes something that is not in the list: %s", runtime, here, diff)
				}
			}
		}
	}
}
