package lint

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/syscalls"
)

func builtin(t testing.TB, name string) *profile.Profile {
	t.Helper()
	p, err := profile.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// usage is a program that makes calls of the given names, and on an ABI that lacks one does not.
func usage(arch *syscalls.Arch, names ...string) Usage {
	u := Usage{Program: "app", Kind: "go", Arch: arch, Complete: true}
	for _, name := range names {
		if nr, ok := arch.Number(name); ok {
			u.Needs = append(u.Needs, Need{Nr: nr, Name: name, Class: finding.Required})
		}
	}
	return u
}

// The calls of a small Go program.
var small = []string{
	"arch_prctl", "clone", "close", "exit", "exit_group", "fcntl", "futex", "getpid", "gettid", "madvise", "mmap",
	"nanosleep", "openat", "prlimit64", "read", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sched_getaffinity",
	"sched_yield", "sigaltstack", "tgkill", "uname", "write",
}

// Docker's own default must not be called wrong, for any architecture that it names.
func TestDockerDefault(t *testing.T) {
	r, err := Run(Input{Profile: builtin(t, "docker-default")})
	if err != nil {
		t.Fatal(err)
	}
	confirm(t, r)
	for _, f := range r.Findings {
		if f.Severity > finding.Info {
			t.Errorf("%s %s: %s [%s]", f.Severity, f.Check, f.Message, f.Arch)
		}
	}
	judged := make(map[string]bool)
	for _, h := range r.Hosts {
		for _, a := range h.Arches {
			judged[a.Name] = true
		}
	}
	for _, m := range r.Input.Profile.ArchMap {
		for _, n := range append(slices.Clip(m.Sub), m.Arch) {
			if a, err := syscalls.Lookup(n.Text); err != nil || !judged[a.Name] {
				t.Errorf("%s is not judged: %v", n.Text, err)
			}
		}
	}
	if r.Verdict != "" {
		t.Errorf("verdict %s without a program", r.Verdict)
	}
}

// A small program runs under Docker's default, and the rest is reported as one finding.
func TestSmallProgram(t *testing.T) {
	for _, name := range []string{"x86_64", "aarch64"} {
		arch := syscalls.ByName(name)
		r, err := Run(Input{Profile: builtin(t, "docker-default"), Usage: []Usage{usage(arch, small...)}})
		if err != nil {
			t.Fatal(err)
		}
		confirm(t, r)
		if r.Verdict != VerdictOK {
			t.Errorf("%s: verdict %s: %+v", name, r.Verdict, r.Findings)
		}
		unused := 0
		for _, o := range r.Outcomes {
			if o.Outcome == Unused {
				unused++
				if _, ok := arch.Number(o.Name); !ok || o.Arch != arch || slices.Contains(small, o.Name) {
					t.Errorf("%s: unused %+v", name, o)
				}
			}
		}
		i := slices.IndexFunc(r.Findings, func(f finding.Finding) bool { return f.Check == "PC612" })
		if i < 0 || len(r.Findings[i].Syscalls) != unused || unused < 200 {
			t.Errorf("%s: %d unused calls, finding %+v", name, unused, r.Findings[max(i, 0)])
		}
	}
}

// A program that needs what Docker keeps for CAP_SYS_ADMIN is told so, and runs with it.
func TestCapability(t *testing.T) {
	arch := syscalls.ByName("x86_64")
	p := builtin(t, "docker-default")
	in := Input{Profile: p, Target: p.DefaultTarget(arch), Usage: []Usage{usage(arch, append([]string{"mount"}, small...)...)}}
	r, err := Run(in)
	if err != nil {
		t.Fatal(err)
	}
	if r.Verdict != VerdictDenied || r.Findings[0].Check != "PC613" || r.Findings[0].Syscalls[0] != "mount" {
		t.Fatalf("verdict %s, %+v", r.Verdict, r.Findings)
	}
	if want := "grant the container CAP_SYS_ADMIN if it is to do this, or allow mount"; r.Findings[0].Remedy != want {
		t.Errorf("remedy %q, want %q", r.Findings[0].Remedy, want)
	}
	in.Target.Caps = append(slices.Clone(in.Target.Caps), "CAP_SYS_ADMIN")
	if r, err = Run(in); err != nil || r.Verdict != VerdictOK {
		t.Errorf("with the capability: verdict %v, %v", r, err)
	}
}

// Of every call that the profile opens for a capability the remedy names that.
func TestCapabilityRemedies(t *testing.T) {
	arch := syscalls.ByName("x86_64")
	for name, want := range map[string]string{
		"settimeofday":  "grant the container CAP_SYS_TIME if it is to do this, or allow settimeofday",
		"clock_settime": "grant the container CAP_SYS_TIME if it is to do this, or allow clock_settime",
		"syslog":        "grant the container CAP_SYSLOG or CAP_SYS_ADMIN if it is to do this, or allow syslog",
		"sethostname":   "grant the container CAP_SYS_ADMIN if it is to do this, or allow sethostname",
		"bpf":           "grant the container CAP_BPF or CAP_SYS_ADMIN if it is to do this, or allow bpf",
		"keyctl":        "allow keyctl only if the program cannot do without it: it reaches the kernel's keyrings, which are not namespaced",
	} {
		r, err := Run(Input{Profile: builtin(t, "docker-default"), Usage: []Usage{usage(arch, append([]string{name}, small...)...)}})
		if err != nil {
			t.Fatal(err)
		}
		if f := r.Findings[0]; f.Check != "PC613" || f.Remedy != want {
			t.Errorf("%s: %s, remedy %q, want %q", name, f.Check, f.Remedy, want)
		}
	}
}

// The same input gives the same result, however often it is asked.
func TestDeterministic(t *testing.T) {
	arch := syscalls.ByName("x86_64")
	in := Input{Profile: builtin(t, "docker-default"), Usage: []Usage{usage(arch, append([]string{"bpf", "socket"}, small...)...)}}
	first, err := Run(in)
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		again, err := Run(in)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(first.Findings, again.Findings) || !reflect.DeepEqual(first.Outcomes, again.Outcomes) {
			t.Fatal("two runs differ")
		}
	}
}

// An uncovered ABI gets one finding and not one for each call.
func TestUncovered(t *testing.T) {
	p, err := profile.Parse("p.json", []byte(`{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"],
		"syscalls": [{"names": ["write"], "action": "SCMP_ACT_ALLOW"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	x86 := syscalls.ByName("x86")
	target := p.DefaultTarget(x86)
	target.Runtime = profile.RuntimeKernel
	r, err := Run(Input{Profile: p, Target: target, Usage: []Usage{usage(x86, "write", "read")}})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Findings) != 1 || r.Findings[0].Check != "PC406" || r.Verdict != VerdictDenied {
		t.Errorf("verdict %s, %+v", r.Verdict, r.Findings)
	}
	for _, o := range r.Outcomes {
		if o.Outcome != Denied {
			t.Errorf("%s is %s", o.Name, o.Outcome)
		}
	}
}

// A profile for several machines is judged for each of their kernels, every ABI once.
func TestHosts(t *testing.T) {
	p, err := profile.Parse("p.json", []byte(`{"defaultAction": "SCMP_ACT_ALLOW",
		"architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_AARCH64"]}`))
	if err != nil {
		t.Fatal(err)
	}
	pass := &Pass{Input: Input{Profile: p}}
	if err := pass.resolve(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range pass.ABIs {
		got = append(got, a.Host.Native.Name+"/"+a.Name)
	}
	if want := "[x86_64/x86_64 x86_64/x86 aarch64/aarch64]"; fmt.Sprint(got) != want {
		t.Errorf("judged %v, want %s", got, want)
	}
	// Asked for one ABI, only that one is judged, under the filter of its own host.
	pass = &Pass{Input: Input{Profile: p, Target: p.DefaultTarget(syscalls.ByName("x86_64")), Arches: []*syscalls.Arch{syscalls.ByName("arm")}}}
	if err := pass.resolve(); err != nil {
		t.Fatal(err)
	}
	if len(pass.ABIs) != 1 || pass.ABIs[0].Name != "arm" || pass.Hosts[0].Target.Host.Name != "aarch64" || pass.ABIs[0].Covered {
		t.Errorf("judged %+v for %+v", pass.ABIs, pass.Hosts[0].Target)
	}
}

func TestBadInput(t *testing.T) {
	if _, err := Run(Input{}); err == nil {
		t.Error("no profile is no error")
	}
	if _, err := Run(Input{Profile: builtin(t, "docker-default"), Usage: []Usage{{Program: "x"}}}); err == nil {
		t.Error("a usage without architecture is no error")
	}
	// A number that no table has is judged by what the filter does with it, and named by number.
	arch := syscalls.ByName("x86_64")
	r, err := Run(Input{Profile: builtin(t, "docker-default"), Usage: []Usage{{
		Program: "app", Arch: arch, Complete: true, Needs: []Need{{Nr: 9999, Class: finding.Required}, {Nr: -1, Class: "odd"}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if r.Verdict != VerdictDenied || len(r.Outcomes) < 2 {
		t.Errorf("verdict %s, %d outcomes", r.Verdict, len(r.Outcomes))
	}
	for _, o := range r.Outcomes {
		if (o.Nr == 9999 || o.Nr == -1) && (o.Name != "" || o.Outcome != Denied) {
			t.Errorf("%+v", o)
		}
	}
}

// The design allows 50 ms on top of a scan for the verdict, of which this is the most.
func BenchmarkRun(b *testing.B) {
	p := builtin(b, "docker-default")
	for _, name := range []string{"x86_64", "aarch64"} {
		arch := syscalls.ByName(name)
		for _, with := range []string{"check", "lint"} {
			b.Run(fmt.Sprintf("%s/%s", with, name), func(b *testing.B) {
				in := Input{Profile: p, Arches: []*syscalls.Arch{arch}}
				if with == "check" {
					in.Usage = []Usage{usage(arch, small...)}
				}
				for b.Loop() {
					if _, err := Run(in); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
	b.Run("lint/all", func(b *testing.B) {
		for b.Loop() {
			if _, err := Run(Input{Profile: p}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
