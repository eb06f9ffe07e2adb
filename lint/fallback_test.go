package lint

import (
	"fmt"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/syscalls"
)

// judgeAt judges one call of a program, by its path, under a profile that answers it with an action and
// opens it for a capability.
func judgeAt(t *testing.T, name, action, kernel string, path ...finding.Frame) *Result {
	t.Helper()
	p, err := profile.Parse("made.json", fmt.Appendf(nil, `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
		{"names": [%q], %s, "excludes": {"caps": ["CAP_SYS_ADMIN"]}},
		{"names": [%q], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}}]}`, name, action, name))
	if err != nil {
		t.Fatal(err)
	}
	arch := syscalls.ByName("x86_64")
	nr, ok := arch.Number(name)
	if !ok {
		t.Fatalf("no call %s", name)
	}
	target := p.DefaultTarget(arch)
	target.Runtime = profile.RuntimeDocker
	if target.Kernel, err = syscalls.ParseKernel(kernel); err != nil {
		t.Fatal(err)
	}
	r, err := Run(Input{Profile: p, Target: target, Usage: []Usage{{
		Program: "app", Kind: "elf", Arch: arch, Complete: true, Needs: []Need{{Nr: nr, Name: name, Class: finding.Required, Path: path}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func onlyPC613(t *testing.T, r *Result) finding.Finding {
	t.Helper()
	for _, f := range r.Findings {
		if f.Check == "PC613" {
			return f
		}
	}
	t.Fatalf("no PC613: %v", r.Findings)
	return finding.Finding{}
}

// A call that nobody is known to make without falling back, and whose caller has no name, is a warning if
// it gets ENOSYS; and no capability is advised where a fallback exists.
func TestNamelessFallback(t *testing.T) {
	const (
		enosys = `"action": "SCMP_ACT_ERRNO", "errnoRet": 38`
		eperm  = `"action": "SCMP_ACT_ERRNO", "errnoRet": 1`
		kill   = `"action": "SCMP_ACT_KILL_PROCESS"`
	)
	start := finding.Frame{Function: "_start"}
	sub := finding.Frame{Function: "sub_401000"}
	libc := finding.Frame{Function: "syscall", Module: "libc.so.6"}
	fn := func(name string) finding.Frame { return finding.Frame{Function: name} }
	for _, c := range []struct {
		name, call, action string
		path               []finding.Frame
		level              finding.Severity
		caps               bool
	}{
		{"static and stripped", "clone3", enosys, []finding.Frame{start, sub, sub}, finding.Warning, false},
		{"through syscall", "clone3", enosys, []finding.Frame{start, sub, libc}, finding.Warning, false},
		{"Rust by name", "clone3", enosys, []finding.Frame{start, fn("<std::sys::unix::process::process_common::Command>::do_fork"), libc}, finding.Warning, false},
		{"EPERM", "clone3", eperm, []finding.Frame{start, sub, sub}, finding.Error, true},
		{"killed", "clone3", kill, []finding.Frame{start, sub, sub}, finding.Error, true},
		{"by name", "clone3", enosys, []finding.Frame{start, fn("main"), libc}, finding.Error, false},
		{"own wrapper", "clone3", enosys, []finding.Frame{start, fn("main"), fn("sandbox_clone3")}, finding.Error, false},
		{"no path", "clone3", enosys, nil, finding.Error, false},
		{"a call without fallback", "openat2", enosys, []finding.Frame{start, sub, libc}, finding.Error, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := judgeAt(t, c.call, c.action, "7.1", c.path...)
			f := onlyPC613(t, r)
			if f.Severity != c.level || (r.Verdict == VerdictOK) != (c.level < finding.Error) {
				t.Errorf("%s %s, want %s", r.Verdict, f.Severity, c.level)
			}
			if strings.Contains(f.Remedy, "CAP_") != c.caps {
				t.Errorf("remedy %q", f.Remedy)
			}
			if strings.Contains(f.Message, "glibc and Rust's standard library then call clone") != (c.level < finding.Error) {
				t.Errorf("message %q", f.Message)
			}
		})
	}
}

// A call that the kernel of the target does not have fails there whatever the profile says.
func TestRemovedCalls(t *testing.T) {
	main := []finding.Frame{{Function: "_start"}, {Function: "main"}}
	for _, c := range []struct {
		call, action, kernel string
		level                finding.Severity
	}{
		{"_sysctl", `"action": "SCMP_ACT_ERRNO", "errnoRet": 1`, "7.1", finding.Info},
		{"_sysctl", `"action": "SCMP_ACT_ERRNO", "errnoRet": 38`, "5.5", finding.Info},
		{"nfsservctl", `"action": "SCMP_ACT_ERRNO", "errnoRet": 1`, "4.19", finding.Info},
		{"_sysctl", `"action": "SCMP_ACT_ERRNO", "errnoRet": 1`, "5.4", finding.Error},
		{"_sysctl", `"action": "SCMP_ACT_ERRNO", "errnoRet": 0`, "7.1", finding.Error},
		{"_sysctl", `"action": "SCMP_ACT_KILL_PROCESS"`, "7.1", finding.Error},
		{"ustat", `"action": "SCMP_ACT_ERRNO", "errnoRet": 1`, "7.1", finding.Error},
	} {
		r := judgeAt(t, c.call, c.action, c.kernel, main...)
		f := onlyPC613(t, r)
		if f.Severity != c.level || (r.Verdict == VerdictOK) != (c.level == finding.Info) {
			t.Errorf("%s %s on %s: %s %s, want %s", c.call, c.action, c.kernel, r.Verdict, f.Severity, c.level)
		}
		if strings.Contains(f.Message, "whatever the profile says") != (c.level == finding.Info) {
			t.Errorf("message %q", f.Message)
		}
	}
}
