package syscalls

import (
	"fmt"
	"strconv"
	"strings"
)

// Kernel is a Linux release. The zero value is unknown. Releases of the 2.6 series are all 2.6.
type Kernel struct{ Major, Minor int }

// release is a Kernel in two bytes, for the table.
type release struct{ major, minor uint8 }

// FirstKernel returns the first release that had a call of this name on any ABI; false if no
// source gives it. An ABI may have got the call later.
func FirstKernel(name string) (Kernel, bool) {
	i, ok := index(name)
	if !ok || since[i] == (release{}) {
		return Kernel{}, false
	}
	return Kernel{int(since[i].major), int(since[i].minor)}, true
}

// RemovedIn returns the first release that has no code for a call of this name on any ABI any more, and
// answers ENOSYS; false if it is there in NewestKernel, if there never was any code, or if no source gives
// the release.
func RemovedIn(name string) (Kernel, bool) {
	r, ok := removed[name]
	return Kernel{int(r.major), int(r.minor)}, ok
}

// NewestKernel returns the release that the table belongs to: every call in it has a number there on
// the ABIs that name it, and later calls are not in it. See RemovedIn for those that are left of it.
func NewestKernel() Kernel { return newest }

// ParseKernel reads a release such as "5.9", "v6.1", "2.6.39" or "6.1.0-18-amd64" as uname -r has
// it. What follows the second number is ignored.
func ParseKernel(text string) (Kernel, error) {
	first, rest, ok := strings.Cut(strings.TrimPrefix(text, "v"), ".")
	end := len(rest)
	if i := strings.IndexAny(rest, ".-+"); i >= 0 {
		end = i
	}
	major, err1 := strconv.ParseUint(first, 10, 8)
	minor, err2 := strconv.ParseUint(rest[:end], 10, 8)
	if !ok || err1 != nil || err2 != nil || major == 0 {
		return Kernel{}, fmt.Errorf("kernel %q: not a release such as 5.9", text)
	}
	return Kernel{int(major), int(minor)}, nil
}

// Less reports whether k is an earlier release than other. Unknown is less than every release.
func (k Kernel) Less(other Kernel) bool {
	if k.Major != other.Major {
		return k.Major < other.Major
	}
	return k.Minor < other.Minor
}

// String returns "5.9", or "unknown" for the zero value.
func (k Kernel) String() string {
	if k == (Kernel{}) {
		return "unknown"
	}
	return fmt.Sprintf("%d.%d", k.Major, k.Minor)
}
