package profile

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

func TestParseRuntime(t *testing.T) {
	for word, maker := range map[string]string{
		"docker": "runc", "podman": "crun", "crio": "crun", "containerd": "runc", "runc": "runc", "crun": "crun",
		"gvisor": "gvisor", "kernel": "kernel", "spo": "runc", "spo/crun": "crun", "podman/runc": "runc", "docker/crun": "crun", "containerd/gvisor": "gvisor",
	} {
		if err := CheckRuntime(word); err != nil || (Target{Runtime: word}).Maker() != maker {
			t.Errorf("%s: %q, %v", word, Target{Runtime: word}.Maker(), err)
		}
	}
	for _, word := range []string{"", "rkt", "runc/crun", "kernel/runc", "docker/", "docker/docker", "docker/kernel", "/runc", "docker/runc/crun"} {
		if err := CheckRuntime(word); err == nil || (Target{Runtime: word}).Maker() != "" {
			t.Errorf("%q is taken for a runtime", word)
		}
	}
	for _, r := range Runtimes() {
		if CheckRuntime(r.Name) != nil || r.Title == "" || r.Origin == "" {
			t.Errorf("%+v", r)
		}
	}
	if len(Runtimes()) != len(readers) {
		t.Errorf("%d runtimes are listed, %d are known", len(Runtimes()), len(readers))
	}
}

// under resolves a text for a runtime on a host.
func under(t *testing.T, runtime, host, text string) (*Resolved, error) {
	t.Helper()
	a := arch(t, host)
	return mustParse(t, text).Resolve(Target{Runtime: runtime, ABI: a, Host: a, Caps: dockerCaps})
}

// answers asks each runtime for a call of x86_64 with one argument.
func answers(t *testing.T, text, name string, arg uint64) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, runtime := range runtimeNames() {
		r, err := under(t, runtime, "x86_64", text)
		var load *LoadError
		switch {
		case errors.As(err, &load):
			found[runtime] = string(load.Kind)
			continue
		case err != nil:
			t.Fatal(err)
		}
		a := arch(t, "x86_64")
		nr, ok := a.Number(name)
		if !ok {
			t.Fatalf("no %s", name)
		}
		found[runtime] = r.Meaning(a, nr, [6]uint64{arg}).String()
	}
	return found
}

// One file, and what each runtime makes of it: the fields that one reads and another does not, errnos,
// the stub, actions, masks, the order of rules. The words are those of Meaning, or why it does not
// load.
func TestRuntimesDiffer(t *testing.T) {
	const allow = `"action":"SCMP_ACT_ALLOW"`
	profile := func(head, rules string) string {
		return `{"defaultAction":"SCMP_ACT_ERRNO",` + head + `"syscalls":[` + rules + `]}`
	}
	others := func(usual string, special ...string) map[string]string {
		m := map[string]string{}
		for _, r := range runtimeNames() {
			m[r] = usual
		}
		for i := 0; i < len(special); i += 2 {
			for _, r := range strings.Fields(special[i]) {
				m[r] = special[i+1]
			}
		}
		return m
	}
	for _, c := range []struct {
		what, text, call string
		arg              uint64
		want             map[string]string
	}{
		{"includes.caps", profile("", `{"names":["mount"],`+allow+`,"includes":{"caps":["CAP_SYS_ADMIN"]}}`), "mount", 0,
			others("ALLOW", "docker podman crio kernel", "ERRNO(1)")},
		{"minKernel", profile("", `{"names":["ptrace"],`+allow+`,"includes":{"minKernel":"99.0"}}`), "ptrace", 0,
			others("ALLOW", "docker kernel", "ERRNO(1)")},
		{"excludes by minKernel", profile("", `{"names":["ptrace"],`+allow+`,"excludes":{"minKernel":"3.0"}}`), "ptrace", 0,
			others("ALLOW", "docker kernel", "ERRNO(1)")},
		{"errno as a word", profile("", `{"names":["read"],"action":"SCMP_ACT_ERRNO","errno":"ENOSYS"}`), "read", 0,
			others("ERRNO(1)", "podman crio kernel", "ERRNO(38)")},
		{"a word before a number", profile(`"defaultErrnoRet":13,"defaultErrno":"EACCES",`, `{"names":["read"],"action":"SCMP_ACT_ERRNO","errnoRet":5,"errno":"7"}`), "read", 0,
			others("ERRNO(5)", "podman crio kernel", "ERRNO(7)", "gvisor", "ERRNO(1)")},
		{"an unknown word", profile("", `{"names":["read"],"action":"SCMP_ACT_ERRNO","errno":"EINTR"}`), "read", 0,
			others("ERRNO(1)", "podman crio kernel", "bad-errno")},
		{"no string", profile("", `{"names":["read"],"action":"SCMP_ACT_ERRNO","errno":38}`), "read", 0,
			others("ERRNO(1)", "podman crio", "bad-errno")},
		{"default errno as a word", profile(`"defaultErrno":"ENOSYS",`, `{"names":["write","mseal"],`+allow+`}`), "read", 0,
			others("ERRNO(1)", "podman crio kernel", "ERRNO(38)")},
		{"default errno", profile(`"defaultErrnoRet":22,`, `{"names":["write","mseal"],`+allow+`}`), "read", 0,
			others("ERRNO(22)", "gvisor", "ERRNO(1)")},
		{"above the largest", profile("", `{"names":["write"],`+allow+`}`), "mseal", 0,
			others("ERRNO(1)", "docker containerd spo runc", "ERRNO(38)")},
		{"the old field name", profile("", `{"name":"read",`+allow+`}`), "read", 0,
			others("ERRNO(1)", "docker podman crio kernel", "ALLOW")},
		{"kill the process", profile("", `{"names":["read"],"action":"SCMP_ACT_KILL_PROCESS"}`), "read", 0,
			others("KILL_PROCESS", "gvisor", "unknown-action")},
		{"kill", profile("", `{"names":["read"],"action":"SCMP_ACT_KILL"}`), "read", 0, others("KILL_THREAD")},
		{"notify", profile("", `{"names":["read"],"action":"SCMP_ACT_NOTIFY"}`), "read", 0,
			others("notify-listener", "podman crio crun kernel", "USER_NOTIF", "gvisor", "unknown-action")},
		{"errno for ALLOW", profile("", `{"names":["read"],`+allow+`,"errnoRet":1}`), "read", 0,
			others("ALLOW", "podman crio crun", "errno-not-taken")},
		{"datum outside the mask", profile("", `{"names":["read"],`+allow+`,"args":[{"index":0,"op":"SCMP_CMP_MASKED_EQ","value":1,"valueTwo":3}]}`), "read", 1,
			others("ALLOW", "gvisor", "ERRNO(1)")},
		{"an argument twice", profile("", `{"names":["read"],`+allow+`,"args":[{"index":0,"op":"SCMP_CMP_GE","value":5},{"index":0,"op":"SCMP_CMP_LE","value":7}]}`), "read", 9,
			others("ALLOW", "kernel", "ERRNO(1)")},
		{"a condition, then none", profile("", `{"names":["read"],"action":"SCMP_ACT_LOG","args":[{"index":0,"op":"SCMP_CMP_EQ","value":5}]},{"names":["read"],`+allow+`}`), "read", 5,
			others("ALLOW", "gvisor", "unknown-action")},
		{"the same in gVisor's actions", profile("", `{"names":["read"],"action":"SCMP_ACT_TRAP","args":[{"index":0,"op":"SCMP_CMP_EQ","value":5}]},{"names":["read"],`+allow+`}`), "read", 5,
			others("ALLOW", "gvisor", "TRAP")},
		{"first as the default", profile("", `{"names":["read"],"action":"SCMP_ACT_ERRNO"},{"names":["read"],`+allow+`}`), "read", 0,
			others("ALLOW", "gvisor kernel", "ERRNO(1)")},
		{"too new for gVisor", profile("", `{"names":["mseal"],`+allow+`}`), "mseal", 0, others("ALLOW", "gvisor", "ERRNO(1)")},
		{"nothing", `{}`, "read", 0, others("ALLOW", "crun gvisor", "no-default")},
		{"archMap", `{"defaultAction":"SCMP_ACT_ALLOW","archMap":[{"architecture":"SCMP_ARCH_X86_64","subArchitectures":["SCMP_ARCH_M68K"]}]}`, "read", 0,
			others("ALLOW", "docker", "unknown-to-runc", "podman crio kernel", "mixed-byte-order")},
	} {
		got := answers(t, c.text, c.call, c.arg)
		for _, runtime := range runtimeNames() {
			if runtime == RuntimeSystemd {
				continue // which reads no such file: see TestSystemdRefused
			}
			if got[runtime] != c.want[runtime] {
				t.Errorf("%s: %s: %s, want %s", c.what, runtime, got[runtime], c.want[runtime])
			}
		}
	}
}

// What a runtime does not read is said.
func TestRuntimesIgnore(t *testing.T) {
	const text = `{"defaultAction":"SCMP_ACT_ERRNO","defaultErrno":"ENOSYS","defaultErrnoRet":38,
"flags":["SECCOMP_FILTER_FLAG_LOG"],"archMap":[{"architecture":"SCMP_ARCH_X86_64","subArchitectures":["SCMP_ARCH_X86"]}],
"syscalls":[{"name":"read","action":"SCMP_ACT_ALLOW"},
{"names":["ptrace"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"4.8"}},
{"names":["mount"],"action":"SCMP_ACT_ERRNO","errno":"EPERM","errnoRet":2,"excludes":{"caps":["CAP_SYS_ADMIN"]}}]}`
	for runtime, want := range map[string]string{
		"docker":     "defaultErrno errno",
		"podman":     "includes",
		"crio":       "includes",
		"kernel":     "includes",
		"containerd": "archMap name includes excludes defaultErrno errno",
		"spo":        "archMap name includes excludes defaultErrno errno",
		"runc":       "archMap name includes excludes defaultErrno errno",
		"crun":       "archMap name includes excludes defaultErrno errno",
		"gvisor":     "archMap name includes excludes defaultErrno errno defaultErrnoRet errnoRet flags",
	} {
		r, err := under(t, runtime, "x86_64", text)
		if err != nil {
			t.Fatal(err)
		}
		var fields []string
		for _, p := range r.Ignored {
			fields = append(fields, p.Name)
			if p.Kind != IgnoredField || p.Pos.Line == 0 || p.Text == "" {
				t.Errorf("%s: %+v", runtime, p)
			}
		}
		if got := strings.Join(fields, " "); got != want {
			t.Errorf("%s ignores %s, want %s", runtime, got, want)
		}
	}
	// The twin: nothing to ignore.
	for _, runtime := range runtimeNames() {
		if runtime == RuntimeSystemd {
			continue
		}
		if r, err := under(t, runtime, "x86_64", `{"defaultAction":"SCMP_ACT_ALLOW"}`); err != nil || len(r.Ignored) > 0 {
			t.Errorf("%s: %+v, %v", runtime, r, err)
		}
	}
}

// Podman applies archMap on few hosts, and has its own words and numbers.
func TestPodmanHosts(t *testing.T) {
	const text = `{"defaultAction":"SCMP_ACT_ERRNO","defaultErrno":"ENOSYS","archMap":[
{"architecture":"SCMP_ARCH_S390X","subArchitectures":["SCMP_ARCH_S390"]},
{"architecture":"SCMP_ARCH_PPC64LE","subArchitectures":["SCMP_ARCH_AARCH64"]},
{"architecture":"SCMP_ARCH_MIPS64","subArchitectures":["SCMP_ARCH_MIPS"]}],
"syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW","includes":{"arches":["loong64","riscv64","s390x"]}}]}`
	for host, want := range map[string]string{
		"s390x": "s390x s390 ALLOW ERRNO(38)", "ppc64le": "ppc64le ERRNO(38) ERRNO(38)", "loongarch64": "loongarch64 ALLOW ERRNO(38)",
		"riscv64": "riscv64 ALLOW ERRNO(38)", "mips64": "mips64 mips ERRNO(89) ERRNO(89)",
	} {
		r, err := under(t, RuntimePodman, host, text)
		if err != nil {
			t.Fatal(err)
		}
		a := arch(t, host)
		nr, _ := a.Number("read")
		got := names(r.Arches) + " " + r.Meaning(a, nr, [6]uint64{}).String() + " " + r.Default.String()
		if got != want {
			t.Errorf("%s: %s, want %s", host, got, want)
		}
	}
	// The twin: Docker reads more and less.
	r, err := under(t, RuntimeDocker, "ppc64le", text)
	if err != nil || names(r.Arches) != "ppc64le aarch64" || r.Default != filter.ErrnoAction(1) {
		t.Errorf("docker: %+v, %v", r, err)
	}
}

// gVisor's filter looks at the token alone, and covers the host's own.
func TestGVisorArches(t *testing.T) {
	text := `{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86"],"syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"}]}`
	r, err := under(t, RuntimeGVisor, "x86_64", text)
	if err != nil {
		t.Fatal(err)
	}
	x64, x86 := arch(t, "x86_64"), arch(t, "x86")
	for _, c := range []struct {
		abi  *syscalls.Arch
		nr   int32
		want filter.Action
	}{
		{x64, 0, filter.Allow}, {x64, x32Bit, filter.ErrnoAction(1)}, {x64, -1, filter.ErrnoAction(1)}, {x86, 3, filter.KillThread},
	} {
		if got := r.Meaning(c.abi, c.nr, [6]uint64{}); got != c.want {
			t.Errorf("%s %d: %v, want %v", c.abi, c.nr, got, c.want)
		}
	}
	if r, err = under(t, RuntimeCrun, "x86_64", text); err != nil || r.Meaning(x64, x32Bit, [6]uint64{}) != filter.KillThread || r.Meaning(x86, 3, [6]uint64{}) != filter.Allow {
		t.Errorf("crun: %v", err)
	}
	var load *LoadError
	if _, err := under(t, RuntimeGVisor, "riscv64", text); !errors.As(err, &load) || load.Kind != UnknownArch {
		t.Errorf("gvisor on riscv64: %v", err)
	}
	if calls := StartCalls(Target{Runtime: RuntimeGVisor, ABI: x64}); len(calls) > 0 {
		t.Errorf("gVisor makes calls in the container: %v", calls)
	}
}

// The flags are the runtime's where the file has none.
func TestRuntimeFlags(t *testing.T) {
	for _, c := range []struct{ runtime, version, flags, want string }{
		{"runc", "", "", flagSpecAllow}, {"runc", "1.1.5", "", ""}, {"docker", "", "", flagSpecAllow}, {"crun", "1.8.1", "", flagSpecAllow},
		{"runc", "", `"flags":[],`, ""}, {"crun", "", `"flags":["SECCOMP_FILTER_FLAG_LOG"],`, "SECCOMP_FILTER_FLAG_LOG"},
		{"gvisor", "", "", ""}, {"kernel", "", "", ""}, {"kernel", "", `"flags":["SECCOMP_FILTER_FLAG_TSYNC"],`, "SECCOMP_FILTER_FLAG_TSYNC"},
	} {
		p := mustParse(t, `{`+c.flags+`"defaultAction":"SCMP_ACT_ERRNO"}`)
		r, err := p.Resolve(Target{Runtime: c.runtime, Version: c.version, ABI: arch(t, "x86_64")})
		if err != nil || strings.Join(r.Flags, " ") != c.want {
			t.Errorf("%+v: %v, %v", c, r.Flags, err)
		}
	}
}

// containerd and Docker start containers with runc: their calls at the start are runc's.
func TestStartCallsByRuntime(t *testing.T) {
	list := func(runtime string) (names []string) {
		for _, c := range StartCalls(Target{Runtime: runtime, ABI: arch(t, "x86_64")}) {
			names = append(names, c.Name)
		}
		return names
	}
	runc, crun := list("runc"), list("crun")
	if !slices.Equal(list("containerd"), runc) || !slices.Equal(list("podman/runc"), runc) || !slices.Equal(list("podman"), crun) || slices.Equal(runc, crun) || len(crun) < 10 {
		t.Errorf("runc %v, crun %v", runc, crun)
	}
}
