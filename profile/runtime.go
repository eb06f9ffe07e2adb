package profile

import (
	"fmt"
	"strings"

	"github.com/profcheck/profcheck/syscalls"
)

// The runtimes that Resolve knows. A program that reads the file and starts containers with a
// runtime of its own choice can be joined with another: "docker/crun", "podman/runc".
const (
	RuntimeDocker     = "docker"
	RuntimePodman     = "podman"
	RuntimeCRIO       = "crio"
	RuntimeContainerd = "containerd"
	RuntimeSPO        = "spo"
	RuntimeRunc       = "runc"
	RuntimeCrun       = "crun"
	RuntimeGVisor     = "gvisor"
	RuntimeSystemd    = "systemd"
	RuntimeKernel     = "kernel" // no runtime: the rules as written
)

// A RuntimeInfo describes one runtime.
type RuntimeInfo struct {
	Name   string // what Target.Runtime takes
	Title  string // who reads the file and who makes the filter, in one line
	Loads  string // for a program that starts containers, the runtime that it uses by default; "" else
	Origin string // how it is known what it does
}

// Runtimes lists the runtimes, those that read files for others first.
func Runtimes() []RuntimeInfo {
	return []RuntimeInfo{
		{RuntimeDocker, "Docker reads the file, runc makes the filter", RuntimeRunc, "github.com/moby/profiles v0.3.0 run beside; filters recorded"},
		{RuntimePodman, "Podman (or Buildah) reads the file, crun makes the filter", RuntimeCrun, "source and output of go.podman.io/common pkg/seccomp, 2026-04"},
		{RuntimeCRIO, "CRI-O reads the file with Podman's reader, crun makes the filter", RuntimeCrun, "source and output of go.podman.io/common pkg/seccomp, 2026-04"},
		{RuntimeContainerd, "containerd reads the file as an OCI section, runc makes the filter", RuntimeRunc, "source of containerd contrib/seccomp"},
		{RuntimeSPO, "the Security Profiles Operator writes an OCI section from its resource, containerd reads it, runc makes the filter", RuntimeRunc, "source of the operator of 2026-08"},
		{RuntimeRunc, "runc, given an OCI section", "", "source of 1.5; loaded filters of 1.1 read back"},
		{RuntimeCrun, "crun, given an OCI section", "", "source of 1.29; filters of 1.8 as written and as loaded"},
		{RuntimeGVisor, "gVisor with --oci-seccomp (without it, no profile counts), given an OCI section", "", "source and compiled filters of 2026-09"},
		{RuntimeSystemd, "systemd, given a unit", "", "systemd.exec(5) and groups of 252; source of that time"},
		{RuntimeKernel, "no runtime: the rules as the file's format means them", "", "kernel/seccomp.c; libseccomp 2.5.4 as measured"},
	}
}

// A maker turns an OCI section into a filter.
type maker string

// A reader turns a file into an OCI section.
type reader struct {
	name string
	// docker: archMap, includes, excludes and the old field name are read.
	docker bool
	// minKernel and errnoNames say whether includes.minKernel and the errnos as words are.
	minKernel, errnoNames bool
	// drops: a profile without default action and rules becomes no section at all.
	drops bool
	// word is the host's name in includes.arches, and archMap whether that field is applied there.
	word    func(*syscalls.Arch) string
	archMap func(*syscalls.Arch) bool
}

var (
	mobyReader = reader{
		name: "Docker", docker: true, minKernel: true, drops: true,
		word: HostWord, archMap: func(a *syscalls.Arch) bool { return HostWord(a) != "" },
	}
	podmanReader = reader{
		name: "Podman", docker: true, errnoNames: true, drops: true,
		word: podmanWord, archMap: func(a *syscalls.Arch) bool { return podmanArchMap[a.Name] },
	}
	crioReader       = withName(podmanReader, "CRI-O")
	containerdReader = reader{name: "containerd"}
	spoReader        = reader{name: "the operator"}
	// containerdCode is containerd's function for its own profile, which reads no file.
	containerdCode = reader{
		name: "containerd", docker: true, minKernel: true, errnoNames: true,
		word: HostWord, archMap: func(a *syscalls.Arch) bool { return a.GOARCH != "" },
	}
	noReader = reader{}
)

func withName(r reader, name string) reader {
	r.name = name
	return r
}

// readers gives what comes before the slash, or alone.
var readers = map[string]struct {
	reader
	maker
}{
	RuntimeDocker:     {mobyReader, RuntimeRunc},
	RuntimePodman:     {podmanReader, RuntimeCrun},
	RuntimeCRIO:       {crioReader, RuntimeCrun},
	RuntimeContainerd: {containerdReader, RuntimeRunc},
	RuntimeSPO:        {spoReader, RuntimeRunc},
	RuntimeRunc:       {noReader, RuntimeRunc},
	RuntimeCrun:       {noReader, RuntimeCrun},
	RuntimeGVisor:     {noReader, RuntimeGVisor},
	RuntimeSystemd:    {noReader, RuntimeSystemd},
	// The kernel target takes a file for what it says.
	RuntimeKernel: {mobyReader, RuntimeKernel},
}

// CheckRuntime reports why a word is no runtime; nil if it is one.
func CheckRuntime(word string) error {
	_, _, err := parseRuntime(word)
	return err
}

// parseRuntime reads "podman" or "podman/runc".
func parseRuntime(word string) (reader, maker, error) {
	first, second, joined := strings.Cut(word, "/")
	known, ok := readers[first]
	if !ok {
		return reader{}, "", fmt.Errorf("unknown runtime %q: %s, or two like podman/runc", word, strings.Join(runtimeNames(), ", "))
	}
	if !joined {
		return known.reader, known.maker, nil
	}
	switch second {
	case RuntimeRunc, RuntimeCrun, RuntimeGVisor:
		if known.name != "" && known.maker != RuntimeKernel {
			return known.reader, maker(second), nil
		}
	}
	return reader{}, "", fmt.Errorf("runtime %q: before the slash docker, podman, crio, containerd or spo, after it runc, crun or gvisor", word)
}

func runtimeNames() (names []string) {
	for _, r := range Runtimes() {
		names = append(names, r.Name)
	}
	return names
}

// Maker names the runtime that makes the filter: "runc", "crun", "gvisor" or "kernel"; "" if Runtime
// is no runtime. Version is a release of it.
func (t Target) Maker() string {
	_, m, err := parseRuntime(t.Runtime)
	if err != nil {
		return ""
	}
	return string(m)
}

// podmanWord is the host's name in includes.arches as Podman has it: libseccomp-golang's
// (ScmpArch.String).
func podmanWord(host *syscalls.Arch) string {
	switch {
	case host == nil:
		return ""
	case host.Name == "x86_64":
		return "amd64"
	case host.Name == "aarch64":
		return "arm64"
	case host.Name == "loongarch64":
		return "loong64"
	}
	return host.Name
}

// podmanArchMap lists the hosts for which Podman reads archMap at all (pkg/seccomp nativeToSeccomp).
var podmanArchMap = map[string]bool{
	"x86_64": true, "aarch64": true, "mips64": true, "mips64n32": true, "mipsel64": true, "mipsel64n32": true, "s390x": true,
}

const flagSpecAllow = "SECCOMP_FILTER_FLAG_SPEC_ALLOW"

// flagsFrom is the release of runc that adds SPEC_ALLOW where the field flags is absent.
var flagsFrom = version{1, 2, 0}

// flags returns what the runtime passes to seccomp(2). An empty list in the file is not an absent
// one for runc and crun, but a reader before them writes no empty list into the section (the field is
// omitempty in runtime-spec's LinuxSeccomp). gVisor, which makes no such call, has none.
func (r *resolver) flags() (list []string) {
	if r.maker == RuntimeGVisor {
		return nil
	}
	for _, f := range r.p.Flags {
		list = append(list, f.Text)
	}
	v, _ := parseVersion(r.Target.Version) // complete has checked it
	switch {
	case r.maker == RuntimeKernel, len(r.p.Flags) > 0, r.p.FlagsSet && r.reader.name == "":
	case r.maker == RuntimeCrun, !v.less(flagsFrom):
		list = append(list, flagSpecAllow)
	}
	return list
}
