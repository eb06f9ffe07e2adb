// Command containerd-default prints what containerd's own function gives for sets of capabilities,
// one JSON line each, on the processor and kernel that it is run on. Each argument is a set, with
// commas; "none" is the empty one.
package main

import (
	"encoding/json"
	"os"
	"runtime"
	"strings"

	"github.com/containerd/containerd/v2/contrib/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
)

type line struct {
	GOARCH  string              `json:"goarch"`
	Caps    []string            `json:"caps"`
	Section *specs.LinuxSeccomp `json:"section"`
}

func main() {
	out := json.NewEncoder(os.Stdout)
	for _, set := range os.Args[1:] {
		l := line{GOARCH: runtime.GOARCH}
		if set != "none" {
			l.Caps = strings.Split(set, ",")
		}
		l.Section = seccomp.DefaultProfile(&specs.Spec{Process: &specs.Process{
			Capabilities: &specs.LinuxCapabilities{Bounding: l.Caps},
		}})
		if err := out.Encode(l); err != nil {
			os.Exit(1)
		}
	}
}
