package profile

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/profcheck/profcheck/syscalls"
)

// A containerdLine is what containerd's function gave on a machine.
type containerdLine struct {
	Kernel  string          `json:"kernel"`
	GOARCH  string          `json:"goarch"`
	Caps    []string        `json:"caps"`
	Section json.RawMessage `json:"section"`
}

// sameAsContainerd resolves the built-in for the machine, and the section of containerd's function as
// what runc gets there.
func sameAsContainerd(t *testing.T, l containerdLine) string {
	t.Helper()
	k, err := syscalls.ParseKernel(l.Kernel)
	if err != nil {
		t.Fatal(err)
	}
	host := arch(t, l.GOARCH)
	p, err := Open("containerd-default")
	if err != nil {
		t.Fatal(err)
	}
	target := p.DefaultTarget(host)
	if target.Runtime != RuntimeContainerd {
		t.Fatalf("the default target is %s", target)
	}
	target.Host, target.Caps, target.Kernel = host, l.Caps, k
	section, err := ParseAs("section.json", l.Section, OCI)
	if err != nil {
		t.Fatal(err)
	}
	// Both as runc makes it now, and as it did when it had no stub for a host that is not listed.
	for _, version := range []string{"", "1.1.5"} {
		target.Runtime, target.Version = RuntimeContainerd, version
		ours, err := p.Resolve(target)
		if err != nil {
			t.Fatal(err)
		}
		if len(ours.Ignored) > 0 {
			return fmt.Sprint("fields without effect: ", ours.Ignored)
		}
		target.Runtime = RuntimeRunc
		theirs, err := section.Resolve(target)
		if err != nil {
			t.Fatal(err)
		}
		if diff := diffResolved(theirs, ours); diff != "" {
			return diff
		}
	}
	return ""
}

// diffResolved compares what is enforced, each rule once and in the order of names: containerd's
// function adds rules in the order of the capabilities, and one for each capability that has it.
func diffResolved(theirs, ours *Resolved) string {
	var out strings.Builder
	for _, pair := range []struct {
		what         string
		theirs, ours any
	}{
		{"rules", enforced(theirs), enforced(ours)}, {"default", theirs.Default, ours.Default}, {"stub", theirs.Stub, ours.Stub},
		{"arches", archSet(theirs), archSet(ours)}, {"flags", theirs.Flags, ours.Flags}, {"meaning", theirs.Meant().Other, ours.Meant().Other},
	} {
		if diff := cmp.Diff(pair.theirs, pair.ours, cmpopts.EquateEmpty()); diff != "" {
			fmt.Fprintf(&out, "%s: containerd -, ours +: %s", pair.what, diff)
		}
	}
	return out.String()
}

func enforced(r *Resolved) map[string]bool {
	set := map[string]bool{}
	for _, rule := range r.Rules {
		set[fmt.Sprint(rule.Name, " ", rule.Action, " ", rule.Conds)] = true
	}
	return set
}

func archSet(r *Resolved) map[string]bool {
	set := map[string]bool{}
	for _, a := range r.Arches {
		set[a.Name] = true
	}
	return set
}

// Everything that containerd's own function gave, under emulated processors and kernels, is what the
// built-in gives.
func TestContainerdDefaultRecorded(t *testing.T) {
	file, err := os.Open(filepath.Join("testdata", "containerd.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	eachContainerdLine(t, unzipped, func(l containerdLine) {
		seen[l.GOARCH]++
		if diff := sameAsContainerd(t, l); diff != "" {
			t.Errorf("%s, kernel %s, %v: %s", l.GOARCH, l.Kernel, l.Caps, diff)
		}
		// The twin: the next kernel, capability or processor is told apart.
		for _, twin := range containerdTwins(l) {
			if sameAsContainerd(t, twin) == "" {
				t.Errorf("%s, kernel %s, %v: the same as for %s, kernel %s, %v", l.GOARCH, l.Kernel, l.Caps, twin.GOARCH, twin.Kernel, twin.Caps)
			}
		}
	})
	for _, a := range syscalls.Arches() {
		if a.GOARCH != "" && seen[a.GOARCH] < 6 {
			t.Errorf("%s: only %d recordings", a.GOARCH, seen[a.GOARCH])
		}
	}
}

// containerdTwins are machines for which the section of a line is wrong.
func containerdTwins(l containerdLine) (twins []containerdLine) {
	if len(l.Caps) != 0 {
		return nil
	}
	add := func(change func(*containerdLine)) {
		twin := l
		change(&twin)
		twins = append(twins, twin)
	}
	add(func(l *containerdLine) { l.Caps = []string{"CAP_SYS_BOOT"} })
	add(func(l *containerdLine) { l.Caps = []string{"CAP_SYS_ADMIN"} })
	add(func(l *containerdLine) {
		if l.Kernel < "4.8.0" {
			l.Kernel = "4.8"
		} else {
			l.Kernel = "4.7"
		}
	})
	return twins
}

func eachContainerdLine(t *testing.T, r io.Reader, f func(containerdLine)) {
	t.Helper()
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var l containerdLine
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		f(l)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

// containerd's module itself, on this machine, for sets of capabilities and each alone.
func TestContainerdDefaultIsContainerds(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("containerd's function is for Linux")
	}
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join("testdata", "containerd")
	witness := filepath.Join(t.TempDir(), "witness")
	build := exec.Command("go", "build", "-o", witness, ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0", "GOFLAGS=-mod=readonly")
	if out, err := build.CombinedOutput(); err != nil {
		absent(t, "containerd's module does not build here: %v: %s", err, clip(string(out)))
	}
	sets := []string{"none", strings.Join(capabilities, ","), strings.Join(dockerCaps, ",")}
	sets = append(sets, capabilities...)
	out, err := exec.Command(witness, sets...).Output()
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	eachContainerdLine(t, strings.NewReader(string(out)), func(l containerdLine) {
		count++
		l.Kernel = strings.TrimSpace(string(release))
		if diff := sameAsContainerd(t, l); diff != "" {
			t.Errorf("%v: %s", l.Caps, diff)
		}
	})
	if count != len(sets) {
		t.Errorf("%d answers for %d sets", count, len(sets))
	}
}
