package profile

import (
	"fmt"
	"slices"
	"strings"
)

// The same text means different things to different consumers. The matrix says, for each feature of a
// profile and each runtime of Runtimes, what becomes of it; Resolve does the same, and a test drives
// small profiles through it for every cell.

// Handling says what a consumer does with a feature.
type Handling string

// The ways of handling a feature.
const (
	HandlingRead    Handling = "read"    // it means what the file says
	HandlingIgnored Handling = "ignored" // as if it were not there
	HandlingRefused Handling = "refused" // the container does not start
	HandlingSpecial Handling = "special" // it means something else; Effect says what
	HandlingUnknown Handling = "unknown" // no source was found
)

// A Feature is a row of the matrix: a field of profiles, or a way to use one.
type Feature struct {
	Name  string // "includes.caps"
	Title string // what it is, in one line
	// Reader: what becomes of it is up to the program that reads the file; not: up to the runtime that
	// makes the filter, whoever reads the file.
	Reader bool
}

// A Cell is what one consumer does with one feature.
type Cell struct {
	Feature, Runtime string
	Handling         Handling
	Effect           string // one sentence for people, without an end; "" if Handling says it all
	Origin           string // how it is known: source and version, or what was measured
	// By names the runtime that does it, where that is not Runtime itself: runc for docker.
	By string
}

// Features lists the rows of the matrix.
func Features() (list []Feature) {
	for _, row := range matrix {
		list = append(list, row.Feature)
	}
	return list
}

// Matrix lists every cell: by feature, and within one by runtime, in the order of Features and
// Runtimes.
func Matrix() (cells []Cell) {
	for _, row := range matrix {
		for _, name := range runtimeNames() {
			c, _ := CellOf(row.Name, name) // both are from the lists
			cells = append(cells, c)
		}
	}
	return cells
}

// CellOf returns what a runtime of Runtimes, or two like "podman/runc", does with a feature.
func CellOf(feature, runtime string) (Cell, error) {
	i := slices.IndexFunc(matrix, func(row matrixRow) bool { return row.Name == feature })
	if i < 0 {
		return Cell{}, fmt.Errorf("unknown feature %q", feature)
	}
	_, maker, err := parseRuntime(runtime)
	if err != nil {
		return Cell{}, err
	}
	first, _, _ := strings.Cut(runtime, "/")
	c := Cell{Feature: feature, Runtime: runtime, Handling: HandlingUnknown}
	if first == RuntimeSystemd {
		c.Handling, c.Effect, c.Origin = HandlingRefused, "systemd reads units only", "systemd.exec(5)"
	}
	for _, word := range []string{first, string(maker)} {
		if d, ok := matrix[i].cells[word]; ok {
			c.Handling, c.Effect, c.Origin = d.handling, d.effect, origins[word]
			if d.origin != "" {
				c.Origin = d.origin
			}
			if word != first {
				c.By = word
			}
			break
		}
	}
	if row := matrix[i]; row.becomes != "" && c.Handling == HandlingRead && c.By == "" && first != string(maker) {
		next, err := CellOf(row.becomes, string(maker))
		if err == nil && next.Handling != HandlingRead {
			c.Handling, c.Effect, c.Origin, c.By = next.Handling, next.Effect, next.Origin, string(maker)
		}
	}
	return c, nil
}

// origins says where a cell is from that does not say so itself.
var origins = map[string]string{
	RuntimeDocker:     "github.com/moby/profiles/seccomp v0.3.0 seccomp_linux.go setupSeccomp, run beside",
	RuntimePodman:     "go.podman.io/common/pkg/seccomp f0ddf1a745bb setupSeccomp, its output recorded",
	RuntimeCRIO:       "go.podman.io/common/pkg/seccomp f0ddf1a745bb setupSeccomp, its output recorded",
	RuntimeContainerd: "containerd v2.4.2 contrib/seccomp WithProfile, runtime-spec v1.3.0 LinuxSeccomp",
	RuntimeSPO:        "security-profiles-operator a2e4c4bdf (2026-08) api/seccompprofile/v1 SeccompProfileSpec",
	RuntimeRunc:       "runc 1.5 libcontainer/specconv SetupSeccomp, libcontainer/seccomp; loaded filters of 1.1 read back",
	RuntimeCrun:       "crun ba38286f (2026-08) src/libcrun/seccomp.c; filters of 1.8.1 as loaded",
	RuntimeGVisor:     "gVisor 160fafc42237 (2026-09) runsc/specutils/seccomp, its output recorded",
	RuntimeKernel:     "the rules as the file's format means them",
}

// A matrixRow is a feature with the cells that differ; a reader without one does what its maker does.
type matrixRow struct {
	Feature
	cells   map[string]deed
	becomes string // the feature that a reader makes of it, for the runtime that gets the section
}

// A deed is a cell while it is written down.
type deed struct {
	handling       Handling
	effect, origin string
}

// does is a deed whose origin is that of the runtime.
func does(h Handling, effect string) deed { return deed{h, effect, ""} }

// deeds are written down for several runtimes at once, by their names in one string.
type deeds map[string]deed

// row is a row from deeds.
func (f Feature) row(d deeds) matrixRow {
	row := matrixRow{Feature: f, cells: map[string]deed{}}
	for names, deed := range d {
		for _, name := range strings.Fields(names) {
			row.cells[name] = deed
		}
	}
	return row
}

// as says what a reader makes of the feature.
func (row matrixRow) as(feature string) matrixRow {
	row.becomes = feature
	return row
}
