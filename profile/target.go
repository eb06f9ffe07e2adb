package profile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/profcheck/profcheck/syscalls"
)

// A Target says who enforces a profile. Nothing of it is taken from the machine that asks.
type Target struct {
	Runtime string          // a name of Runtimes, or two: "podman/runc"
	Version string          // of the runtime that makes the filter, "1.1.5"; "" is the newest known
	ABI     *syscalls.Arch  // of the program
	Host    *syscalls.Arch  // of the host's kernel and of the runtime; nil: the ABI's Host
	Caps    []string        // the container's bounding set: "CAP_CHOWN"
	Kernel  syscalls.Kernel // the host's; zero is the newest in the table
	// NoNewPrivs is the container's noNewPrivileges. The runtimes then load the filter last, and need fewer
	// calls afterwards; it does not change what the filter does. False is Docker's default.
	NoNewPrivs bool
}

// DefaultTarget returns the target that a profile of this format is written for: Docker with its 14
// capabilities for Docker's format, runc for an OCI section, with the
// noNewPrivileges and bounding set of the config.json around it if it gives them, the kernel with no capabilities for
// the built-in strict; the host is the ABI's and the kernel the newest in the table.
func (p *Profile) DefaultTarget(abi *syscalls.Arch) Target {
	t := Target{Runtime: RuntimeDocker, ABI: abi, Host: hostOf(abi), Kernel: syscalls.NewestKernel()}
	f := formatNamed(p.Format)
	if f == nil {
		f = formatNamed(Docker) // of a Profile that no reader made
	}
	t.Runtime = f.runtime
	if f.caps {
		t.Caps = DockerCaps()
	}
	if f.target != nil {
		f.target(p, &t)
	}
	return t
}

func hostOf(abi *syscalls.Arch) *syscalls.Arch {
	if abi == nil {
		return nil
	}
	if host := syscalls.ByName(abi.Host); host != nil {
		return host
	}
	return abi
}

// String describes the target in one line.
func (t Target) String() string {
	var b strings.Builder
	b.WriteString(t.Runtime)
	if t.Version != "" {
		b.WriteString(" " + t.Version)
	}
	fmt.Fprintf(&b, ", %s on %s, kernel %s", t.ABI, t.Host, t.Kernel)
	switch {
	case slices.Equal(t.Caps, dockerCaps):
		b.WriteString(", Docker's default capabilities")
	case len(t.Caps) == 0:
		b.WriteString(", no capabilities")
	default:
		b.WriteString(", " + strings.Join(t.Caps, " "))
	}
	return b.String()
}

// complete fills in what a Target may leave out and refuses what it may not.
func (t Target) complete() (Target, error) {
	if t.ABI == nil {
		return t, fmt.Errorf("target %s: no ABI", t.Runtime)
	}
	if t.Host == nil {
		t.Host = hostOf(t.ABI)
	}
	if t.Kernel == (syscalls.Kernel{}) {
		t.Kernel = syscalls.NewestKernel()
	}
	if err := CheckRuntime(t.Runtime); err != nil {
		return t, err
	}
	if _, err := parseVersion(t.Version); err != nil {
		return t, err
	}
	return t, nil
}

// A version is a release of a runtime; less compares them. A release candidate counts as its release.
type version [3]int

// newest stands for a version that is not given.
var newest = version{1 << 30}

func parseVersion(text string) (version, error) {
	if text == "" {
		return newest, nil
	}
	core, _, _ := strings.Cut(strings.TrimPrefix(text, "v"), "-")
	core, _, _ = strings.Cut(core, "+")
	parts := strings.Split(core, ".")
	var v version
	if len(parts) > len(v) || len(parts) < 2 {
		return v, fmt.Errorf("version %q: want one like 1.1.5", text)
	}
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 16)
		if err != nil {
			return v, fmt.Errorf("version %q: want one like 1.1.5", text)
		}
		v[i] = int(n)
	}
	return v, nil
}

func (v version) less(other version) bool { return slices.Compare(v[:], other[:]) < 0 }
