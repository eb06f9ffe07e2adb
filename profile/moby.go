package profile

import (
	"sort"

	"github.com/profcheck/profcheck/syscalls"
)

// mobyWords gives Docker's own word for the architecture of a host, by Go's name for it
// (github.com/moby/profiles/seccomp goToNative). It is what archMap is chosen by and what
// includes.arches and excludes.arches are compared with. Go's mips, big-endian o32, has none.
var mobyWords = map[string]string{
	"386": "x86", "amd64": "amd64", "arm": "arm", "arm64": "arm64", "loong64": "loongarch64",
	"mips64": "mips64", "mips64le": "mipsel64", "mipsle": "mipsel",
	"ppc64": "ppc64", "ppc64le": "ppc64le", "riscv64": "riscv64", "s390x": "s390x",
}

// HostWord returns the word that Docker's includes.arches uses for a host of this architecture:
// "amd64", "arm64", "loongarch64"; "" if Docker has none, and then no such rule matches there.
func HostWord(host *syscalls.Arch) string {
	if host == nil {
		return ""
	}
	return mobyWords[host.GOARCH]
}

// hostWords lists the words of Docker's table. Some of them match no host that Go serves, x32 among
// them, but Docker's own profile uses them beside others, and that does no harm.
func hostWords() []string {
	words := []string{"x32", "mips64n32", "mips3l64n32", "ppc", "s390"}
	for _, w := range mobyWords {
		words = append(words, w)
	}
	sort.Strings(words)
	return words
}
