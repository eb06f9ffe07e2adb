package profile

import (
	"bufio"
	"bytes"
	"errors"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/filter"
)

// unitOf reads a unit with one section.
func unitOf(t *testing.T, settings string) *Profile {
	t.Helper()
	p, err := Parse("u.service", []byte("[Service]\n"+settings))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The groups are those that the installed systemd-analyze lists, if it is of the release that ours are of.
func TestSystemdGroups(t *testing.T) {
	path, err := exec.LookPath("systemd-analyze")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("no systemd-analyze")
	}
	version, _ := exec.Command(path, "--version").Output()
	if !bytes.HasPrefix(version, []byte("systemd 252 ")) {
		t.Skipf("ours are of systemd 252, and this is %.20s", version)
	}
	out, err := exec.Command(path, "--no-pager", "syscall-filter").Output()
	if err != nil {
		t.Fatal(err)
	}
	theirs, group := map[string][]string{}, ""
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		word := strings.TrimSpace(lines.Text())
		switch {
		case strings.HasPrefix(lines.Text(), "#"):
			group = "" // the calls in no group come last
		case strings.HasPrefix(lines.Text(), "@"):
			group = word
		case word != "" && word[0] != '#' && group != "":
			theirs[group] = append(theirs[group], word)
		}
	}
	if len(theirs) < 25 || !maps.EqualFunc(theirs, systemdGroups, slices.Equal) {
		t.Errorf("%d groups, ours are %d, or their members differ", len(theirs), len(systemdGroups))
	}
}

// What a unit's lists come to, by the rules of systemd.exec(5).
func TestSystemdLists(t *testing.T) {
	const kill, eperm = filter.KillProcess, filter.Errno | 1
	for _, c := range []struct {
		settings string
		want     map[string]filter.Action
	}{
		{"SystemCallFilter=read", map[string]filter.Action{"read": filter.Allow, "write": kill, "execve": filter.Allow, "nanosleep": filter.Allow}},
		{"SystemCallFilter=read\nSystemCallErrorNumber=EPERM", map[string]filter.Action{"read": filter.Allow, "write": eperm}},
		{"SystemCallErrorNumber=EPERM\nSystemCallErrorNumber=kill\nSystemCallFilter=read", map[string]filter.Action{"write": kill}},
		{"SystemCallFilter=~read", map[string]filter.Action{"read": kill, "write": filter.Allow}},
		{"SystemCallFilter=~read:EPERM write", map[string]filter.Action{"read": eperm, "write": kill, "open": filter.Allow}},
		{"SystemCallFilter=read write\nSystemCallFilter=~write", map[string]filter.Action{"read": filter.Allow, "write": kill}},
		{"SystemCallFilter=~read write\nSystemCallFilter=write", map[string]filter.Action{"read": kill, "write": filter.Allow}},
		{"SystemCallFilter=read write\nSystemCallFilter=~write:1", map[string]filter.Action{"write": eperm, "open": kill}},
		{"SystemCallFilter=read\nSystemCallFilter=\nSystemCallFilter=~write", map[string]filter.Action{"read": filter.Allow, "write": kill, "open": filter.Allow}},
		{"SystemCallFilter=@system-service\nSystemCallFilter=~@privileged", map[string]filter.Action{"read": filter.Allow, "chown": kill, "reboot": kill}},
		{"SystemCallFilter=~execve", map[string]filter.Action{"execve": kill}},
		{"SystemCallFilter=~nosuchcall @nogroup", map[string]filter.Action{"read": filter.Allow}},
	} {
		p := unitOf(t, c.settings)
		r, err := p.Resolve(p.DefaultTarget(arch(t, "x86_64")))
		if err != nil {
			t.Fatalf("%s: %v", c.settings, err)
		}
		for name, want := range c.want {
			if got := answer(r, name); got != want {
				t.Errorf("%q: %s gets %s, not %s", c.settings, name, got, want)
			}
		}
	}
}

// Without a list of architectures all that the host runs are filtered alike, and with one the others' calls
// kill.
func TestSystemdArchitectures(t *testing.T) {
	const deny = "SystemCallFilter=~ptrace\n"
	for settings, want := range map[string]map[string]filter.Action{
		deny:                                    {"x86_64": filter.KillProcess, "x86": filter.KillProcess, "x32": filter.KillProcess, "aarch64": filter.Allow},
		deny + "SystemCallArchitectures=native": {"x86_64": filter.KillProcess, "x86": filter.KillThread, "x32": filter.KillThread},
		deny + "SystemCallArchitectures=x86":    {"x86_64": filter.KillProcess, "x86": filter.KillProcess, "x32": filter.KillThread},
		deny + "SystemCallArchitectures=native\nSystemCallArchitectures=\n": {"x86": filter.KillProcess},
	} {
		p := unitOf(t, settings)
		r, err := p.Resolve(p.DefaultTarget(arch(t, "x86_64")))
		if err != nil {
			t.Fatal(err)
		}
		for name, action := range want {
			a := arch(t, name)
			nr, _ := a.Number("ptrace")
			if got := r.Meaning(a, nr, [6]uint64{}); got != action {
				t.Errorf("%q on %s: %s, not %s", settings, name, got, action)
			}
		}
	}
}

// What systemd would not load, and who does not read units.
func TestSystemdRefused(t *testing.T) {
	same := unitOf(t, "SystemCallFilter=read\nSystemCallErrorNumber=EPERM\nSystemCallFilter=~write:EPERM\n")
	unit := unitOf(t, "SystemCallFilter=read\n")
	docker, err := Parse("p", []byte(`{"defaultAction":"SCMP_ACT_ALLOW"}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		p       *Profile
		runtime string
		kind    LoadKind
	}{{same, RuntimeSystemd, DefaultAction}, {unit, RuntimeRunc, WrongReader}, {docker, RuntimeSystemd, WrongReader}, {unit, RuntimeSystemd, ""}, {unit, RuntimeKernel, ""}} {
		_, err := c.p.Resolve(Target{Runtime: c.runtime, ABI: arch(t, "x86_64")})
		var load *LoadError
		if errors.As(err, &load); (err == nil) != (c.kind == "") || err != nil && (load == nil || load.Kind != c.kind) {
			t.Errorf("%s for %s: %v", c.p.Format, c.runtime, err)
		}
	}
}

// Units of any length and shape are read or refused, each with a place.
func TestSystemdHostile(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"many lines":        {"[Service]\n" + strings.Repeat("SystemCallFilter=read @system-service nosuch\n", 20000), ""},
		"no end":            {"[Service]\nSystemCallFilter=" + strings.Repeat("read \\\n", 100000), ""},
		"only backslashes":  {"[Service]\n" + strings.Repeat("\\", 100001), ""},
		"NUL":               {"[Service]\n\x00", "u:2:1: a NUL byte"},
		"a long word":       {"[Service]\nSystemCallFilter=" + strings.Repeat("a", 1<<19), ""},
		"too long":          {"[Service]\n#" + strings.Repeat("a", maxInput), "u:1:1: more than"},
		"an open section":   {"[Service]\n  [Service\n", "u:2:3: a section without the bracket"},
		"many architecture": {"[Service]\nSystemCallArchitectures=" + strings.Repeat("native vax ", 50000), ""},
	} {
		p, err := ParseAs("u", []byte(c.text), "")
		switch {
		case c.want == "" && err != nil, c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v", name, err)
		case err == nil:
			if len(p.Problems) > maxProblems+1 {
				t.Errorf("%s: %d problems", name, len(p.Problems))
			}
			if _, err := p.Resolve(p.DefaultTarget(arch(t, "x86_64"))); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
