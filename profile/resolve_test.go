package profile

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

func resolve(t *testing.T, data string, target Target) *Resolved {
	t.Helper()
	r, err := mustParse(t, data).Resolve(target)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A wish is what one call must give.
type wish struct {
	arch, call string
	args       [6]uint64
	want       string
}

func check(t *testing.T, r *Resolved, wishes ...wish) {
	t.Helper()
	for _, w := range wishes {
		a := arch(t, w.arch)
		nr, ok := a.Number(w.call)
		if !ok {
			var n int32
			if _, err := fmt.Sscan(w.call, &n); err != nil {
				t.Fatalf("%s has no %s", w.arch, w.call)
			}
			nr = n
		}
		if got := r.Meaning(a, nr, w.args).String(); got != w.want {
			t.Errorf("%s %s %v: %s, want %s", w.arch, w.call, w.args, got, w.want)
		}
	}
}

const mixed = `{"defaultAction":"SCMP_ACT_ERRNO","archMap":[{"architecture":"SCMP_ARCH_X86_64","subArchitectures":["SCMP_ARCH_X86"]},
	{"architecture":"SCMP_ARCH_AARCH64","subArchitectures":[]}],"syscalls":[
	{"names":["read","nosuch"],"action":"SCMP_ACT_ALLOW"},
	{"names":["mount"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_SYS_ADMIN"]}},
	{"names":["umount2"],"action":"SCMP_ACT_ALLOW","excludes":{"caps":["CAP_SYS_ADMIN"]}},
	{"names":["mseal"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"6.10"}},
	{"names":["ptrace"],"action":"SCMP_ACT_ALLOW","includes":{"arches":["arm64"]}},
	{"names":["bpf"],"action":"SCMP_ACT_ERRNO"},
	{"name":"kexec_load","action":"SCMP_ACT_TRAP"},
	{"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"op":"SCMP_CMP_EQ","value":1}]},
	{"names":["clone"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"op":"SCMP_CMP_EQ","value":1},{"index":0,"op":"SCMP_CMP_EQ","value":2},{"index":1,"op":"SCMP_CMP_EQ","value":9}]}]}`

// The same file for each target: Docker filters by capability, kernel and host, runc ignores what it
// does not know, the kernel target keeps conditions joined.
func TestTargetsDiffer(t *testing.T) {
	docker := Target{Runtime: RuntimeDocker, ABI: arch(t, "x86_64"), Kernel: syscalls.Kernel{Major: 6, Minor: 9}}
	r := resolve(t, mixed, docker)
	check(t, r,
		wish{"x86_64", "read", [6]uint64{}, "ALLOW"}, wish{"x86", "read", [6]uint64{}, "ALLOW"},
		wish{"x86_64", "mount", [6]uint64{}, "ERRNO(1)"}, wish{"x86_64", "umount2", [6]uint64{}, "ALLOW"},
		wish{"x86_64", "mseal", [6]uint64{}, "ERRNO(38)"}, wish{"x86_64", "ptrace", [6]uint64{}, "ERRNO(1)"},
		wish{"x86_64", "kexec_load", [6]uint64{}, "TRAP"},
		wish{"x86_64", "clone", [6]uint64{1}, "ALLOW"}, wish{"x86_64", "clone", [6]uint64{0, 9}, "ALLOW"}, wish{"x86_64", "clone", [6]uint64{3, 8}, "ERRNO(1)"},
		wish{"x86_64", "socket", [6]uint64{1}, "ALLOW"}, wish{"x86_64", "socket", [6]uint64{1<<32 + 1}, "ERRNO(1)"},
		wish{"x86", "socket", [6]uint64{1}, "ERRNO(38)"}, // a multiplexed name does not raise the stub's bound
		wish{"x86", "socketcall", [6]uint64{1}, "ALLOW"}, wish{"x86", "socketcall", [6]uint64{2}, "ERRNO(1)"},
		wish{"x86_64", "320", [6]uint64{}, "ERRNO(1)"}, wish{"x86_64", "322", [6]uint64{}, "ERRNO(38)"},
		wish{"x86_64", "-1", [6]uint64{}, "ERRNO(1)"}, wish{"x86", "-1", [6]uint64{}, "ERRNO(38)"},
		wish{"x32", "read", [6]uint64{}, "KILL_THREAD"}, wish{"aarch64", "read", [6]uint64{}, "KILL_THREAD"})
	if got := r.Stub["x86_64"]; got != 321 { // bpf, which says the same as the default, still counts
		t.Errorf("stub %d", got)
	}
	reasons := map[string]Reason{}
	for _, s := range r.Skipped {
		reasons[fmt.Sprint(s.Source.Index, s.Name)] = s.Reason
	}
	for key, want := range map[string]Reason{"0nosuch": SkipUnknown, "1": SkipCaps, "3": SkipKernel, "4": SkipArch, "5bpf": SkipDefault} {
		if reasons[key] != want {
			t.Errorf("%s: skipped for %q, want %q", key, reasons[key], want)
		}
	}

	docker.Caps, docker.Kernel, docker.ABI = []string{"CAP_SYS_ADMIN"}, syscalls.Kernel{}, arch(t, "aarch64")
	check(t, resolve(t, mixed, docker),
		wish{"aarch64", "mount", [6]uint64{}, "ALLOW"}, wish{"aarch64", "umount2", [6]uint64{}, "ERRNO(1)"},
		wish{"aarch64", "mseal", [6]uint64{}, "ALLOW"}, wish{"aarch64", "ptrace", [6]uint64{}, "ALLOW"}, wish{"x86_64", "read", [6]uint64{}, "KILL_THREAD"})

	r = resolve(t, mixed, Target{Runtime: RuntimeRunc, ABI: arch(t, "x86_64")})
	check(t, r,
		wish{"x86_64", "mount", [6]uint64{}, "ALLOW"}, wish{"x86_64", "umount2", [6]uint64{}, "ALLOW"}, wish{"x86_64", "mseal", [6]uint64{}, "ALLOW"},
		wish{"x86_64", "ptrace", [6]uint64{}, "ALLOW"}, wish{"x86_64", "kexec_load", [6]uint64{}, "ERRNO(1)"}, wish{"x86", "read", [6]uint64{}, "KILL_THREAD"})
	if len(r.Ignored) != 2+4+1 {
		t.Errorf("%d ignored fields: %v", len(r.Ignored), r.Ignored)
	}

	r = resolve(t, mixed, Target{Runtime: RuntimeKernel, ABI: arch(t, "x86_64")})
	check(t, r,
		wish{"x86_64", "322", [6]uint64{}, "ERRNO(1)"}, wish{"x86_64", "clone", [6]uint64{1, 9}, "ERRNO(1)"},
		wish{"x86", "socket", [6]uint64{1}, "ALLOW"}, wish{"x86", "socketcall", [6]uint64{1}, "ERRNO(1)"})
	if r.Stub != nil {
		t.Errorf("stub %v", r.Stub)
	}
}

func TestStub(t *testing.T) {
	profile := func(def, names string) string {
		return `{"defaultAction":"` + def + `","architectures":["SCMP_ARCH_X86","SCMP_ARCH_X32"],"syscalls":[{"names":[` + names + `],"action":"SCMP_ACT_TRAP"}]}`
	}
	target := Target{Runtime: RuntimeRunc, ABI: arch(t, "x86_64")}
	for _, c := range []struct{ def, names, version, want string }{
		{"SCMP_ACT_ERRNO", `"close"`, "", "map[x32:1073741827 x86:6 x86_64:3]"},
		{"SCMP_ACT_KILL", `"close"`, "", "map[x32:1073741827 x86:6 x86_64:3]"},
		{"SCMP_ACT_ALLOW", `"close"`, "", "map[]"},
		{"SCMP_ACT_LOG", `"close"`, "", "map[]"},
		{"SCMP_ACT_TRACE", `"close"`, "", "map[]"},
		{"SCMP_ACT_ERRNO", `"read"`, "", "map[x32:1073741824 x86:3]"},                     // number 0 counts as none
		{"SCMP_ACT_ERRNO", `"close","socket"`, "", "map[x32:1073741865 x86:6 x86_64:41]"}, // multiplexed on x86
		{"SCMP_ACT_ERRNO", `"close"`, "1.1.5", "map[x32:1073741827 x86:6]"},               // the host's is not listed
		{"SCMP_ACT_ERRNO", `"close"`, "1.1.15", "map[x32:1073741827 x86:6 x86_64:3]"},
		{"SCMP_ACT_ERRNO", `"close"`, "1.2.0-rc.1", "map[x32:1073741827 x86:6 x86_64:3]"},
	} {
		target.Version = c.version
		if got := fmt.Sprint(resolve(t, profile(c.def, c.names), target).Stub); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
	s390 := resolve(t, `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"}]}`, Target{Runtime: RuntimeRunc, ABI: arch(t, "s390x")})
	check(t, s390, wish{"s390x", "0", [6]uint64{}, "ERRNO(38)"}, wish{"s390x", "read", [6]uint64{}, "ALLOW"}, wish{"s390x", "2", [6]uint64{}, "ERRNO(1)"})
	mips := resolve(t, `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"}]}`, Target{Runtime: RuntimeRunc, ABI: arch(t, "mips")})
	check(t, mips, wish{"mips", "read", [6]uint64{}, "KILL_THREAD"}, wish{"mips64", "read", [6]uint64{}, "ALLOW"}, wish{"mips64", "5002", [6]uint64{}, "ERRNO(89)"})
}

// What the target refuses to load is an error with a kind and a place, and its twin loads.
func TestLoadErrors(t *testing.T) {
	x64 := Target{Runtime: RuntimeRunc, ABI: arch(t, "x86_64")}
	eq := func(name, action, args string) string {
		return fmt.Sprintf(`{"names":[%q],"action":%q,"args":[%s]}`, name, action, args)
	}
	one := `{"index":0,"op":"SCMP_CMP_EQ","value":1}`
	two := one + `,{"index":1,"op":"SCMP_CMP_EQ","value":2}`
	pair := func(a, b string) string {
		return `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[` + a + ",\n" + b + `]}`
	}
	notify := `{"defaultAction":"SCMP_ACT_ERRNO","listenerPath":"/s","syscalls":[{"names":["%s"],"action":"SCMP_ACT_NOTIFY"}]}`
	for _, c := range []struct {
		name, bad, good string
		kind            LoadKind
		want            string
	}{
		{"same condition", pair(eq("write", "SCMP_ACT_ALLOW", one), eq("write", "SCMP_ACT_TRAP", one)), pair(eq("write", "SCMP_ACT_ALLOW", one), eq("write", "SCMP_ACT_ALLOW", one)),
			SameCondition, "profile p.json:2:11: syscalls[1]: write when arg0 == 1 is TRAP here and ALLOW in syscalls[0] (on x86_64): runc does not load it"},
		{"wider", pair(eq("write", "SCMP_ACT_ALLOW", two), eq("write", "SCMP_ACT_TRAP", one)), pair(eq("write", "SCMP_ACT_ALLOW", one), eq("write", "SCMP_ACT_TRAP", two)),
			WiderCondition, "profile p.json:2:11: syscalls[1]: write when arg0 == 1 is TRAP here and for less of it ALLOW in syscalls[0] (on x86_64): runc does not load it"},
		{"native", `{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_NATIVE"]}`, `{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86"]}`,
			UnknownToRunc, "profile p.json:1:52: architecture SCMP_ARCH_NATIVE is not in runc's table: runc does not load it"},
		{"order", `{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_S390X"]}`, `{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_ARM"]}`,
			MixedByteOrder, "profile p.json:1:52: s390x has another byte order than x86_64, and one filter has only one: runc does not load it"},
		{"write", fmt.Sprintf(notify, "write"), fmt.Sprintf(notify, "read"),
			NotifyWrite, "profile p.json:1:77: syscalls[0]: SCMP_ACT_NOTIFY for write, which runc itself needs: runc does not load it"},
		{"default", `{"defaultAction":"SCMP_ACT_NOTIFY","listenerPath":"/s"}`, `{"defaultAction":"SCMP_ACT_TRAP","listenerPath":"/s"}`,
			NotifyDefault, "profile p.json:1:18: SCMP_ACT_NOTIFY as the default action: runc does not load it"},
		{"listener", strings.Replace(fmt.Sprintf(notify, "read"), "listenerPath", "x", 1), fmt.Sprintf(notify, "read"),
			NotifyListener, "profile p.json:1:83: syscalls[0]: SCMP_ACT_NOTIFY without a listenerPath: runc does not load it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := mustParse(t, c.bad).Resolve(x64)
			var load *LoadError
			if !errors.As(err, &load) || load.Kind != c.kind || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
			if _, err := mustParse(t, c.good).Resolve(x64); err != nil {
				t.Errorf("the twin: %v", err)
			}
		})
	}
	for _, bad := range []Target{{Runtime: "lxc", ABI: x64.ABI}, {Runtime: RuntimeRunc}, {Runtime: RuntimeRunc, ABI: x64.ABI, Version: "new"}} {
		if _, err := mustParse(t, mixed).Resolve(bad); err == nil {
			t.Errorf("%+v: accepted", bad)
		}
	}
}

// Names times alternative conditions are bounded, however they multiply.
func TestTooManyRules(t *testing.T) {
	names := strings.Repeat(`"read",`, 50000)
	args := strings.Repeat(`{"op":"SCMP_CMP_EQ","value":1},`, maxArgs)
	text := `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"action":"SCMP_ACT_ALLOW","names":[` + names[:len(names)-1] + `],"args":[` + args[:len(args)-1] + `]}]}`
	_, err := mustParse(t, text).Resolve(Target{Runtime: RuntimeRunc, ABI: arch(t, "x86_64")})
	var load *LoadError
	if !errors.As(err, &load) || load.Kind != TooManyRules {
		t.Errorf("%v", err)
	}
}

// Overlapping conditions with different actions are conflicts, decided in file order.
func TestConflicts(t *testing.T) {
	text := func(a, b string) string {
		return `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["write"],"action":"SCMP_ACT_ALLOW","args":[` + a + `]},{"names":["write"],"action":"SCMP_ACT_TRAP","args":[` + b + `]}]}`
	}
	op := func(index int, op Op, value uint64) string {
		return fmt.Sprintf(`{"index":%d,"op":%q,"value":%d}`, index, op, value)
	}
	masked := `{"index":0,"op":"SCMP_CMP_MASKED_EQ","value":3,"valueTwo":2}`
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{op(0, Equal, 1), op(1, Equal, 2), true}, {op(0, Equal, 1), op(0, Equal, 2), false}, {op(0, Less, 5), op(0, Greater, 3), true},
		{op(0, Less, 5), op(0, Greater, 4), false}, {op(0, NotEqual, 1), op(0, LessEqual, 1), true}, {op(0, NotEqual, 0), op(0, LessEqual, 0), false},
		{masked, op(0, Equal, 6), true}, {masked, op(0, Equal, 5), false}, {masked, op(0, Less, 2), false}, {masked, op(0, Less, 3), true},
		{masked + "," + op(1, Equal, 1), op(1, Equal, 2), false}, {op(0, Less, 0), op(0, Equal, 0), false}, {op(0, Greater, 1<<64-1), op(1, Equal, 0), false},
	} {
		r := resolve(t, text(c.a, c.b), Target{Runtime: RuntimeRunc, ABI: arch(t, "x86_64")})
		if (len(r.Conflicts) > 0) != c.want {
			t.Errorf("%s and %s: %v", c.a, c.b, r.Conflicts)
		}
		for _, found := range r.Conflicts {
			if got := r.Meaning(found.Arch, found.Nr, found.Args); got != filter.Allow || found.Second.Action != filter.Trap {
				t.Errorf("%s and %s at %v: %v", c.a, c.b, found.Args, got)
			}
		}
	}
}

// next finds the least number that has given bits, beside a plain search.
func TestNext(t *testing.T) {
	rnd := rand.New(rand.NewPCG(9, 9))
	for range 20000 {
		low, mask, bits := rnd.Uint64N(300), rnd.Uint64N(256), rnd.Uint64N(256)
		bits &= mask
		want := low
		for want&mask != bits {
			want++
		}
		if got, ok := next(low, mask, bits); !ok || got != want {
			t.Fatalf("next(%d, %#x, %#x) = %d, %v, want %d", low, mask, bits, got, ok, want)
		}
	}
	if v, ok := next(1<<63+1, 1<<63|1, 1<<63); !ok || v != 1<<63+2 {
		t.Errorf("%#x %v", v, ok)
	}
	if v, ok := next(1<<64-1, 1, 0); ok {
		t.Errorf("%#x", v)
	}
}

// The built-in strict allows what the kernel's strict mode allows on each ABI, and nothing else.
func TestStrict(t *testing.T) {
	p, err := Open("strict")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range syscalls.Arches() {
		r, err := p.Resolve(p.DefaultTarget(a))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range a.Syscalls() {
			if r.Meaning(a, s.Nr, [6]uint64{}) == filter.Allow {
				got = append(got, s.Name)
			} else if m := r.Meaning(a, s.Nr, [6]uint64{}); m != filter.KillThread {
				t.Errorf("%s %s: %v", a, s.Name, m)
			}
		}
		want := 4
		if a.Name == "x32" {
			want = 0
		}
		if len(got) != want {
			t.Errorf("%s: %v", a, got)
		}
	}
	// The numbers that a 6.18 x86-64 kernel was seen to allow.
	for abi, numbers := range map[string][]int32{"x86_64": {0, 1, 60, 15}, "x86": {1, 3, 4, 119}} {
		a := arch(t, abi)
		r, _ := p.Resolve(p.DefaultTarget(a))
		for _, nr := range numbers {
			if r.Meaning(a, nr, [6]uint64{}) != filter.Allow {
				t.Errorf("%s: %d is denied", abi, nr)
			}
		}
	}
}

func TestStartCalls(t *testing.T) {
	list := func(target Target) string {
		var words []string
		for _, c := range StartCalls(target) {
			if c.Need == StartRequired {
				words = append(words, c.Name)
			}
			if _, ok := c.ABI.Number(c.Name); !ok || c.Why == "" || c.Origin == "" {
				t.Errorf("%+v", c)
			}
		}
		return strings.Join(words, " ")
	}
	late := "execve close openat write fstatfs getdents64"
	early := late + " capget capset chdir fstat getcwd getppid newfstatat prctl read setgid setgroups setuid"
	for _, c := range []struct {
		runtime, version, abi string
		noNewPrivs            bool
		want                  string
	}{
		{RuntimeRunc, "1.1.5", "x86_64", true, late}, {RuntimeRunc, "1.1.5", "x86_64", false, early},
		{RuntimeDocker, "1.3.0", "aarch64", true, late}, {RuntimeRunc, "1.3.3", "aarch64", true, late + " fstat statx"},
		{RuntimeRunc, "", "x86", true, late + " fstat statx"}, // the host makes the calls
		{RuntimeRunc, "1.2.7", "x86_64", true, late}, {RuntimeRunc, "1.2.8", "x86_64", true, late + " fstat statx"},
		{RuntimeKernel, "", "x86_64", false, ""},
	} {
		target := Target{Runtime: c.runtime, Version: c.version, ABI: arch(t, c.abi), NoNewPrivs: c.noNewPrivs}
		if got := list(target); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
	// Before runc 1.2 the start needs faccessat if faccessat2 gets an error; later releases do without
	// both, and where the release is not known, it is said of the older ones.
	for version, want := range map[string]string{"1.1.5": "faccessat", "1.1.15": "faccessat", "": "", "1.2.0": "", "1.3.0": "", "1.5.2": ""} {
		calls := StartCalls(Target{Runtime: RuntimeRunc, Version: version, ABI: arch(t, "x86_64")})
		i := slices.IndexFunc(calls, func(c StartCall) bool { return c.Name == "faccessat2" })
		if i < 0 || calls[i].Need != StartTolerated || strings.Join(calls[i].Fallback, " ") != want {
			t.Errorf("runc %q: faccessat2: %d, %+v", version, i, calls)
		}
		for _, c := range calls {
			older := version == "" && c.Name == "faccessat2"
			if (c.Older != nil) != older || older && (c.Older.Before != "1.2.0" || strings.Join(c.Older.Fallback, " ") != "faccessat") {
				t.Errorf("runc %q: %s: %+v", version, c.Name, c.Older)
			}
		}
	}
	for _, c := range []struct {
		need   StartNeed
		action filter.Action
		want   StartEffect
	}{
		{StartRequired, filter.Allow, Starts}, {StartRequired, filter.Log, Starts}, {StartRequired, filter.ErrnoAction(1), NoStart},
		{StartRequired, filter.KillProcess, NoStart}, {StartRequired, filter.UserNotif, MayFail}, {StartTolerated, filter.ErrnoAction(38), Starts},
		{StartTolerated, filter.Trace, Starts}, {StartTolerated, filter.Trap, NoStart}, {StartTolerated, filter.KillThread, NoStart},
		{StartSometimes, filter.ErrnoAction(1), MayFail}, {StartSometimes, filter.KillProcess, MayFail}, {StartSometimes, filter.Allow, Starts},
	} {
		if got := (StartCall{Need: c.need}).Effect(c.action); got != c.want {
			t.Errorf("%s, %v: %v, want %v", c.need, c.action, got, c.want)
		}
	}
}
