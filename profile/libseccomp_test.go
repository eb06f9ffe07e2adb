package profile

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/syscalls"
)

// The number of names of each release, counted in its sources apart from the list of what is new. One
// name, oldwait4, was dropped with 2.5.0 and is no syscall.
func TestLibseccompCounts(t *testing.T) {
	counts := map[string]int{
		"2.3.0": 422, "2.3.1": 422, "2.3.2": 427, "2.3.3": 431, "2.4.0": 433, "2.4.1": 433, "2.4.2": 465, "2.4.3": 465,
		"2.4.4": 468, "2.5.0": 469, "2.5.1": 469, "2.5.2": 478, "2.5.3": 479, "2.5.4": 481, "2.5.5": 487, "2.5.6": 499,
		"2.6.0": 502, "2.6.1": 508,
	}
	for _, version := range LibseccompReleases() {
		count := 0
		for _, name := range syscalls.Names() {
			known, ok := LibseccompKnows(name, version)
			if !ok {
				t.Errorf("%s in %s: unknown", name, version)
			}
			if known {
				count++
			}
		}
		if count != counts[version] {
			t.Errorf("%s has %d names, want %d", version, count, counts[version])
		}
		delete(counts, version)
	}
	if len(counts) > 0 {
		t.Errorf("not in the list: %v", counts)
	}
	for name := range libseccompSince {
		if !syscalls.Known(name) {
			t.Errorf("%s is no syscall", name)
		}
	}
}

func TestLibseccompKnows(t *testing.T) {
	for _, test := range []struct {
		name, version string
		known, ok     bool
	}{
		{"read", "2.3.0", true, true},
		{"cachestat", "2.5.4", false, true},
		{"cachestat", "2.5.5", true, true},
		{"mseal", "2.5.5", false, true},
		{"mseal", "v2.6.0", true, true},
		{"no_such_call", "2.6.1", false, true},
		{"no_such_call", "2.7.0", false, false}, // may come
		{"read", "2.7.0", true, true},
		{"mseal", "2.4.9", false, false}, // no such release
		{"read", "2.2.3", false, false},  // not looked at
		{"read", "", false, false},
		{"read", "new", false, false},
	} {
		if known, ok := LibseccompKnows(test.name, test.version); known != test.known || ok != test.ok {
			t.Errorf("%s in %q: %v %v, want %v %v", test.name, test.version, known, ok, test.known, test.ok)
		}
	}
	if v, ok := LibseccompSince("no_such_call"); ok {
		t.Errorf("no_such_call is known since %s", v)
	}
}

// libseccomp itself knows the names that we say its release knows. What it knows besides, a
// distribution has added: then it is all that one or more of the next releases brought.
func TestLibseccompHere(t *testing.T) {
	program := filepath.Join(t.TempDir(), "names")
	msg, err := exec.Command("gcc", "-o", program, filepath.Join("testdata", "scmp_names.c"), "-lseccomp").CombinedOutput()
	if err != nil {
		absent(t, "no C compiler or no libseccomp: %v %s", err, msg)
	}
	names := append(slices.Clone(syscalls.Names()), "no_such_call")
	cmd := exec.Command(program)
	cmd.Stdin, cmd.Stderr = strings.NewReader(strings.Join(names, "\n")+"\n"), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Fields(string(out))
	version, theirs := lines[0], lines[1:]
	compared := 0
	var added []string
	for _, name := range names {
		known, ok := LibseccompKnows(name, version)
		if !ok {
			continue
		}
		compared++
		switch has := slices.Contains(theirs, name); {
		case known && !has:
			t.Errorf("libseccomp %s does not know %s", version, name)
		case !known && has:
			added = append(added, name)
		}
	}
	t.Logf("libseccomp %s: %d names compared, added: %v", version, compared, added)
	if !broughtBy(added, version) {
		t.Errorf("libseccomp %s knows %v, which are not those of the next releases", version, added)
	}
	if compared == 0 {
		absent(t, "libseccomp %s is older than what is known", version)
	}
	if theirs := len(theirs); theirs < 400 || slices.Contains(lines, "no_such_call") {
		t.Errorf("libseccomp knows %d names", theirs)
	}
}

// broughtBy reports whether names are all those that the releases right after one brought.
func broughtBy(names []string, version string) bool {
	for _, r := range libseccompReleases[1+slices.Index(LibseccompReleases(), version):] {
		if len(names) == 0 {
			break
		}
		for _, name := range strings.Fields(r.names) {
			i := slices.Index(names, name)
			if i < 0 {
				return false
			}
			names = slices.Delete(slices.Clone(names), i, i+1)
		}
	}
	return len(names) == 0
}

func TestBroughtBy(t *testing.T) {
	next := strings.Fields("cachestat fchmodat2 futex_requeue futex_wait futex_wake map_shadow_stack")
	if !broughtBy(nil, "2.5.4") || !broughtBy(next, "2.5.4") || broughtBy(next[1:], "2.5.4") || broughtBy(append(next, "mseal"), "2.5.4") {
		t.Error("the names of 2.5.5 are not told from others")
	}
}
