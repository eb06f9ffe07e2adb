package profile

import (
	_ "embed"
	"fmt"
	"slices"

	"github.com/profcheck/profcheck/syscalls"
)

// Builtin describes a profile that is part of the program.
type Builtin struct {
	Name    string // what Open takes
	Title   string // what it is, in one line
	Origin  string // where it comes from
	Version string // of the origin; "" if it has none
	Licence string // SPDX identifier of the text; "" for our own
	format  string // of the profile; the text is JSON
	data    []byte
	terms   string // the licence's text
}

// Containerd is the format of containerd-default, which no file has: a profile that containerd makes
// by a function of its own, from the processor, the kernel and the capabilities that it finds. It is
// written down in Docker's format. Its includes, excludes and archMap stand for the function's
// branches, so they count whatever runtime gets the outcome; errno, Podman's field, for a number that
// is not the same on all processors.
const Containerd = "containerd"

var _ = registerFormat(format{
	name: Containerd, title: "containerd's own rules", runtime: RuntimeContainerd, caps: true, rank: rankNever,
	dialect: dialect{who: "containerd", docker: true, errnos: true},
})

//go:embed builtin/docker-default.json
var dockerDefault []byte

//go:embed builtin/docker-default.LICENSE
var dockerLicence string

//go:embed builtin/containerd-default.json
var containerdDefault []byte

//go:embed builtin/containerd-default.LICENSE
var containerdLicence string

//go:embed builtin/podman-default.json
var podmanDefault []byte

//go:embed builtin/podman-default.LICENSE
var podmanLicence string

//go:embed builtin/strict.json
var strict []byte

var builtins = []Builtin{
	{
		Name:    "docker-default",
		Title:   "the profile that Docker gives a container by default",
		Origin:  "github.com/moby/profiles/seccomp default.json",
		Version: "v0.3.0",
		Licence: "Apache-2.0",
		format:  Docker,
		data:    dockerDefault,
		terms:   dockerLicence,
	},
	{
		Name:    "containerd-default",
		Title:   "the profile of containerd, and of Kubernetes' RuntimeDefault with it",
		Origin:  "github.com/containerd/containerd/v2 contrib/seccomp, its function as data",
		Version: "v2.4.2",
		Licence: "Apache-2.0",
		format:  Containerd,
		data:    containerdDefault,
		terms:   containerdLicence,
	},
	{
		Name:    "podman-default",
		Title:   "the profile that Podman, Buildah and CRI-O give a container by default",
		Origin:  "github.com/containers/common pkg/seccomp/seccomp.json",
		Version: "v0.65.0-dev, f437c58aab67 of 2025-08",
		Licence: "Apache-2.0",
		format:  Podman,
		data:    podmanDefault,
		terms:   podmanLicence,
	},
	{
		Name:   strictName,
		Title:  "the four calls of the kernel's SECCOMP_MODE_STRICT",
		Origin: "kernel/seccomp.c mode1_syscalls, arch/*/include/asm/seccomp.h",
		format: Kernel,
		data:   strict,
	},
}

const strictName = "strict"

// Builtins lists the built-in profiles, docker-default first.
func Builtins() []Builtin { return slices.Clone(builtins) }

// Source returns the text of the profile.
func (b Builtin) Source() []byte { return slices.Clone(b.data) }

// LicenceText returns the licence that came with the profile, "" for our own.
func (b Builtin) LicenceText() string { return b.terms }

func builtin(name string) (Builtin, bool) {
	i := slices.IndexFunc(builtins, func(b Builtin) bool { return b.Name == name })
	if i < 0 {
		return Builtin{}, false
	}
	return builtins[i], true
}

// open parses a built-in as its format has it. It is part of the program, so an error is a fault of
// the program; the tests open each.
func (b Builtin) open() (*Profile, error) {
	docs, err := documents(b.Name, b.data)
	if err != nil {
		return nil, err
	}
	f := &file{name: b.Name, data: b.data, format: formatNamed(b.format)}
	if err := readJSON(f, docs[0]); err != nil {
		return nil, err
	}
	p := f.profiles[0]
	if p.Format == Kernel {
		p.bindStrict()
	}
	return p, nil
}

// oldSigreturn lists the ABIs whose strict mode allows sigreturn in place of rt_sigreturn
// (__NR_seccomp_sigreturn and its _32 form in arch/*/include/asm/seccomp.h).
var oldSigreturn = []string{"x86", "ppc", "s390", "s390x"}

// bindStrict ties the signal returns to their ABIs, which JSON cannot say. x32 has no strict mode
// of its own: the kernel compares its numbers, bit included, with those of x86_64.
func (p *Profile) bindStrict() {
	for i, r := range p.Rules {
		p.Rules[i].ABIs = []string{}
		for _, a := range syscalls.Arches() {
			old := slices.Contains(oldSigreturn, a.Name)
			name := r.Names[0].Text
			if a.Name == "x32" || name == "sigreturn" && !old || name == "rt_sigreturn" && old {
				continue
			}
			p.Rules[i].ABIs = append(p.Rules[i].ABIs, a.Name)
		}
	}
}

// UnknownBuiltinError is what Open returns for a name without slash and dot that is no built-in.
type UnknownBuiltinError struct {
	Name    string
	Nearest string // a built-in's name, "" if none is near
}

func (e *UnknownBuiltinError) Error() string {
	if e.Nearest != "" {
		return fmt.Sprintf("profile %s: no such built-in; did you mean %s? (a file is given as ./%s)", e.Name, e.Nearest, e.Name)
	}
	return fmt.Sprintf("profile %s: no such built-in (a file is given as ./%s)", e.Name, e.Name)
}

func unknownBuiltin(name string) error {
	var names []string
	for _, b := range builtins {
		names = append(names, b.Name)
	}
	return &UnknownBuiltinError{Name: name, Nearest: syscalls.NearestOf(name, names)}
}
