package profile

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// dumpContainer writes what a manifest says about a container. The rules of a runtime's own profile
// are left out of a dump: they are in the goldens of the built-ins.
func dumpContainer(b *strings.Builder, p *Profile) {
	c := p.Container
	if c == nil {
		return
	}
	fmt.Fprintf(b, "  %s", c.FullName())
	if s := c.Seccomp; s != nil {
		fmt.Fprintf(b, ", %d:%d %s %q, from the pod %v", s.Pos.Line, s.Pos.Column, s.Type, s.File, c.FromPod)
	}
	if c.Unread != "" {
		fmt.Fprintf(b, ", which %s", c.Unread)
	}
	fmt.Fprintf(b, ", privileged %v, no new privileges %v\n", c.Privileged, c.NoNewPrivs)
	if c.GivesCaps() {
		fmt.Fprintf(b, "  %d capabilities: %s\n", len(c.Caps("")), clip(strings.Join(c.Caps(""), " ")))
	}
	if c.Annotation != nil {
		fmt.Fprintf(b, "  annotation %s: %s\n", c.Annotation.Text, c.AnnotationWant)
	}
	if c.rules != "" {
		fmt.Fprintf(b, "  %d rules of %s\n", len(p.Rules), c.rules)
	}
}

// manifestOf is a pod whose one container has a securityContext.
func manifestOf(context string) []byte {
	return []byte("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - name: x\n    securityContext: " + context + "\n")
}

func readPod(t *testing.T, context string, o ReadOptions) *Profile {
	t.Helper()
	list, err := Read("p", manifestOf(context), o)
	p, err := Only("p", list, err)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A container that asks for the runtime's own profile has that of the runtime that runs it, and for
// each the filter is the built-in's for the same capabilities.
func TestRuntimeDefault(t *testing.T) {
	for _, context := range []string{"{seccompProfile: {type: RuntimeDefault}}", "{seccompProfile: {type: RuntimeDefault}, capabilities: {add: [SYS_ADMIN], drop: [CHOWN]}}"} {
		p := readPod(t, context, ReadOptions{})
		for runtime, name := range map[string]string{
			"": "containerd-default", RuntimeContainerd: "containerd-default", RuntimeRunc: "containerd-default", RuntimeCRIO: "podman-default",
			"podman/runc": "podman-default", RuntimeDocker: "docker-default",
		} {
			target := p.DefaultTarget(arch(t, "x86_64"))
			if runtime != "" {
				target.Runtime = runtime
			}
			own, err := Open(name)
			if err != nil {
				t.Fatal(err)
			}
			q := p.ForRuntime(runtime)
			if got, want := filterOf(t, q, target), filterOf(t, own, target); !slices.Equal(got, want) {
				t.Errorf("%s for %q: %d instructions, %s has %d", context, runtime, len(got), name, len(want))
			}
			for _, r := range q.Rules {
				if pos := r.Names[0].Pos; pos.String() != "p:7:46" {
					t.Fatalf("%q: a rule at %s, not where the manifest asks for it", runtime, pos)
				}
			}
		}
		if p.Rules[0].Pos.File == "p" {
			t.Error("the shared rules were moved")
		}
	}
}

func filterOf(t *testing.T, p *Profile, target Target) (out []string) {
	t.Helper()
	r, err := p.Resolve(target)
	if err != nil {
		t.Fatal(err)
	}
	prog, err := r.Compile()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range prog {
		out = append(out, fmt.Sprint(i))
	}
	return out
}

// The kubelet's flag changes what a container without a profile gets, and nothing else.
func TestSeccompDefault(t *testing.T) {
	for context, off := range map[string][2]bool{
		"{}":                                   {true, false},
		"{seccompProfile: {type: Unconfined}}": {true, true},
		"{seccompProfile: {type: RuntimeDefault}}":                   {false, false},
		"{privileged: true}":                                         {true, true},
		"{privileged: true, seccompProfile: {type: RuntimeDefault}}": {true, true},
	} {
		for i, flag := range []bool{false, true} {
			p := readPod(t, context, ReadOptions{SeccompDefault: flag})
			if p.Disabled() != off[i] {
				t.Errorf("%s, --seccomp-default %v: off %v", context, flag, p.Disabled())
			}
			for _, runtime := range []string{RuntimeContainerd, RuntimeCRIO, RuntimeCrun, RuntimeKernel} {
				target := p.DefaultTarget(arch(t, "x86_64"))
				target.Runtime = runtime
				r, err := p.ForRuntime(runtime).Resolve(target)
				if err != nil || r.Disabled != off[i] {
					t.Errorf("%s on %s, --seccomp-default %v: %v, off %v", context, runtime, flag, err, r != nil && r.Disabled)
				}
			}
		}
	}
}

// The capabilities are those of containerd's WithCapabilities: all at once first, then one by one.
func TestContainerCaps(t *testing.T) {
	without := func(list []string, drop ...string) []string {
		return slices.DeleteFunc(slices.Clone(list), func(c string) bool { return slices.Contains(drop, c) })
	}
	for _, c := range []struct {
		context, runtime string
		want             []string
	}{
		{"{}", RuntimeContainerd, DockerCaps()},
		{"{capabilities: {}}", RuntimeContainerd, DockerCaps()},
		{"{capabilities: {drop: [ALL]}}", RuntimeContainerd, nil},
		{"{capabilities: {drop: [ALL], add: [net_admin]}}", RuntimeContainerd, []string{"CAP_NET_ADMIN"}},
		{"{capabilities: {add: [ALL], drop: [CHOWN]}}", RuntimeContainerd, without(Capabilities(), "CAP_CHOWN")},
		{"{capabilities: {add: [ALL], drop: [ALL]}}", RuntimeContainerd, nil},
		{"{capabilities: {add: [CHOWN], drop: [CHOWN]}}", RuntimeContainerd, without(DockerCaps(), "CAP_CHOWN")},
		{"{capabilities: {add: [CAP_NET_ADMIN]}}", RuntimeContainerd, DockerCaps()},
		{"{capabilities: {drop: [ALL], add: [CAP_NET_ADMIN]}}", RuntimeCRIO, []string{"CAP_NET_ADMIN"}},
		{"{}", RuntimeCRIO, without(DockerCaps(), "CAP_AUDIT_WRITE", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETFCAP", "CAP_SYS_CHROOT")},
		{"{privileged: true}", RuntimeContainerd, Capabilities()},
	} {
		got := readPod(t, c.context, ReadOptions{}).Container.Caps(c.runtime)
		slices.Sort(got)
		slices.Sort(c.want)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s on %s:\n got %s\nwant %s", c.context, c.runtime, got, c.want)
		}
	}
}

// Without a root a profile of a file is not read, and nobody takes it for an empty one.
func TestLocalhostWithoutRoot(t *testing.T) {
	p := readPod(t, "{seccompProfile: {type: Localhost, localhostProfile: x.json}}", ReadOptions{})
	if p.Disabled() || !p.Container.NoRoot {
		t.Errorf("off %v, without root %v", p.Disabled(), p.Container.NoRoot)
	}
	_, err := p.Resolve(p.DefaultTarget(arch(t, "x86_64")))
	if load, ok := err.(*LoadError); !ok || load.Kind != NotRead || !strings.Contains(err.Error(), "p:7:75: ") || strings.Contains(err.Error(), "does not load") {
		t.Errorf("resolve: %v", err)
	}
	asked := ""
	o := ReadOptions{Load: func(path string) ([]byte, error) {
		asked = path
		return []byte(`{"defaultAction": "SCMP_ACT_LOG"}`), nil
	}}
	p = readPod(t, "{seccompProfile: {type: Localhost, localhostProfile: a/x.json}}", o)
	if asked != "a/x.json" || p.DefaultAction != "SCMP_ACT_LOG" || p.Container.Unread != "" || p.Format != Kubernetes {
		t.Errorf("asked for %q, default %q, %q, format %s", asked, p.DefaultAction, p.Container.Unread, p.Format)
	}
}

// Containers are joined if nothing tells them apart, and where the manifest itself is at fault only
// within a pod.
func TestGroup(t *testing.T) {
	pod := func(name string, containers ...string) string {
		return "---\napiVersion: v1\nkind: Pod\nmetadata: {name: " + name + "}\nspec:\n  containers:\n  - " + strings.Join(containers, "\n  - ") + "\n"
	}
	const own = ", securityContext: {seccompProfile: {type: RuntimeDefault}}}"
	list, err := Read("p", []byte(pod("a", "{name: x"+own, "{name: y"+own, "{name: z}", "{name: w}")+pod("b", "{name: x"+own, "{name: z}",
		"{name: v, securityContext: {seccompProfile: {type: RuntimeDefault}, capabilities: {drop: [ALL]}}}")), ReadOptions{})
	if err != nil || len(list) != 7 {
		t.Fatal(len(list), err)
	}
	var got []string
	for _, p := range Group(list) {
		got = append(got, p.Name+" = "+strings.Join(p.Container.Also, ", "))
	}
	want := []string{"p#Pod/a container x = Pod/a container y, Pod/b container x", "p#Pod/a container z = Pod/a container w", "p#Pod/b container z = ", "p#Pod/b container v = "}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if list[0].Container.Also != nil {
		t.Error("the list was changed")
	}
}

// Ten thousand containers are read, and one more is refused with what was read beside it.
func TestManyContainers(t *testing.T) {
	text := func(n int) []byte {
		return []byte("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n" + strings.Repeat("  - {name: x, securityContext: {seccompProfile: {type: RuntimeDefault}}}\n", n))
	}
	list, err := Read("p", text(maxContainers), ReadOptions{})
	if err != nil || len(list) != maxContainers {
		t.Fatalf("%d containers, %v", len(list), err)
	}
	if groups := Group(list); len(groups) != 1 || len(groups[0].Container.Also) != maxContainers-1 {
		t.Errorf("%d groups", len(groups))
	}
	if list[1].Name == list[2].Name {
		t.Errorf("two are called %s", list[1].Name)
	}
	list, err = Read("p", text(maxContainers+1), ReadOptions{})
	if err == nil || len(list) != maxContainers {
		t.Errorf("%d containers, %v", len(list), err)
	}
}

// A profile of Docker's that containerd reads for a container is written as containerd reads it:
// without conditions. Where there is nothing to write, nothing is.
func TestWriteContainer(t *testing.T) {
	const text = `{"defaultAction": "SCMP_ACT_ERRNO", "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]}], "syscalls": [
		{"names": ["mount"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}}, {"name": "read", "action": "SCMP_ACT_ALLOW"}]}`
	p := readPod(t, "{seccompProfile: {type: Localhost, localhostProfile: x.json}}", ReadOptions{Load: func(string) ([]byte, error) { return []byte(text), nil }})
	for _, format := range []string{Docker, OCI, SPO} {
		same, said := written(t, p, format, "x86_64")
		if !same && !said {
			t.Errorf("as %s it means something else", format)
		}
	}
	out, err := p.Write(Docker, Target{ABI: arch(t, "x86_64")})
	if err != nil || strings.Contains(string(out.Text), "includes") || strings.Contains(string(out.Text), "archMap") || strings.Contains(string(out.Text), "read") {
		t.Errorf("%v\n%s", err, out.Text)
	}
	p = readPod(t, "{seccompProfile: {type: Localhost, localhostProfile: x.json}}", ReadOptions{})
	if _, err := p.Write(Docker, Target{ABI: arch(t, "x86_64")}); err == nil {
		t.Error("a profile that was not read is written")
	}
}
