package profile

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	moby "github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/profcheck/profcheck/syscalls"
)

// The built-in is what the module of its version says, field by field.
func TestDockerDefaultIsMobys(t *testing.T) {
	var embedded moby.Seccomp
	if err := json.Unmarshal(Builtins()[0].Source(), &embedded); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(moby.DefaultProfile(), &embedded, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("module and built-in differ: %s", diff)
	}
	// The twin: the comparison sees a difference.
	embedded.Syscalls[0].Names[0] = "altered"
	if cmp.Equal(moby.DefaultProfile(), &embedded, cmpopts.EquateEmpty()) {
		t.Error("an altered name was not seen")
	}
}

// thisHost is the host that moby's module resolves for: the one that it runs on.
func thisHost(t *testing.T, caps []string) Target {
	t.Helper()
	var u syscall.Utsname
	if err := syscall.Uname(&u); err != nil {
		t.Fatal(err)
	}
	var release []byte
	for _, c := range u.Release {
		if c == 0 {
			break
		}
		release = append(release, byte(c))
	}
	k, err := syscalls.ParseKernel(string(release))
	if err != nil {
		t.Fatal(err)
	}
	host := arch(t, runtime.GOARCH)
	return Target{Runtime: RuntimeDocker, ABI: host, Host: host, Caps: caps, Kernel: k}
}

// byMoby resolves a text with moby's module and reads what comes out as an OCI section.
func byMoby(t *testing.T, data []byte, target Target) (r *Resolved, loadErr, runcErr error) {
	t.Helper()
	spec := &specs.Spec{Process: &specs.Process{Capabilities: &specs.LinuxCapabilities{Bounding: target.Caps}}}
	section, err := moby.LoadProfile(string(data), spec)
	if err != nil {
		return nil, err, nil
	}
	text, err := json.Marshal(section)
	if err != nil {
		t.Fatal(err)
	}
	p, err := ParseAs("p.json", text, OCI)
	if err != nil {
		return nil, nil, err
	}
	target.Runtime = RuntimeRunc
	r, err = p.Resolve(target)
	return r, nil, err
}

// sameAsMoby compares our resolution of a profile with moby's.
func sameAsMoby(t *testing.T, name string, data []byte, target Target) {
	t.Helper()
	theirs, loadErr, runcErr := byMoby(t, data, target)
	p, err := ParseAs(name, data, Docker)
	var ours *Resolved
	if err == nil {
		ours, err = p.Resolve(target)
	}
	switch {
	case err == nil && loadErr != nil:
		t.Errorf("%s: accepted, moby has %v", name, loadErr)
	case err == nil && runcErr != nil:
		t.Errorf("%s: accepted, runc would not load it: %v", name, runcErr)
	case err != nil && loadErr == nil && runcErr == nil:
		t.Errorf("%s: moby and runc accept it: %v", name, err)
	case err == nil:
		ignore := cmpopts.IgnoreFields(ResolvedRule{}, "Source", "Pos")
		for _, pair := range []struct {
			what         string
			ours, theirs any
		}{
			{"rules", ours.Rules, theirs.Rules}, {"default", ours.Default, theirs.Default}, {"stub", ours.Stub, theirs.Stub},
			{"disabled", ours.Disabled, theirs.Disabled}, {"flags", ours.Flags, theirs.Flags}, {"arches", names(ours.Arches), names(theirs.Arches)},
		} {
			if diff := cmp.Diff(pair.theirs, pair.ours, ignore, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s: %s: moby -, ours +: %s", name, pair.what, diff)
			}
		}
	}
}

var capSets = map[string][]string{
	"none": nil, "default": dockerCaps, "all": capabilities, "admin": {"CAP_SYS_ADMIN"},
	"some": {"CAP_SYS_TIME", "CAP_NET_ADMIN", "CAP_SYS_PTRACE", "CAP_BPF", "CAP_PERFMON"},
}

// Docker's default profile resolves as moby's module does it, for several sets of capabilities.
func TestResolveDockerDefaultAsMoby(t *testing.T) {
	for name, caps := range capSets {
		t.Run(name, func(t *testing.T) {
			sameAsMoby(t, "docker-default", Builtins()[0].Source(), thisHost(t, caps))
		})
	}
}

// So does every profile of the corpora, and what moby and runc refuse is refused.
func TestResolveCorporaAsMoby(t *testing.T) {
	dir := shared(t, "corpora/profiles")
	count := 0
	for _, sub := range []string{"moby", "oci"} {
		list, err := filepath.Glob(filepath.Join(dir, sub, "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range list {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			count++
			for _, caps := range capSets {
				if p, err := Parse("p", data); err == nil && p.Format == OCI {
					continue // Docker reads a config.json as an empty profile
				}
				sameAsMoby(t, filepath.Base(path), data, thisHost(t, caps))
			}
		}
	}
	if count < 70 {
		t.Errorf("only %d profiles", count)
	}
}

// The odd and bad texts of the reader's tests, judged by moby.
func TestResolveOddAsMoby(t *testing.T) {
	for _, data := range []string{
		"{}", "null", `{"syscalls":[]}`, `{"defaultAction":""}`, `{"defaultAction":"SCMP_ACT_ALLOW"}`,
		`{"DEFAULTACTION":"SCMP_ACT_ALLOW"}`, `{"defaultAction":"SCMP_ACT_LOG","defaultaction":"SCMP_ACT_TRAP"}`,
		`{"defaultAction":"SCMP_ACT_ERRNO","flags":[]}`, `{"defaultAction":"SCMP_ACT_ERRNO","flags":["SECCOMP_FILTER_FLAG_LOG"]}`,
		`{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,"syscalls":null,"archMap":null}`,
		rule(`{"names":["write"],"name":"","action":"SCMP_ACT_ALLOW","args":null,"includes":null}`),
		rule(`{"names":["write"],"name":"read","action":"SCMP_ACT_ALLOW"}`),
		rule(`{"name":"write","action":"SCMP_ACT_TRACE"}`),
		rule(`{"name":"write","action":"SCMP_ACT_TRACE","errnoRet":65537}`),
		rule(`{"names":[],"action":"SCMP_ACT_ALLOW"}`),
		rule(`{"names":["write",""],"action":"SCMP_ACT_ALLOW"}`),
		rule(`{"names":["write"],"action":"SCMP_ACT_ALLOW","excludes":{"minKernel":""}}`),
		rule(`{"names":["write"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":""}}`),
		rule(`{"names":["write"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"2.6"}}`),
		rule(`{"names":["write"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"255.255"}}`),
		rule(`{"names":["write"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"4.8.0"}}`),
		rule(`{"names":["write"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"256.0"}}`),
		rule(`{"names":["write"],"action":"SCMP_ACT_ALLOW","includes":{"arches":["` + runtime.GOARCH + `"]}}`),
		rule(`{"names":["write"],"action":"SCMP_ACT_ALLOW","excludes":{"arches":["` + runtime.GOARCH + `"]}}`),
		rule(`{"names":["write"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["SYS_ADMIN"]}}`),
		arg(`{"index":1,"op":"SCMP_CMP_EQ","value":5},{"index":1,"op":"SCMP_CMP_EQ","value":7},{"index":2,"op":"SCMP_CMP_NE","value":7}`),
		arg(`{"index":1,"op":"SCMP_CMP_EQ","value":5.0}`),
		arg(`{"index":1,"op":"SCMP_CMP_EQ","value":1e3}`),
		arg(`{"index":-1,"op":"SCMP_CMP_EQ"}`),
		arg(`{"index":1,"op":"SCMP_CMP_EQ","value":18446744073709551615}`),
		arg(`{"index":1,"op":"SCMP_CMP_EQ","value":18446744073709551616}`),
		arg(`{"op":"SCMP_CMP_MASKED_EQ"}`),
		`{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86"],"archMap":[{"architecture":"SCMP_ARCH_X86"}]}`,
		`{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_NATIVE"]}`,
		`{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_M68K"]}`,
		"\xef\xbb\xbf{}", "{} {}", "", "[]", `{"defaultAction":"SCMP_ACT_\u0041LLOW"}`, `{"defaultAction":"SCMP_ACT_ALLOW",}`,
		"{\"a\":\"\xff\"}", `{"a":"\ud800"}`,
	} {
		sameAsMoby(t, data, []byte(data), thisHost(t, dockerCaps))
	}
}
