package lint

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/syscalls"
)

// What the filter does with the call under test, as a rule or two of a profile.
var answers = []struct {
	name    string
	rule    string // fields of the rule after names
	outcome string
	check   string           // that reports it; "" for none
	level   finding.Severity // for PC613 by class, see denials
	verdict string           // unless the denial is less than an error
}{
	{"ALLOW", `"action": "SCMP_ACT_ALLOW"`, Allowed, "", 0, VerdictOK},
	{"LOG", `"action": "SCMP_ACT_LOG"`, Allowed, "PC616", finding.Info, VerdictOK},
	{"USER_NOTIF", `"action": "SCMP_ACT_NOTIFY"`, Depends, "PC617", finding.Info, VerdictUnknown},
	{"TRACE", `"action": "SCMP_ACT_TRACE", "errnoRet": 7`, Denied, "PC613", 0, VerdictDenied},
	{"ERRNO(EPERM)", `"action": "SCMP_ACT_ERRNO", "errnoRet": 1`, Denied, "PC613", 0, VerdictDenied},
	{"ERRNO(ENOSYS)", `"action": "SCMP_ACT_ERRNO", "errnoRet": 38`, Denied, "PC613", 0, VerdictDenied},
	{"ERRNO(0)", `"action": "SCMP_ACT_ERRNO", "errnoRet": 0`, Denied, "PC613", 0, VerdictDenied},
	{"TRAP", `"action": "SCMP_ACT_TRAP"`, Denied, "PC613", 0, VerdictDenied},
	{"KILL_THREAD", `"action": "SCMP_ACT_KILL_THREAD"`, Denied, "PC613", 0, VerdictDenied},
	{"KILL_PROCESS", `"action": "SCMP_ACT_KILL_PROCESS"`, Denied, "PC613", 0, VerdictDenied},
	{"arguments", `"action": "SCMP_ACT_ALLOW", "args": [{"index": 2, "value": 5, "op": "SCMP_CMP_EQ"}]`, Depends, "PC614", finding.Warning, VerdictOK},
}

// What a denial is for each class: the table of the design. "tolerated" is a call of the class
// required whose caller lives with an errno.
var denials = []struct {
	name  string
	class finding.Class
	call  string
	via   string
	level finding.Severity
}{
	{"required", finding.Required, "openat", "", finding.Error},
	{"startup", finding.Startup, "openat", "", finding.Error},
	{"child", finding.Child, "openat", "", finding.Error},
	{"conditional", finding.Conditional, "openat", "", finding.Warning},
	{"vdso", finding.VDSO, "clock_gettime", "", finding.Warning},
	{"signal return", finding.Kernel, "rt_sigreturn", "", finding.Error},
	{"restart", finding.Kernel, "restart_syscall", "", finding.Warning},
	{"tolerated", finding.Required, "pidfd_open", "internal/syscall/unix.PidFDOpen", finding.Error},
	{"tolerated ENOSYS", finding.Startup, "waitid", "os.(*Process).blockUntilWaitable", finding.Error},
}

func TestClasses(t *testing.T) {
	for _, d := range denials {
		for _, a := range answers {
			t.Run(d.name+"/"+a.name, func(t *testing.T) {
				r := judgeOne(t, d.call, a.rule, d.class, d.via)
				level, verdict := a.level, a.verdict
				if a.check == "PC613" {
					level = d.level
				}
				switch {
				case d.name == "tolerated" && (a.name == "ERRNO(EPERM)" || a.name == "ERRNO(ENOSYS)"),
					d.name == "tolerated ENOSYS" && a.name == "ERRNO(ENOSYS)":
					level = finding.Info
				case d.name == "tolerated" && a.name == "arguments":
					level = finding.Info // the default of judgeOne is EPERM
				}
				if a.outcome == Denied && level < finding.Error {
					verdict = VerdictOK
				}
				if r.Verdict != verdict {
					t.Errorf("verdict %s, want %s", r.Verdict, verdict)
				}
				if len(r.Outcomes) != 1 || r.Outcomes[0].Outcome != a.outcome || r.Outcomes[0].Class != d.class {
					t.Errorf("outcomes %+v, want %s", r.Outcomes, a.outcome)
				}
				var got []string
				for _, f := range r.Findings {
					if strings.HasPrefix(f.Check, "PC61") {
						got = append(got, f.Check+" "+f.Severity.String())
					}
				}
				want := "[]"
				if a.check != "" {
					want = fmt.Sprintf("[%s %s]", a.check, level)
				}
				if fmt.Sprint(got) != want {
					t.Errorf("findings %v, want %s", got, want)
				}
			})
		}
	}
}

// judgeOne judges a program with one need under a profile with one rule for it and EPERM as the
// default.
func judgeOne(t *testing.T, name, rule string, class finding.Class, via string) *Result {
	t.Helper()
	p, err := profile.Parse("made.json", fmt.Appendf(nil,
		`{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1, "syscalls": [{"names": [%q], %s}]}`, name, rule))
	if err != nil {
		t.Fatal(err)
	}
	arch := syscalls.ByName("x86_64")
	nr, ok := arch.Number(name)
	if !ok {
		t.Fatalf("no call %s", name)
	}
	target := p.DefaultTarget(arch)
	target.Runtime, target.Caps = profile.RuntimeKernel, nil
	r, err := Run(Input{Profile: p, Target: target, Usage: []Usage{{
		Program: "app", Kind: "go", Arch: arch, Complete: true,
		Needs: []Need{{Nr: nr, Name: name, Class: class, Path: finding.Path{{Function: "main.main"}, {Function: via}}, Always: []string{via}}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Several sites of one call: the gravest decides, and each is judged with its own constants.
func TestSites(t *testing.T) {
	arg := func(v ...uint64) [6][]uint64 { return at(2, v) }
	cases := []struct {
		name    string
		sites   []Site
		outcome string
		class   finding.Class
		verdict string
		want    string
	}{
		{"all allowed", []Site{{Class: finding.Required, Args: arg(5)}, {Class: finding.Child, Args: arg(5)}},
			Allowed, finding.Required, VerdictOK, "[]"},
		{"one denied", []Site{{Class: finding.Required, Args: arg(5)}, {Class: finding.Child, Args: arg(6)}},
			Denied, finding.Child, VerdictDenied, "[PC613 error]"},
		{"one denied under a condition", []Site{{Class: finding.Required, Args: arg(5)}, {Class: finding.Conditional, Args: arg(6, 7)}},
			Denied, finding.Conditional, VerdictOK, "[PC613 warning]"},
		{"one unknown", []Site{{Class: finding.Conditional}, {Class: finding.Required, Args: arg(5)}},
			Depends, finding.Conditional, VerdictOK, "[PC614 warning]"},
		{"one with both", []Site{{Class: finding.Required, Args: arg(5, 6)}},
			Depends, finding.Required, VerdictOK, "[PC614 warning]"},
		{"unknown and denied", []Site{{Class: finding.Required}, {Class: finding.Required, Args: arg(6)}},
			Denied, finding.Required, VerdictDenied, "[PC613 error]"},
	}
	p, err := profile.Parse("made.json", []byte(`{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["openat"],
		"action": "SCMP_ACT_ALLOW", "args": [{"index": 2, "value": 5, "op": "SCMP_CMP_EQ"}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	arch := syscalls.ByName("x86_64")
	target := p.DefaultTarget(arch)
	target.Runtime = profile.RuntimeKernel
	nr, _ := arch.Number("openat")
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r, err := Run(Input{Profile: p, Target: target, Usage: []Usage{{
				Program: "app", Arch: arch, Complete: true, Needs: []Need{{Nr: nr, Sites: c.sites}},
			}}})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range r.Findings {
				got = append(got, f.Check+" "+f.Severity.String())
			}
			if len(r.Outcomes) != 1 || r.Outcomes[0].Outcome != c.outcome || r.Outcomes[0].Class != c.class ||
				r.Verdict != c.verdict || fmt.Sprint(got) != c.want {
				t.Errorf("%+v, verdict %s, findings %v; want %s %s, %s, %s", r.Outcomes, r.Verdict, got, c.outcome, c.class, c.verdict, c.want)
			}
			if n := len(r.Undecided()); (n == 1) != (c.outcome == Depends) {
				t.Errorf("%d undecided", n)
			}
		})
	}
}

// The runtime's own calls, by what a denial does to the start of a container, for the target docker
// without noNewPrivileges; and that the kernel target has none.
func TestRuntimeClass(t *testing.T) {
	cases := []struct {
		call, rule string
		outcome    string
		want       string
		verdict    string
	}{
		{"execve", `"action": "SCMP_ACT_ERRNO"`, Denied, "[PC603 error]", VerdictDenied},
		{"execve", `"action": "SCMP_ACT_KILL_PROCESS"`, Denied, "[PC603 error]", VerdictDenied},
		{"execve", `"action": "SCMP_ACT_LOG"`, Allowed, "[]", VerdictOK},
		{"execve", `"action": "SCMP_ACT_NOTIFY"`, Depends, "[PC603 warning]", VerdictUnknown},
		{"execve", `"action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]`, Depends, "[PC603 warning]", VerdictOK},
		{"futex", `"action": "SCMP_ACT_ERRNO"`, Denied, "[PC603 warning]", VerdictOK},
		{"close_range", `"action": "SCMP_ACT_ERRNO"`, Denied, "[]", VerdictOK},
		{"close_range", `"action": "SCMP_ACT_TRAP"`, Denied, "[PC603 error]", VerdictDenied},
	}
	arch := syscalls.ByName("x86_64")
	for _, c := range cases {
		p, err := profile.Parse("made.json", fmt.Appendf(nil,
			`{"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/run/x", "syscalls": [{"names": [%q], %s}]}`, c.call, c.rule))
		if err != nil {
			t.Fatal(err)
		}
		in := Input{Profile: p, Target: p.DefaultTarget(arch), Usage: []Usage{usage(arch, "write")}}
		r, err := Run(in)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range r.Findings {
			if strings.HasPrefix(f.Check, "PC60") {
				got = append(got, f.Check+" "+f.Severity.String())
			}
		}
		nr, _ := arch.Number(c.call)
		i := slices.IndexFunc(r.Outcomes, func(o Outcome) bool { return o.Nr == nr })
		if fmt.Sprint(got) != c.want || r.Verdict != c.verdict || r.Outcomes[i].Outcome != c.outcome || r.Outcomes[i].Class != finding.Runtime {
			t.Errorf("%s %s: findings %v, verdict %s, %+v", c.call, c.rule, got, r.Verdict, r.Outcomes[i])
		}
		in.Target.Runtime = profile.RuntimeKernel
		if r, err = Run(in); err != nil || r.Verdict != VerdictOK {
			t.Errorf("%s %s: for the kernel: %v, %v", c.call, c.rule, r, err)
		}
	}
}

// A call that the runtime does without is needed where what it calls instead is denied as well:
// Docker's default without faccessat2 starts containers with runc 1.1.5, without faccessat, too, it
// does not. The same with openat2 and readlinkat of the newest release.
func TestRuntimeFallback(t *testing.T) {
	for _, c := range []struct {
		version string
		denied  []string
		want    string
	}{
		{"1.1.5", []string{"faccessat2"}, "[]"},
		{"1.1.5", []string{"faccessat"}, "[]"},
		{"1.1.5", []string{"faccessat2", "faccessat"}, "[PC603 error]"},
		{"", []string{"faccessat2", "faccessat"}, "[]"}, // later releases do not call faccessat
		{"", []string{"openat2"}, "[]"},
		{"", []string{"openat2", "readlinkat"}, "[PC603 error]"},
		{"", []string{"openat2", "fcntl"}, "[PC603 error]"},
	} {
		p := builtin(t, "docker-default")
		for i := range p.Rules {
			r := &p.Rules[i]
			r.Names = slices.DeleteFunc(slices.Clone(r.Names), func(n profile.Name) bool { return slices.Contains(c.denied, n.Text) })
		}
		arch := syscalls.ByName("x86_64")
		target := p.DefaultTarget(arch)
		if c.version != "" {
			target.Version = c.version
		}
		r, err := Run(Input{Profile: p, Target: target, Arches: []*syscalls.Arch{arch}})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range r.Findings {
			if f.Check == "PC603" {
				got = append(got, f.Check+" "+f.Severity.String())
			}
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("%s without %v: %v, want %s", target.Version, c.denied, got, c.want)
		}
	}
}

// What a program makes under a condition and the runtime always is the runtime's, and an error.
func TestRuntimeAndProgram(t *testing.T) {
	p, err := profile.Parse("made.json", []byte(`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["execve"], "action": "SCMP_ACT_ERRNO"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	arch := syscalls.ByName("x86_64")
	for class, want := range map[finding.Class]string{
		finding.Conditional: "[PC603 error PC613 warning]", finding.Required: "[PC613 error]",
	} {
		u := usage(arch, "execve")
		u.Needs[0].Class = class
		r, err := Run(Input{Profile: p, Usage: []Usage{u}})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range r.Findings {
			if strings.HasPrefix(f.Check, "PC60") || f.Check == "PC613" {
				got = append(got, f.Check+" "+f.Severity.String())
			}
		}
		if fmt.Sprint(got) != want || r.Verdict != VerdictDenied {
			t.Errorf("%s: %v, verdict %s; want %s", class, got, r.Verdict, want)
		}
	}
}

// A call that only some releases make keeps only these from starting containers, unless another one is
// denied that all make.
func TestRuntimeReleases(t *testing.T) {
	const since = " 1.2.8, 1.3.3, 1.4.0 and later starts no container"
	for _, c := range []struct{ runtime, version, denied, want string }{
		{"runc", "", `"statx"`, "statx is denied, so runc" + since},
		{"docker", "", `"statx"`, "statx is denied, so docker with runc" + since},
		{"runc", "1.4.2", `"statx"`, "statx is denied, so runc starts no container"},
		{"runc", "1.1.5", `"statx"`, ""},
		{"runc", "", `"write"`, "write is denied, so runc starts no container"},
		{"runc", "", `"write", "statx"`, "write are denied, so runc starts no container"},
	} {
		p, err := profile.Parse("made.json", fmt.Appendf(nil,
			`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": [%s], "action": "SCMP_ACT_ERRNO"}]}`, c.denied))
		if err != nil {
			t.Fatal(err)
		}
		arch := syscalls.ByName("x86_64")
		target := p.DefaultTarget(arch)
		target.Runtime, target.Version = c.runtime, c.version
		r, err := Run(Input{Profile: p, Target: target, Arches: []*syscalls.Arch{arch}})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, f := range r.Findings {
			if f.Check == "PC603" {
				got = f.Message
			}
		}
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s %s without %s: %q, want %q", c.runtime, c.version, c.denied, got, c.want)
		}
	}
}
