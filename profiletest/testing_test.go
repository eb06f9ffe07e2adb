package profiletest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The sample that the repository gives to users passes.
func TestSample(t *testing.T) {
	RunFile(t, "../testdata/profiles/docker-default_test.yaml")
}

// recorder is a testing.TB that writes down what is reported to it.
type recorder struct {
	testing.TB
	log []string
}

type stopped struct{}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.log = append(r.log, "error: "+fmt.Sprintf(format, args...))
}

func (r *recorder) Logf(format string, args ...any) {
	r.log = append(r.log, "log: "+fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.log = append(r.log, "fatal: "+fmt.Sprintf(format, args...))
	panic(stopped{})
}

func (r *recorder) Fatal(args ...any) { r.Fatalf("%s", fmt.Sprint(args...)) }

// record runs a test and returns what it reports.
func record(f func(t testing.TB)) string {
	r := &recorder{}
	func() {
		defer func() {
			if v := recover(); v != nil && v != any(stopped{}) {
				panic(v)
			}
		}()
		f(r)
	}()
	return strings.Join(r.log, "\n")
}

func TestProfile(t *testing.T) {
	profile := filepath.Join(filepath.Dir(writeProfile(t, "")), "p.json")
	for _, c := range []struct {
		name string
		test func(p *Profile)
		want string // "": nothing is reported
	}{
		{"allow", func(p *Profile) { p.Allow("read", "write", "socket(2)") }, ""},
		{"not allowed", func(p *Profile) { p.Allow("read", "mount") }, "error: profile .*p.json: expected allow mount\n  found ERRNO\\(1\\) EPERM for mount\\(\\), number 165 on x86_64 \\(docker\\)\n  decided by the default action\n  filter: \\d+ of \\d+ instructions ran\n(.*\n)*    +\\d+  ret ERRNO\\(1\\)\n  also: .* on aarch64 \\(docker\\)\n"},
		{"deny", func(p *Profile) { p.Deny("mount", "500..600").With("EPERM", "ENOSYS") }, ""},
		{"a way past", func(p *Profile) { p.Deny("socket(40)").With("EPERM") }, "log: profile .*p.json: deny socket\\(40\\): the kernel looks at 32 bits of arg0 alone, and the answer to socket\\(0x100000028\\) is ALLOW on x86_64 \\(docker\\)"},
		{"not denied", func(p *Profile) { p.Deny("read") }, "error: .*expected deny read\n  found ALLOW (.*\n)*  decided by syscalls\\[0\\] at .*p.json:5:16\n(.*\n)*"},
		{"another answer", func(p *Profile) { p.Deny("mount").With("ENOSYS") }, "error: .*expected deny mount with ENOSYS\n  found ERRNO\\(1\\) EPERM (.*\n)*"},
		{"said once", func(p *Profile) { p.Deny("read").With("EPERM") }, "error: .*expected deny read\n(  .*\n)*"},
		{"ask", func(p *Profile) { p.Ask("read") }, "error: .*expected ask read\n(.*\n)*"},
		{"rest", func(p *Profile) {
			p.Allow("read", "write", "open", "socket(arg0 != 40)", "getpid(0)")
			p.Deny("mount", "bpf", "personality(7)")
			p.Deny("rest", "unnamed")
		}, "log: profile .*p.json: allow getpid\\(0\\): the answer is LOG on x86_64 \\(docker\\), aarch64 \\(docker\\): the call runs, and is logged"},
		{"no call", func(p *Profile) { p.Allow("raed") }, `fatal: allow raed: column 1: unknown syscall "raed": did you mean read\?`},
		{"no answer", func(p *Profile) { p.Deny("mount").With("ALLOW") }, "fatal: ALLOW: that is an answer to allow, not to deny"},
		{"nowhere", func(p *Profile) { p.Allow("socketcall") }, "fatal: allow socketcall: socketcall is about no call on x86_64, aarch64"},
	} {
		got := record(func(t testing.TB) { c.test(Open(t, profile)) })
		if !regexp.MustCompile("^" + c.want + "$").MatchString(got) {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
	for want, test := range map[string]func(t testing.TB){
		"":                        func(t testing.TB) { Open(t, profile, Cap("SYS_ADMIN"), Arch("x86_64"), Kernel("6.1")).Allow("mount") },
		"fatal: profile ./nosuch": func(t testing.TB) { Open(t, "./nosuch") },
		"fatal: arch: unknown":    func(t testing.TB) { Open(t, profile, Arch("x")) },
		"error: ./rows:2: expected ERRNO(1) EPERM for read(1)\n  found ALLOW for read(1)": func(t testing.TB) {
			t2 := t.(*recorder)
			rows := filepath.Join(filepath.Dir(profile), "rows")
			text := strings.Repeat("x86_64\t0xc000003e\tread\t0\t1\t0\t0\t0\t0\t0\tALLOW\n", 2)
			if err := os.WriteFile(rows, []byte(strings.TrimSuffix(text, "ALLOW\n")+"ERRNO(1)\n"), 0o644); err != nil {
				panic(err)
			}
			Vectors(t, rows, profile, Arch())
			t2.log[0] = strings.Replace(t2.log[0], rows, "./rows", 1)
		},
		"fatal: open ./nosuch": func(t testing.TB) { Vectors(t, "./nosuch", profile) },
	} {
		if got := record(test); got != want && (want == "" || !strings.HasPrefix(got, want)) {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// Coverage can be asked about after the expectations of a test.
func TestProfileCoverage(t *testing.T) {
	p := Open(t, "docker-default", Arch("x86_64"))
	p.Allow("read")
	before := p.Coverage()
	p.Deny("unnamed")
	p.Allow("write", "openat")
	after := p.Coverage()
	a, _ := before.Filters[0].Counts()
	b, total := after.Filters[0].Counts()
	if a == 0 || a >= b || b >= total {
		t.Errorf("%d, then %d of %d instructions", a, b, total)
	}
	if reached, enforced := after.Counts(); reached != 1 || enforced < 10 {
		t.Errorf("%d of %d rules", reached, enforced)
	}
}

// TestFailing fails, for TestRunFile.
func TestFailing(t *testing.T) {
	file := os.Getenv("PROFILETEST_FAILING")
	if file != "" { // otherwise nothing is asked: TestRunFile runs it with a file
		RunFile(t, file)
	}
}

// RunFile makes a subtest of each word, with the line of the file and the rule where it fails.
func TestRunFile(t *testing.T) {
	for expect, want := range map[string]string{
		"expect:\n- allow: [read, mount]\n- deny: write\n- allow: getpid\n": `=== RUN   TestFailing
=== RUN   TestFailing/allow_read
=== RUN   TestFailing/allow_mount
    testing_test.go:\d+: .*x.yaml:3:17: expected allow mount
          found ERRNO\(1\) EPERM for mount\(\), number 165 on x86_64 \(docker\)
          decided by the default action
(.*\n)*=== RUN   TestFailing/deny_write
    testing_test.go:\d+: .*x.yaml:4:9: expected deny write
          found ALLOW for write\(\), number 1 on x86_64 \(docker\)
          decided by syscalls\[0\] at .*p.json:5:24
(.*\n)*=== RUN   TestFailing/allow_getpid
(.*\n)*    testing_test.go:\d+: .*x.yaml:5:10: allow getpid: the answer is LOG on x86_64 \(docker\), aarch64 \(docker\): the call runs, and is logged
    testing_test.go:\d+: coverage: 2 of 8 enforced rules, \d+ of \d+ instructions
--- FAIL: TestFailing (.*\n)*`,
		"expect:\n- allow: raed\n": `(.*\n)*    testing_test.go:\d+: .*x.yaml:3:10: unknown syscall "raed": did you mean read\?
--- FAIL: TestFailing (.*\n)*`,
		"expect:\n- allow: open\n  arches: arm64\n": `(.*\n)*    testing_test.go:\d+: .*x.yaml:3:10: open does not exist on aarch64
--- FAIL: TestFailing (.*\n)*`,
	} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestFailing$", "-test.v")
		cmd.Env = append(os.Environ(), "PROFILETEST_FAILING="+writeProfile(t, expect))
		out, err := cmd.CombinedOutput()
		if err == nil || !regexp.MustCompile("^"+want+"$").Match(out) {
			t.Errorf("%q: %v\n%s", expect, err, out)
		}
	}
}
