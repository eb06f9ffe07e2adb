package profiletest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/filter"
)

func itoa(n int) string { return fmt.Sprint(n) }

func spansText(list []span[uint64]) string { return fmt.Sprint(list) }

const profileText = `{
  "defaultAction": "SCMP_ACT_ERRNO",
  "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"],
  "syscalls": [
    {"names": ["read", "write", "open"], "action": "SCMP_ACT_ALLOW"},
    {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 40, "op": "SCMP_CMP_NE"}]},
    {"names": ["getpid"], "action": "SCMP_ACT_LOG"},
    {"names": ["ptrace"], "action": "SCMP_ACT_TRACE", "errnoRet": 7},
    {"names": ["kexec_load"], "action": "SCMP_ACT_KILL_PROCESS"},
    {"names": ["mount"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}},
    {"names": ["bpf"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38},
    {"names": ["personality"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 0, "op": "SCMP_CMP_EQ"}]},
    {"names": ["personality"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 8, "op": "SCMP_CMP_EQ"}]}
  ]
}
`

// writeProfile puts profileText and a file of expectations into a folder.
func writeProfile(t testing.TB, expect string) (file string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"p.json": profileText, "x.yaml": "profile: p.json\n" + expect} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "x.yaml")
}

func runText(t testing.TB, expect string) (*Result, error) {
	t.Helper()
	f, err := open(writeProfile(t, expect))
	if err != nil {
		return nil, err
	}
	return f.Run()
}

// Each line is an expectation that holds, and its twin one that does not, with what is found then.
func TestExpectations(t *testing.T) {
	for _, c := range []struct{ holds, fails, found string }{
		{"allow: read", "deny: read", "ALLOW for read()"},
		{"allow: getpid", "deny: getpid", "LOG for getpid()"},
		{"allow: getpid, with: LOG", "allow: getpid, with: ALLOW", "LOG for getpid()"},
		{"deny: mount", "allow: mount", "ERRNO(1) EPERM for mount()"},
		{"deny: mount, with: EPERM", "deny: mount, with: ENOSYS", "ERRNO(1) EPERM for mount()"},
		{"deny: mount, with: ERRNO", "deny: mount, with: TRAP", "ERRNO(1) EPERM for mount()"},
		{"deny: mount, with: [ENOSYS, EPERM]", "deny: mount, with: [ENOSYS, KILL]", "ERRNO(1) EPERM for mount()"},
		{"allow: mount, caps: SYS_ADMIN", "deny: mount, caps: [none, cap_sys_admin]", "ALLOW for mount()"},
		{"deny: mount, caps: [all, none]", "deny: mount, caps: all", "ALLOW for mount()"},
		{"deny: bpf, with: ENOSYS", "deny: bpf, with: EPERM", "ERRNO(38) ENOSYS for bpf()"},
		{"deny: ptrace, with: TRACE", "deny: ptrace, with: TRACE(8)", "TRACE(7) for ptrace()"},
		{"deny: ptrace, with: TRACE(7)", "ask: ptrace", "TRACE(7) for ptrace()"},
		{"deny: kexec_load, with: KILL_PROCESS", "deny: kexec_load, with: KILL", "KILL_PROCESS for kexec_load()"},
		{"deny: socket(40)", "deny: socket", "ALLOW for socket()"},
		{"allow: socket(2, _, 6)", "allow: socket(_, 6)", "ERRNO(1) EPERM for socket(0x28, 6)"},
		{"allow: socket(arg0 != 40)", "allow: socket(arg0 in {39..41})", "ERRNO(1) EPERM for socket(0x28)"},
		{"allow: socket(family < 40)", "allow: socket(family <= 40)", "ERRNO(1) EPERM for socket(0x28)"},
		{"deny: socket(arg0 == 40)", "deny: socket(arg0 & 0xffffffff == 40)", "ALLOW for socket(0x100000028)"},
		{"allow: 0, arches: x86_64", "deny: 0x0, arches: amd64", "ALLOW for read()"},
		{"deny: 0(arg0 == 1), arches: arm64", "allow: 0(arg0 == 1), arches: arm64", "ERRNO(1) EPERM for io_setup(1)"},
		{"deny: unnamed", "deny: unnamed, with: EPERM", "ERRNO(38) ENOSYS for numbers "},
		{"deny: 500..600", "deny: 0..600, arches: x86_64", "ALLOW for numbers 0 to 2"},
		{"deny: -1, arches: x86_64", "allow: -1, arches: x86_64", "ERRNO(1) EPERM for number -1()"},
		{"deny: all, arches: x86, with: KILL", "deny: all, arches: x32, with: EPERM", "KILL_THREAD for numbers 1073741824 to "},
		{"deny: open, targets: kernel, arches: m68k", "allow: open, targets: kernel, arches: m68k", "KILL_THREAD for open()"},
		{"deny: 5000, targets: [kernel, crun], with: EPERM", "deny: 5000, targets: [kernel, runc], with: EPERM", "ERRNO(38) ENOSYS for number 5000()"},
		{"allow: open", "deny: open", "ALLOW for open()"}, // x86_64 alone has it
	} {
		for i, text := range []string{c.holds, c.fails} {
			entry := strings.ReplaceAll(text, ", with:", "\n    with:")
			for _, key := range circumstanceKeys {
				entry = strings.ReplaceAll(entry, ", "+key+":", "\n    "+key+":")
			}
			r, err := runText(t, "expect:\n  - "+entry+"\n")
			if err != nil {
				t.Errorf("%s: %v", text, err)
				continue
			}
			if i == 0 && (r.Passed != 1 || !r.OK()) {
				t.Errorf("%s: %d passed, %d failed: %s", text, r.Passed, r.Failed, failureText(r))
			}
			if i == 1 && (r.Failed != 1 || r.Passed != 0 || !strings.Contains(failureText(r), "found "+c.found)) {
				t.Errorf("%s: %d passed: %s, want %s", text, r.Passed, failureText(r), c.found)
			}
		}
	}
}

func failureText(r *Result) string {
	text := ""
	for i := range r.Failures {
		text += r.Failures[i].Text(true)
	}
	return text
}

// A value that is denied with its upper bits clear alone is noted, as the kernel does not look at them.
func TestNarrowParameters(t *testing.T) {
	for expect, want := range map[string]string{
		"deny: socket(40)":                      "3:9: deny socket(40): the kernel looks at 32 bits of arg0 alone, and the answer to socket(0x100000028) is ALLOW on x86_64 (docker)",
		"deny: socket(family == 40, type == 3)": "3:9: deny socket(family == 40, type == 3): the kernel looks at 32 bits of arg0 alone, and the answer to socket(0x100000028, 3) is ALLOW on x86_64 (docker)",
		"deny: socket(40)\n  arches: x86":       "", // no upper bits
		"allow: socket(2)":                      "", // more is allowed than was asked about
		"deny: bpf(40)":                         "", // whatever the argument is
		"deny: personality(1)":                  "",
		"deny: mount(40)":                       "", // a pointer
	} {
		r, err := runText(t, "expect:\n- "+expect+"\n")
		if err != nil || !r.OK() || strings.Join(r.Notes, "\n") != want {
			t.Errorf("%s: %v, %v, want %s", expect, r, err, want)
		}
	}
}

// rest is what no other expectation names under the same circumstances.
func TestRest(t *testing.T) {
	r, err := runText(t, `arches: x86_64
expect:
  - allow: [read, write, open, getpid, "socket(2)"]
  - allow: mount
    caps: SYS_ADMIN
  - deny: [ptrace, kexec_load, personality(1)]
  - deny: rest
  - deny: rest
    caps: SYS_ADMIN
`)
	if err != nil {
		t.Fatal(err)
	}
	if r.Failed != 1 || r.Passed != 10 {
		t.Fatalf("%d passed: %s", r.Passed, failureText(r))
	}
	var names []string
	for _, c := range r.Failures[0].Cases {
		names = append(names, c.Syscall)
	}
	// With the capability only mount is named.
	if got := strings.Join(names, " "); got != "read write open getpid socket personality" || r.Failures[0].Line != 9 {
		t.Errorf("line %d: %s", r.Failures[0].Line, got)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", "x: the file is empty"},
		{"# only\n", "x: the file is empty"},
		{"[1]", "x:1:1: a file of expectations is a mapping with the keys profile, expect, targets, arches, caps, kernel"},
		{"profile: p\nexpect:\n- allow: read\n---\na: b\n", "x:4:1: a second document"},
		{"profile: p\n", "x:1:1: no expect: want a list of expectations"},
		{"expect:\n- allow: read\n", "x:1:1: no profile: want a path, or the name of a built-in"},
		{"profile: p\nexpect: []\n", "x:2:9: expect: want a list of expectations"},
		{"profile: p\nexpect: allow\n", "x:2:9: expect: want a list of expectations"},
		{"profile: p\nexpct:\n", `x:2:1: unknown key "expct": did you mean expect?`},
		{"profile: p\nzzz: 1\n", `x:2:1: unknown key "zzz": want profile, expect, targets, arches, caps or kernel`},
		{"profile: p\nprofile: q\n", "x:2:1: the key profile is there twice"},
		{"profile:\nexpect:\n- allow: read\n", "x:1:9: want a word, found nothing"},
		{"profile: [p]\nexpect:\n- allow: read\n", "x:1:10: want a word"},
		{"profile: p\narches: x86-65\nexpect:\n- allow: read\n", `x:2:9: arches: unknown architecture "x86-65"`},
		{"profile: p\narches: [arm64, aarch64]\nexpect:\n- allow: read\n", "x:2:17: arches: aarch64 is there twice"},
		{"profile: p\ntargets: dokcer\nexpect:\n- allow: read\n", `x:2:10: targets: unknown runtime "dokcer": did you mean docker?`},
		{"profile: p\ntargets: [crun, crun]\nexpect:\n- allow: read\n", "x:2:17: targets: crun is there twice"},
		{"profile: p\ntargets: []\nexpect:\n- allow: read\n", "x:2:10: an empty list"},
		{"profile: p\ncaps: SYS_ADMN\nexpect:\n- allow: read\n", `x:2:7: caps: unknown capability "SYS_ADMN": did you mean CAP_SYS_ADMIN?`},
		{"profile: p\nkernel: new\nexpect:\n- allow: read\n", "x:2:9: kernel: "},
		{"profile: p\nkernel: [5.1, 5.2]\nexpect:\n- allow: read\n", "x:2:15: kernel: more than one"},
		{"profile: p\nexpect:\n- read\n", "x:3:3: an expectation is a mapping with the keys with, allow, deny, ask, targets, arches, caps, kernel"},
		{"profile: p\nexpect:\n- with: EPERM\n", "x:3:3: want one of allow, deny or ask"},
		{"profile: p\nexpect:\n- allow: read\n  deny: write\n", "x:4:9: allow and deny in one expectation"},
		{"profile: p\nexpect:\n- allow: []\n", "x:3:10: an empty list"},
		{"profile: p\nexpect:\n- allow: [read, [write]]\n", "x:3:17: want a word"},
		{"profile: p\nexpect:\n- allow: [read, raed]\n", `x:3:17: unknown syscall "raed": did you mean read?`},
		{"profile: p\nexpect:\n- allow: 'read(arg0 = 1)'\n", "x:3:21: unknown operator =: did you mean ==?"},
		{"profile: p\nexpect:\n- allow: read(arg0 = 1)\n", "x:3:20: unknown operator =: did you mean ==?"},
		{"profile: p\nexpect:\n- deny: read\n  with: EPREM\n", `x:4:9: unknown action "EPREM": did you mean EPERM?`},
		{"profile: p\nexpect:\n- deny: read\n  with: 1\n", `x:4:9: "1" is no action: write ERRNO(1)`},
		{"profile: p\nexpect:\n- deny: read\n  with: SCMP_ACT_KILL\n", `x:4:9: unknown action "SCMP_ACT_KILL": did you mean KILL?`},
		{"profile: p\nexpect:\n- deny: read\n  with: errno(1)\n", `x:4:9: unknown action "errno(1)": did you mean ERRNO(1)?`},
		{"profile: p\nexpect:\n- deny: read\n  with: ERRNO(x)\n", `x:4:9: action "ERRNO(x)": data is no 16-bit number`},
		{"profile: p\nexpect:\n- deny: read\n  with: ALLOW\n", "x:4:9: ALLOW: that is an answer to allow, not to deny"},
		{"profile: p\nexpect:\n- allow: read\n  with: EPERM\n", "x:4:9: EPERM: that is an answer to deny, not to allow"},
		{"profile: p\nexpect:\n- deny: read\n  with: [EPERM, EPERM]\n", "x:4:17: EPERM is there twice"},
		{"profile: p\nexpect:\n- allow: [read, read]\n", "x:3:17: read is there twice under the same circumstances: first at 3:11"},
		{"profile: p\nexpect:\n- allow: read\n- deny: read\n  arches: x86\n- deny: read\n  arches: x86\n", "x:6:9: read is there twice under the same circumstances: first at 4:9"},
		{"profile: &p x\nexpect:\n- allow: *p\n", "x:3:10: aliases are not read"},
		{"profile: p\nexpect: [\n", "x:2:1: "},
		{"profile: p\n\tx: y\n", "x:2:1: "},
		{"profile: p\xff\n", "x:1:1: "},
		{strings.Repeat("[", 20000), "x:"},
		{strings.Repeat("a", MaxFile+1), "x: larger than 1048576 bytes"},
	} {
		_, err := Parse("x", []byte(c.in))
		var typed *FileError
		if err == nil || !errors.As(err, &typed) || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.60q:\n%v, want\n%s", c.in, err, c.want)
		}
	}
}

// What is wrong only beside the profile.
func TestRunRefuses(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"expect:\n- allow: open\n  arches: [x86_64, arm64]\n", ":3:10: open does not exist on aarch64"},
		{"arches: arm64\nexpect:\n- allow: open\n", ":4:10: open is about no call on aarch64"},
		{"expect:\n- allow: 0x40000000\n  arches: x86_64\n", ":3:10: number 1073741824, which is one of x32, does not exist on x86_64"},
		{"expect:\n- allow: read(arg0 == 0x100000000)\n  arches: x86\n", ":3:10: no argument fulfils the condition on x86"},
		{"expect:\n- allow: read\n  targets: gvisor\n  arches: [m68k]\n", ":4:12: "},
	} {
		_, err := runText(t, c.in)
		var typed *FileError
		if err == nil || !errors.As(err, &typed) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q:\n%v, want\n%s", c.in, err, c.want)
		}
	}
	var many strings.Builder
	many.WriteString("profile: strict\nexpect:\n")
	for i := range 500 {
		fmt.Fprintf(&many, "- allow: read\n  kernel: %d.%d\n", 3+i/200, i%200)
	}
	f, err := Parse("x", []byte(many.String()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Run(); err == nil || !strings.Contains(err.Error(), "more than 400 combinations") {
		t.Errorf("500 kernels: %v", err)
	}
}

// A compiled filter in any of its formats is as good as a profile; what it cannot be asked is refused.
func TestCompiledFilter(t *testing.T) {
	dir := t.TempDir()
	p := filter.Program{filter.Load(filter.OffsetNr), filter.Jump(filter.OpJeqK, 1, 0, 1), filter.Return(filter.Allow), filter.Return(filter.KillProcess)}
	files := map[string][]byte{"f.bpf": p.Encode(binary.LittleEndian)}
	for _, format := range filter.Formats() {
		text, err := p.Format(filter.Format(format), binary.LittleEndian, "f")
		if err != nil {
			t.Fatal(err)
		}
		files["f."+format] = text
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, ".go") {
			continue // that form is written and not read
		}
		for expect, want := range map[string]string{
			"arches: x86_64\nexpect:\n- allow: write\n- deny: read\n  with: KILL_PROCESS\n- deny: rest\n": "3 passed, 0 failed",
			"arches: x86_64\nexpect:\n- deny: write\n":                                                    "0 passed, 1 failed",
			"arches: s390x\nexpect:\n- deny: write\n":                                                     "has another byte order than s390x",
			"arches: x86_64\ncaps: all\nexpect:\n- deny: write\n":                                         "a compiled filter is the same for all",
			"targets: docker\nexpect:\n- deny: write\n":                                                   "a compiled filter is the same for all",
			"targets: kernel\nexpect:\n- allow: write\n":                                                  "1 passed, 0 failed",
		} {
			f, err := Parse(filepath.Join(dir, "x"), []byte("profile: "+name+"\n"+expect))
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if r, err := f.Run(); err != nil {
				got = err.Error()
			} else {
				got = fmt.Sprintf("%d passed, %d failed", r.Passed, r.Failed)
			}
			if !strings.Contains(got, want) {
				t.Errorf("%s, %q: %s, want %s", name, expect, got, want)
			}
		}
	}
	for name, data := range map[string][]byte{"odd.bpf": {1, 2, 3}, "bad.bpf": make([]byte, 8)} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
		f, err := Parse(filepath.Join(dir, "x"), []byte("profile: "+name+"\nexpect:\n- allow: read\n"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Run(); err == nil || !strings.Contains(err.Error(), "filter "+filepath.Join(dir, name)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// yamlBreaks counts what YAML may take for the end of a line.
func yamlBreaks(data []byte) (n int) {
	for _, b := range []string{"\n", "\r", "\u0085", "\u2028", "\u2029"} {
		n += bytes.Count(data, []byte(b))
	}
	return n
}

// FuzzParse: whatever is read can be asked, and errors are typed and have a place in the text.
func FuzzParse(f *testing.F) {
	sample, err := os.ReadFile("../testdata/profiles/docker-default_test.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sample)
	f.Add([]byte("profile: strict\narches: [x86_64, arm64, s390x]\nexpect:\n- allow: 'read(arg0 & 7 in {1, 3..5}, count > 3)'\n- deny: [rest, unnamed, 5..900]\n  with: [KILL, EPERM]\n"))
	f.Add([]byte("profile: p\nexpect:\n- ask: all\n  caps: [none, SYS_ADMIN]\n  kernel: 5.10\n  targets: podman/runc\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Parse("x", data)
		var typed *FileError
		if err != nil {
			if !errors.As(err, &typed) || typed.Line > yamlBreaks(data)+2 || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q", err)
			}
			return
		}
		s, err := openSubject("strict", "")
		if err != nil {
			t.Fatal(err)
		}
		r := newRunner(file, s)
		for i, e := range file.expectations {
			for _, c := range e.calls {
				if err := r.expect(e, c); err != nil && !errors.As(err, &typed) {
					t.Errorf("%v", err)
				}
			}
			if i == 3 {
				break
			}
		}
		result := r.finish()
		for i := range result.Failures {
			result.Failures[i].Text(i%2 == 0)
		}
	})
}

// Of a file with several profiles one is named; the file alone is refused.
func TestPartOfFile(t *testing.T) {
	dir := t.TempDir()
	text := ""
	for _, name := range []string{"one", "two"} {
		text += "---\napiVersion: security-profiles-operator.x-k8s.io/v1\nkind: SeccompProfile\nmetadata: {name: " + name + "}\nspec: {defaultAction: SCMP_ACT_LOG}\n"
	}
	path := filepath.Join(dir, "many.yaml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := openSubject("many.yaml#two", dir)
	if err != nil || s.profile.Part != "two" {
		t.Errorf("%+v, %v", s, err)
	}
	for _, name := range []string{"many.yaml", "many.yaml#three"} {
		if _, err := openSubject(name, dir); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}
