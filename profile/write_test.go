package profile

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// ownRunc is the runtime that reads a format and lets runc make the filter.
var ownRunc = map[string]string{Docker: "docker/runc", OCI: RuntimeRunc, Podman: "podman/runc", SPO: "spo/runc", Kubernetes: RuntimeContainerd}

// Every profile of the corpora means the same in each format that it is written in, or the writer says
// what is different: proven for all calls and arguments, on three hosts.
func TestWriteKeepsMeaning(t *testing.T) {
	dir := shared(t, "corpora/profiles")
	proven, changed, unequal := 0, 0, 0
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
			profiles, _ := Read(filepath.Base(path), data, ReadOptions{}) // a refusal is another test's
			for i, p := range profiles {
				if p.Format == Raw || p.Unread() {
					continue // its rules are not known
				}
				host := []string{"x86_64", "aarch64", "s390x"}[(len(path)+i)%3]
				for _, format := range WriteFormats() {
					if format == Elastic {
						continue // for one ABI: see TestWriteElasticKeepsMeaning
					}
					switch same, said := written(t, p, format, host); {
					case same && !said:
						proven++
					case said:
						changed++
						if !same {
							unequal++
						}
					default:
						t.Errorf("%s as %s on %s means something else", p.Name, format, host)
					}
				}
			}
		}
	}
	t.Logf("%d proven, %d changed and said so (%d of them seen)", proven, changed, unequal)
	if proven < 250 || unequal < 5 {
		t.Errorf("only %d proven, %d unequal", proven, unequal)
	}
}

// written writes a profile and reads it again. It reports whether that means the same, and whether
// the writer said that it does not.
func written(t *testing.T, p *Profile, format, host string) (same, said bool) {
	t.Helper()
	target := Target{ABI: arch(t, host), Host: arch(t, host), Caps: append(DockerCaps(), "CAP_SYS_PTRACE")}
	out, err := p.Write(format, target)
	if err != nil {
		t.Fatalf("%s as %s: %v", p.Name, format, err)
	}
	said = slices.ContainsFunc(out.Lost, func(l Loss) bool { return l.Changes })
	again, err := ParseAs(p.Name, out.Text, format)
	if err != nil {
		t.Fatalf("%s as %s is refused: %v\n%s", p.Name, format, err, out.Text)
	}
	for _, q := range again.Problems {
		if q.Kind != UnknownSyscall && q.Kind != NeverMatches && q.Kind != ErrnoZero && q.Kind != ErrnoRange {
			t.Errorf("%s as %s: %s", p.Name, format, q)
		}
	}
	target.Runtime = ownRunc[p.Format]
	before, err1 := p.Resolve(target)
	target.Runtime = ownRunc[format]
	after, err2 := again.Resolve(target)
	switch {
	case err1 != nil || err2 != nil:
		return (err1 != nil) == (err2 != nil), said
	case before.Disabled || after.Disabled:
		return before.Disabled == after.Disabled, said
	case !slices.Equal(before.Flags, after.Flags):
		return false, said
	}
	program, err := after.Compile()
	if err != nil {
		t.Fatal(err)
	}
	d := differenceOf(t, before, program, sameOrder(before.Arches[0]))
	return len(d.Changes)+len(d.Unknown) == 0, said
}

// What a format cannot say is said, one line each.
func TestWriteLosses(t *testing.T) {
	const head = `{"defaultAction":"SCMP_ACT_ERRNO",`
	for _, c := range []struct{ text, format, want string }{
		{head + `"defaultErrnoRet":38}`, SPO, "!the resource has no defaultErrnoRet: the default is EPERM instead of 38"},
		{head + `"defaultErrnoRet":1}`, SPO, ""},
		{head + `"flags":[]}`, SPO, "!the operator does not write an empty list of flags: runtimes add their own"},
		{head + `"flags":[]}`, OCI, ""},
		{`{}`, SPO, "!the resource cannot turn seccomp off: it allows every call instead"},
		{`{}`, Podman, ""},
		{head + `"architectures":["SCMP_ARCH_LOONGARCH64"]}`, SPO, "!the resource has no architecture SCMP_ARCH_LOONGARCH64"},
		{head + `"listenerPath":"/run/a"}`, SPO, "!the resource takes a listenerPath right below /var/run/security-profiles-operator only: it is left out"},
		{head + `"x":1}`, Docker, `the field "x", which no reader knows, is left out`},
		{head + `"archMap":[{"architecture":"SCMP_ARCH_X86_64","subArchitectures":[]}]}`, OCI, "archMap is written for a host of x86_64 only"},
		{head + `"archMap":[{"architecture":"SCMP_ARCH_X86_64","subArchitectures":[]}]}`, Podman, ""},
		{head + `"syscalls":[{"names":["read"],"action":"SCMP_ACT_ERRNO","errnoRet":0}]}`, SPO, "!the resource has no errnoRet 0: syscalls[0] gives EPERM"},
		{head + `"syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"op":"SCMP_CMP_EQ","value":9223372036854775808}]}]}`, SPO,
			"!the resource takes numbers up to 2^63-1: syscalls[0] with 9223372036854775808 is left out"},
		{head + `"syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW","comment":"c"}]}`, OCI, "the comment of syscalls[0] is left out"},
		{head + `"syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW","comment":"c"}]}`, Docker, ""},
		{head + `"syscalls":[{"names":["bpf"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_BPF"]}}]}`, OCI,
			"includes of syscalls[0] are decided for x86_64 and kernel 5.10, with the target's capabilities: it does not count"},
		{head + `"syscalls":[{"names":["ptrace"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"4.8"}}]}`, Podman,
			"minKernel of syscalls[0] is decided for kernel 5.10: it counts"},
		{head + `"syscalls":[{"names":["ptrace"],"action":"SCMP_ACT_ALLOW","excludes":{"minKernel":"4.8"}}]}`, Podman,
			"minKernel of syscalls[0] is decided for kernel 5.10: it does not count"},
		{head + `"syscalls":[{"names":[],"action":"SCMP_ACT_ALLOW"}]}`, Docker, "syscalls[0], which names no syscall, is left out"},
		{`{"ociVersion":"1","process":{},"linux":{"seccomp":{"defaultAction":"SCMP_ACT_LOG"}}}`, OCI, "only linux.seccomp of the config.json is written"},
		{head + `"syscalls":[{"names":["read"],"action":"SCMP_ACT_ERRNO","errno":"ENOSYS"}]}`, OCI, ""},
	} {
		p := mustParse(t, c.text)
		target := Target{ABI: arch(t, "x86_64"), Caps: DockerCaps()}
		target.Kernel.Major, target.Kernel.Minor = 5, 10
		out, err := p.Write(c.format, target)
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, l := range out.Lost {
			mark := ""
			if l.Changes {
				mark = "!"
			}
			lines = append(lines, mark+l.Text)
			if l.Pos.Line == 0 || strings.Contains(l.String(), "\n") {
				t.Errorf("%+v", l)
			}
		}
		if got := strings.Join(lines, "; "); got != c.want {
			t.Errorf("%s as %s:\ngot  %s\nwant %s", c.text, c.format, got, c.want)
		}
	}
	strict, err := Open("strict")
	if err != nil {
		t.Fatal(err)
	}
	out, err := strict.Write(OCI, Target{ABI: arch(t, "x86_64")})
	if err != nil || len(out.Lost) == 0 || !out.Lost[0].Changes {
		t.Errorf("strict: %+v, %v", out, err)
	}
	for _, format := range []string{"", "kernel", "nonsense"} {
		if _, err := strict.Write(format, Target{ABI: arch(t, "x86_64")}); err == nil {
			t.Errorf("written as %q", format)
		}
	}
}

// Podman's words and Docker's for a host become each other.
func TestWriteWords(t *testing.T) {
	p := mustParse(t, `{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,"syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW","includes":{"arches":["loongarch64","amd64"]}}]}`)
	out, err := p.Write(Podman, Target{ABI: arch(t, "x86_64")})
	if err != nil || !strings.Contains(string(out.Text), `"loong64"`) || !strings.Contains(string(out.Text), `"defaultErrno": "ENOSYS"`) {
		t.Fatalf("%s, %v", out.Text, err)
	}
	q, err := Parse("q", out.Text)
	if err != nil || q.Format != Podman {
		t.Fatal(q, err)
	}
	back, err := q.Write(Docker, Target{ABI: arch(t, "x86_64")})
	if err != nil || !strings.Contains(string(back.Text), `"loongarch64"`) || strings.Contains(string(back.Text), "ENOSYS") {
		t.Errorf("%s, %v", back.Text, err)
	}
}
